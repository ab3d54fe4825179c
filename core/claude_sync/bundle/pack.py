"""A transcript, its sidecar and a label → the bytes of a .ccsync file.

Invariant: what `Packer.pieces` yields is one bundle in canonical form (FORMAT.md, "The bundle"),
whatever way the input is cut into blocks; of two bundles whose transcripts share a prefix, the
encoded transcripts share it too. Memory doesn't grow with the transcript, nor with a sidecar file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass

from claude_sync.bundle.codec import encode
from claude_sync.bundle.members import (
    AFTER_TRANSCRIPT,
    SCHEMA,
    RunningVersion,
    SidecarPaths,
    back_of,
    check_members,
    compact,
    front_of,
    members_of,
    sidecar_digest,
)
from claude_sync.model import MAX_TITLE_CHARACTERS, BundleHead, SidecarFile, Version
from claude_sync.values import NamedTuple

FRAME = ""
"""The section of what stands around transcript and sidecar files, and of their tiny parts."""
TRANSCRIPT = "transcript"
_KEPT = "kept"

_BIGGEST_PIECE = 1 << 20
_BIGGEST_FRAME = 1 << 19
# Less than this isn't worth a piece of its own: it joins the frame around it.
_SMALLEST_PIECE = 4 << 10


@dataclass(frozen=True, slots=True)
class Label:
    """What a bundle says of its session besides the bytes: the members of that name (FORMAT.md).

    Attributes:
        title: clipped to what a bundle may hold.
        supersedes: at most 64, the newest.
        pushed_at: RFC 3339, UTC.
        mtime_ns: of the transcript, nanoseconds since the epoch.
    """

    session_id: str
    project_key: str
    subpath: str
    machine: str
    machine_id: str
    revision: int
    pushed_at: str
    mtime_ns: int
    title: str = ""
    open: bool = False
    supersedes: tuple[str, ...] = ()
    decision: int = 0

    def begins_like(self, other: Label) -> bool:
        """Whether bundles of both begin with the same bytes, up to the transcript."""
        return front_of(_members(self)) == front_of(_members(other))


class Piece(NamedTuple):
    """The next bytes of a bundle, at most 1 MiB.

    Attributes:
        data: the bytes.
        section: which part of the file they belong to: FRAME, TRANSCRIPT, or `sidecar_section`.
        offset: where they begin in that section's encoding; of the frame, in the file.
    """

    data: bytes
    section: str
    offset: int


class Kept(NamedTuple):
    """The first part of a transcript's encoding, where that isn't made.

    Attributes:
        size: how many bytes.
        given: how many of them are still encoded from the bytes that are given, and left out.
    """

    size: int
    given: int


class Span(NamedTuple):
    """Where a section's encoding lies in a file: bytes, without the quotes around it."""

    start: int
    size: int


class Packed(NamedTuple):
    """A bundle that was written to the end.

    Attributes:
        head: what it says of itself.
        sidecar: its sidecar files, sorted by path.
        layout: where the transcript and each sidecar file lie in it, by section.
        size: of the file, bytes.
    """

    head: BundleHead
    sidecar: tuple[SidecarFile, ...]
    layout: dict[str, Span]
    size: int


SidecarSource = tuple[str, Callable[[], Iterable[bytes]]]
"""A sidecar file's path, and what opens it and yields its bytes."""


def sidecar_section(path: str) -> str:
    """The name of a sidecar file's section."""
    return f"sidecar:{path}"


