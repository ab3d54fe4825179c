"""The window, at one of its pages."""

from __future__ import annotations

from claude_sync_app.desktop.launching import DesktopError
from claude_sync_app.tray.actions.about import show_news
from claude_sync_app.tray.context import TrayContext
from claude_sync_app.tray.verbs import Action


def open_page(tray: TrayContext, action: Action) -> None:
    """Open the window; where nothing opens it, say what there is in a dialog."""
    try:
        tray.window.open(action.subject)
    except DesktopError:
        show_news(tray, action)
