"""Whether a panel had time to come before it is said that the icon can't be seen."""

from __future__ import annotations

import time
from collections.abc import Callable

from claude_sync_app.tray.backends.callbacks import Presence

PANEL_SECONDS = 60.0
"""How long a panel has to come: at a login it may start after us, or be restarted later."""


class PanelWait:
    """Waits for a panel. Told in the loop's thread, asked in any.

    Args:
        clock: a clock that doesn't jump, seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._unseen_since: float | None = clock()

    def see(self, presence: Presence) -> None:
        """The icon can be seen now, or can't any more."""
        if presence is Presence.SHOWN:
            self._unseen_since = None
        elif self._unseen_since is None:
            self._unseen_since = self._clock()

    @property
    def was_in_vain(self) -> bool:
        """Whether the icon can't be seen, though a panel had its time to come."""
        since = self._unseen_since
        return since is not None and self._clock() - since >= PANEL_SECONDS
