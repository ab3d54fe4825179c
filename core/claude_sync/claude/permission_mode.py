"""The permission mode that a resumed client would start in, where another machine chose it.

The last event of the type ``permission-mode`` of a transcript does that, wherever it stands.
Whoever wrote the transcript writes that line too, and a client that accepts edits unasked is more
than words. So it is read as the client reads it: as JSON, escapes included.
"""

from __future__ import annotations

import json
import re
from collections import deque
from pathlib import Path
from typing import IO

from claude_sync.claude.compare import LONGEST_LINE
from claude_sync.disk.snapshot import BLOCK_SIZE, open_regular

DEFAULT = "default"
UNKNOWN = "unknown"
"""For a mode that a line too long to be read may set."""

_TYPE = b"permission-mode"
# An escape of a character that no JSON writer escapes: it may hide the type.
_ESCAPED = re.compile(rb"(?<!\\)(?:\\\\)*\\u00[2-7][0-9a-fA-F]")
_OVERLAP = 256
_MOST_PLACES = 10_000


def mode_from_elsewhere(path: Path, size: int) -> str:
    """The mode that a transcript's first bytes, which came from elsewhere, start the client in.

    Args:
        path: the transcript.
        size: how many of its bytes came from elsewhere.

    Returns:
        its name as the transcript has it; "" where it is the default, or was set here since.

    Raises:
        OSError: it can't be read.
    """
    with open_regular(path) as file:
        for place in reversed(_places(file)):
            start, mode = _mode_at(file, place)
            if mode:
                return "" if mode == DEFAULT or start >= size else mode
    return ""


def _places(file: IO[bytes]) -> deque[int]:
    """Where the type may stand, in order; of very many the last ones."""
    found: deque[int] = deque(maxlen=_MOST_PLACES)
    offset, before = 0, b""
    while block := file.read(BLOCK_SIZE):
        text = before + block
        if _TYPE in text or b"\\u00" in text:
            start = offset - len(before)
            places = {match.start() for match in re.finditer(_TYPE, text)}
            places |= {match.start() for match in _ESCAPED.finditer(text)}
            found.extend(start + place for place in sorted(places))
        offset += len(block)
        before = text[-_OVERLAP:]
    return found


def _mode_at(file: IO[bytes], place: int) -> tuple[int, str]:
    """Where the line of a place begins, and the mode that it sets; "" for none."""
    low = max(0, place - LONGEST_LINE)
    file.seek(low)
    text = file.read(2 * LONGEST_LINE)
    start = text.rfind(b"\n", 0, place - low) + 1
    end = text.find(b"\n", place - low)
    cut_before = start == 0 and low > 0
    if cut_before or (end < 0 and len(text) == 2 * LONGEST_LINE):
        return low + start, UNKNOWN
    try:
        event = json.loads(text[start : end if end >= 0 else len(text)])
    except (ValueError, RecursionError):
        return low + start, ""
    if not isinstance(event, dict) or event.get("type") != _TYPE.decode():
        return low + start, ""
    mode = event.get("permissionMode")
    return low + start, mode if isinstance(mode, str) else ""
