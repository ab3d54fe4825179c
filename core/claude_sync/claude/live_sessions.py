"""Which sessions the client has open. Open unless proven closed: an open one is never replaced.

The client writes ``sessions/<pid>.json`` while it runs and removes it at a clean exit; a crash
leaves it behind, and no client removes it later. What such a file holds depends on the client's
version: 2.1.100 wrote neither ``procStart`` nor ``pidDomain`` nor ``updatedAt``, and what came
before it no file at all, though the folder may be there since a newer client once ran.

A file is stale if one of these is certain:

* its pid means something here and no process has it;
* another process has its pid by now: one that was started later, or at another tick;
* its pid means nothing here, for it was written in a container of this machine, and the machine was
  started since.

What another machine wrote that shares the home is never stale here. Besides, a transcript that
changed in the last minute counts as open unless its client is known to write live files: nothing
else tells of older clients.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from claude_sync.disk.snapshot import open_regular, read_small
from claude_sync.model import LocalSession
from claude_sync.values import NamedTuple

QUIET_SECONDS = 60
"""Where no live file can tell, a transcript that changed so lately counts as open."""

FIRST_WITH_LIVE_FILES = (2, 1, 100)
"""The oldest client that was seen to write live files."""

_ATTEMPTS = 3
_PAUSE_SECONDS = 0.02
_TAIL_BYTES = 64 << 10
_VERSION = rb'"version"\s*:\s*"(\d+)\.(\d+)\.(\d+)'
# Clocks of files and of processes are rounded each in its own way.
_CLOCK_SLACK_SECONDS = 3.0
_BACKGROUND = "bg"


class LiveFile(NamedTuple):
    """A live file that keeps a session open, or did until its client crashed.

    Attributes:
        name: the file's.
        session_id: which session it is of.
        background: whether a background session is at work on it, with nobody to close it.
    """

    name: str
    session_id: str
    background: bool


class LiveSessions(NamedTuple):
    """What the live files said when they were read.

    Attributes:
        open_files: the live files that keep sessions open, by session id.
        unreadable: names of live files that can't be read. They may speak of any session, so
            every session counts as open while there is one.
        told: whether the client writes live files here at all.
        stale: those that a crash left behind; they keep nothing open.
        problem: why the folder itself can't be read, "" where it can or isn't there.
    """

    open_files: Mapping[str, LiveFile] = MappingProxyType({})
    unreadable: tuple[str, ...] = ()
    told: bool = False
    stale: tuple[LiveFile, ...] = ()
    problem: str = ""

    @property
    def open_ids(self) -> frozenset[str]:
        """Sessions that a live file keeps open."""
        return frozenset(self.open_files)

    def is_open(
        self, session: LocalSession, own_write: Callable[[LocalSession], bool] | None = None
    ) -> bool:
        """Whether a session counts as open.

        Args:
            session: as it lies in the tree.
            own_write: tells whether its last change was ours; only asked where it matters.
        """
        if self.unreadable or session.session_id in self.open_files:
            return True
        return self.quiet_at(session, own_write) is not None

    def quiet_at(
        self, session: LocalSession, own_write: Callable[[LocalSession], bool] | None = None
    ) -> float | None:
        """When a session that no live file is of will count as closed, if it doesn't now.

        Returns:
            seconds since the epoch; None where it counts as closed already.
        """
        written = session.stamp.mtime_ns / 1e9
        if time.time() - written >= QUIET_SECONDS:
            return None
        if own_write is not None and own_write(session):
            return None
        if self.told and writes_live_files(session.path):
            return None
        return written + QUIET_SECONDS

    @property
    def blindness(self) -> str:
        """Why there is no telling what is open, a clause for people; "" where there is."""
        if self.problem:
            return f"Claude Code's list of open sessions can't be read ({self.problem})"
        if self.unreadable:
            return (
                f"a file that says what is open can't be read (sessions/{self.unreadable[0]}), "
                "so every session counts as open"
            )
        return ""

    def explain(self, session: LocalSession) -> str:
        """Why a session counts as open and what can be done, a clause for people."""
        if self.unreadable:
            return self.blindness
        live = self.open_files.get(session.session_id)
        if live is not None and live.background:
            short = session.session_id[:8]
            return f"a background session is at work on it here: `claude stop {short}` ends it"
        if live is not None:
            return "open here: close it first"
        now, written = time.time(), session.stamp.mtime_ns / 1e9
        if written > now:
            return "it was written a moment ago, and may be open here"
        left = max(1, round(written + QUIET_SECONDS - now))
        ago = round(now - written)
        return f"it was written {ago} s ago and may be open here: again in {left} s"


def read_live_sessions(folder: Path) -> LiveSessions:
    """Read the client's live files; the folder itself may be missing."""
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(".json"))
    except FileNotFoundError:
        return LiveSessions()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return LiveSessions(unreadable=(folder.name,), told=True, problem=reason)
    open_files: dict[str, LiveFile] = {}
    unreadable: list[str] = []
    stale: list[LiveFile] = []
    system = System() if names else None
    for name in names:
        found = _read(folder / name)
        if found is None:
            unreadable.append(name)
        elif found and system is not None:
            live = LiveFile(name, found["sessionId"], found.get("kind") == _BACKGROUND)
            if is_stale(found, system):
                stale.append(live)
            else:
                open_files[live.session_id] = live
    return LiveSessions(open_files, tuple(unreadable), True, tuple(stale))


