"""Notifications that can be answered; the notifier of this system, chosen once."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from claude_sync_app.desktop.notifications.values import (
    Answer,
    AnswerKind,
    Button,
    Notification,
    Notifier,
)

if TYPE_CHECKING:
    from claude_sync_app.desktop.loop import Loop

__all__ = ["Answer", "AnswerKind", "Button", "Notification", "Notifier", "choose"]


def choose(name: str, loop: Loop, answered: Callable[[Answer], None]) -> Notifier:
    """The notifier for this system.

    Args:
        name: the application's, for people.
        loop: where it works, and where it calls `answered`.
        answered: called for each answer; mustn't wait.
    """
    from claude_sync_app.desktop.notifications import osascript
    from claude_sync_app.desktop.notifications.library import LibraryNotifier

    if sys.platform == "darwin" and not osascript.is_bundle():
        return osascript.OsascriptNotifier(name, loop, answered)
    return LibraryNotifier(name, loop, answered, body_is_markup=sys.platform == "linux")
