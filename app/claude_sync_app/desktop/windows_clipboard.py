"""The clipboard of Windows, without a program: `clip` keeps a byte order mark as part of the text.

https://learn.microsoft.com/windows/win32/dataxchg/using-the-clipboard
"""

from __future__ import annotations

import sys
import time
from typing import Any

_TRIES = 20
_PAUSE_SECONDS = 0.05
_UNICODE_TEXT = 13
_MOVEABLE = 0x0002
_MESSAGE_ONLY = -3


def put(text: str) -> bool:
    """Put a text into the clipboard; False if another program keeps it open, and off Windows."""
    if sys.platform != "win32":
        return False
    import ctypes

    user32, kernel32 = _libraries()
    # The clipboard wants an owner; a window that only gets messages will do.
    size = (0, 0, 0, 0)
    owner = user32.CreateWindowExW(0, "STATIC", None, 0, *size, _MESSAGE_ONLY, None, None, None)
    if not owner:
        return False
    try:
        if not _opened(user32, owner):
            return False
        try:
            data = (text + "\0").encode("utf-16-le", "replace")
            memory = kernel32.GlobalAlloc(_MOVEABLE, len(data))
            place = kernel32.GlobalLock(memory) if memory else None
            if not place:
                return False
            ctypes.memmove(place, data, len(data))
            kernel32.GlobalUnlock(memory)
            # From then on the memory is the system's.
            return bool(user32.EmptyClipboard() and user32.SetClipboardData(_UNICODE_TEXT, memory))
        finally:
            user32.CloseClipboard()
    finally:
        user32.DestroyWindow(owner)


def _opened(user32: Any, owner: int) -> bool:
    for attempt in range(_TRIES):
        if attempt:
            time.sleep(_PAUSE_SECONDS)  # another program has it for a moment
        if user32.OpenClipboard(owner):
            return True
    return False


def _libraries() -> tuple[Any, Any]:
    import ctypes
    from ctypes import wintypes

    # Own ones: what others say of the types of `ctypes.windll` would count here too.
    library: Any = vars(ctypes)["WinDLL"]  # mypy knows it on Windows only
    user32, kernel32 = library("user32"), library("kernel32")
    handle, number, text = wintypes.HANDLE, ctypes.c_int, wintypes.LPCWSTR
    user32.CreateWindowExW.argtypes = (
        *(wintypes.DWORD, text, text, wintypes.DWORD, number, number, number, number),
        *(handle, handle, handle, wintypes.LPVOID),
    )
    user32.CreateWindowExW.restype = handle
    user32.DestroyWindow.argtypes = user32.OpenClipboard.argtypes = (handle,)
    user32.SetClipboardData.argtypes = (wintypes.UINT, handle)
    user32.SetClipboardData.restype = handle
    kernel32.GlobalAlloc.argtypes = (wintypes.UINT, ctypes.c_size_t)
    kernel32.GlobalAlloc.restype = handle
    kernel32.GlobalLock.argtypes, kernel32.GlobalLock.restype = (handle,), wintypes.LPVOID
    kernel32.GlobalUnlock.argtypes = (handle,)
    return user32, kernel32
