"""A branch of a session: which session it began as, and into whose files it points.

As seen with Claude Code 2.1.332: each line that `/branch` or `--fork-session` copies bears
`forkedFrom.sessionId`, and the long outputs that these lines name lie in the sidecar folder of the
session that they came from. A branch of a branch bears the one that it was made of, and still names
the files of the first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from claude_sync.disk.snapshot import BLOCK_SIZE, open_regular
from claude_sync.names import is_session_id, is_sidecar_path

_HEAD_BYTES = 4 << 20
_LONGEST_PATH = 300
_KINDS = (b"subagents", b"tool-results", b"workflows")
_ID = rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_ID_LENGTH = 36
# Between the parts stands what separates them on the machine that wrote it: in JSON a backslash is
# two. A path ends where no name of the client's goes on.
_REST = rb"(?:(?:/|\\\\)[A-Za-z0-9._-]+)+"


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
    transcript: Path, check: Callable[[], None] = lambda: None
) -> Mapping[str, frozenset[str]]:
    """Which files of other sessions' sidecar folders a transcript names.

    Args:
        transcript: the one that names them.
        check: called between blocks; raises to stop.

    Returns:
        the files' paths in their folder, by the session whose it is.

    Raises:
        OSError: the transcript can't be read.
    """
    found: set[tuple[str, str]] = set()
    kept = b""
    with open_regular(transcript) as file:
        while block := file.read(BLOCK_SIZE):
            check()
            text = kept + block
            # What a block cuts is found with the next one, whole; until then it isn't told.
            whole = max(0, len(text) - _LONGEST_PATH) if len(block) == BLOCK_SIZE else len(text)
            found.update(_paths(text, whole))
            kept = text[max(0, whole - _LONGEST_PATH) :]
        found.update(_paths(kept, len(kept)))
    own = transcript.stem.lower()
    by_session: dict[str, set[str]] = {}
    for session_id, path in found:
        if session_id != own:
            by_session.setdefault(session_id, set()).add(path)
    return {session_id: frozenset(paths) for session_id, paths in by_session.items()}


def _paths(text: bytes, whole: int) -> Iterator[tuple[str, str]]:
    """The sessions and paths in a text that begin before a place in it."""
    for session_id, rest in {*_places(text, whole)}:
        path = rest.replace(b"\\\\", b"/").decode().rstrip(".")
        if re.fullmatch(_ID, session_id, re.IGNORECASE) and is_sidecar_path(path):
            yield session_id.decode().lower(), path


def _places(text: bytes, whole: int) -> Iterator[tuple[bytes, bytes]]:
    """What stands where an id may, and the path after it.

    The few words that all paths have are looked for first: a pattern takes ten times as long.
    """
    rest = re.compile(_REST)
    for kind in _KINDS:
        at = text.find(kind)
        while at >= 0:
            separator = 1 if text.endswith(b"/", 0, at) else 2 * text.endswith(b"\\\\", 0, at)
            start = at - separator - _ID_LENGTH
            match = rest.match(text, at + len(kind)) if separator and 0 <= start < whole else None
            if match is not None:
                yield text[start : at - separator], text[at : match.end()]
            at = text.find(kind, at + 1)