def _read(path: Path) -> dict[str, Any] | None:
    """What a live file says, {} where it is gone by now, None if it can't be read."""
    for attempt in range(_ATTEMPTS):
        if attempt:
            # The client may be in the middle of writing it.
            time.sleep(_PAUSE_SECONDS)
        try:
            document = json.loads(read_small(path))
            session_id, _ = document["sessionId"], document["pid"]
            written = path.stat().st_mtime
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            continue
        if isinstance(session_id, str) and session_id:
            return {**document, "written": written}
    return None


# --- what its client still is -------------------------------------------------------------------


class System:
    """What this system says of its processes, asked only where a live file makes it necessary.

    Args:
        platform: as `sys.platform` names it.
    """

    def __init__(self, platform: str = sys.platform) -> None:
        self.linux = platform.startswith("linux")
        self.domain = pid_domain() if self.linux else ""
        self._booted: float | None = None

    def shares_machine(self, domain: object) -> bool:
        """Whether a file of that domain was written on this machine, in whichever container.

        Clients before 2.1.265 write no domain; such a file counts as local. How a domain is
        spelled off Linux isn't known; there are no containers that share a home there.
        """
        if domain is None or not self.linux:
            return True
        ours = self.domain.split(":")[:2]
        return self.domain != "" and isinstance(domain, str) and domain.split(":")[:2] == ours

    def shares_pids(self, domain: object) -> bool:
        """Whether a pid from there means the same here."""
        return domain is None or not self.linux or (self.domain != "" and domain == self.domain)

    def booted(self) -> float:
        """When the system was started, seconds since the epoch; 0 where it can't be told."""
        if self._booted is None:
            self._booted = _linux_boot() if self.linux else _other_boot()
        return self._booted

    def process(self, pid: int) -> Process | None:
        """A process that runs, None where no process has that pid.

        Raises:
            OSError: it can't be told.
        """
        return _linux_process(pid, self) if self.linux else _other_process(pid)


class Process(NamedTuple):
    """A process that runs.

    Attributes:
        started: when, seconds since the epoch; None where it can't be told.
        ticks: the same as Linux counts it, clock ticks since the system's start; "" elsewhere.
    """

    started: float | None
    ticks: str


def is_stale(live: Mapping[str, Any], system: System) -> bool:
    """Whether a live file is certain to have been left behind by a crash."""
    domain, pid, written = live.get("pidDomain"), live.get("pid"), float(live["written"])
    if isinstance(pid, bool) or not isinstance(pid, int):
        return False
    if not system.shares_pids(domain):
        # Not where pids can tell: a clock that was set after the start would speak against it.
        booted = system.booted() if system.shares_machine(domain) else 0.0
        return written < booted - _CLOCK_SLACK_SECONDS
    try:
        process = system.process(pid)
    except OSError:
        return False
    if process is None:
        return True
    start = live.get("procStart")
    if process.ticks and isinstance(start, str) and start.isdigit():
        return process.ticks != start
    return process.started is not None and process.started > written + _CLOCK_SLACK_SECONDS


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


def _linux_boot() -> float:
    try:
        lines = Path("/proc/stat").read_text(encoding="ascii").splitlines()
        return float(next(line.split()[1] for line in lines if line.startswith("btime ")))
    except (OSError, ValueError, StopIteration):
        return 0.0


def _other_boot() -> float:
    import psutil

    try:
        return psutil.boot_time()
    except (OSError, RuntimeError, psutil.Error):
        return 0.0


def _linux_process(pid: int, system: System) -> Process | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        # /proc mounted with hidepid hides other users' processes; a signal tells them.
        return Process(None, "") if _answers(pid) else None
    # Field 22 of proc_pid_stat(5) counts from the pid; after the name it is the 20th.
    after_name = fields.rpartition(")")[2].split()
    if after_name[:1] in (["Z"], ["X"]):
        return None
    if len(after_name) < 20 or not after_name[19].isdigit():
        return Process(None, "")
    ticks = after_name[19]
    booted = system.booted()
    if sys.platform == "win32":  # for mypy: os has no sysconf there
        return Process(None, ticks)
    started = booted + int(ticks) / os.sysconf("SC_CLK_TCK") if booted else None
    return Process(started, ticks)


def _other_process(pid: int) -> Process | None:
    import psutil

    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return Process(process.create_time(), "")
    except psutil.NoSuchProcess:
        return None
    except (psutil.Error, ValueError, OverflowError):
        return Process(None, "")


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


# --- the client that wrote a transcript ---------------------------------------------------------


def writes_live_files(transcript: Path) -> bool:
    """Whether the client that last wrote to a transcript is one that writes live files.

    What was said or done bears the client's version (seen with 2.1.2 to 2.1.332). Where the last
    64 KiB name none, or the file can't be read, that isn't known, and so it isn't so.
    """
    try:
        with open_regular(transcript) as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(max(0, size - _TAIL_BYTES))
            found = re.findall(_VERSION, file.read(_TAIL_BYTES))
    except OSError:
        return False
    return bool(found) and tuple(map(int, found[-1])) >= FIRST_WITH_LIVE_FILES
