"""What Windows tells a window of ours, told here by messages that are waited for."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator
from ctypes import wintypes
from typing import Any

import pytest

from claude_sync_app.desktop import session_events
from claude_sync_app.desktop.loop import Loop
from claude_sync_app.desktop.session_events import Leaving, Return, Way
from claude_sync_app.desktop.session_events import windows as w
from waiting import PATIENCE_SECONDS, until


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    loop.start()
    yield loop
    loop.stop()


def _user32() -> Any:
    user32 = vars(ctypes)["WinDLL"]("user32")
    user32.FindWindowW.restype = wintypes.HWND
    user32.SendMessageW.argtypes = (wintypes.HWND, wintypes.UINT, wintypes.WPARAM, wintypes.LPARAM)
    user32.SendMessageW.restype = ctypes.c_ssize_t
    return user32


def test_it_pushes_before_a_sleep_and_a_log_out_and_looks_after_a_wake(loop: Loop) -> None:
    leaving: list[Leaving] = []
    returned: list[Return] = []
    listener = session_events.choose(
        "claude-sync", loop, leaving.append, returned.append, opened=print
    )
    assert listener is not None
    listener.start()
    user32 = _user32()
    window = until(lambda: user32.FindWindowW(None, "claude-sync session events"))
    assert user32.SendMessageW(window, w.WM_QUERYENDSESSION, 0, 0) == 1

    answers: list[int] = []
    for message, what, way in (
        (w.WM_POWERBROADCAST, w.PBT_APMSUSPEND, Way.SLEEP),
        (w.WM_ENDSESSION, 1, Way.SHUTDOWN),
    ):
        system = threading.Thread(
            target=lambda message=message, what=what: answers.append(
                user32.SendMessageW(window, message, what, 0)
            )
        )
        system.start()
        until(lambda: leaving)
        assert leaving[0].way is way
        assert len(answers) == (way is Way.SHUTDOWN), "Windows waits until it is released"
        leaving.pop().release()
        system.join(PATIENCE_SECONDS)
    assert answers == [1, 0]
    assert user32.SendMessageW(window, w.WM_POWERBROADCAST, w.PBT_APMRESUMEAUTOMATIC, 0) == 1
    until(lambda: returned == [Return.WOKE])
    listener.stop()
    until(lambda: not user32.FindWindowW(None, "claude-sync session events"))
