"""Fetching bundles: they are read, checked and staged as temporary files in one pass.

Nothing comes out of here before the whole bundle proved true. Where bytes cost, what lies here
isn't asked for (`delta`); if the whole doesn't prove true then, everything is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path

from claude_sync.bundle.unpack import (
    SidecarData,
    SidecarEnd,
    SidecarStart,
    TranscriptData,
    Unpacked,
    UnpackEvent,
    unpack,
)
from claude_sync.claude.session_files import (
    SessionFiles,
    is_checkpoint,
    is_plan,
    is_session_file,
)
from claude_sync.disk import files
from claude_sync.disk.files import Staged
from claude_sync.disk.prefix_hashes import prefix_hashes
from claude_sync.disk.refusals import refusal
from claude_sync.disk.snapshot import BLOCK_SIZE, read_small
from claude_sync.errors import (
    BundleError,
    ClaudeHomeError,
    ClaudeSyncError,
    FileGone,
    FileUnreadable,
    SessionChanging,
)
from claude_sync.model import BundleHead, SidecarFile, Version
from claude_sync.store.delta import DeltaPlan, Request, plan_delta
from claude_sync.transports.base import Got, Transport

_SMALL_BYTES = 4 * BLOCK_SIZE


@dataclass(frozen=True, slots=True)
class Fetched:
    """A bundle that is here, whole and true, as staged files that aren't synced yet.

    Attributes:
        head: what it says of itself.
        transcript: its transcript.
        sidecar: its sidecar files, sorted by path, but for those that lie here as they are.
        received: bytes that went through the transport.
        noted: SHA-256 of the transcript's first bytes, by their number, where that was noted.
        same_here: sidecar files that lie here as they are, as far as they were compared.
    """

    head: BundleHead
    transcript: Staged
    sidecar: tuple[tuple[SidecarFile, Staged], ...]
    received: int
    noted: Mapping[int, str] = field(default_factory=dict)
    same_here: tuple[SidecarFile, ...] = ()

    @property
    def session_id(self) -> str:
        return self.head.session_id

    @property
    def version(self) -> Version:
        return self.head.version

    def staged(self) -> list[Staged]:
        """All its files."""
        return [self.transcript, *(staged for _, staged in self.sidecar)]

    def begins_with(self, version: Version, check: Callable[[], None] = lambda: None) -> bool:
        """Whether its transcript begins with another one, or is that one.

        Args:
            version: the other one.
            check: called between blocks where it must be read for that; raises to stop.

        Raises:
            OSError: it can't be read.
        """
        size = version.size
        noted = self.noted
        if size not in noted:
            noted = prefix_hashes(self.transcript.path, [size], check)
        return noted.get(size) == version.sha256

    def moved(self, folder: Path) -> Fetched:
        """The same, staged in another folder.

        Raises:
            OSError: it can't be moved; nothing of it is left there.
        """
        moved: list[Staged] = []
        try:
            for staged in self.staged():
                moved.append(files.restage(staged, folder))
        except BaseException:
            for staged in moved:
                files.discard(staged)
            raise
        sidecar = zip((file for file, _ in self.sidecar), moved[1:], strict=True)
        return replace(self, transcript=moved[0], sidecar=tuple(sidecar))

    def discard(self) -> None:
        """Remove what of it wasn't given a name."""
        for staged in self.staged():
            files.discard(staged)


def fetch(
    transport: Transport, wanted: Sequence[Request], check: Callable[[], None]
) -> Iterator[Fetched | ClaudeSyncError]:
    """Fetch bundles, in their order; what went wrong with one is its answer.

    Raises:
        TransportError, Stopped: all that is left can't be fetched.
    """
    plans = [plan_delta(transport, one, check) for one in wanted]
    for planned, answer in zip(plans, _received(transport, plans, check), strict=True):
        if isinstance(answer, BundleError) and planned.parts:
            # Something here wasn't what that file holds. If the transcripts diverge within an
            # escape even the end is missed, so that the file seems to end early.
            yield from _received(transport, [DeltaPlan(planned.wanted)], check)
        else:
            yield answer


def _received(
    transport: Transport, plans: Sequence[DeltaPlan], check: Callable[[], None]
) -> Iterator[Fetched | ClaudeSyncError]:
    """What came for each plan. To be used to its end: left early, it ends the connection."""
    gots = transport.read([planned.get for planned in plans])
    for planned, got in zip(plans, gots, strict=True):
        yield _receive(planned, got, check)


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


