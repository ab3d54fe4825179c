"""Coming and going: values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol


class Way(str, Enum):
    """How the machine is left."""

    SLEEP = "sleep"
    SHUTDOWN = "shutdown"

    def __str__(self) -> str:
        return self.value


class Return(str, Enum):
    """Why this is a moment to look at once."""

    WOKE = "woke"
    UNLOCKED = "unlocked"
    NETWORK = "network"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class Leaving:
    """The machine is about to be left, and waits for us.

    Attributes:
        way: how.
        seconds: how long it waits at the most; 0 where it couldn't be asked to.
        release: say that nothing needs to be waited for any more; in any thread, more than once
            does no harm.
    """

    way: Way
    seconds: float
    release: Callable[[], None]


class Listener(Protocol):
    """Listens from `start` to `stop`; both return at once."""

    def start(self) -> None: ...

    def stop(self) -> None: ...
