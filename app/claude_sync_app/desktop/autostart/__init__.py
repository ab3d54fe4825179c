"""Start at login: what the system has, not what we wrote once. One file per system."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from claude_sync_app.desktop.autostart.status import Autostart, AutostartStatus
from claude_sync_app.desktop.launching import DesktopError

__all__ = ["Autostart", "AutostartStatus", "choose", "start_at_login", "tray_command"]


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


def start_at_login(*, on: bool | None = None) -> AutostartStatus:
    """Have the system start the tray at login, or not.

    Args:
        on: whether it does from now on; None to change nothing.

    Returns:
        what the system has then.

    Raises:
        DesktopError: it can't be changed, or looked at.
    """
    system = choose()
    try:
        if on is not None:
            if on:
                system.enable(tray_command())
            else:
                system.disable()
        return system.status()
    except OSError as error:
        raise DesktopError(
            f"the start at login can't be set up ({error.strerror})",
            where=str(error.filename or ""),
            todo="make that folder writable",
        ) from error


def tray_command() -> list[str]:
    """The command that starts the tray application, as it is installed here."""
    if getattr(sys, "frozen", False):
        return [sys.executable]
    name = "claude-sync-tray.exe" if sys.platform == "win32" else "claude-sync-tray"
    script = Path(sys.executable).with_name(name)
    if script.is_file():
        return [str(script)]
    return [sys.executable, "-m", "claude_sync_app", "tray"]
