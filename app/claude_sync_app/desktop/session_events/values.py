"""Sleep, shutdown and return, as values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol


class Way(str, Enum):
    """What is about to happen to the machine."""

    SLEEP = "sleep"
    SHUTDOWN = "shutdown"

    def __str__(self) -> str:
        return self.value


class Return(str, Enum):
    """Why the user may be back: a moment to look at everything."""

    WOKE = "woke"
    UNLOCKED = "unlocked"
    NETWORK = "network"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class Leaving:
    """The machine is about to sleep or shut down, and waits for us.

    Attributes:
        way: which of the two.
        seconds: how long it waits at most; 0 if it couldn't be asked to.
        release: tell it to wait no longer; may be called in any thread, and more than once.
    """

    way: Way
    seconds: float
    release: Callable[[], None]


class Listener(Protocol):
    """Listens from `start` to `stop`; both return at once."""

    def start(self) -> None: ...

    def stop(self) -> None: ...
