"""A transcript's lines from either end, wherever it lies: in a file here, in a bundle in the store.

Positions are the transcript's own, in bytes, whatever it is read from: so what was found in one
copy of a session can be looked up in another one. Lines that are too long to be read are passed
over without being held.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Protocol

from claude_sync.bundle.codec import corrupt, decode
from claude_sync.claude.turns import MAX_LINE_BYTES
from claude_sync.disk.snapshot import open_regular
from claude_sync.errors import BundleCorrupt, SessionVanished
from claude_sync.values import NamedTuple

_FIRST_BLOCK = 64 << 10
_BLOCK = 1 << 20
_BIGGEST_BLOCK = 16 << 20
_LINE_END = rb"\n"
"""How the codec writes the end of a line."""
_MAX_ENCODED = 2 * MAX_LINE_BYTES
"""Encoded bytes of a line that are held to be decoded."""
_ANCHORS_FROM = 1 << 20
"""About so many bytes lie between two places that are remembered."""


class Line(NamedTuple):
    """One line of a transcript.

    Attributes:
        offset, end: where it begins and ends; the line feed counts as part of it.
        data: its bytes without that; None where it is too long to be read.
    """

    offset: int
    end: int
    data: bytes | None


class PlacedLine(NamedTuple):
    """A line, and where it begins and ends among encoded bytes; -1 where that isn't known."""

    line: Line
    encoded: int = -1
    encoded_end: int = -1


class Lines(Protocol):
    """One transcript's lines. Used by one thread at a time."""

    @property
    def size(self) -> int:
        """The transcript's, bytes."""

    def back(self, before: int) -> Iterator[Line]:
        """The lines before a position, the last first.

        Args:
            before: where one of them ends, or `size`.

        Raises:
            SessionError, BundleError, TransportError: they can't be read.
        """

    def forward(self, start: int) -> Iterator[Line]:
        """The lines from a position on.

        Args:
            start: where one of them begins.

        Raises:
            SessionError, BundleError, TransportError: they can't be read.
        """

    def near(self, place: int) -> tuple[int, int]:
        """A known place at or behind one, and where it is among encoded bytes."""

    def know(self, place: int, encoded: int) -> None:
        """Take over what `near` told of the same transcript, opened earlier."""

    def close(self) -> None:
        """Nothing more is read; what was only unpacked to be read is removed."""


# --- a file ------------------------------------------------------------------------------------


