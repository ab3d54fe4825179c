"""What macOS says: sleep and wake by the workspace's notifications, the rest to the delegate.

https://developer.apple.com/documentation/appkit/nsworkspace/1524159-willsleepnotification
https://developer.apple.com/documentation/appkit/nsapplicationdelegate/1428642-applicationshouldterminate
https://developer.apple.com/documentation/appkit/nsapplicationdelegate/application(_:openfiles:)

They come to the main thread while the icon runs there. macOS waits until the function returns:
thirty seconds before a sleep, and at a log-out until it offers to end the program by force.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from claude_sync_app.desktop.session_events.delay import Delay
from claude_sync_app.desktop.session_events.values import Leaving, Return, Way

if TYPE_CHECKING:
    from claude_sync_app.desktop.loop import Loop

SECONDS_AT_AN_END = 5.0
SECONDS_BEFORE_SLEEP = 10.0
_TERMINATE_NOW = 1
_OPENED = 0


class MacListener:
    """Listens as an observer of the workspace, and as the application's delegate.

    `start` and `stop` are called in the main thread.

    Args:
        loop: where the three are called.
        leaving: called when the machine is about to sleep, or the user logs out.
        returned: called when the user is back.
        opened: called with a file that was opened with the application.
    """

    def __init__(
        self,
        loop: Loop,
        leaving: Callable[[Leaving], None],
        returned: Callable[[Return], None],
        opened: Callable[[Path], None],
    ) -> None:
        self._open = lambda name: loop.call(opened, Path(name))
        self._delay = Delay(loop, leaving, returned)
        self._observer: Any = None

    def start(self) -> None:
        import AppKit

        self._observer = _new_observer(self._delay, self._open)
        centre = AppKit.NSWorkspace.sharedWorkspace().notificationCenter()
        for selector, notification in (
            (b"willSleep:", AppKit.NSWorkspaceWillSleepNotification),
            (b"didWake:", AppKit.NSWorkspaceDidWakeNotification),
            (b"isActive:", AppKit.NSWorkspaceSessionDidBecomeActiveNotification),
        ):
            centre.addObserver_selector_name_object_(self._observer, selector, notification, None)
        AppKit.NSApplication.sharedApplication().setDelegate_(self._observer)

    def stop(self) -> None:
        import AppKit

        observer, self._observer = self._observer, None
        if observer is not None:
            AppKit.NSWorkspace.sharedWorkspace().notificationCenter().removeObserver_(observer)
            AppKit.NSApplication.sharedApplication().setDelegate_(None)


def _new_observer(delay: Delay, open_file: Callable[[str], object]) -> Any:
    import Foundation

    class SessionObserver(Foundation.NSObject):  # type: ignore[misc]
        def willSleep_(self, _: Any) -> None:  # noqa: N802 -- a selector's name
            delay.leave(Way.SLEEP, SECONDS_BEFORE_SLEEP)

        def didWake_(self, _: Any) -> None:  # noqa: N802
            delay.come_back(Return.WOKE)

        def isActive_(self, _: Any) -> None:  # noqa: N802
            delay.come_back(Return.UNLOCKED)

        def applicationShouldTerminate_(self, _: Any) -> int:  # noqa: N802
            # What ends the program then is exit(): nothing of ours runs after this.
            delay.leave(Way.SHUTDOWN, SECONDS_AT_AN_END)
            return _TERMINATE_NOW

        def application_openFiles_(self, application: Any, names: Any) -> None:  # noqa: N802
            for name in names:
                open_file(str(name))
            application.replyToOpenOrPrint_(_OPENED)

    return SessionObserver.alloc().init()
