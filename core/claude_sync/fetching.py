"""Bundles on their way here: read, checked and staged as temporary files, in one pass.

Nothing comes out of here before the whole bundle proved true. Where bytes cost and an older
version of the session lies here, only the ranges that seem new are asked for; the rest of the
file is made anew from what is here, and the whole is checked as if it had all been sent. If it
doesn't prove true then, everything is asked for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from claude_sync import files
from claude_sync.claude_home import sidecar_folder
from claude_sync.codec import encode, encoded_size
from claude_sync.errors import (
    BundleError,
    ClaudeHomeError,
    ClaudeSyncError,
    FileGone,
    SessionChanging,
)
from claude_sync.files import Staged
from claude_sync.members import AFTER_TRANSCRIPT, back_of, compact, members_of
from claude_sync.model import Bundle, BundleHead, LocalSession, SidecarFile
from claude_sync.snapshot import Snapshot, blocks_of
from claude_sync.transports.base import Get, Range, Transport
from claude_sync.unpack import (
    Begun,
    Event,
    SidecarData,
    SidecarEnd,
    SidecarStart,
    TranscriptData,
    Unpacked,
    unpack,
)


class Wanted(NamedTuple):
    """A bundle to bring here.

    Attributes:
        bundle: which.
        folder: where its files are staged; it exists.
        mtime_ns: modification time for the transcript, None for the one it had.
        local: an older version of the session that lies here, None where there is none.
        sidecar_sha256: of that one's sidecar files, "" where unknown.
    """

    bundle: Bundle
    folder: Path
    mtime_ns: int | None = None
    local: LocalSession | None = None
    sidecar_sha256: str = ""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A bundle that is here, whole and true, as staged files that aren't synced yet.

    Attributes:
        head: what it says of itself.
        transcript: its transcript.
        sidecar: its sidecar files, sorted by path.
        received: bytes that went through the transport.
    """

    head: BundleHead
    transcript: Staged
    sidecar: tuple[tuple[SidecarFile, Staged], ...]
    received: int

    def staged(self) -> list[Staged]:
        """All its files."""
        return [self.transcript, *(staged for _, staged in self.sidecar)]

    def moved(self, folder: Path) -> Fetched:
        """The same, staged in another folder."""
        sidecar = tuple((file, files.restage(staged, folder)) for file, staged in self.sidecar)
        return replace(self, transcript=files.restage(self.transcript, folder), sidecar=sidecar)

    def discard(self) -> None:
        """Remove what of it wasn't given a name."""
        for staged in self.staged():
            files.discard(staged)


def fetch(
    transport: Transport, wanted: Sequence[Wanted], check: Callable[[], None]
) -> Iterator[Fetched | ClaudeSyncError]:
    """Bring bundles here; see `Store.fetch`."""
    plans = [_plan(transport, one, check) for one in wanted]
    gets = [Get(plan.wanted.bundle.name, plan.ranges, plan.wanted.bundle.stamp) for plan in plans]
    for plan, got in zip(plans, transport.read(gets), strict=True):
        answer = _receive(plan, got.blocks, check)
        if isinstance(answer, BundleError) and plan.parts:
            # Something here wasn't what that file holds. Where the transcript parts within an
            # escape even its end is missed, so that the file seems to end early.
            whole = _Plan(plan.wanted, (Range(0, -1),))
            get = Get(whole.wanted.bundle.name, whole.ranges, whole.wanted.bundle.stamp)
            again = next(iter(transport.read([get])))
            answer = _receive(whole, again.blocks, check)
        yield answer


# --- which bytes come from where ---------------------------------------------------------------

_Local = Callable[[], Iterator[bytes]]

# A digest of less than this costs about as much as the bytes.
_WORTH_ASKING_BYTES = 1024


