"""How a bundle that is fetched is put together, where bytes cost and an older version lies here.

Only the ranges that seem new are asked for; the rest of the file is made again from what is here.
First comes what the bundle's ends say, then the transcript as far as it is here, so that this is
written and hashed while the first range is on its way. Nothing of it is believed: the whole is
checked as if it had all been sent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from claude_sync.bundle.codec import encode, encoded_size
from claude_sync.bundle.members import AFTER_TRANSCRIPT, back_of, compact, front_of, members_of
from claude_sync.bundle.unpack import KnownPrefix
from claude_sync.claude.session_files import SessionFiles, read_sidecar
from claude_sync.disk.snapshot import Snapshot, blocks_of
from claude_sync.errors import BundleError, FileGone, FileUnreadable, SessionChanging
from claude_sync.model import Bundle, LocalSession, SidecarFile
from claude_sync.transports.base import Cut, Entry, Get, Range, Transport, is_sealing, read_size
from claude_sync.values import NamedTuple

# A digest of less than this costs about as much as the bytes.
_WORTH_ASKING_BYTES = 1024


class LinePrefix(NamedTuple):
    """The full lines of a transcript.

    Attributes:
        size: bytes.
        encoded_size: bytes that a bundle holds them as.
    """

    size: int
    encoded_size: int


class LocalBase(NamedTuple):
    """An older version of a session, as it lies here.

    Attributes:
        local: where.
        sidecar_sha256: of its sidecar files, "" where unknown.
        lines: its full lines, None where they weren't measured yet.
    """

    local: LocalSession
    sidecar_sha256: str = ""
    lines: LinePrefix | None = None


class Request(NamedTuple):
    """A bundle to bring here.

    Attributes:
        bundle: which.
        folder: where its files are staged; it exists.
        mtime_ns: modification time for the transcript, None for the one it had.
        here: an older version of the session that lies here, None where there is none.
    """

    bundle: Bundle
    folder: Path
    mtime_ns: int | None = None
    here: LocalBase | None = None


LocalBytes = Callable[[], Iterator[bytes]]
"""Makes bytes from what is here."""


class LocalSpan(NamedTuple):
    """A part of a bundle's file that can be made here.

    Attributes:
        start, length: where it stands in the file.
        source: what makes it.
    """

    start: int
    length: int
    source: LocalBytes


class DeltaPlan(NamedTuple):
    """How a file is put together.

    Attributes:
        wanted: which.
        ranges: what is asked for.
        parts: the file's parts in order, each the length of the next range, or what makes the
            bytes here; empty where all is asked for.
        lines: what the transcript begins with, and none of the parts has.
        has_sidecar: whether all its sidecar files lie here, and none of the parts has them.
    """

    wanted: Request
    ranges: tuple[Range, ...] = (Range(0, -1),)
    parts: tuple[int | LocalBytes, ...] = ()
    lines: LinePrefix | None = None
    has_sidecar: bool = False

    @property
    def get(self) -> Get:
        """What to ask for."""
        bundle = self.wanted.bundle
        return Get(bundle.name, self.ranges, bundle.stamp)

    def known_prefix(self) -> KnownPrefix | None:
        """What the transcript begins with and isn't among the parts.

        Its blocks raise SessionChanging where they can't be read any more.
        """
        here = self.wanted.here
        if self.lines is None or here is None:
            return None
        return KnownPrefix(_first_lines(here.local, self.lines.size), self.lines.encoded_size)

    def sidecar(self, check: Callable[[], None]) -> tuple[SidecarFile, ...]:
        """The sidecar files that aren't among the parts, read now.

        Raises:
            SessionChanging: they can't be read.
        """
        here = self.wanted.here
        if not self.has_sidecar or here is None:
            return ()
        with _reading(here.local):
            return read_sidecar(here.local, check)

    def marks(self) -> tuple[int, ...]:
        """Sizes of what lies here: whoever compares wants to know the hash of as much."""
        here = self.wanted.here
        if here is None:
            return ()
        return (here.local.stamp.size, *([self.lines.size] if self.lines else []))


def measure(local: LocalSession, check: Callable[[], None]) -> LinePrefix:
    """Measure the full lines of a transcript.

    Args:
        local: the session.
        check: called between blocks; raises to stop.

    Raises:
        OSError: it can't be read.
        Stopped: `check` said so.
    """
    with Snapshot(local.path, whole_lines=True) as snapshot:
        size = snapshot.size
        snapshot.file.seek(0)
        return LinePrefix(size, encoded_size(_checked(blocks_of(snapshot.file, size), check)))


def plan_delta(transport: Transport, wanted: Request, check: Callable[[], None]) -> DeltaPlan:
    """How to fetch a bundle with as few bytes as possible.

    Args:
        transport: what reaches it.
        wanted: which, and what lies here of its session.
        check: called between blocks; raises to stop.

    Raises:
        TransportError: the store can't be asked.
        Stopped: `check` said so.
    """
    here = wanted.here
    if not transport.remote or here is None or not wanted.bundle.head.start:
        return DeltaPlan(wanted)
    try:
        return _with_what_is_here(transport, wanted, here, check) or DeltaPlan(wanted)
    except (OSError, SessionChanging, BundleError, FileGone, FileUnreadable):
        return DeltaPlan(wanted)


def _with_what_is_here(
    transport: Transport, wanted: Request, here: LocalBase, check: Callable[[], None]
) -> DeltaPlan | None:
    head = wanted.bundle.head
    size = read_size(transport, Entry(wanted.bundle.name, wanted.bundle.stamp))
    lines = here.lines or measure(here.local, check)
    front = front_of(members_of(head))
    if not 0 < lines.encoded_size <= head.encoded_size or len(front) != head.start:
        return None
    begin = head.start + head.encoded_size + len(AFTER_TRANSCRIPT)
    end = size - len(back_of(members_of(head)))
    has_sidecar = bool(here.local.sidecar) and here.sidecar_sha256 == head.sidecar_sha256
    if has_sidecar:
        spans = [LocalSpan(begin, end - begin, _nothing)]
    elif is_sealing(transport):
        cuts = transport.cuts(Entry(wanted.bundle.name, wanted.bundle.stamp))
        spans = _cut_spans(cuts, here.local, after=head.start + head.encoded_size, check=check)
    else:
        spans = _sidecar_spans(transport, wanted, here.local, between=(begin, end), check=check)
    ranges: list[Range] = []
    parts: list[int | LocalBytes] = [lambda: iter([front])]
    position = head.start + lines.encoded_size
    for start, length, source in spans:
        if start > position:
            ranges.append(Range(position, start - position))
            parts.append(start - position)
        parts.append(source)
        position = start + length
    ranges.append(Range(position, size - position))
    parts.append(size - position)
    return DeltaPlan(
        wanted,
        ranges=tuple(ranges),
        parts=tuple(parts),
        lines=lines,
        has_sidecar=has_sidecar,
    )


def _nothing() -> Iterator[bytes]:
    return iter(())


def _cut_spans(
    cuts: Sequence[Cut], local: LocalSession, after: int, check: Callable[[], None]
) -> list[LocalSpan]:
    """Where in a sealed file's sidecar what the files here make stands, too."""
    if not local.sidecar:
        return []
    from claude_sync.store.local_cuts import LocalCuts

    here = LocalCuts([_entry(local, path) for path, _ in local.sidecar], check)
    return [
        LocalSpan(same.start, same.length, partial(here.make, same))
        for same in here.among(cut for cut in cuts if cut.start >= after)
    ]


