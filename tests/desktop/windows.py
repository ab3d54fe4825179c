"""Windows of dialogs, answered by keys as a person does."""

from __future__ import annotations

import subprocess

from programs import require
from waiting import PATIENCE_SECONDS, until

# In zenity's row of buttons: the first has the keys, Cancel and the others stand before it.
SECOND = ("shift+Tab", "shift+Tab", "Return")
LAST_OF_THREE = SECOND
SECOND_OF_THREE = ("shift+Tab", *SECOND)


def xdotool(*arguments: str) -> str:
    """What xdotool says."""
    require("xdotool")
    done = subprocess.run(
        ["xdotool", *arguments],
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    return done.stdout


def picture(window: str) -> bytes:
    """What a window looks like; the same twice where nothing is drawn any more."""
    require("import")
    done = subprocess.run(
        ["import", "-window", window, "gray:-"],
        capture_output=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    return done.stdout


def await_window(title: str = "") -> str:
    """A dialog of that title, once it is there, has the keys, and is drawn."""

    def found() -> str:
        for window in xdotool("search", "--onlyvisible", "--class", "zenity").split():
            if not title or title in xdotool("getwindowname", window):
                return window
        return ""

    window = until(found)
    until(lambda: xdotool("getactivewindow").strip(), lambda active: active == window)
    until(lambda: _is_drawn(window))
    return window


def _is_drawn(window: str) -> bool:
    """Whether nothing is drawn any more: zenity fills a list row by row, in view."""
    first = picture(window)
    return bool(first) and all(first == picture(window) for _ in range(4))


def answer(title: str, *keys: str) -> None:
    """Press keys in a dialog, and see it go."""
    window = await_window(title)
    for key in keys:
        xdotool("key", "--window", "0", key)
    until(lambda: window not in xdotool("search", "--onlyvisible", "--class", "zenity").split())


def click_in(window: str, x: int, y: int) -> None:
    """Click a place in a window, again where a window that is new there missed it.

    Something must be seen to change by it.
    """
    xdotool("mousemove", "--window", window, str(x), str(y))
    until(lambda: _is_drawn(window))
    before = picture(window)
    for _ in range(3):
        xdotool("click", "1")
        try:
            until(lambda: picture(window), lambda now: now != before, 15)
        except AssertionError:
            continue
        return
    raise AssertionError("a click that changed nothing")