class _Plan(NamedTuple):
    """How a file is put together.

    Attributes:
        wanted: which.
        ranges: what is asked for.
        parts: the file's parts in order, each the length of the next range, or what makes the
            bytes here; empty where all is asked for.
        lines: bytes of the transcript here that the file's begins with, and that none of the parts
            has; they end with a line.
        encoded_lines: the same, as the file holds them.
    """

    wanted: Wanted
    ranges: tuple[Range, ...]
    parts: tuple[int | _Local, ...] = ()
    lines: int = 0
    encoded_lines: int = 0

    def begun(self) -> Begun | None:
        """What the transcript begins with and isn't among the parts."""
        local = self.wanted.local
        if not self.lines or local is None:
            return None
        return Begun(_first_lines(local, self.lines), self.encoded_lines)


def _plan(transport: Transport, wanted: Wanted, check: Callable[[], None]) -> _Plan:
    head, local = wanted.bundle.head, wanted.local
    whole = _Plan(wanted, (Range(0, -1),))
    if not transport.remote or local is None or not head.start:
        return whole
    try:
        return _with_what_is_here(transport, wanted, local, check) or whole
    except (OSError, SessionChanging):
        return whole


def _with_what_is_here(
    transport: Transport, wanted: Wanted, local: LocalSession, check: Callable[[], None]
) -> _Plan | None:
    head, size = wanted.bundle.head, wanted.bundle.stamp.size
    with Snapshot(local.path, whole_lines=True) as snapshot:
        lines = snapshot.size
        snapshot.file.seek(0)
        known = encoded_size(_checked(blocks_of(snapshot.file, lines), check))
    if not 0 < known <= head.encoded_size:
        return None
    begin = head.start + head.encoded_size + len(AFTER_TRANSCRIPT)
    end = size - len(back_of(members_of(head)))
    spans = _sidecar_spans(transport, wanted, local, begin, end, check)
    ranges = [Range(0, head.start)]
    parts: list[int | _Local] = [head.start]
    position = head.start + known
    for start, length, source in spans:
        if start > position:
            ranges.append(Range(position, start - position))
            parts.append(start - position)
        parts.append(source)
        position = start + length
    ranges.append(Range(position, size - position))
    parts.append(size - position)
    return _Plan(wanted, tuple(ranges), tuple(parts), lines, known)


def _sidecar_spans(
    transport: Transport,
    wanted: Wanted,
    local: LocalSession,
    begin: int,
    end: int,
    check: Callable[[], None],
) -> list[tuple[int, int, _Local]]:
    """Where in the file the sidecar files stand that lie here too: all, or from both ends."""
    entries = [_entry(local, path) for path, _ in local.sidecar]
    if not entries:
        return []
    if wanted.sidecar_sha256 == wanted.bundle.head.sidecar_sha256:
        return [(begin, end - begin, lambda: _joined(entries))]
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
    found: list[tuple[int, int, _Local]] = []
    position = begin
    for (offset, index), answer in sorted(zip(guesses, answers, strict=True), key=lambda g: g[0]):
        if answer == hashed[index][1] and offset >= position:
            found.append((offset, sizes[index], entries[index]))
            position = offset + sizes[index]
    return found


def _joined(entries: Iterable[_Local]) -> Iterator[bytes]:
    for index, entry in enumerate(entries):
        if index:
            yield b","
        yield from entry()


def _first_lines(local: LocalSession, size: int) -> Iterator[bytes]:
    with Snapshot(local.path) as snapshot:
        snapshot.file.seek(0)
        yield from blocks_of(snapshot.file, size)


def _checked(blocks: Iterable[bytes], check: Callable[[], None]) -> Iterator[bytes]:
    for block in blocks:
        check()
        yield block


def _entry(local: LocalSession, path: str) -> _Local:
    """What makes a sidecar file's entry as a bundle holds it."""

    def made() -> Iterator[bytes]:
        with Snapshot(sidecar_folder(local.path) / path) as snapshot:
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


# --- receiving ---------------------------------------------------------------------------------


