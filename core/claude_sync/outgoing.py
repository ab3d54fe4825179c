"""Sessions on their way into a store: packed as they are written, in one pass.

A bundle that only grew says of most of its bytes where they stand in the older file; a place where
bytes cost then sends only the rest, and proves that the outcome is what was meant.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from claude_sync.claude_home import sidecar_folder
from claude_sync.codec import settled_size
from claude_sync.errors import ClaudeSyncError, SessionChanging, SessionVanished
from claude_sync.model import Bundle, LocalSession, Stamp, Version
from claude_sync.pack import FRAME, TRANSCRIPT, Label, Packed, Packer, Piece, sidecar_section
from claude_sync.snapshot import Snapshot
from claude_sync.transports.base import Block, Entry, Put, Transport, Written


class Outgoing(NamedTuple):
    """A session to write.

    Attributes:
        name: the bundle's file.
        local: where it lies here.
        label: what to say of it.
        expected: what its transcript was found to be: it may have grown since, no more. None where
            it wasn't read yet, for whatever it is, nothing in the store is to be compared with it.
        whole_lines: whether to stop after the last full line, since the client has it open.
        base: the bundle at that name that this one extends, None where there is none.
        layout: where that one's sidecar files stand, as `Sent.layout` told.
    """

    name: str
    local: LocalSession
    label: Label
    expected: Version | None
    whole_lines: bool = False
    base: Bundle | None = None
    layout: str = ""


class Sent(NamedTuple):
    """What became of a session that was to be written.

    Attributes:
        outgoing: the session.
        bundle: what lies in the store now, None where it failed.
        layout: where its sidecar files stand, and what they are.
        sent: bytes that went through the transport.
        error: why it failed, None where it didn't.
        read: stamp of the transcript when it was read to its end and that was the end of a line,
            None where it wasn't.
    """

    outgoing: Outgoing
    bundle: Bundle | None
    layout: str
    sent: int
    error: ClaudeSyncError | None = None
    read: Stamp | None = None


def send(
    transport: Transport, sessions: Iterable[Outgoing], check: Callable[[], None]
) -> Iterator[Sent]:
    """Write sessions; see `Store.send`."""
    under_way: dict[str, _Packing] = {}

    def puts() -> Iterator[Put]:
        for outgoing in sessions:
            packing = _Packing(outgoing, check)
            under_way[outgoing.name] = packing
            base = outgoing.base
            entry = Entry(base.name, base.stamp) if base is not None else None
            yield Put(outgoing.name, packing.blocks, entry)

    for written in transport.write(puts()):
        yield _sent(under_way.pop(written.name), written)


def layout_files(layout: str) -> Mapping[str, tuple[int, str]] | None:
    """Size and SHA-256 of each sidecar file that a layout tells of, by path; None if it's none."""
    try:
        return {path: (int(row[2]), str(row[3])) for path, row in json.loads(layout).items()}
    except (ValueError, TypeError, AttributeError, IndexError):
        return None


class _Packing:
    """One session being packed; `blocks` can be asked for again if the transport starts over."""

    def __init__(self, outgoing: Outgoing, check: Callable[[], None]) -> None:
        self._outgoing = outgoing
        self._check = check
        self.packed: Packed | None = None
        self.read: Stamp | None = None
        base = outgoing.base
        self._hints: dict[str, tuple[int, int]] = {}
        if base is not None and base.head.start:
            head = base.head
            self._hints[TRANSCRIPT] = (head.start, settled_size(head.encoded_size))
            self._hints.update(_unchanged_sidecar(outgoing))

    def blocks(self) -> Iterator[Block]:
        outgoing = self._outgoing
        folder = sidecar_folder(outgoing.local.path)
        try:
            with Snapshot(outgoing.local.path, whole_lines=outgoing.whole_lines) as snapshot:
                packer = Packer(
                    outgoing.label,
                    self._expected(snapshot),
                    [
                        (path, partial(_settled, folder / path))
                        for path, _ in outgoing.local.sidecar
                    ],
                    settle=snapshot.settle,
                )
                for piece in packer.pieces():
                    self._check()
                    yield from self._hinted(piece)
                self.packed = packer.packed
                whole = snapshot.last_line_end(snapshot.size) == snapshot.size
                self.read = snapshot.stamp if whole and not outgoing.whole_lines else None
        except OSError as error:
            raise SessionVanished(
                f"the session can't be read ({error.strerror})",
                where=outgoing.label.session_id,
                todo="it is looked at again next time",
                passing=True,
            ) from error

    def _expected(self, snapshot: Snapshot) -> Iterator[bytes]:
        """The transcript's bytes; it must begin with what it was found to be, if it was read."""
        expected = self._outgoing.expected
        if expected is None:
            yield from snapshot.blocks()
            return
        if snapshot.size == expected.size:
            yield from snapshot.blocks()
            same = snapshot.settle() == expected
        else:
            same = snapshot.prefix_hash(expected.size) == expected.sha256
            yield from snapshot.blocks()
        if not same or snapshot.size < expected.size:
            raise SessionChanging(
                "the session was rewritten since it was looked at",
                where=self._outgoing.label.session_id,
                todo="it is looked at again next time",
            )

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


def _settled(path: Path) -> Iterator[bytes]:
    with Snapshot(path) as snapshot:
        yield from snapshot.blocks()
        snapshot.settle()


def _sent(packing: _Packing, written: Written) -> Sent:
    outgoing, packed = packing._outgoing, packing.packed
    if written.error is not None or written.stamp is None or packed is None:
        error = written.error
        assert isinstance(error, ClaudeSyncError)
        return Sent(outgoing, None, "", written.sent, error)
    stamps = dict(outgoing.local.sidecar)
    layout = {}
    for file in packed.sidecar:
        start, size = packed.layout[sidecar_section(file.path)]
        layout[file.path] = [start, size, file.size, file.sha256, *stamps[file.path]]
    bundle = Bundle(outgoing.name, written.stamp, packed.head)
    return Sent(outgoing, bundle, json.dumps(layout), written.sent, read=packing.read)
