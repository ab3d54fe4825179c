"""Pushes what changed before the machine sleeps or shuts down, in the time the system gives."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future

from claude_sync.service.service import Service
from claude_sync_app.desktop.loop import Loop
from claude_sync_app.desktop.session_events import Leaving, Return, Way

LAST_SECONDS = 2.0
"""How long a local push may take where the program is asked to end."""


class PowerEvents:
    """Reacts when the machine sleeps, shuts down or wakes. All of it in the loop's thread.

    Args:
        loop: carries it.
        service: does the work.
        woke: called after a sleep.
        unpushed: called after a sleep that came too soon, with the number of sessions left.
    """

    def __init__(
        self,
        loop: Loop,
        service: Service,
        woke: Callable[[], None],
        unpushed: Callable[[int], None],
    ) -> None:
        self._loop = loop
        self._service = service
        self._woke = woke
        self._unpushed = unpushed
        self._left: Future[list[str]] | None = None

    def leaving(self, leaving: Leaving) -> None:
        """The machine sleeps or shuts down as soon as it is released."""
        if leaving.seconds <= 0:
            leaving.release()
            return
        future = self._service.push_before_leaving(leaving.seconds)
        if leaving.way is Way.SLEEP:
            self._left = future
        future.add_done_callback(lambda _: leaving.release())
        # The service may be busy with something bigger: the system doesn't wait for that.
        self._loop.later(leaving.seconds, leaving.release)

    def returned(self, how: Return) -> None:
        """The user is back: look at everything now."""
        if how is Return.WOKE:
            self._woke()
            left, self._left = self._left, None
            if left is not None:
                # The push before the sleep may only end now.
                left.add_done_callback(lambda done: self._loop.call(self._count, done))
        self._service.look_now()

    def _count(self, left: Future[list[str]]) -> None:
        if not left.cancelled() and left.exception() is None and left.result():
            self._unpushed(len(left.result()))
