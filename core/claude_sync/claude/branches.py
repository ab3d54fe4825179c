"""A branch of a session: which session it began as, and which of that one's files it points into.

As seen with Claude Code 2.1.332: each line that `/branch` or `--fork-session` copies bears
`forkedFrom.sessionId`, and the long outputs that these lines name lie in the sidecar folder of the
session that they came from.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

from claude_sync.disk.snapshot import BLOCK_SIZE, open_regular
from claude_sync.names import is_session_id, is_sidecar_path

_HEAD_BYTES = 4 << 20
_LONGEST_PATH = 300
# Between the parts stands what separates them on the machine that wrote it: in JSON a backslash is
# two. A path ends where no name of the client's goes on.
_POINTED = rb"%s(?:/|\\\\)((?:subagents|tool-results|workflows)(?:(?:/|\\\\)[A-Za-z0-9._-]+)+)"


def parent_of(transcript: Path) -> str:
    """The session that one is a branch of, "" where it is none.

    Raises:
        OSError: the transcript can't be read.
    """
    with open_regular(transcript) as file:
        head = file.read(_HEAD_BYTES)
    for line in head.split(b"\n"):
        if b'"forkedFrom"' not in line:
            continue
        try:
            parent = json.loads(line)["forkedFrom"]["sessionId"]
        except (ValueError, TypeError, LookupError, RecursionError):
            continue
        if isinstance(parent, str) and is_session_id(parent):
            return "" if parent.lower() == transcript.stem.lower() else parent.lower()
    return ""


def files_pointed_into(
    transcript: Path, session_id: str, check: Callable[[], None] = lambda: None
) -> frozenset[str]:
    """Which files of another session's sidecar folder a transcript names, by their path there.

    Args:
        transcript: the one that names them.
        session_id: the other session.
        check: called between blocks; raises to stop.

    Raises:
        OSError: the transcript can't be read.
    """
    pattern = re.compile(_POINTED % re.escape(session_id.encode()), re.IGNORECASE)
    found: set[str] = set()
    kept = b""
    with open_regular(transcript) as file:
        while block := file.read(BLOCK_SIZE):
            check()
            text = kept + block
            # What a block cuts is found with the next one, whole; until then it isn't told.
            whole = max(0, len(text) - _LONGEST_PATH) if len(block) == BLOCK_SIZE else len(text)
            found.update(_paths(pattern, text, whole))
            kept = text[max(0, whole - _LONGEST_PATH) :]
        found.update(_paths(pattern, kept, len(kept)))
    return frozenset(found)


def _paths(pattern: re.Pattern[bytes], text: bytes, whole: int) -> set[str]:
    """The paths in a text that begin before a place in it."""
    named = set()
    for match in pattern.finditer(text):
        if match.start() < whole:
            path = match[1].replace(b"\\\\", b"/").decode().rstrip(".")
            if is_sidecar_path(path):
                named.add(path)
    return named
