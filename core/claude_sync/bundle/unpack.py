"""The bytes of a .ccsync file → a transcript, its sidecar and what the bundle says of them.

Any JSON spelling of a bundle (FORMAT.md, "The bundle") is read, in one pass over a stream of
unknown and hostile bytes, in memory that grows with neither transcript nor sidecar files.
Everything is checked, but a hash is known only at the end. So nothing that comes out before
`Unpacked` may be put where anybody takes it for a session: it goes into temporary files,
which are removed if the stream ends in an error instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

from claude_sync.bundle.codec import Decoder, corrupt, incomplete
from claude_sync.bundle.json_reader import JsonReader, Scalar
from claude_sync.bundle.members import (
    BACK,
    FRONT,
    MEMBERS,
    SIDECAR_MEMBERS,
    RunningVersion,
    SidecarPaths,
    check_of,
    check_schema,
    exact_time,
    head_of,
    is_digest,
    is_integer,
    sidecar_digest,
)
from claude_sync.errors import BundleCorrupt
from claude_sync.model import MAX_SUPERSEDES, BundleHead, SidecarFile, Version
from claude_sync.values import NamedTuple


class TranscriptData(NamedTuple):
    """The next bytes of the transcript, at most some MiB."""

    data: bytes


class SidecarStart(NamedTuple):
    """A sidecar file begins. Its path comes last: in some spellings it follows the data."""


class SidecarData(NamedTuple):
    """The next bytes of the sidecar file that began last."""

    data: bytes


class SidecarEnd(NamedTuple):
    """The sidecar file that began last is whole, and has this path, size and hash."""

    file: SidecarFile


class Unpacked(NamedTuple):
    """The bundle is whole and true: always the last event.

    Attributes:
        head: what it says of itself; ``start`` is 0 unless the file is in canonical form.
        sidecar: its sidecar files, in the file's order.
        noted: SHA-256 of the transcript's first bytes, by their number, for each mark it has.
    """

    head: BundleHead
    sidecar: tuple[SidecarFile, ...]
    noted: Mapping[int, str] = MappingProxyType({})


UnpackEvent = TranscriptData | SidecarStart | SidecarData | SidecarEnd | Unpacked


class KnownPrefix(NamedTuple):
    """The first part of a transcript that is here already; it ends with a whole character.

    Attributes:
        blocks: its bytes.
        encoded_size: bytes that `codec.encode` makes of them.
    """

    blocks: Iterable[bytes]
    encoded_size: int


def unpack(
    blocks: Iterable[bytes],
    known_prefix: KnownPrefix | None = None,
    *,
    sidecar: Sequence[SidecarFile] = (),
    marks: Sequence[int] = (),
) -> Iterator[UnpackEvent]:
    """Read a bundle in any JSON spelling, to its end.

    Nothing may be committed before `Unpacked` has come. The sidecar may come before the
    transcript (never in canonical form).

    Args:
        blocks: the file's bytes, cut anywhere.
        known_prefix: the first part of the transcript if that is here already; `blocks` lack it.
            The outcome is checked as if it had come with them.
        sidecar: all its sidecar files if they are here already; `blocks` lack them and have an
            empty array. They are checked, too, and come in `Unpacked` only.
        marks: numbers of the transcript's first bytes whose hash is wanted.

    Raises:
        BundleIncomplete: the file ends early.
        BundleCorrupt: its bytes aren't what it says they are.
        BundleTooNew: a newer claude-sync made it.
        BundleUnsafe: it names something that it must not.
    """
    reader = JsonReader(blocks)
    try:
        yield from _Unpacking(reader, known_prefix, sidecar, marks).events()
    except BundleCorrupt:
        if reader.is_reserved_from_here():
            raise incomplete() from None
        raise


def read_whole(blocks: Iterable[bytes]) -> Unpacked:
    """What a bundle in any JSON spelling says of itself, once all of it was checked.

    Raises:
        BundleIncomplete: the file ends early.
        BundleCorrupt, BundleTooNew, BundleUnsafe: it can't be used.
    """
    for event in unpack(blocks):
        if isinstance(event, Unpacked):
            return event
    raise AssertionError("a bundle's last event is missing")


class _Unpacking:
    """The state of one pass."""

    def __init__(
        self,
        reader: JsonReader,
        known_prefix: KnownPrefix | None,
        sidecar: Sequence[SidecarFile],
        marks: Sequence[int],
    ) -> None:
        self._reader = reader
        self._known_prefix = known_prefix
        self._here = sidecar
        self._marks = marks
        self._noted: Mapping[int, str] = {}
        self._members: dict[str, object] = {}
        self._order: list[str] = []
        self._in_order = True
        self._start = 0
        self._encoded_size = 0
        self._transcript: Version | None = None
        self._sidecar: list[SidecarFile] | None = None

    def events(self) -> Iterator[UnpackEvent]:
        for name in self._reader.members():
            self._order.append(name)
            if name == "transcript" and self._reader.is_string():
                yield from self._read_transcript()
            elif name == "sidecar" and self._reader.is_array():
                yield from self._read_sidecar()
            elif name == "supersedes" and self._reader.is_array():
                self._members[name] = self._read_supersedes()
            elif name in MEMBERS:
                self._members[name] = self._read_scalar()
            else:
                self._reader.skip()
            if name == "schema":
                check_schema(self._members[name])
        self._reader.finish()
        yield self._verified()

    def _read_scalar(self) -> Scalar:
        """A small value; no member may be an array or an object here, so those count as null."""
        if not self._reader.is_container():
            return self._reader.scalar()
        self._reader.skip()
        return None

    def _read_supersedes(self) -> list[Scalar]:
        values: list[Scalar] = []
        for _ in self._reader.elements():
            if len(values) == MAX_SUPERSEDES:
                raise corrupt("the bundle supersedes more versions than it may")
            values.append(self._read_scalar())
        return values

    def _read_transcript(self) -> Iterator[UnpackEvent]:
        running, decoder = RunningVersion(self._marks), Decoder()
        self._start = self._reader.position + 1
        try:
            if self._known_prefix is not None:
                for data in self._known_prefix.blocks:
                    yield TranscriptData(running.add(data))
                self._encoded_size = self._known_prefix.encoded_size
            for data in self._reader.string_blocks(decoder):
                yield TranscriptData(running.add(data))
            self._transcript, self._noted = running.version, running.noted
        finally:
            running.close()
        self._encoded_size += decoder.canonical_size

    def _read_sidecar(self) -> Iterator[UnpackEvent]:
        paths = SidecarPaths()
        self._sidecar = list(self._here)
        for here in self._here:
            paths.add(here.path)
        for _ in self._reader.elements():
            yield SidecarStart()
            values: dict[str, object] = {}
            running = RunningVersion()
            for name in self._reader.members():
                if name == "data" and self._reader.is_string():
                    for data in self._reader.string_blocks(Decoder()):
                        yield SidecarData(running.add(data))
                    values[name] = running.version
                elif name in SIDECAR_MEMBERS:
                    values[name] = self._read_scalar()
                else:
                    self._reader.skip()
                    self._in_order = False
            self._in_order = self._in_order and tuple(values) == SIDECAR_MEMBERS
            file = _sidecar_file(values)
            paths.add(file.path)
            if self._sidecar and self._sidecar[-1].path > file.path:
                self._in_order = False
            self._sidecar.append(file)
            yield SidecarEnd(file)

    def _verified(self) -> Unpacked:
        """The last event, if everything that was read fits together."""
        if self._transcript is None or self._sidecar is None:
            raise corrupt("the bundle's transcript or sidecar is missing")
        rounded = self._restore_time()
        head = head_of(self._members, start=0 if rounded else self._canonical_start())
        if self._transcript != head.version or self._encoded_size != head.encoded_size:
            raise corrupt("the bundle's transcript is not what it says")
        if sidecar_digest(self._sidecar) != head.sidecar_sha256:
            raise corrupt("the bundle's sidecar is not what it says")
        return Unpacked(head, tuple(self._sidecar), self._noted)

    def _restore_time(self) -> bool:
        """Undo what another program's rounding did to the time; whether it had."""
        if not {*FRONT, *BACK, "check"} <= self._members.keys():
            return False
        if self._members["check"] == check_of(self._members):
            return False
        exact = exact_time(self._members)
        if exact is not None:
            self._members["mtime_ns"] = exact
        return exact is not None

    def _canonical_start(self) -> int:
        """Where the encoded transcript begins, 0 if the file isn't in canonical form."""
        reader = self._reader
        if reader.spaced or not self._in_order or tuple(self._order) != MEMBERS:
            return 0
        if not reader.respelled:
            return self._start
        if reader.excess == 0:
            # No writer respells and keeps the length; a flipped bit does (\u001b, \u001B).
            raise corrupt("a bit of the bundle was changed on the way")
        return 0


def _sidecar_file(values: dict[str, object]) -> SidecarFile:
    """One element of the sidecar, once its data has passed; ``data`` is the data's version."""
    path, size, sha256 = values.get("path"), values.get("size"), values.get("sha256")
    version = values.get("data")
    if not (isinstance(path, str) and isinstance(version, Version)):
        raise corrupt("a sidecar file in the bundle has no path or no data")
    if not (is_integer(size) and is_digest(sha256)) or version != (size, sha256):
        raise corrupt("a sidecar file in the bundle is not what the bundle says")
    return SidecarFile(path, version.size, version.sha256)
