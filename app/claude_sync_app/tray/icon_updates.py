"""Keeps icon and menu up to date with the newest Status. All of it in the loop's thread.

What a click changes is shown at once; all else together, at most once a second.
"""

from __future__ import annotations

import time
from asyncio import TimerHandle
from collections.abc import Callable

from claude_sync.service.status import Status
from claude_sync_app.desktop.loop import Loop
from claude_sync_app.tray.backends import Backend
from claude_sync_app.tray.environment import Environment
from claude_sync_app.tray.icons.icons import IconState, Picture, Theme
from claude_sync_app.tray.menu.menu import menu
from claude_sync_app.tray.status_line import icon_state, tooltip

REST_SECONDS = 1.0
_MINUTE = 60
_CONSPICUOUS = frozenset({IconState.ATTENTION, IconState.ERROR})


class IconUpdates:
    """Updates what the backend shows.

    Args:
        loop: carries it.
        status: gives the newest Status.
        environment: gives the newest Environment.
        shown: called after each time with the Status that is shown now.
    """

    def __init__(
        self,
        loop: Loop,
        status: Callable[[], Status],
        environment: Callable[[], Environment],
        on_shown: Callable[[Status], None],
    ) -> None:
        self._loop = loop
        self._status = status
        self._environment = environment
        self._on_shown = on_shown
        self._backend: Backend | None = None
        self._theme = Theme.DARK
        self._last = float("-inf")
        self._next_update: TimerHandle | None = None
        self._minute: TimerHandle | None = None
        self._ended = False

    def attach(self, backend: Backend | None, theme: Theme) -> None:
        """Show it through a backend; without one, only `on_shown` is called."""
        self._backend, self._theme = backend, theme

    def update_soon(self) -> None:
        """Update when the last update is a second old."""
        if self._next_update is not None or self._ended:
            return
        wait = self._last + REST_SECONDS - time.monotonic()
        if wait <= 0:
            self.update_now()
        else:
            self._next_update = self._loop.later(wait, self.update_now)

    def update_now(self) -> None:
        """Update at once."""
        self._cancel()
        if self._ended:
            return
        self._last = time.monotonic()
        status, environment = self._status(), self._environment()
        moment = time.time()
        if self._backend is not None:
            state = icon_state(
                status,
                status.preferences,
                moment,
                is_first_start=environment.is_first_start,
            )
            self._backend.show(
                menu(status, int(moment // _MINUTE), status.preferences, environment),
                Picture(state, self._theme),
                tooltip(status, int(moment // _MINUTE), status.preferences, environment),
                state in _CONSPICUOUS,
            )
        # "2 minutes ago" becomes "3 minutes ago".
        self._minute = self._loop.later(_MINUTE - moment % _MINUTE + 0.01, self.update_now)
        self._on_shown(status)

    def end(self) -> None:
        """Show nothing any more."""
        self._ended = True
        self._cancel()

    def _cancel(self) -> None:
        for timer in (self._next_update, self._minute):
            if timer is not None:
                timer.cancel()
        self._next_update = self._minute = None
