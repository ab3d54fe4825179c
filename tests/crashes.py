"""Dying at a chosen moment: a child process that is killed before its Nth change to the disk.

The child is a fork of this process, so it works on what a test made ready. It counts the calls
that change files or the database, as the interpreter itself reports them, and kills itself before
the one that was asked for: no code of ours runs any more, no file is closed, nothing is flushed.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable
from enum import Enum
from types import FrameType
from typing import Any

from claude_sync.errors import ClaudeSyncError

_EVENTS = (
    "os.mkdir os.rename os.link os.symlink os.remove os.rmdir os.utime os.chmod os.truncate "
    "sqlite3.connect"
)
_AUDITED = frozenset(_EVENTS.split())
_CALLED = frozenset(["write", "pwrite", "fsync", "fdatasync", "sendfile", "copy_file_range"])
_OF_SQLITE = frozenset(["execute", "executemany", "executescript"])
_FOR_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_READING = ("SELECT", "PRAGMA USER")


class End(Enum):
    """How a child ended."""

    KILLED = "killed before it was done"
    DONE = "done before that step"
    REFUSED = "raised an error of ours before that step"


def killed_at(step: int, work: Callable[[], object]) -> End:
    """Run some work in a child that is killed before its change number `step`, from 0 on.

    Raises:
        AssertionError: the work ended in anything but its own end or an error of ours.
    """
    child = os.fork()
    if child == 0:
        status = 3
        try:
            _count_down(step)
            work()
            status = 0
        except ClaudeSyncError:
            status = 1
        except BaseException:  # noqa: BLE001 -- whatever it is, the parent is told
            sys.setprofile(None)
            traceback.print_exc()
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return End.KILLED
    code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else -1
    assert code in (0, 1), f"the child failed ({status}); its traceback is on stderr"
    return End.DONE if code == 0 else End.REFUSED


def _count_down(steps: int) -> None:
    left = steps

    def change() -> None:
        nonlocal left
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1

    def audited(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            if isinstance(arguments[2], int) and arguments[2] & _FOR_WRITING:
                change()
        elif event in _AUDITED:
            change()

    def called(frame: FrameType, event: str, function: Any) -> None:
        if event != "c_call":
            return
        name = getattr(function, "__name__", "")
        of_the_system = name in _CALLED and getattr(function, "__module__", "") == os.name
        if of_the_system or (name in _OF_SQLITE and not _only_reads(frame)):
            change()

    sys.addaudithook(audited)
    sys.setprofile(called)


def _only_reads(frame: FrameType) -> bool:
    sql = frame.f_locals.get("sql")
    return isinstance(sql, str) and sql.lstrip().upper().startswith(_READING)
