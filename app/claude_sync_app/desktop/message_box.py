"""What a program without a terminal says to the person who started it, on Windows."""

from __future__ import annotations

import sys

_INFORMATION = 0x40
_IN_FRONT = 0x10000 | 0x40000


def show(title: str, text: str) -> bool:
    """Show a text until it is confirmed; False off Windows."""
    if sys.platform != "win32":
        return False
    import ctypes

    flags = _INFORMATION | _IN_FRONT
    return bool(ctypes.windll.user32.MessageBoxW(None, text, title, flags))
