"""pystray's icon for the notification area of Windows, with what a menu that changes needs."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

# winuser.h; messages from WM_APP on are the application's own.
_LEFT_BUTTON_UP = 0x0202
_RIGHT_BUTTON_UP = 0x0205
_CALL = 0x8000 + 1
_QUERY_END_SESSION = 0x0011


def new_icon(name: str) -> Any:
    """A pystray icon for Windows."""
    from pystray import _win32
    from pystray._util import win32

    class WindowsIcon(_win32.Icon):  # type: ignore[misc]
        menu_opened: Callable[[bool], None] = staticmethod(lambda _: None)
        click_opens_menu = True

        def __init__(self) -> None:
            super().__init__(name)
            self._calls: deque[Callable[[], object]] = deque()
            self._message_handlers[_CALL] = self._call
            # To what it doesn't know pystray answers 0, which here would keep the user from
            # logging out. What is done before that, `desktop.session_events` does.
            self._message_handlers[_QUERY_END_SESSION] = lambda *_: 1

        def in_its_thread(self, function: Callable[[], object]) -> None:
            self._calls.append(function)
            if self._hwnd is not None:
                win32.PostMessage(self._hwnd, _CALL, 0, 0)

        def _call(self, wparam: int, lparam: int) -> None:
            del wparam, lparam
            while self._calls:
                self._calls.popleft()()

        def _on_notify(self, wparam: int, lparam: int) -> None:
            if lparam == _LEFT_BUTTON_UP and self.click_opens_menu:
                lparam = _RIGHT_BUTTON_UP
            if lparam != _RIGHT_BUTTON_UP:
                super()._on_notify(wparam, lparam)
                return
            # Returns once the menu is closed; our own messages are delivered meanwhile.
            self.menu_opened(True)
            try:
                super()._on_notify(wparam, lparam)
            finally:
                self.menu_opened(False)

    return WindowsIcon()
