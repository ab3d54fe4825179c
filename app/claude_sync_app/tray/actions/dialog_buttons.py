"""A dialog with any number of buttons: what doesn't go on the first one is behind "More…"."""

from __future__ import annotations

from collections.abc import Sequence

from claude_sync_app.tray.context import TrayContext
from claude_sync_app.tray.dialog_choices import DialogChoice

_AT_ONCE = 3


def choose(tray: TrayContext, title: str, text: str, choices: Sequence[DialogChoice]) -> bool:
    """Ask what to do, and have it done; whether anything was chosen.

    Args:
        tray: asks, and does it. It has dialogs.
        title: of the dialog.
        text: plain, may have several lines.
        choices: its buttons, the likeliest first.
    """
    dialogs = tray.dialogs
    assert dialogs is not None, "whoever asks has looked"
    rest = list(choices)
    while True:
        split = len(rest) if len(rest) <= _AT_ONCE else _AT_ONCE - 1
        now, rest = rest[:split], rest[split:]
        labels = [one.label for one in now] + (["More…"] if rest else [])
        pressed = dialogs.choose_button(title, text or title, labels or ["OK"])
        if pressed is None or not now:
            return False
        if pressed < len(now):
            tray.click(now[pressed].action)
            return True
