"""Which sessions the client has open. Open unless proven closed: an open one is never replaced.

The client writes ``sessions/<pid>.json`` while it runs and removes it at a clean exit; a crash
leaves it behind. A file is stale only if it was written on this very system (`pidDomain`) by a
process that is gone, and not within the last ten minutes.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from claude_sync.disk.snapshot import read_small
from claude_sync.model import LocalSession

FRESH_SECONDS = 600
"""A live file that was updated so lately counts as open whatever its process looks like."""

QUIET_SECONDS = 60
"""Without live files (older clients) a transcript that changed so lately counts as open."""

_ATTEMPTS = 3
_PAUSE_SECONDS = 0.02


class LiveSessions(NamedTuple):
    """What the live files said when they were read.

    Attributes:
        open_ids: sessions that count as open.
        unreadable: names of live files that can't be read. They may speak of any session, so
            every session counts as open while there is one.
        told: whether the client writes live files here at all.
    """

    open_ids: frozenset[str]
    unreadable: tuple[str, ...]
    told: bool

    def is_open(
        self, session: LocalSession, own_write: Callable[[LocalSession], bool] | None = None
    ) -> bool:
        """Whether a session counts as open.

        Args:
            session: as it lies in the tree.
            own_write: tells whether its last change was ours; only asked where no client writes
                live files.
        """
        if self.told:
            return bool(self.unreadable) or session.session_id in self.open_ids
        if time.time() - session.stamp.mtime_ns / 1e9 >= QUIET_SECONDS:
            return False
        return own_write is None or not own_write(session)


def read_live_sessions(folder: Path) -> LiveSessions:
    """Read the client's live files; the folder itself may be missing."""
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(".json"))
    except FileNotFoundError:
        return LiveSessions(frozenset(), (), told=False)
    except OSError:
        return LiveSessions(frozenset(), (folder.name,), told=True)
    open_ids: set[str] = set()
    unreadable: list[str] = []
    domain = pid_domain() if names else ""
    for name in names:
        session_id = _open_session(folder / name, domain)
        if session_id is None:
            unreadable.append(name)
        elif session_id:
            open_ids.add(session_id)
    return LiveSessions(frozenset(open_ids), tuple(unreadable), told=True)


def _open_session(path: Path, domain: str) -> str | None:
    """The session that a live file keeps open, "" for none, None if it can't be read."""
    for attempt in range(_ATTEMPTS):
        if attempt:
            # The client may be in the middle of writing it.
            time.sleep(_PAUSE_SECONDS)
        try:
            said = json.loads(read_small(path))
            session_id, pid = said["sessionId"], said["pid"]
        except FileNotFoundError:
            return ""
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            continue
        if not isinstance(session_id, str) or not session_id:
            continue
        stale = (
            _is_old(said.get("updatedAt"))
            and domain != ""
            and said.get("pidDomain") == domain
            and isinstance(pid, int)
            and not isinstance(pid, bool)
            and _is_gone(pid, said.get("procStart"))
        )
        return "" if stale else session_id
    return None


def _is_old(updated: object) -> bool:
    """Whether a time in ms is long past; what is no time, or none of this world, isn't."""
    if isinstance(updated, bool) or not isinstance(updated, (int, float)):
        return False
    # Compared as it is: dividing an integer of hundreds of digits would fail.
    return updated <= (time.time() - FRESH_SECONDS) * 1000


def pid_domain() -> str:
    """Where this process's pids mean something, spelled as the client does; "" if unknown.

    Only seen on Linux: the machine's id and the pid namespace, which tell the host, containers
    and WSL apart.
    """
    if not sys.platform.startswith("linux"):
        return ""
    try:
        machine = Path("/etc/machine-id").read_text(encoding="ascii").strip()
        return f"linux:{machine}:{os.readlink('/proc/self/ns/pid')}"
    except (OSError, ValueError):
        return ""


def _is_gone(pid: int, proc_start: object) -> bool:
    """Whether a process of this domain is gone, or its pid belongs to another one by now."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        # /proc mounted with hidepid hides other users' processes; a signal tells them.
        return not _answers(pid)
    except OSError:
        return False
    started = fields.rpartition(")")[2].split()
    if started[:1] in (["Z"], ["X"]):
        return True
    # Field 22 of proc_pid_stat(5) counts from the pid; after the name it is the 20th.
    comparable = isinstance(proc_start, str) and proc_start.isdigit() and len(started) >= 20
    return comparable and started[19] != proc_start


def _answers(pid: int) -> bool:
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True