class FileLines:
    """A transcript in a file, as far as that reached when it was opened.

    Args:
        path: the file; a link isn't followed.
        check: called before each block; raises to stop.
        discard: removes the file, once nothing more is read of it; None where it stays.

    Raises:
        OSError: it can't be opened.
    """

    def __init__(
        self,
        path: Path,
        check: Callable[[], None] = lambda: None,
        discard: Callable[[], None] | None = None,
    ) -> None:
        self._file: IO[bytes] = open_regular(path)
        self._check = check
        self._discard = discard
        self._where = str(path)
        self.size = os.fstat(self._file.fileno()).st_size

    def __enter__(self) -> FileLines:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file, and remove it if that was wanted."""
        self._file.close()
        if self._discard is not None:
            self._discard()
            self._discard = None

    def near(self, place: int) -> tuple[int, int]:
        """The place itself: every one can be reached at once."""
        return place, 0

    def know(self, place: int, encoded: int) -> None:
        """Nothing has to be known."""

    def back(self, before: int) -> Iterator[Line]:
        """The lines before a position, the last first."""
        line = _Growing(before)
        at, block = min(before, self.size), _FIRST_BLOCK
        while at > 0:
            self._check()
            start = max(0, at - block)
            *pieces, last = self.read(start, at - start).split(b"\n")
            position = at - len(last)
            line.put_before(last)
            for piece in reversed(pieces):
                yield from line.ended(position)
                position -= 1 + len(piece)
                line.put_before(piece)
            at, block = start, _BLOCK
        yield from line.ended(0)

    def forward(self, start: int) -> Iterator[Line]:
        """The lines from a position on."""
        return split_lines(self._blocks(start), start)

    def _blocks(self, at: int) -> Iterator[bytes]:
        while at < self.size:
            self._check()
            block = self.read(at, min(_BLOCK, self.size - at))
            at += len(block)
            yield block

    def read(self, at: int, size: int) -> bytes:
        """So many bytes from a position on.

        Raises:
            SessionVanished: they aren't there any more, or can't be read.
        """
        try:
            self._file.seek(at)
            pieces = []
            while size > 0 and (piece := self._file.read(size)):
                pieces.append(piece)
                size -= len(piece)
        except OSError as error:
            raise self._vanished(error.strerror or "it failed") from error
        if size:
            raise self._vanished("it is shorter than it was")
        return b"".join(pieces)

    def _vanished(self, why: str) -> SessionVanished:
        return SessionVanished(
            f"the transcript can't be read any more ({why})",
            where=self._where,
            todo="open the session again",
            passing=True,
        )


class _Growing:
    """A line whose beginning isn't found yet, read from its end."""

    def __init__(self, end: int) -> None:
        self._end = end
        self._pieces: list[bytes] = []
        self._size = 0

    def put_before(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size <= MAX_LINE_BYTES:
            self._pieces.append(piece)
        else:
            self._pieces.clear()

    def ended(self, start: int) -> Iterator[Line]:
        """The line, now that its beginning is known; the next one ends there."""
        if self._end > start:
            whole = self._size <= MAX_LINE_BYTES
            data = b"".join(reversed(self._pieces)) if whole else None
            yield Line(start, self._end, data)
        self._end, self._size = start, 0
        self._pieces.clear()


def split_lines(blocks: Iterable[bytes], start: int) -> Iterator[Line]:
    """The lines that blocks hold, the first of which begins at a position."""
    offset, pieces, size = start, list[bytes](), 0
    for block in blocks:
        *ends, rest = block.split(b"\n")
        for piece in ends:
            size += len(piece)
            pieces.append(piece)
            data = b"".join(pieces) if size <= MAX_LINE_BYTES else None
            yield Line(offset, offset + size + 1, data)
            offset += size + 1
            pieces, size = [], 0
        size += len(rest)
        pieces = [*pieces, rest] if size <= MAX_LINE_BYTES else []
    if size:
        data = b"".join(pieces) if size <= MAX_LINE_BYTES else None
        yield Line(offset, offset + size, data)


# --- a bundle in the store ---------------------------------------------------------------------


Read = Callable[[int, int], Iterator[bytes]]
"""Gives so many bytes from a position of an encoded transcript on."""


class EncodedLines:
    """A transcript in a bundle, of which only what is wanted is read, from its end.

    Where its lines begin among the encoded bytes only reading tells: places that were met are
    remembered, and what is asked for is looked for from the nearest one.

    Args:
        read: gives bytes of the encoded transcript.
        size, encoded_size: of the transcript, as it is and as it stands in the bundle.
        check: called between blocks; raises to stop.
    """

    def __init__(
        self, read: Read, size: int, encoded_size: int, check: Callable[[], None] = lambda: None
    ) -> None:
        self.size = size
        self._read = read
        self._check = check
        # Places where a line begins, in the transcript and among the encoded bytes.
        self._run = (0, -1)
        self._places = [0, size]
        self._encoded = [0, encoded_size]

    def near(self, place: int) -> tuple[int, int]:
        """A known place at or behind one, and where it is among encoded bytes."""
        index = bisect_left(self._places, min(place, self.size))
        return self._places[index], self._encoded[index]

    def know(self, place: int, encoded: int) -> None:
        """Take over what `near` told of the same transcript; what can't be is left."""
        index = bisect_left(self._places, place)
        if 0 < place < self.size and self._encoded[index - 1] < encoded < self._encoded[index]:
            self._places.insert(index, place)
            self._encoded.insert(index, encoded)

    def close(self) -> None:
        """Nothing is open."""

    def back(self, before: int) -> Iterator[Line]:
        """The lines before a position, the last first."""
        for line in self._back(*self.near(before)):
            if line.end <= before:
                yield line

    def _back(self, end: int, encoded: int) -> Iterator[Line]:
        """The lines before a place where one begins."""
        rest, at, size, carried = _Rest(encoded), encoded, _FIRST_BLOCK, b""
        while at > 0:
            self._check()
            start = max(0, at - size)
            block = b"".join(self._read(start, at - start)) + carried
            cut = self._safe_cut(block, start) if start else 0
            carried, block = block[:cut], block[cut:]
            at, size = start, _BLOCK
            first = _after_line_end(block) if start else 0
            if first < 0:
                rest.put_before(block)
                continue
            position = start + cut
            if rest.too_long:
                # Its beginning is in this block; how long it is only reading it tells.
                last = _after_last_line_end(block)
                lines = self._long_line(position + last, rest.end, end)
                block = block[:last]
            else:
                lines = []
                block += rest.taken()
            whole = b"".join(decode([block[first:]]))
            for line in (*lines, *_lines_before(whole, end - sum(map(_length, lines)))):
                yield line
                end = line.offset
            rest = _Rest(position + first, block[:first])
            self._remember(end, position + first)
        if end:
            raise _not_as_long()

    def _safe_cut(self, block: bytes, start: int) -> int:
        """Where no escape is cut: behind the first byte that isn't a backslash."""
        cut = len(block) - len(block.lstrip(b"\\")) + 1
        return cut if cut <= len(block) else (start - self._run_of_backslashes(start)) % 2

    def _run_of_backslashes(self, end: int) -> int:
        """Where the backslashes begin that end at a place, or go on there."""
        first, last = self._run
        if not first <= end <= last:
            first = end
            while first > 0:
                self._check()
                start = max(0, first - _BLOCK)
                others = b"".join(self._read(start, first - start)).rstrip(b"\\")
                first = start + len(others)
                if others:
                    break
            self._run = (first, end)
        return first

    def _long_line(self, start: int, encoded_end: int, end: int) -> list[Line]:
        length = sum(map(len, decode(self._read(start, encoded_end - start))))
        if length > end:
            raise _not_as_long()
        return [Line(end - length, end, None)]

    def _remember(self, place: int, encoded: int) -> None:
        index = bisect_left(self._places, place)
        if index and self._places[index] - place >= _ANCHORS_FROM:
            self._places.insert(index, place)
            self._encoded.insert(index, encoded)

    def forward(self, start: int) -> Iterator[Line]:
        """The lines from a position on."""
        index = bisect_left(self._places, start + 1) - 1
        place, encoded = self._places[index], self._encoded[index]
        for line in split_lines(decode(self._checked(encoded)), place):
            if line.offset >= start:
                yield line

    def _checked(self, encoded: int) -> Iterator[bytes]:
        # Not all at once: whoever asks may have enough soon, and a host sends what was asked for.
        at, size = encoded, _BLOCK
        while at < self._encoded[-1]:
            size = min(size, self._encoded[-1] - at)
            for block in self._read(at, size):
                self._check()
                yield block
            at, size = at + size, min(2 * size, _BIGGEST_BLOCK)


class _Rest:
    """Encoded bytes of a line whose beginning isn't found yet.

    Attributes:
        end: where it ends.
        too_long: whether there are more than are held.
    """

    def __init__(self, end: int, last: bytes = b"") -> None:
        self.end = end
        self._pieces = [last]
        self._size = len(last)

    @property
    def too_long(self) -> bool:
        return self._size > _MAX_ENCODED

    def put_before(self, piece: bytes) -> None:
        self._size += len(piece)
        if self.too_long:
            self._pieces.clear()
        else:
            self._pieces.append(piece)

    def taken(self) -> bytes:
        return b"".join(reversed(self._pieces))


def _length(line: Line) -> int:
    return line.end - line.offset


def _lines_before(data: bytes, end: int) -> list[Line]:
    """The lines that some bytes hold which end at a place, the last first."""
    if len(data) > end:
        raise _not_as_long()
    return list(split_lines([data], end - len(data)))[::-1]


def _not_as_long() -> BundleCorrupt:
    return corrupt("the bundle's transcript is not as long as it says")


def _after_line_end(block: bytes) -> int:
    """Where the first line of encoded bytes ends, -1 where none does."""
    found = block.replace(rb"\\", b"..").find(_LINE_END)  # other backslashes begin an escape
    return found + len(_LINE_END) if found >= 0 else -1


def _after_last_line_end(block: bytes) -> int:
    """Where the last line of encoded bytes that ends there does, 0 where none does."""
    found = block.replace(rb"\\", b"..").rfind(_LINE_END)
    return found + len(_LINE_END) if found >= 0 else 0