def _sidecar_spans(
    transport: Transport,
    wanted: Request,
    local: LocalSession,
    between: tuple[int, int],
    check: Callable[[], None],
) -> list[LocalSpan]:
    """Where in the file the sidecar files stand that lie here too, as far as that can be guessed.

    A file's place is guessed from those before it and from those after it, and proved by a digest.
    """
    begin, end = between
    entries = [_entry(local, path) for path, _ in local.sidecar]
    hashed = [_size_and_hash(entry(), check) for entry in entries]
    sizes = [size for size, _ in hashed]
    from_front, from_back = [], []
    position = begin
    for size in sizes:
        from_front.append(position)
        position += size + 1
    position = end
    for size in reversed(sizes):
        from_back.append(position - size)
        position -= size + 1
    from_back.reverse()
    guesses = [
        (offset, index)
        for index in range(len(entries))
        for offset in dict.fromkeys((from_front[index], from_back[index]))
        if sizes[index] >= _WORTH_ASKING_BYTES and begin <= offset <= end - sizes[index]
    ]
    name, stamp = wanted.bundle.name, wanted.bundle.stamp
    answers = transport.digests(
        [Get(name, [Range(offset, sizes[index])], stamp) for offset, index in guesses]
    )
    found: list[LocalSpan] = []
    position = begin
    for (offset, index), answer in sorted(zip(guesses, answers, strict=True), key=lambda g: g[0]):
        if answer == hashed[index][1] and offset >= position:
            found.append(LocalSpan(offset, sizes[index], entries[index]))
            position = offset + sizes[index]
    return found


def _first_lines(local: LocalSession, size: int) -> Iterator[bytes]:
    with _reading(local), Snapshot(local.path) as snapshot:
        snapshot.file.seek(0)
        yield from blocks_of(snapshot.file, size)


@contextmanager
def _reading(local: LocalSession) -> Iterator[None]:
    """A session that can't be read is being worked on.

    Raises:
        SessionChanging: instead of any OSError.
    """
    try:
        yield
    except OSError as error:
        raise SessionChanging(
            f"the session's files here can't be read ({error.strerror})",
            where=local.session_id,
            todo="it is tried again next time",
        ) from error


def _checked(blocks: Iterable[bytes], check: Callable[[], None]) -> Iterator[bytes]:
    for block in blocks:
        check()
        yield block


def _entry(local: LocalSession, path: str) -> LocalBytes:
    """What makes a sidecar file's element of a bundle."""

    def made() -> Iterator[bytes]:
        with _reading(local), Snapshot(SessionFiles(local.path).path_of(path)) as snapshot:
            yield b'{"path":' + compact(path) + b',"data":"'
            yield from encode(snapshot.blocks())
            size, sha256 = snapshot.settle()
            yield b'",' + compact({"size": size, "sha256": sha256})[1:]

    return made


def _size_and_hash(blocks: Iterable[bytes], check: Callable[[], None]) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    for block in _checked(blocks, check):
        digest.update(block)
        size += len(block)
    return size, digest.hexdigest()
