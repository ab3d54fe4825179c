"""What is to be started: a value."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath


@dataclass(frozen=True, slots=True)
class Launch:
    """What to start.

    Attributes:
        arguments: the program and what it gets.
        directory: where it starts, None for anywhere.
        new_console: whether it gets a window of its own on Windows.
    """

    arguments: tuple[str, ...]
    directory: PurePath | None = None
    new_console: bool = False
