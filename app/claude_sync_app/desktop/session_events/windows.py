"""Sleep, log-out, shutdown and unlock on Windows, from messages to a window of our own.

https://learn.microsoft.com/windows/win32/shutdown/wm-endsession
https://learn.microsoft.com/windows/win32/power/wm-powerbroadcast
https://learn.microsoft.com/windows/win32/termserv/wm-wtssession-change

The window has a thread of its own, so that neither an open menu nor a missing icon keeps messages
waiting. Windows waits until the function returns: about five seconds for a program that ends with
the session, about two before a sleep.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from claude_sync_app.desktop.session_events.delay import Delay
from claude_sync_app.desktop.session_events.values import Leaving, Return, Way

if TYPE_CHECKING:
    from claude_sync_app.desktop.loop import Loop

# winuser.h, wtsapi32.h
WM_CLOSE, WM_DESTROY = 0x0010, 0x0002
WM_QUERYENDSESSION, WM_ENDSESSION = 0x0011, 0x0016
WM_POWERBROADCAST, WM_WTSSESSION_CHANGE = 0x0218, 0x02B1
PBT_APMSUSPEND, PBT_APMRESUMEAUTOMATIC = 0x0004, 0x0012
WTS_SESSION_UNLOCK = 0x8
_WS_POPUP = 0x80000000

SECONDS_AT_AN_END = 4.0
SECONDS_BEFORE_SLEEP = 1.6


def answer(delay: Delay, message: int, what: int) -> int | None:
    """What a window answers to a message.

    Args:
        delay: what is told.
        message: its number.
        what: its first parameter.

    Returns:
        None where Windows' own answer will do.
    """
    if message == WM_QUERYENDSESSION:
        return 1  # we keep nobody here
    if message == WM_ENDSESSION:
        if what:
            delay.leave(Way.SHUTDOWN, SECONDS_AT_AN_END)
        return 0
    if message == WM_POWERBROADCAST:
        if what == PBT_APMSUSPEND:
            delay.leave(Way.SLEEP, SECONDS_BEFORE_SLEEP)
        elif what == PBT_APMRESUMEAUTOMATIC:
            delay.come_back(Return.WOKE)
        return 1
    if message == WM_WTSSESSION_CHANGE:
        if what == WTS_SESSION_UNLOCK:
            delay.come_back(Return.UNLOCKED)
        return 0
    return None


class WindowsListener:
    """Listens with a window that is never shown.

    Args:
        name: the application's; the window's title and class begin with it.
        loop: where the two are called.
        leaving: called when the machine is about to sleep or shut down.
        returned: called when the user is back.
    """

    def __init__(
        self,
        name: str,
        loop: Loop,
        leaving: Callable[[Leaving], None],
        returned: Callable[[Return], None],
    ) -> None:
        self._name = name
        self._delay = Delay(loop, leaving, returned)
        self._lock = threading.Lock()
        self._window = 0
        self._stopped = False

    def start(self) -> None:
        threading.Thread(target=self._listen, name="session-events", daemon=True).start()

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
            window = self._window
        if window:
            _library("user32").PostMessageW(window, WM_CLOSE, 0, 0)

    # --- in its own thread ---

    def _listen(self) -> None:
        import ctypes
        from ctypes import wintypes

        user32 = _typed(_library("user32"))
        procedure = _procedure_type()(
            lambda window, message, what, more: self._answer(user32, window, message, what, more)
        )
        window = _new_window(user32, f"{self._name} session events", procedure)
        if not window:
            return
        with self._lock:
            self._window = window
            stopped = self._stopped
        # Unlocking is told only to those who ask.
        _library("wtsapi32").WTSRegisterSessionNotification(wintypes.HWND(window), 0)
        if stopped:
            user32.PostMessageW(window, WM_CLOSE, 0, 0)
        message = wintypes.MSG()
        while user32.GetMessageW(ctypes.byref(message), None, 0, 0) > 0:
            user32.DispatchMessageW(ctypes.byref(message))

    def _answer(self, user32: Any, window: int, message: int, what: int, more: int) -> int:
        if message == WM_DESTROY:
            _library("wtsapi32").WTSUnRegisterSessionNotification(window)
            with self._lock:
                self._window = 0
            user32.PostQuitMessage(0)
            return 0
        ours = answer(self._delay, message, what)
        if ours is not None:
            return ours
        return int(user32.DefWindowProcW(window, message, what, more))


def _library(name: str) -> Any:
    import ctypes

    return vars(ctypes)["WinDLL"](name)  # mypy knows it on Windows only


def _procedure_type() -> Any:
    import ctypes
    from ctypes import wintypes

    make: Any = vars(ctypes)["WINFUNCTYPE"]
    return make(ctypes.c_ssize_t, wintypes.HWND, wintypes.UINT, wintypes.WPARAM, wintypes.LPARAM)


def _typed(user32: Any) -> Any:
    import ctypes
    from ctypes import wintypes

    number, handle, text = ctypes.c_int, wintypes.HANDLE, wintypes.LPCWSTR
    user32.DefWindowProcW.argtypes = user32.PostMessageW.argtypes = (
        *(wintypes.HWND, wintypes.UINT, wintypes.WPARAM, wintypes.LPARAM),
    )
    user32.DefWindowProcW.restype = ctypes.c_ssize_t
    user32.CreateWindowExW.argtypes = (
        *(wintypes.DWORD, text, text, wintypes.DWORD, number, number, number, number),
        *(handle, handle, handle, wintypes.LPVOID),
    )
    user32.CreateWindowExW.restype = handle
    return user32


def _new_window(user32: Any, name: str, procedure: Any) -> int:
    """A top-level window, which alone is told of all this; it is never shown."""
    import ctypes
    from ctypes import wintypes

    class WindowClass(ctypes.Structure):
        _fields_ = (
            ("size", wintypes.UINT),
            ("style", wintypes.UINT),
            ("procedure", type(procedure)),
            ("class_bytes", ctypes.c_int),
            ("window_bytes", ctypes.c_int),
            ("instance", wintypes.HINSTANCE),
            ("icon", wintypes.HANDLE),
            ("cursor", wintypes.HANDLE),
            ("background", wintypes.HANDLE),
            ("menu", wintypes.LPCWSTR),
            ("name", wintypes.LPCWSTR),
            ("small_icon", wintypes.HANDLE),
        )

    # Never registered twice: a second listener of this process has another number.
    name_of_class = f"{name} {id(procedure)}"
    described = WindowClass(ctypes.sizeof(WindowClass), procedure=procedure, name=name_of_class)
    if not user32.RegisterClassExW(ctypes.byref(described)):
        return 0
    where = (0, 0, 0, 0)
    return (
        user32.CreateWindowExW(0, name_of_class, name, _WS_POPUP, *where, None, None, None, None)
        or 0
    )
