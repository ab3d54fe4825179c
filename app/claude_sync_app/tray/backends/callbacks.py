"""What a backend tells the application."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from claude_sync_app.tray.verbs import Action


class Presence(str, Enum):
    """Whether the icon can be seen."""

    SHOWN = "shown"
    NO_PANEL = "no panel"
    NO_BUS = "no bus"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class IconCallbacks:
    """What a backend calls, in its own thread; nothing in it may wait.

    Attributes:
        clicked: an entry, or the icon itself, was clicked.
        opened: the menu was opened (True) or closed (False), if the system says so.
        presence: the icon can be seen, or can't any more; called when that changes.
    """

    clicked: Callable[[Action], None]
    opened: Callable[[bool], None]
    presence: Callable[[Presence], None]
