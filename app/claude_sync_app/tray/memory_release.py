"""Gives memory back once work has ended: looking at everything takes much, being idle little."""

from __future__ import annotations

import ctypes
import gc
import operator
import sys
from asyncio import TimerHandle
from collections.abc import Callable

from claude_sync.service.status import Status
from claude_sync_app.desktop.loop import Loop

_QUIET_SECONDS = 10.0


class MemoryRelease:
    """Notices when work has ended. In the loop's thread.

    Args:
        loop: carries it.
        release: called then; must return at once.
    """

    def __init__(self, loop: Loop, release: Callable[[], object]) -> None:
        self._loop = loop
        self._release = release
        self._seen: tuple[object, ...] = ()
        self._timer: TimerHandle | None = None

    def consider(self, status: Status) -> None:
        """Work has ended if nothing of this changes for a while."""
        now = (status.sessions, status.findings, status.activity)
        if self._seen and all(map(operator.is_, now, self._seen)):
            return
        self._seen = now
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.later(_QUIET_SECONDS, self._release)


def give_memory_back() -> None:
    """Return to the system what isn't used any more; takes some ten milliseconds."""
    gc.collect()
    if sys.platform == "linux":
        # Blocks that were freed lie between others and stay with the process (man 3 malloc_trim);
        # musl has no such function, and no such habit.
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
