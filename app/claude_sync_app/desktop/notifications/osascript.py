"""Notifications on macOS outside an application bundle, which can't have buttons."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from claude_sync.disk.programs import full_command
from claude_sync_app.desktop.notifications.values import Answer, AnswerKind, Notification
from claude_sync_app.shown_text import one_line

if TYPE_CHECKING:
    from claude_sync_app.desktop.loop import Loop

# The first argument is ours, so that none of the others can begin the line as an option.
_SCRIPT = (
    "on run argv",
    "display notification (item 3 of argv) with title (item 1 of argv) subtitle (item 2 of argv)",
    "end run",
)


def is_bundle() -> bool:
    """Whether macOS knows this process as an application, and lets it show notifications."""
    from importlib import import_module

    return bool(import_module("desktop_notifier.backends.macos_support").is_bundle())


def command(name: str, notification: Notification) -> list[str]:
    """The command that shows a notification; its texts are arguments, never script."""
    statements = [part for line in _SCRIPT for part in ("-e", line)]
    body = "\n".join(one_line(line) for line in notification.body.splitlines())
    return ["osascript", *statements, name, one_line(notification.title), body]


class OsascriptNotifier:
    """Shows notifications that can only be read."""

    has_buttons = False

    def __init__(self, name: str, loop: Loop, answered: Callable[[Answer], None]) -> None:
        self._name = name
        self._loop = loop
        self._answered = answered

    def show(self, notification: Notification) -> None:
        self._loop.call(lambda: self._loop.spawn(self._show(notification)))

    def withdraw(self, key: str) -> None:
        """The system offers no way."""

    def close(self) -> None:
        """Nothing is open."""

    async def _show(self, notification: Notification) -> None:
        nothing = asyncio.subprocess.DEVNULL
        try:
            program = await asyncio.create_subprocess_exec(
                *full_command(command(self._name, notification)),
                stdin=nothing,
                stdout=nothing,
                stderr=nothing,
            )
            shown = await program.wait() == 0
        except OSError:
            shown = False
        kind = AnswerKind.SHOWN if shown else AnswerKind.FAILED
        self._answered(Answer(notification.key, kind))
