"""What the pages may use of the program that serves them."""

from __future__ import annotations

import operator
import threading
from collections.abc import Callable
from typing import Protocol

from claude_sync.model import Level
from claude_sync.service.service import Service
from claude_sync.service.status import Status
from claude_sync.state.paths import Paths
from claude_sync.state.preferences import Preferences


class WindowServices(Protocol):
    """What the pages may use: the newest Status, commands, and what ends them."""

    @property
    def paths(self) -> Paths:
        """Where claude-sync keeps its things."""

    @property
    def status(self) -> Status:
        """The newest Status."""

    @property
    def service(self) -> Service:
        """Takes commands: each returns a Future at once."""

    left: Preferences | None
    """What was chosen before the place where sessions meet was changed in the window."""

    def revision(self, status: Status) -> int:
        """A number that is another one whenever what a page shows of sessions is."""

    def checkup(self, status: Status) -> int:
        """The same of what the doctor finds wrong."""

    def is_ending(self) -> bool:
        """Whether what reads should stop: the window ends."""


class ServiceOfWindow:
    """The services of a program that runs the service itself.

    Args:
        service: the one that runs.
        is_ending: whether the window ends.
    """

    def __init__(self, service: Service, is_ending: Callable[[], bool]) -> None:
        self.service = service
        self.is_ending = is_ending
        self.left: Preferences | None = None
        self._lock = threading.Lock()
        self._shown: tuple[object, ...] = ()
        self._revision = 0
        self._found: set[tuple[str, str]] = set()
        self._checkup = 0

    def revision(self, status: Status) -> int:
        now = (status.sessions, status.arrivals, status.deferred, self.service.indexed)
        with self._lock:
            if not self._shown or not all(map(operator.is_, now, self._shown)):
                self._shown = now
                self._revision += 1
            return self._revision

    def checkup(self, status: Status) -> int:
        # What is fine, and every detail, may say how long ago something was: it is always another.
        now = {(one.code, one.title) for one in status.findings if one.level is not Level.OK}
        with self._lock:
            if now != self._found:
                self._found = now
                self._checkup += 1
            return self._checkup

    @property
    def paths(self) -> Paths:
        return self.service.paths

    @property
    def status(self) -> Status:
        return self.service.status
