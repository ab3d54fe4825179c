"""Notifications and their answers: values, and what shows them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from claude_sync.values import NamedTuple


class Button(NamedTuple):
    """A button of a notification: its key in the answer, and its label."""

    key: str
    label: str


@dataclass(frozen=True, slots=True)
class Notification:
    """A notification to show.

    Attributes:
        key: its name in the answer; what is shown under the same key is replaced.
        title: plain text on one line, which a stranger may have written.
        body: plain text, which a stranger may have written; may have several lines.
        buttons: few and short; shown if `Notifier.has_buttons`.
        urgent: whether it may stay until it is answered.
    """

    key: str
    title: str
    body: str = ""
    buttons: tuple[Button, ...] = ()
    urgent: bool = False


class AnswerKind(str, Enum):
    """What became of a notification."""

    SHOWN = "shown"
    FAILED = "failed"
    BODY = "body"
    BUTTON = "button"
    DISMISSED = "dismissed"

    def __str__(self) -> str:
        return self.value


class Answer(NamedTuple):
    """What the user, or the system, did with a notification.

    Attributes:
        key: the notification's.
        kind: what was done; FAILED if nothing shows notifications here at the moment.
        button: the key of the button that was pressed.
    """

    key: str
    kind: AnswerKind
    button: str = ""


class Notifier(Protocol):
    """Shows notifications. All of it may be called in any thread and returns at once."""

    @property
    def has_buttons(self) -> bool:
        """Whether notifications can have buttons and say that they were clicked."""

    def show(self, notification: Notification) -> None:
        """Show a notification; answers follow."""

    def withdraw(self, key: str) -> None:
        """Remove a notification that needs no answer any more."""

    def close(self) -> None:
        """Answers don't matter any more."""
