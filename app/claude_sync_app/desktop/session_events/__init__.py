"""Sleep, wake, unlock, shutdown, network and opened files, as the system signals them; chosen once.

On Linux logind and NetworkManager signal them, on macOS the workspace and the end of the
application, on Windows messages to a window of our own. Where none of it is heard, a wake is
noticed by the gap in the clock, at the next look. A file that is opened with the program starts it
anew, but on macOS, where the one that runs is told.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
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
    opened: Callable[[Path], None],
) -> Listener | None:
    """The listener of this system; None if there is none. For the main thread.

    Args:
        name: the application's, which the system shows as the reason for a delay.
        loop: carries it, and is where the three are called; they mustn't wait.
        leaving: the machine is about to sleep or shut down; `Leaving.release` must follow.
        returned: a moment to look for arrivals at once.
        opened: somebody opened this file with the program.
    """
    if sys.platform == "darwin":
        from claude_sync_app.desktop.session_events.macos import MacListener

        return MacListener(loop, leaving, returned, opened)
    if sys.platform == "win32":
        from claude_sync_app.desktop.session_events.windows import WindowsListener

        return WindowsListener(name, loop, leaving, returned)
    if not sys.platform.startswith("linux"):
        return None
    from claude_sync_app.desktop.session_events.linux import LinuxListener

    return LinuxListener(name, loop, leaving, returned)