class Packer:
    """Makes one bundle, once.

    Args:
        label: what the bundle says of the session.
        transcript: its bytes.
        sidecar: the files of its sidecar folder, in any order.
        settle: asked for the transcript's version after its last block; it may raise to say that
            the blocks were no whole (`Snapshot.settle`). None to hash the blocks here.
        kept: what of the transcript's encoding isn't made; it belongs between the first piece and
            the second. `settle` is needed then.

    Raises:
        BundleCorrupt, BundleUnsafe: a member or a path can't go into a bundle.
    """

    def __init__(
        self,
        label: Label,
        transcript: Iterable[bytes],
        sidecar: Iterable[SidecarSource] = (),
        *,
        settle: Callable[[], Version] | None = None,
        kept: Kept | None = None,
    ) -> None:
        self.kept = kept
        self._members = _members(label)
        self._transcript = transcript
        self._settle = settle
        self._sources = sorted(sidecar, key=lambda source: source[0])
        paths = SidecarPaths()
        for path, _ in self._sources:
            paths.add(path)
        self._sidecar: list[SidecarFile] = []
        self._layout: dict[str, Span] = {}
        self._position = 0
        self._version = Version(0, "")
        self._packed: Packed | None = None

    @property
    def packed(self) -> Packed:
        """What was made.

        Raises:
            RuntimeError: it was asked for before the last of `pieces`.
        """
        if self._packed is None:
            raise RuntimeError("the bundle isn't written to its end yet")
        return self._packed

    @property
    def version(self) -> Version:
        """Of the transcript; only after the last of `body`."""
        return self._version

    def pieces(self) -> Iterator[Piece]:
        """The file's bytes, one after the other.

        Raises:
            OSError, SessionError: a source can't be read, or is being rewritten.
            BundleCorrupt, BundleUnsafe: a member can't go into a bundle.
        """
        yield from self.body()
        start = self._position
        yield Piece(self.back(), FRAME, start)

    def body(self) -> Iterator[Piece]:
        """The same without `back`.

        Raises:
            OSError, SessionError: a source can't be read, or is being rewritten.
        """
        frame: list[bytes] = []
        waiting = done = 0
        for part in self._parts():
            if part.section == _KEPT:
                yield Piece(b"".join(frame), FRAME, done)
                done = self._position
                frame, waiting = [], 0
                continue
            joins = part.section == FRAME or len(part.data) < _SMALLEST_PIECE
            if joins:
                frame.append(part.data)
                waiting += len(part.data)
            if waiting and (not joins or waiting >= _BIGGEST_FRAME):
                yield Piece(b"".join(frame), FRAME, done)
                done += waiting
                frame, waiting = [], 0
            if not joins:
                yield part
                done += len(part.data)
        if waiting:
            yield Piece(b"".join(frame), FRAME, done)

    def back(self, label: Label | None = None) -> bytes:
        """The file's last bytes, once all others were made.

        Args:
            label: what the bundle says of the session after all, if that was found out only since;
                it `begins_like` the first one.

        Raises:
            BundleCorrupt, BundleUnsafe: a member can't go into a bundle.
        """
        if label is not None:
            self._members = _members(label)
        span = self._layout[TRANSCRIPT]
        self._members.update(
            size=self._version.size,
            sha256=self._version.sha256,
            sidecar_sha256=sidecar_digest(self._sidecar),
            encoded_size=span.size,
        )
        check_members(self._members)
        head = BundleHead(**self._members, start=span.start)  # type: ignore[arg-type]
        back = back_of(members_of(head))
        self._packed = Packed(head, tuple(self._sidecar), self._layout, self._position + len(back))
        return back

    def _parts(self) -> Iterator[Piece]:
        """The body's bytes with their sections, in parts as they come."""
        yield self._frame(front_of(self._members))
        if self._settle is None:
            assert self.kept is None
            running = RunningVersion()
            yield from self._section(TRANSCRIPT, map(running.add, self._transcript))
            self._version = running.version
        else:
            yield from self._section(TRANSCRIPT, self._transcript, self.kept)
            self._version = self._settle()
        yield self._frame(AFTER_TRANSCRIPT)
        for index, (path, open_source) in enumerate(self._sources):
            comma = b"," if index else b""
            yield self._frame(comma + b'{"path":' + compact(path) + b',"data":"')
            running = RunningVersion()
            yield from self._section(sidecar_section(path), map(running.add, open_source()))
            size, sha256 = running.version
            yield self._frame(b'",' + compact({"size": size, "sha256": sha256})[1:])
            self._sidecar.append(SidecarFile(path, size, sha256))

    def _frame(self, data: bytes) -> Piece:
        piece = Piece(data, FRAME, self._position)
        self._position += len(data)
        return piece

    def _section(
        self, name: str, blocks: Iterable[bytes], kept: Kept | None = None
    ) -> Iterator[Piece]:
        start, left_out = self._position, 0
        if kept is not None:
            self._position += kept.size
            left_out = kept.given
            yield Piece(b"", _KEPT, start)
        for encoded in encode(blocks):
            data = encoded[left_out:] if left_out else encoded
            left_out -= len(encoded) - len(data)
            for at in range(0, len(data), _BIGGEST_PIECE):
                part = data[at : at + _BIGGEST_PIECE]
                yield Piece(part, name, self._position - start)
                self._position += len(part)
        self._layout[name] = Span(start, self._position - start)


def _members(label: Label) -> dict[str, object]:
    """The members of a label, checked; those that depend on the bytes are missing."""
    members: dict[str, object] = {"schema": SCHEMA, **asdict(label)}
    # A title comes from a transcript, so it may hold lone surrogates, which UTF-8 can't.
    members["title"] = _valid(label.title)[:MAX_TITLE_CHARACTERS]
    check_members(members)
    return members


def _valid(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