def _receive(planned: DeltaPlan, got: Got, check: Callable[[], None]) -> Fetched | ClaudeSyncError:
    counter = _Counter(got.blocks, check)
    staging = _Staging(planned.wanted)
    try:
        events = unpack(
            _put_together(planned, counter),
            planned.known_prefix(),
            sidecar=planned.sidecar(check),
            marks=planned.marks(),
        )
        whole = staging.fill(events)
        if whole.head.version != planned.wanted.bundle.head.version:
            raise FileGone("the bundle was replaced meanwhile", todo="look again")
    except (BundleError, FileGone, FileUnreadable, SessionChanging) as error:
        staging.discard()
        return error
    except OSError as error:
        staging.discard()
        why, todo = refusal(error, "check the disk's free space and the folder's permissions")
        return ClaudeHomeError(
            f"files from the shared folder can't be written here ({why})",
            where=str(planned.wanted.folder),
            todo=todo,
        )
    except BaseException:
        staging.discard()
        raise
    received = counter.received if got.passed is None else got.passed()
    return staging.fetched(whole, received)


def _put_together(planned: DeltaPlan, counter: _Counter) -> Iterator[bytes]:
    for part in planned.parts:
        yield from counter.take(part) if isinstance(part, int) else part()
    yield from counter.all()


class _Staging:
    """The files of one bundle, as they come."""

    def __init__(self, wanted: Request) -> None:
        self._wanted = wanted
        self._transcript: Staged | None = None
        self._sidecar: list[tuple[SidecarFile, Staged]] = []
        self._same_here: list[SidecarFile] = []
        self._stamps_here = dict(wanted.here.local.sidecar) if wanted.here is not None else {}
        self._pending: UnpackEvent | None = None

    def fill(self, events: Iterator[UnpackEvent]) -> Unpacked:
        """Write all that comes; the last event, once the bundle proved true."""
        while True:
            # An event may be an empty tuple, so it is compared with None.
            event = self._pending if self._pending is not None else next(events)
            self._pending = None
            if isinstance(event, Unpacked):
                if self._transcript is None:
                    self._transcript = self._stage(())
                return event
            if isinstance(event, TranscriptData):
                self._transcript = self._stage(self._data(event, events))
            elif isinstance(event, SidecarStart):
                self._take_sidecar_file(self._data(None, events))

    def _take_sidecar_file(self, blocks: Iterator[bytes]) -> None:
        """Stage a sidecar file, unless it lies here: of checkpoints there are thousands."""
        begun = _begin(blocks)
        # A small one is all there by now, and what ended it has told its path.
        staged = self._stage_sidecar_file(chain(begun, blocks)) if self._pending is None else None
        end = self._pending
        assert isinstance(end, SidecarEnd)
        self._pending = None
        if staged is None:
            if self._is_here(end.file, begun):
                self._same_here.append(end.file)
                return
            staged = self._stage_sidecar_file(begun)
        if is_checkpoint(end.file.path):
            files.set_time(staged, self._mtime_ns)  # older than those that follow here
        if is_session_file(end.file.path):
            self._sidecar.append((end.file, staged))
        else:
            files.discard(staged)

    def _is_here(self, file: SidecarFile, blocks: Sequence[bytes]) -> bool:
        """Whether a file lies here with just these bytes.

        A plan doesn't count: another session that comes in the same pull may write over it.
        """
        stamp = self._stamps_here.get(file.path)
        if stamp is None or stamp.size != file.size or is_plan(file.path):
            return False
        assert self._wanted.here is not None
        path = SessionFiles(self._wanted.here.local.path).path_of(file.path)
        try:
            return read_small(path, file.size + 1) == b"".join(blocks)
        except OSError:
            return False  # then it is staged, and whoever installs it sees why

    def _data(self, first: TranscriptData | None, events: Iterator[UnpackEvent]) -> Iterator[bytes]:
        kind = SidecarData if first is None else TranscriptData
        if first is not None:
            yield first.data
        for event in events:
            if not isinstance(event, kind):
                self._pending = event
                return
            yield event.data

    def _stage(self, blocks: Iterable[bytes]) -> Staged:
        return files.stage(self._wanted.folder, blocks, mtime_ns=self._mtime_ns)

    def _stage_sidecar_file(self, blocks: Iterable[bytes]) -> Staged:
        return files.stage(self._wanted.folder, blocks, mtime_ns=None)

    @property
    def _mtime_ns(self) -> int:
        """When the session was last written, wherever that was."""
        mtime_ns = self._wanted.mtime_ns
        return self._wanted.bundle.head.mtime_ns if mtime_ns is None else mtime_ns

    def fetched(self, whole: Unpacked, received: int) -> Fetched:
        """What came, whole."""
        assert self._transcript is not None
        sidecar = tuple(sorted(self._sidecar, key=lambda one: one[0].path))
        return Fetched(
            whole.head,
            self._transcript,
            sidecar,
            received=received,
            noted=whole.noted,
            same_here=tuple(self._same_here),
        )

    def discard(self) -> None:
        """Remove what came."""
        if self._transcript is not None:
            files.discard(self._transcript)
        for _, staged in self._sidecar:
            files.discard(staged)


def _begin(blocks: Iterator[bytes]) -> list[bytes]:
    """The first blocks of a stream: all of them where it is small."""
    begun, size = list[bytes](), 0
    for block in blocks:
        begun.append(block)
        size += len(block)
        if size > _SMALL_BYTES:
            break
    return begun