class _Counter:
    """The bytes that came through the transport, checked for a stop between blocks."""

    def __init__(self, blocks: Iterator[bytes], check: Callable[[], None]) -> None:
        self._blocks = blocks
        self._check = check
        self._left = b""
        self.received = 0

    def take(self, size: int) -> Iterator[bytes]:
        """The next bytes, so many of them."""
        while size > 0:
            block = self._left or self._next()
            if not block:
                return
            self._left = block[size:]
            size -= min(size, len(block))
            yield block[: len(block) - len(self._left)]

    def all(self) -> Iterator[bytes]:
        """All that is left."""
        while block := self._left or self._next():
            self._left = b""
            yield block

    def _next(self) -> bytes:
        self._check()
        block = next(self._blocks, b"")
        self.received += len(block)
        return block


def _receive(
    plan: _Plan, blocks: Iterator[bytes], check: Callable[[], None]
) -> Fetched | ClaudeSyncError:
    counter = _Counter(blocks, check)
    staging = _Staging(plan.wanted)
    try:
        head = staging.fill(unpack(_put_together(plan, counter), plan.begun()))
        if head.version != plan.wanted.bundle.head.version:
            raise FileGone("the bundle is another one by now", todo="look again")
    except (BundleError, FileGone, SessionChanging) as error:
        staging.discard()
        return error
    except OSError as error:
        staging.discard()
        return ClaudeHomeError(
            f"what comes from the store can't be written here ({error.strerror})",
            where=str(plan.wanted.folder),
            todo="check the disk's free space and the folder's permissions",
        )
    except BaseException:
        staging.discard()
        raise
    return staging.fetched(head, counter.received)


def _put_together(plan: _Plan, counter: _Counter) -> Iterator[bytes]:
    if not plan.parts:
        yield from counter.all()
        return
    for part in plan.parts:
        yield from counter.take(part) if isinstance(part, int) else part()
    yield from counter.all()


class _Staging:
    """The files of one bundle, as they come."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._transcript: Staged | None = None
        self._sidecar: list[tuple[SidecarFile, Staged]] = []
        self._pending: Event | None = None

    def fill(self, events: Iterator[Event]) -> BundleHead:
        """Write all that comes; the bundle's head once it proved true."""
        while True:
            # An event may be an empty tuple, so it is compared with None.
            event = self._pending if self._pending is not None else next(events)
            self._pending = None
            if isinstance(event, Unpacked):
                if self._transcript is None:
                    self._transcript = self._stage(())
                return event.head
            if isinstance(event, TranscriptData):
                self._transcript = self._stage(self._data(event, events))
            elif isinstance(event, SidecarStart):
                staged = self._stage(self._data(None, events), transcript=False)
                end = self._pending
                assert isinstance(end, SidecarEnd)
                self._sidecar.append((end.file, staged))
                self._pending = None

    def _data(self, first: TranscriptData | None, events: Iterator[Event]) -> Iterator[bytes]:
        kind = SidecarData if first is None else TranscriptData
        if first is not None:
            yield first.data
        for event in events:
            if not isinstance(event, kind):
                self._pending = event
                return
            yield event.data

    def _stage(self, blocks: Iterable[bytes], *, transcript: bool = True) -> Staged:
        mtime_ns = None
        if transcript:
            mtime_ns = self._wanted.mtime_ns
            if mtime_ns is None:
                mtime_ns = self._wanted.bundle.head.mtime_ns
        return files.stage(self._wanted.folder, blocks, mtime_ns=mtime_ns)

    def fetched(self, head: BundleHead, received: int) -> Fetched:
        """What came, whole."""
        assert self._transcript is not None
        sidecar = tuple(sorted(self._sidecar, key=lambda one: one[0].path))
        return Fetched(head, self._transcript, sidecar, received)

    def discard(self) -> None:
        """Remove what came."""
        if self._transcript is not None:
            files.discard(self._transcript)
        for _, staged in self._sidecar:
            files.discard(staged)
