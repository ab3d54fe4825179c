"""Questions that the system's own dialogs ask, in a process of their own; chosen once."""

from __future__ import annotations

import os
import sys

from claude_sync.disk.programs import find_program
from claude_sync_app.desktop.dialogs.asking import Dialogs, Row

__all__ = ["Dialogs", "Row", "choose"]


def choose() -> Dialogs | None:
    """The dialogs of this system; None if there are none."""
    if sys.platform == "darwin":
        from claude_sync_app.desktop.dialogs.osascript import Osascript

        return Dialogs(Osascript())
    if sys.platform == "win32":
        from claude_sync_app.desktop.dialogs.powershell import Powershell

        return Dialogs(Powershell())
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return None
    return _choose_on_linux()


def _choose_on_linux() -> Dialogs | None:
    from claude_sync_app.desktop.dialogs.kdialog import Kdialog
    from claude_sync_app.desktop.dialogs.zenity import Zenity

    has_zenity, has_kdialog = (find_program(name) for name in ("zenity", "kdialog"))
    is_kde = "KDE" in os.environ.get("XDG_CURRENT_DESKTOP", "").upper()
    if has_kdialog and (is_kde or not has_zenity):
        return Dialogs(Kdialog())
    return Dialogs(Zenity()) if has_zenity else None
