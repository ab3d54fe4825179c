"""The page that shows what the sides of a conflict say, in the user's browser."""

from __future__ import annotations

import time

from claude_sync.sync.read_conflict import read_apart
from claude_sync_app.tray.actions.pages import show_page
from claude_sync_app.tray.comparison_page import page
from claude_sync_app.tray.context import Desk


def compare(desk: Desk, session_id: str) -> None:
    """Show what each side of a conflict says after they parted."""
    apart = desk.answer(desk.service.call(lambda context: read_apart(context, session_id)))
    show_page(desk.places, apart.session_id, page(apart, time.time()))
