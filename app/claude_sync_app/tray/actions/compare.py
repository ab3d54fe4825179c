"""The page that shows what the sides of a conflict say, in the user's browser."""

from __future__ import annotations

import time

from claude_sync.sync.read_conflict import read_conflict
from claude_sync_app.tray.comparison_page import comparison_page
from claude_sync_app.tray.context import TrayContext
from claude_sync_app.tray.pages import show_page
from claude_sync_app.tray.verbs import Action


def compare_sides(tray: TrayContext, action: Action) -> None:
    """Show what each side of a conflict says since they diverged."""
    view = tray.wait(tray.service.call(lambda context: read_conflict(context, action.subject)))
    show_page(tray.paths, view.session_id, comparison_page(view, time.time()))
