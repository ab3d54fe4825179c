"""A store's own word that something in it has changed: a thread that waits for it.

What comes is a hint, like an event of the system's (`watch`): it goes into the mailbox, the loop
decides when to look (`schedule.look_after_event`), and what is missed is found at the interval.

Invariants:

1. Nobody waits for this thread: it puts hints into the mailbox, and its last problem is read as it
   is. It has a way of its own to the store; nothing of `sync` or of the records is touched here.
2. Whatever the store says, it costs few looks: some at once, and then one in some seconds
   (`schedule.hints_left`).
3. Where the store can't be watched, nothing fails: it is tried again, less and less often, and one
   sentence says so. A store that is merely out of reach is the loop's to tell of.
4. `stop` ends the thread, the connection, and what waits on the host.
"""

from __future__ import annotations

import random
import threading
import time
from dataclasses import replace

from claude_sync.errors import ClaudeSyncError, Stopped
from claude_sync.model import Finding, Level
from claude_sync.service import schedule
from claude_sync.service.outage import Outage, after_failing
from claude_sync.service.watch import Area, Notify
from claude_sync.transports.base import ChangeWatch
from claude_sync.wording import count, what_happened

_JOIN_SECONDS = 0.5
_PASSING_FAILURES = 2
"""So often in a row it may fail before that is more than a bad moment."""


class StoreWatch:
    """Waits for a store's changes in a thread of its own, from `start` to `stop`.

    Args:
        changes: what waits; used by that thread alone, and ended with it.
        notify: called for every hint; must return at once and never raise.

    Attributes:
        problem: why changes aren't told of, without a full stop; "" if they are, or if that isn't
            known yet. Written by the thread, read by any.
    """

    def __init__(self, changes: ChangeWatch, notify: Notify) -> None:
        self._changes = changes
        self._notify = notify
        self._woken = threading.Event()
        self._ending = False
        self._thread: threading.Thread | None = None
        self.problem = ""

    # -- from the service's thread ------------------------------------------------------------

    def start(self) -> None:
        """Begin, unless it has begun."""
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._run, name="claude-sync store watch", daemon=True
            )
            self._thread.start()

    def try_now(self) -> None:
        """Where it waits to be tried again, try again now: there may be a network again."""
        self._woken.set()

    def stop(self) -> None:
        """End."""
        self._ending = True
        self._woken.set()
        self._changes.end()
        if self._thread is not None:
            self._thread.join(_JOIN_SECONDS)

    # -- the thread -----------------------------------------------------------------------------

    def _run(self) -> None:
        outage: Outage | None = None
        hints, asked = schedule.MOST_HINTS, time.monotonic()
        try:
            while not self._ending:
                try:
                    has_changed = self._changes.wait()
                except Stopped:
                    return
                except ClaudeSyncError as error:
                    outage = self._after_failing(outage, error)
                    if self._pause(outage.retry_seconds):
                        outage = None
                    continue
                outage, self.problem = None, ""
                if has_changed:
                    self._notify(Area.STORE, "")
                # One that says nothing counts too: it could say that all the time.
                now = time.monotonic()
                hints, asked = schedule.hints_left(hints, now - asked), now
                if has_changed or hints < 1.0:
                    self._pause(schedule.rest_after_hint(hints))
        finally:
            self._changes.close()

    def _after_failing(self, known: Outage | None, error: ClaudeSyncError) -> Outage:
        jitter = random.random()  # noqa: S311 -- spreads load, guards nothing
        outage = after_failing(known, error, jitter)
        if not error.passing:
            outage = replace(outage, retry_seconds=schedule.UNWATCHED_SECONDS)
        if not error.passing or outage.failures > _PASSING_FAILURES:
            self.problem = what_happened(error).rstrip(".")
        return outage

    def _pause(self, seconds: float) -> bool:
        """Wait so long, or until `try_now`; whether that came."""
        woken = self._woken.wait(seconds)
        self._woken.clear()
        return woken


def unwatched_finding(label: str, problem: str, interval_seconds: float) -> Finding:
    """What the doctor says where a store that could be watched can't be.

    Args:
        label: the store's.
        problem: `StoreWatch.problem`.
        interval_seconds: how often it is looked at instead.
    """
    every = count(round(interval_seconds), "second")
    return Finding(
        code="store-unwatched",
        level=Level.INFO,
        title=f"Changes on {label} are looked for every {every}",
        detail=f"They can't be told of at once: {problem[:1].lower()}{problem[1:]}.",
    )
