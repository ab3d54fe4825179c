"""Sleep, wake, unlock, shutdown and network, as the system signals them; chosen once.

On Linux logind and NetworkManager signal them. On macOS and Windows nothing is listened to: there
is no push before sleep, and a wake is noticed by the gap in the clock, at the next look. (Their
events need the thread and the window that the icon owns, and Windows gives no delay.)
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from claude_sync_app.desktop.session_events.values import Leaving, Listener, Return, Way

if TYPE_CHECKING:
    from claude_sync_app.desktop.loop import Loop

__all__ = ["Leaving", "Listener", "Return", "Way", "choose"]


def choose(
    name: str,
    loop: Loop,
    leaving: Callable[[Leaving], None],
    returned: Callable[[Return], None],
) -> Listener | None:
    """The listener of this system; None if there is none.

    Args:
        name: the application's, which the system shows as the reason for a delay.
        loop: carries it, and is where the two are called; they mustn't wait.
        leaving: the machine is about to sleep or shut down; `Leaving.release` must follow.
        returned: a moment to look for arrivals at once.
    """
    if not sys.platform.startswith("linux"):
        return None
    from claude_sync_app.desktop.session_events.linux import LinuxListener

    return LinuxListener(name, loop, leaving, returned)
