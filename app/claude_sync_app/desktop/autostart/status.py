"""What is known about start at login, and what each system offers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from claude_sync.disk.programs import find_program

APPLICATION = "claude-sync"


@dataclass(frozen=True, slots=True)
class AutostartStatus:
    """What the system will do at the next login.

    Attributes:
        enabled: whether it will start the tray application.
        where: the entry that says so, as shown to people; "" if there is none.
        program: what that entry starts; "" if there is no entry, or it can't be read.
    """

    enabled: bool
    where: str = ""
    program: str = ""

    @property
    def is_broken(self) -> bool:
        """Whether it would start a program that isn't there."""
        return self.enabled and (not self.program or find_program(self.program) is None)


class Autostart(Protocol):
    """Switches the start at login. Each method may raise OSError."""

    def status(self) -> AutostartStatus:
        """What the system has."""

    def enable(self, command: Sequence[str]) -> None:
        """Run a command at login: a program's absolute path and its arguments."""

    def disable(self) -> None:
        """Run nothing at login."""
