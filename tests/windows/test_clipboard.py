"""The clipboard of Windows: what is put there is what is taken out."""

from __future__ import annotations

import ctypes
from ctypes import wintypes
from typing import Any

from claude_sync_app.desktop import clipboard

_UNICODE_TEXT = 13


def _taken() -> str:
    library: Any = vars(ctypes)["WinDLL"]
    user32, kernel32 = library("user32"), library("kernel32")
    user32.GetClipboardData.restype = kernel32.GlobalLock.restype = wintypes.LPVOID
    kernel32.GlobalLock.argtypes = kernel32.GlobalUnlock.argtypes = (wintypes.LPVOID,)
    assert user32.OpenClipboard(None)
    try:
        memory = user32.GetClipboardData(_UNICODE_TEXT)
        text = ctypes.wstring_at(kernel32.GlobalLock(memory))
        kernel32.GlobalUnlock(memory)
        return text
    finally:
        user32.CloseClipboard()


def test_a_line_is_copied_as_it_is_and_has_nothing_before_it() -> None:
    for line in ("cd -LiteralPath 'C:\\é 😀'; claude --resume x", "another"):
        assert clipboard.copy_text(line)
        assert _taken() == line
