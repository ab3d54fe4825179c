"""The permission mode that a resumed client would start in, where another machine chose it.

The last event of the type ``permission-mode`` of a transcript does that, wherever it stands.
Whoever wrote the transcript writes that line too, and a client that accepts edits unasked is more
than words. So all of the transcript is searched, from its end, and what may be that line is read as
the client reads it: as JSON, escapes included. Where that can't be done, a mode counts as set.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NoReturn

from claude_sync.claude.compare import LONGEST_LINE
from claude_sync.disk.snapshot import BLOCK_SIZE, open_regular
from claude_sync.values import NamedTuple

DEFAULT = "default"
UNKNOWN = "unknown"
"""For a mode that may be set by a line which can't be read."""

_TYPE = "permission-mode"
# As a string of JSON, each of its characters escaped or not. Where it is only spoken of, its quotes
# are escaped. No look behind for that: it makes the search 25 times as slow.
_STRING = re.compile(
    b'"' + b"".join(rf"(?:{char}|\\u00(?i:{ord(char):02x}))".encode() for char in _TYPE) + b'"'
)
_OVERLAP = 2 + len(_TYPE) * len(r"\u0070")
# Lines that only look like one are read up to so many bytes together, and each costs some more.
_MOST_READ = 8 << 20
_COST_OF_A_LINE = 1 << 10
_SHORT = 1 << 12


class _Line(NamedTuple):
    """A line of a transcript, None for the text of one that is too long."""

    start: int
    text: bytes | None


def mode_from_elsewhere(path: Path, size: int) -> str:
    """The mode that a transcript's first bytes, which came from elsewhere, start the client in.

    Args:
        path: the transcript.
        size: how many of its bytes came from elsewhere.

    Returns:
        its name as the transcript has it; "" where it is the default, or was set here since.
        `UNKNOWN` where that can't be told.

    Raises:
        OSError: it can't be read.
    """
    left = _MOST_READ
    with open_regular(path) as file:
        for line in _lines_to_read(file):
            left -= len(line.text or b"") + _COST_OF_A_LINE
            mode = UNKNOWN if line.text is None or left < 0 else _mode(line.text)
            if mode == UNKNOWN:
                return UNKNOWN
            if mode:
                return "" if mode == DEFAULT or line.start >= size else mode
    return ""


def _lines_to_read(file: IO[bytes]) -> Iterator[_Line]:
    """The lines that the type stands in as a string, the last one first."""
    end = os.fstat(file.fileno()).st_size
    before, after = end, b""
    while end > 0:
        start = max(0, end - BLOCK_SIZE)
        text = _read(file, start, end) + after
        for match in reversed(list(_STRING.finditer(text))):
            place = match.start()
            spoken_of = place > 0 and text[place - 1] == ord("\\")
            if not spoken_of and start + place < before:
                line = _line_at(file, start + place)
                before = line.start
                yield line
        end, after = start, text[:_OVERLAP]


def _line_at(file: IO[bytes], place: int) -> _Line:
    around = _SHORT
    while True:
        low, high = max(0, place - around), place + around
        text = _read(file, low, high)
        start = text.rfind(b"\n", 0, place - low) + 1
        end = text.find(b"\n", place - low)
        if end < 0 and low + len(text) < high:
            end = len(text)  # The file's last line, without its end.
        if end >= 0 and (start > 0 or low == 0):
            return _Line(low + start, text[start:end])
        if around == LONGEST_LINE:
            return _Line(low + start, None)
        around = min(4 * around, LONGEST_LINE)


def _read(file: IO[bytes], start: int, end: int) -> bytes:
    file.seek(start)
    pieces: list[bytes] = []
    while start < end and (piece := file.read(end - start)):
        pieces.append(piece)
        start += len(piece)
    return b"".join(pieces)


def _mode(line: bytes) -> str:
    """The mode that a line sets; "" for none.

    What the client's parser reads is read, whatever this one makes of it: broken UTF-8, a number
    of any length, any depth. And what it refuses isn't: a line that sets nothing there must not
    stand for one that does.
    """
    try:
        event = json.loads(
            line.decode("utf-8", "replace").removeprefix("\ufeff"),
            parse_int=str,
            parse_constant=_refuse,
        )
    except ValueError:
        return ""
    except RecursionError:
        return UNKNOWN
    if not isinstance(event, dict) or event.get("type") != _TYPE:
        return ""
    mode = event.get("permissionMode")
    return mode if isinstance(mode, str) else ""


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)
