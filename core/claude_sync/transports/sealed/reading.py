"""Which segments of sealed files to ask for, and opening what comes.

A reader's ranges are of what was sealed; the store's are of segments. Where those lie only the
index tells, at the file's end; it is remembered as long as the file's stamp is the same.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing

from claude_sync.disk.beside import done_beside
from claude_sync.disk.snapshot import BLOCK_SIZE
from claude_sync.errors import BundleCorrupt, BundleIncomplete, FileGone
from claude_sync.model import Stamp
from claude_sync.sealed.file import (
    HEADER_BYTES,
    TRAILER_BYTES,
    Identity,
    Index,
    Opener,
    index_length,
    read_identity,
    read_index,
)
from claude_sync.sealed.keys import Master
from claude_sync.sealed.names import is_id_of
from claude_sync.transports.base import Ends, Get, Range, Transport, is_same_file
from claude_sync.values import NamedTuple

_FEW_SEGMENTS = 4
"""So many segments, of up to 1 MiB each, aren't worth a thread."""
_MOST_SEGMENTS = 50_000
"""Of how many segments all remembered indexes together may tell."""


class Indexes:
    """The indexes of files as they were read or written last."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Stamp, Index]] = {}
        self._segments = 0

    def get(self, name: str, stamp: Stamp) -> Index | None:
        """The index of a file, None where it isn't known."""
        known = self._known.get(name)
        return known[1] if known is not None and is_same_file(known[0], stamp) else None

    def put(self, name: str, stamp: Stamp, index: Index) -> None:
        """Remember a file's index."""
        before = self._known.pop(name, None)
        self._segments += len(index.sizes) - (len(before[1].sizes) if before else 0)
        self._known[name] = (stamp, index)
        while self._segments > _MOST_SEGMENTS and len(self._known) > 1:
            oldest = next(iter(self._known))
            self._segments -= len(self._known.pop(oldest)[1].sizes)


class Pieces:
    """The bytes of one file as far as they came: both its ends, and what was asked for since."""

    def __init__(self, ends: Ends) -> None:
        self.name = ends.name
        self.stamp = ends.stamp
        self._pieces = [(0, ends.head), (ends.stamp.size - len(ends.tail), ends.tail)]

    def has(self, start: int, end: int) -> bool:
        """Whether these bytes came."""
        return any(at <= start and end <= at + len(data) for at, data in self._pieces)

    def bytes_at(self, start: int, end: int) -> bytes:
        """These bytes; they came."""
        for at, data in self._pieces:
            if at <= start and end <= at + len(data):
                return data[start - at : end - at]
        raise FileGone("a file changed while it was read", where=self.name)

    def fetch(self, transport: Transport, spans: Sequence[tuple[int, int]]) -> None:
        """Ask for what of these spans didn't come.

        Raises:
            TransportError: it can't be read.
        """
        wanted = [(start, end) for start, end in spans if not self.has(start, end)]
        if not wanted:
            return
        get = Get(self.name, [Range(start, end - start) for start, end in wanted], self.stamp)
        for got in transport.read([get]):
            data = b"".join(got.blocks)
            for start, end in wanted:
                self._pieces.append((start, data[: end - start]))
                data = data[end - start :]


def identity_of(master: Master, pieces: Pieces) -> Identity:
    """Whose file this is.

    Raises:
        BundleError: as `read_identity`.
    """
    size = pieces.stamp.size
    head = pieces.bytes_at(0, min(size, HEADER_BYTES))
    return read_identity(master, head, pieces.bytes_at(max(0, size - TRAILER_BYTES), size))


def index_of(master: Master, transport: Transport, pieces: Pieces) -> Index:
    """A file's index; what of it didn't come is asked for.

    Raises:
        BundleError: as `read_identity` and `read_index`.
        TransportError: it can't be read.
    """
    size = pieces.stamp.size
    identity = identity_of(master, pieces)
    end = size - TRAILER_BYTES
    length = index_length(pieces.bytes_at(end, size), size)
    pieces.fetch(transport, [(end - length, end)])
    return read_index(master, identity, pieces.bytes_at(end - length, end), size)


def check_owner(master: Master, index: Index, first: bytes) -> None:
    """Whether a file is that of the session and the machine which its first cut names.

    Raises:
        BundleCorrupt: it isn't.
    """
    if not is_id_of(master, index.identity.file_id, first):
        raise BundleCorrupt(
            "the bundle names another session or machine than its file",
            todo="push the session again on the machine it came from",
        )


