"""What the pages may use of the program that serves them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from claude_sync.service.service import Service
from claude_sync.service.status import Status
from claude_sync.state.paths import Paths


class WindowServices(Protocol):
    """What the pages may use: the newest Status, commands, and what ends them."""

    @property
    def paths(self) -> Paths:
        """Where claude-sync keeps its things."""

    @property
    def status(self) -> Status:
        """The newest Status."""

    @property
    def service(self) -> Service:
        """Takes commands: each returns a Future at once."""

    def is_ending(self) -> bool:
        """Whether what reads should stop: the window ends."""


class ServiceOfWindow:
    """The services of a program that runs the service itself.

    Args:
        service: the one that runs.
        is_ending: whether the window ends.
    """

    def __init__(self, service: Service, is_ending: Callable[[], bool]) -> None:
        self.service = service
        self.is_ending = is_ending

    @property
    def paths(self) -> Paths:
        return self.service.paths

    @property
    def status(self) -> Status:
        return self.service.status
