"""Start at login, switched from the menu."""

from __future__ import annotations

from claude_sync_app.desktop import autostart
from claude_sync_app.desktop.launching import DesktopError
from claude_sync_app.tray.context import TrayContext
from claude_sync_app.tray.verbs import Action


def switch_start_at_login(tray: TrayContext, action: Action) -> None:
    """Turn it on or off, as the action's detail says."""
    set_start_at_login(on=action.detail == "on")
    tray.refresh_environment()


def set_start_at_login(*, on: bool) -> None:
    """Have the system start the tray at login, or not.

    Raises:
        DesktopError: it can't be changed.
    """
    system = autostart.choose()
    try:
        if on:
            system.enable(autostart.tray_command())
        else:
            system.disable()
    except OSError as error:
        raise DesktopError(
            f"the start at login can't be changed ({error.strerror})",
            where=str(error.filename or ""),
            todo="make that folder writable",
        ) from error
