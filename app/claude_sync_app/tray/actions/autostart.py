"""Start at login, switched from the menu."""

from __future__ import annotations

from claude_sync_app.desktop.autostart import start_at_login
from claude_sync_app.tray.context import TrayContext
from claude_sync_app.tray.verbs import Action


def switch_start_at_login(tray: TrayContext, action: Action) -> None:
    """Turn it on or off, as the action's detail says; the menu's mark is what answers."""
    start_at_login(on=action.detail == "on")
    tray.refresh_environment()
    tray.look_again_at("autostart-broken")