class Counted:
    """Blocks that come, counted."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._passed = 0

    def count(self) -> int:
        """How many bytes came so far."""
        return self._passed

    def __iter__(self) -> Iterator[bytes]:
        for block in self._blocks:
            self._passed += len(block)
            yield block


class Found(NamedTuple):
    """What is known of a file before it is read.

    Attributes:
        of: its index.
        whole: all its bytes, where they came with its index.
    """

    of: Index
    whole: bytes | None = None


class Step(NamedTuple):
    """A segment to open, and what of its cut is wanted.

    Attributes:
        place: which.
        start, end: of the cut's bytes.
        fetched: whether its bytes come next; else it is the one before, again.
    """

    place: int
    start: int
    end: int
    fetched: bool


class Reading(NamedTuple):
    """How the ranges of one get are read.

    Attributes:
        of: the file's index.
        steps: what to open, in order.
        ranges: what to ask the store for: the segments that come, one after the other.
        here: the same where it is here already.
    """

    of: Index
    steps: tuple[Step, ...]
    ranges: tuple[Range, ...]
    here: Iterator[bytes] | None = None

    def blocks(self, master: Master, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """What the get asked for, from what the store gives.

        Raises:
            BundleError: a segment isn't what was sealed.
        """
        stored, opener = iter(blocks), Opener(master, self.of)

        def opened(one: tuple[Step, bytes]) -> tuple[Step, bytes]:
            step, segment = one
            return step, opener.open(step.place, segment) if step.fetched else b""

        steps = done_beside(opened, self._segments(stored), worth_a_thread_from=_FEW_SEGMENTS)
        cut = b""
        with closing(steps):
            for step, fetched in steps:
                cut = fetched if step.fetched else cut
                if step.fetched and step.place == 0:
                    check_owner(master, self.of, cut)
                yield from _small_blocks(cut, step.start, step.end)
        for _ in stored:
            pass  # its end tells whether the file was the same all the while

    def _segments(self, stored: Iterator[bytes]) -> Iterator[tuple[Step, bytes]]:
        """The steps, each with its segment where that comes."""
        buffer = bytearray()
        for step in self.steps:
            segment = b""
            if step.fetched:
                length = self.of.stored[step.place]
                while len(buffer) < length:
                    block = next(stored, None)
                    if block is None:
                        raise _ended_early()
                    buffer += block
                segment = bytes(memoryview(buffer)[:length])
                del buffer[:length]
            yield step, segment


def plan_reading(index: Index, ranges: Sequence[Range], whole: bytes | None = None) -> Reading:
    """How to read ranges of what was sealed.

    Args:
        index: the file's.
        ranges: what is wanted.
        whole: the file, where it is here already.
    """
    offsets, places = index.offsets(), index.places()
    steps: list[Step] = []
    wanted: list[Range] = []
    for offset, length in ranges:
        end = index.size if length < 0 else min(index.size, offset + length)
        place = bisect_right(offsets, offset) - 1
        while max(offset, offsets[place]) < end:
            first, after = offsets[place], offsets[place + 1]
            fetched = not steps or steps[-1].place != place
            steps.append(Step(place, max(offset, first) - first, min(end, after) - first, fetched))
            if fetched:
                _add(wanted, places[place], index.stored[place])
            place += 1
    here = None
    if whole is not None:
        here = iter([whole[offset : offset + length] for offset, length in wanted])
    return Reading(index, tuple(steps), tuple(wanted), here)


def _add(ranges: list[Range], offset: int, length: int) -> None:
    last = ranges[-1] if ranges else None
    if last is not None and last.offset + last.length == offset:
        ranges[-1] = Range(last.offset, last.length + length)
    else:
        ranges.append(Range(offset, length))


def _small_blocks(cut: bytes, start: int, end: int) -> Iterator[bytes]:
    """A part of a cut, in blocks such as files are read in."""
    for at in range(start, end, BLOCK_SIZE):
        yield cut[at : min(at + BLOCK_SIZE, end)]


def _ended_early() -> BundleIncomplete:
    return BundleIncomplete(
        "the bundle ended while it was read", todo="it is looked at again next time"
    )
