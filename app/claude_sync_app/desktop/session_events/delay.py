"""Having a system wait that waits for a function to return: macOS and Windows do."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from claude_sync_app.desktop.session_events.values import Leaving, Return, Way

if TYPE_CHECKING:
    from claude_sync_app.desktop.loop import Loop


class Delay:
    """What is told in a thread of the system's, and how long that thread is kept.

    Args:
        loop: where both are called.
        leaving: the machine is about to sleep or shut down.
        returned: a moment to look for arrivals at once.
    """

    def __init__(
        self,
        loop: Loop,
        leaving: Callable[[Leaving], None],
        returned: Callable[[Return], None],
    ) -> None:
        self._loop = loop
        self._leaving = leaving
        self._returned = returned

    def leave(self, way: Way, seconds: float) -> None:
        """Tell that the machine is leaving; returns when that is released, or after the time."""
        released = threading.Event()
        self._loop.call(self._leaving, Leaving(way, seconds, released.set))
        released.wait(seconds)

    def come_back(self, why: Return) -> None:
        """Tell that the user is back; returns at once."""
        self._loop.call(self._returned, why)
