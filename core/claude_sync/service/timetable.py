"""When each kind of work is due next, by the thread's own clock; `schedule` says how long."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable

from claude_sync.service import schedule

OPEN, LOOK, RESCAN, HEALTH, DOCTOR, TIDY = "open", "look", "rescan", "health", "doctor", "tidy"
INDEX = "index"
_FIRST = (OPEN, LOOK, RESCAN, HEALTH, DOCTOR)
_LONGEST_WAIT_SECONDS = 5.0
_TIDY_FIRST_SECONDS = 300.0


class Timetable:
    """When each kind of work is due next.

    Args:
        clock: a clock that doesn't jump, seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        now = clock()
        self._due = dict.fromkeys(_FIRST, now)
        self._due[TIDY] = now + _TIDY_FIRST_SECONDS
        self._due[INDEX] = math.inf
        self._steady = now
        self._wall = time.time()
        self._waited = 0.0

    def is_due(self, work: str) -> bool:
        """Whether this work is due."""
        return self.clock() >= self._due[work]

    def due_in(self, work: str, seconds: float) -> None:
        """Make it due in so many seconds."""
        self._due[work] = self.clock() + seconds

    def due_by(self, work: str, moment: float) -> None:
        """Make it due at that moment of the clock, unless it is sooner."""
        self._due[work] = min(self._due[work], moment)

    def due_now(self, *works: str) -> None:
        """Make it due at once."""
        for work in works:
            self._due[work] = self.clock()

    def begin_wait(self, others: Iterable[float]) -> float:
        """Take note that a wait begins; how long it may last, seconds.

        Args:
            others: further moments at which something is to be done.
        """
        self._steady, self._wall = self.clock(), time.time()
        moments = [*self._due.values(), *others]
        self._waited = schedule.seconds_until_first(moments, self._steady, _LONGEST_WAIT_SECONDS)
        return self._waited

    def slept(self) -> bool:
        """Whether the machine slept, or its clock was set, since `begin_wait`."""
        passed, wall = self.clock() - self._steady, time.time() - self._wall
        return schedule.is_gap(self._waited, passed, wall)
