"""Sessions that are about to be opened here: nothing else tells of them before their client does.

Whoever prepares one to be resumed writes down, under the lock, that it is going to be opened. That
counts as open as long as the process lives that said so, for as long as it said, and until the
client of the same process says itself what it has open. A process that becomes the client keeps
its number.
"""

from __future__ import annotations

import contextlib
import math
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from claude_sync.claude.live_sessions import LiveFile, LiveSessions, System, is_stale
from claude_sync.disk.json_object import NoObject, read_object, write_object

_MARKS = "opening"


def announce(file: Path, home: Path, session_id: str, seconds: float) -> None:
    """Have a session count as open. Where that can't be written, it doesn't.

    Args:
        file: where such marks are kept.
        home: the client's folder.
        session_id: the session.
        seconds: for how long; infinity for as long as this process lives.
    """
    system, now = System(), time.time()
    process = system.process(os.getpid())
    mark = {
        "sessionId": session_id,
        "home": str(home),
        "pid": os.getpid(),
        "pidDomain": system.domain or None,
        "procStart": process.ticks if process is not None else "",
        "written": now,
        "until": now + seconds if seconds < math.inf else None,
    }
    others = [one for one in _marks(file) if _counts(one, system, now)]
    with contextlib.suppress(OSError):
        write_object(file, {_MARKS: [*others, mark]})


def with_announced(live: LiveSessions, file: Path, home: Path) -> LiveSessions:
    """What is open, with what is about to be.

    Args:
        live: what the client says.
        file: where the marks are kept.
        home: the client's folder.
    """
    marks = [one for one in _marks(file) if one.get("home") == str(home)]
    if not marks:
        return live
    system, now = System(), time.time()
    told = {one.name for one in live.open_files.values()}
    found = dict(live.open_files)
    for mark in marks:
        name, session_id = f"{mark.get('pid')}.json", mark.get("sessionId")
        if isinstance(session_id, str) and name not in told and _counts(mark, system, now):
            found.setdefault(session_id, LiveFile(name, session_id, background=False))
    return live._replace(open_files=found)


def _marks(file: Path) -> list[Mapping[str, Any]]:
    try:
        marks = read_object(file).get(_MARKS)
    except (NoObject, OSError):
        return []
    return [one for one in marks if isinstance(one, dict)] if isinstance(marks, list) else []


def _counts(mark: Mapping[str, Any], system: System, now: float) -> bool:
    until = mark.get("until")
    if until is not None and not (isinstance(until, (int, float)) and now < until):
        return False
    try:
        return not is_stale(mark, system)
    except (KeyError, ValueError, TypeError):
        return False
