"""How two transcripts diverge, read from their bytes, and what each says after that."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO

from claude_sync.claude.transcript import is_said
from claude_sync.disk.snapshot import BLOCK_SIZE, open_regular
from claude_sync.values import NamedTuple

LONGEST_LINE = 4 << 20
"""A longer line isn't read, so that memory doesn't grow with it: it counts as said."""

_UNREADABLE = b"\xff"


class Divergence(NamedTuple):
    """How transcript x diverges from transcript y, two that differ.

    Attributes:
        common: bytes both begin with.
        extends: x holds all full lines of y, and more bytes. At most one of the two extends.
        extended: y holds all full lines of x, and more bytes.
        said, answered: whether x, y holds something that was said beyond the common lines.
        x_lines, y_lines: full or last lines beyond the common ones; less than 0 where they
            weren't counted.
    """

    common: int
    extends: bool
    extended: bool
    said: bool
    answered: bool
    x_lines: int = -1
    y_lines: int = -1

    def turned(self) -> Divergence:
        """How y diverges from x."""
        return Divergence(
            common=self.common,
            extends=self.extended,
            extended=self.extends,
            said=self.answered,
            answered=self.said,
            x_lines=self.y_lines,
            y_lines=self.x_lines,
        )


class Extent(NamedTuple):
    """The first `size` bytes of a file."""

    path: Path
    size: int


def compare(x: Extent, y: Extent, check: Callable[[], None] = lambda: None) -> Divergence:
    """Compare two transcripts.

    Args:
        x, y: where they lie.
        check: called between blocks; raises to stop.

    Raises:
        OSError: one can't be read.
    """
    with open_regular(x.path) as x_file, open_regular(y.path) as y_file:
        common = _common(x_file, y_file, min(x.size, y.size), check)
        line = _last_line_end(x_file, common)
        x_full, y_full = _last_line_end(x_file, x.size), _last_line_end(y_file, y.size)
        extends, extended = common >= y_full, common >= x_full
        if extends and extended:
            # They differ in unfinished last lines only: the one with more bytes has more to lose;
            # of equal ones either will do, if all machines take the same.
            if x.size != y.size:
                extends = x.size > y.size
            else:
                extends = _rest(x_file, line, x.size) < _rest(y_file, line, y.size)
            extended = not extends
        said, x_lines = _said(x_file, line, x.size, check)
        answered, y_lines = _said(y_file, line, y.size, check)
    return Divergence(
        common=common,
        extends=extends,
        extended=extended,
        said=said,
        answered=answered,
        x_lines=x_lines,
        y_lines=y_lines,
    )


def line_start(extent: Extent, position: int) -> int:
    """Where the line begins that a position of a transcript is in.

    Raises:
        OSError: it can't be read.
    """
    with open_regular(extent.path) as file:
        return _last_line_end(file, min(position, extent.size))


def _common(x: IO[bytes], y: IO[bytes], size: int, check: Callable[[], None]) -> int:
    position = 0
    while position < size:
        check()
        wanted = min(BLOCK_SIZE, size - position)
        a, b = _read(x, wanted), _read(y, wanted)
        if a != b or len(a) < wanted:
            return position + _first_difference(a, b)
        position += wanted
    return position


def _first_difference(a: bytes, b: bytes) -> int:
    low, high = 0, min(len(a), len(b))
    while low < high:
        middle = (low + high + 1) // 2
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _read(file: IO[bytes], size: int) -> bytes:
    pieces = []
    while size > 0 and (piece := file.read(size)):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def _last_line_end(file: IO[bytes], end: int) -> int:
    while end > 0:
        start = max(0, end - BLOCK_SIZE)
        file.seek(start)
        found = _read(file, end - start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def _rest(file: IO[bytes], start: int, end: int) -> bytes:
    digest = hashlib.sha256()
    file.seek(start)
    while start < end and (block := file.read(min(BLOCK_SIZE, end - start))):
        digest.update(block)
        start += len(block)
    return digest.digest()


def _said(file: IO[bytes], start: int, end: int, check: Callable[[], None]) -> tuple[bool, int]:
    said, count = False, 0
    for line in lines_of(file, start, end, check):
        count += 1
        said = said or is_said(line)
    return said, count


def lines_of(file: IO[bytes], start: int, end: int, check: Callable[[], None]) -> Iterable[bytes]:
    """The lines of an open transcript, without their line feeds; an unreadable one for each that
    is too long.

    Args:
        file: the transcript.
        start, end: positions in it.
        check: called between blocks; raises to stop.

    Raises:
        OSError: it can't be read.
    """
    file.seek(start)
    line = bytearray()
    while start < end:
        check()
        block = file.read(min(BLOCK_SIZE, end - start))
        if not block:
            break
        start += len(block)
        *full, rest = block.split(b"\n")
        for piece in full:
            line += piece[: LONGEST_LINE + 1 - len(line)]
            yield _readable(line)
            line.clear()
        line += rest[: LONGEST_LINE + 1 - len(line)]
    if line:
        yield _readable(line)


def _readable(line: bytearray) -> bytes:
    return bytes(line) if len(line) <= LONGEST_LINE else _UNREADABLE
