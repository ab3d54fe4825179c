"""Start at login: what the system has, not what we wrote once. One file per system."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from claude_sync_app.desktop.autostart.status import Autostart, AutostartStatus

__all__ = ["Autostart", "AutostartStatus", "choose", "tray_command"]


def choose() -> Autostart:
    """The autostart of this system, for this user."""
    if sys.platform == "darwin":
        from claude_sync_app.desktop.autostart.macos import LaunchAgent

        return LaunchAgent(Path.home() / "Library" / "LaunchAgents")
    if sys.platform == "win32":
        from claude_sync_app.desktop.autostart.windows import CurrentUser, RunKey

        return RunKey(CurrentUser())
    from claude_sync_app.desktop.autostart.xdg import XdgAutostart, folders

    return XdgAutostart(*folders(os.environ))


def tray_command() -> list[str]:
    """The command that starts the tray application, as it is installed here."""
    if getattr(sys, "frozen", False):
        return [sys.executable]
    name = "claude-sync-tray.exe" if sys.platform == "win32" else "claude-sync-tray"
    script = Path(sys.executable).with_name(name)
    if script.is_file():
        return [str(script)]
    return [sys.executable, "-m", "claude_sync_app", "tray"]
