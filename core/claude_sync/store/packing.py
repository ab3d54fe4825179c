"""A session → the blocks of its bundle, packed from the files as they lie here.

For most bytes of a bundle that only grew it is known where they stand in the older file. It can be
packed ahead, before it is known whether that one still lies in the store: then what stands in it is
hashed and dropped, and only what is new is held in memory.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property, partial
from typing import Any

from claude_sync.bundle.codec import encoded_size, settled_size
from claude_sync.bundle.pack import (
    FRAME,
    TRANSCRIPT,
    Kept,
    Label,
    Packed,
    Packer,
    Piece,
    sidecar_section,
)
from claude_sync.claude.session_files import is_companion, snapshot_of
from claude_sync.disk.hashing import Begun, PassingHash
from claude_sync.disk.snapshot import Snapshot, blocks_of, translating_read_errors
from claude_sync.errors import ClaudeSyncError, SessionChanging
from claude_sync.model import Bundle, LocalSession, SidecarFile, Stamp, Version
from claude_sync.sealed.cuts import CUT_BYTES
from claude_sync.store.layout import sidecar_of
from claude_sync.transports.base import LEAST_REUSE_BYTES, Block, PreparedPut, Reuse
from claude_sync.values import NamedTuple


class Outgoing(NamedTuple):
    """A session to write.

    Attributes:
        name: the bundle's file.
        local: where it lies here.
        label: what the bundle says of it.
        expected: what its transcript was found to be: it may have grown since, no more. None if
            it wasn't read yet, because nothing in the store is to be compared with it.
        whole_lines: whether to stop after the last full line, since the client has it open.
        base: the bundle at that name that this one extends, None where there is none.
        layout: where that one's sidecar files stand, from `Sent.layout`.
        ahead: the same packed before, None where it wasn't; it is used where it fits.
        replaces: the file that was listed at that name, None where none was: no other is replaced.
    """

    name: str
    local: LocalSession
    label: Label
    expected: Version | None
    whole_lines: bool = False
    base: Bundle | None = None
    layout: str = ""
    ahead: PackedAhead | None = None
    replaces: Stamp | None = None


class PackedAhead(NamedTuple):
    """A session that was packed before anybody knew what lies in the store now.

    Attributes:
        outgoing: the session, with what was known of the store, and a label whose beginning the
            bundle already has.
        packer: what packed it, but for its last bytes.
        parts: what it packed.
        held: bytes of that which aren't in the base.
        digest: the SHA-256 of that; it is continued once.
        read: as in `upload.Sent`.
        extends: whether the transcript begins with the base's.
    """

    outgoing: Outgoing
    packer: Packer
    parts: Sequence[Block | Reuse]
    held: int
    digest: PassingHash
    read: Stamp | None
    extends: bool

    @property
    def version(self) -> Version:
        """Of the transcript as it was packed."""
        return self.packer.version

    def is_for(self, outgoing: Outgoing) -> bool:
        """Whether this is how a session would be packed now."""
        mine = self.outgoing
        if mine.base is None or outgoing.base is None:
            return False
        return (
            (mine.name, mine.base.head) == (outgoing.name, outgoing.base.head)
            and (mine.local, mine.expected) == (outgoing.local, outgoing.expected)
            and (mine.whole_lines, mine.layout) == (outgoing.whole_lines, outgoing.layout)
            and mine.label.begins_like(outgoing.label)
        )


def pack_ahead(outgoing: Outgoing, room: int, check: Callable[[], None]) -> PackedAhead | None:
    """Pack a session before it is known what lies in the store now.

    Args:
        outgoing: the session; `base` is what is thought to lie there.
        room: how many bytes may be held until then.
        check: called between blocks; raises to stop.

    Returns:
        None where more of it isn't in the base.

    Raises:
        SessionError: it can't be read, or is being rewritten.
        BundleError: it can't go into a bundle.
    """
    return Packing(outgoing, check).ahead(room)


class Packing:
    """One session being packed.

    Args:
        outgoing: the session.
        check: called between blocks; raises to stop.

    Attributes:
        outgoing: the session.
        packed: what was packed, None until it is.
        read: as in `upload.Sent`.
    """

    def __init__(self, outgoing: Outgoing, check: Callable[[], None]) -> None:
        self.outgoing = outgoing
        self._check = check
        self.packed: Packed | None = None
        self.read: Stamp | None = None
        self._extends = False
        base = outgoing.base
        self._hints: dict[str, tuple[int, int]] = {}
        if base is not None and base.head.start:
            head = base.head
            self._hints[TRANSCRIPT] = (head.start, settled_size(head.encoded_size))
            self._hints.update(_unchanged_sidecar(outgoing))

    def blocks(self) -> Iterator[Block]:
        """The bundle's bytes, with where they stand in the base; afresh at every call.

        Raises:
            SessionError: it can't be read, or is being rewritten.
        """
        with self._packer() as packer:
            for piece in packer.pieces():
                self._check()
                yield from self._hinted(piece)
            self.packed = packer.packed

    def growth(self) -> Iterator[Block | Reuse]:
        """The same, without what is known to stand in the base.

        The transcript here begins with the base's, or all of it is made: then what the base says
        of itself tells what the encoding begins with. That is neither made nor looked at.

        Raises:
            SessionError: it can't be read, or is being rewritten.
        """
        base = self.outgoing.base
        size = settled_size(base.head.encoded_size) // CUT_BYTES * CUT_BYTES if base else 0
        if base is None or not base.head.start or not size:
            yield from self.blocks()
            return
        with self._packer(kept_size=size) as packer:
            pieces = packer.body()
            if packer.kept is not None:
                yield Block(next(pieces).data)
                yield Reuse(base.head.start, size)
            for piece in pieces:
                self._check()
                yield from self._hinted(piece)
            yield Block(packer.back())
            self.packed = packer.packed

    def prepared(self) -> PreparedPut | None:
        """The same as it was packed ahead, None where it wasn't, or wasn't quite the same."""
        ahead = self.outgoing.ahead
        try:
            if ahead is None or not ahead.is_for(self.outgoing):
                return None
            back = ahead.packer.back(self.outgoing.label)
        except ClaudeSyncError:
            return None  # `blocks` meets it again, where it costs this session only
        self.packed, self.read = ahead.packer.packed, ahead.read
        ahead.digest.add(back)
        size = self.packed.size
        return PreparedPut([*ahead.parts, Block(back)], size, ahead.digest.hexdigest())

    def ahead(self, room: int) -> PackedAhead | None:
        """See `pack_ahead`.

        Raises:
            SessionError: it can't be read, or is being rewritten.
            BundleError: it can't go into a bundle.
        """
        digest, held = PassingHash(), 0
        parts: list[Block | Reuse] = []
        try:
            with self._packer() as packer:
                for piece in packer.body():
                    self._check()
                    for block in self._hinted(piece):
                        digest.add(block.data)
                        held += _reuse_or_hold(parts, block)
                    if held > room:
                        return None
            return PackedAhead(
                self.outgoing,
                packer,
                parts,
                held=held,
                digest=digest,
                read=self.read,
                extends=self._extends,
            )
        finally:
            digest.close()

    @contextmanager
    def _packer(self, kept_size: int = 0) -> Iterator[Packer]:
        """What packs the session as it lies here now; to be used to its end.

        Args:
            kept_size: how many bytes of the base's encoded transcript needn't be made, if it
                begins like that.
        """
        outgoing = self.outgoing
        base = outgoing.base.head.version if outgoing.base is not None else None
        marks = [version.size for version in (base, outgoing.expected) if version is not None]
        with (
            translating_read_errors(outgoing.label.session_id),
            Snapshot(
                outgoing.local.path, whole_lines=outgoing.whole_lines, marks=marks
            ) as snapshot,
        ):
            begun, kept = self._kept(snapshot, kept_size) if kept_size else (None, None)
            yield Packer(
                outgoing.label,
                self._expected(snapshot, begun),
                [
                    (path, partial(self._sidecar_file, path, seen))
                    for path, seen in outgoing.local.sidecar
                ],
                settle=snapshot.settle,
                kept=kept,
            )
            whole = snapshot.last_line_end(snapshot.size) == snapshot.size
            self.read = snapshot.stamp if whole and not outgoing.whole_lines else None
            if base is not None:
                self._extends = snapshot.noted.get(base.size) == base.sha256
                if begun is not None and not self._extends:
                    raise self._rewritten()

    def _kept(self, snapshot: Snapshot, size: int) -> tuple[Begun | None, Kept | None]:
        """What of the transcript needn't be encoded again, and its hash.

        Args:
            snapshot: the transcript.
            size: of that, encoded, at most all that is settled of the base.

        Returns:
            None where it doesn't begin with the base's.
        """
        base = self.outgoing.base
        assert base is not None
        head = base.head
        if snapshot.size < head.size:
            return None, None
        # The base's last bytes are encoded as more than they are, so what stands before as many
        # of them as that is needn't be encoded. After a line, a character begins.
        left = head.encoded_size - size
        first = snapshot.last_line_end(max(0, head.size - left))
        begun = snapshot.begun(head.version, first, self._check)
        if begun is None:
            return None, None
        snapshot.file.seek(first)
        last = encoded_size(blocks_of(snapshot.file, head.size - first))
        return begun, Kept(size, given=size - (head.encoded_size - last))

    def _expected(self, snapshot: Snapshot, begun: Begun | None) -> Iterator[bytes]:
        """The transcript's bytes; it must begin with what it was found to be, if it was read.

        Args:
            snapshot: the transcript.
            begun: the hash of its first bytes, which aren't wanted; None where all are.
        """
        expected = self.outgoing.expected
        yield from snapshot.blocks(begun)
        if expected is None:
            return
        if snapshot.size == expected.size:
            same = snapshot.settle() == expected
        else:
            same = snapshot.noted.get(expected.size) == expected.sha256
        if not same:
            raise self._rewritten()

    def _rewritten(self) -> SessionChanging:
        return SessionChanging(
            "the session was rewritten since it was read",
            where=self.outgoing.label.session_id,
            todo="it is tried again next time",
        )

    def _sidecar_file(self, path: str, seen: Stamp) -> Iterator[bytes]:
        """A file's bytes; if it changed since it was looked at, it must hold the base's.

        That nothing of the base is lost was decided by what was looked at. A companion changes in
        place: it is taken as it is now.
        """
        of_base = self._of_base
        was = of_base.get(path) if of_base is not None else None
        marks = [was.size] if was is not None else []
        with snapshot_of(self.outgoing.local, path, marks=marks) as snapshot:
            yield from snapshot.blocks()
            snapshot.settle()
        if is_companion(path):
            return
        holds = was is None or not was.size or snapshot.noted.get(was.size) == was.sha256
        if snapshot.stamp != seen and (of_base is None or not holds):
            raise SessionChanging(
                "one of the session's files was rewritten since it was read",
                where=self.outgoing.label.session_id,
                todo="it is tried again next time",
            )

    @cached_property
    def _of_base(self) -> Mapping[str, SidecarFile] | None:
        """The base's sidecar files by path, None where it isn't known which it has."""
        base = self.outgoing.base
        return sidecar_of(base, self.outgoing.layout) if base is not None else {}

    def _hinted(self, piece: Piece) -> Iterator[Block]:
        start, size = self._hints.get(piece.section, (0, 0))
        same = min(len(piece.data), max(0, size - piece.offset))
        if piece.section == FRAME or not same:
            yield Block(piece.data)
            return
        if same == len(piece.data):
            yield Block(piece.data, start + piece.offset)
            return
        yield Block(piece.data[:same], start + piece.offset)
        yield Block(piece.data[same:])


def _reuse_or_hold(parts: list[Block | Reuse], block: Block) -> int:
    """Add a file's next bytes, as a range of the base if they stand there; how many are held."""
    length = len(block.data)
    if block.base_offset < 0 or length < LEAST_REUSE_BYTES:
        parts.append(block)
        return length
    last = parts[-1] if parts else None
    if isinstance(last, Reuse) and last.base_offset + last.length == block.base_offset:
        parts[-1] = last._replace(length=last.length + length)
    else:
        parts.append(Reuse(block.base_offset, length))
    return 0


def _unchanged_sidecar(outgoing: Outgoing) -> dict[str, tuple[int, int]]:
    """Where the sidecar files stand in the base whose stamps are what they were then."""
    try:
        layout: dict[str, Any] = json.loads(outgoing.layout or "{}")
        return {
            sidecar_section(path): (layout[path][0], layout[path][1])
            for path, stamp in outgoing.local.sidecar
            if path in layout and layout[path][4:] == list(stamp)
        }
    except (ValueError, TypeError, LookupError):
        return {}
