"""What reaches the service's thread: commands of people, words of the client, and hints."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Collection
from concurrent.futures import Future
from typing import Any

from claude_sync.service.watch import Area
from claude_sync.values import NamedTuple

_GATHER_SECONDS = 0.1
"""Between two times that hints are taken out: where one is there are more."""
_GATHER_PRESSING_SECONDS = 0.02
"""The same for hints that somebody waits for: of a client that ends, of what arrives."""
_PRESSING = (Area.LIVE, Area.STORE)
_MOST_RESTS = 1000


class Command(NamedTuple):
    """Something to do for a person, and the future that gets its outcome."""

    kind: str
    do: Callable[[], Any]
    outcome: Future[Any]


class Hint(NamedTuple):
    """What an event of the system says may have changed, and where."""

    area: Area
    path: str


class Rest(NamedTuple):
    """The client says that a session waits for its person, or was closed."""

    session_id: str
    closed: bool


class Mailbox:
    """Messages from any thread, taken out by one.

    A hint that is in it already isn't put in twice, so a file that is written all the time doesn't
    fill it; nor is what the client says, of which only so much is taken.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._commands: deque[Command] = deque()
        self._hints: dict[Hint, None] = {}
        self._rests: dict[Rest, None] = {}
        self._are_pressing = False
        self._taken_at = -math.inf
        self._woken = False
        self._closed = False

    def put(self, message: Command | Rest | Hint) -> bool:
        """Put a message in; returns at once, False after `close` or where it is one too many."""
        with self._changed:
            if self._closed:
                return False
            if isinstance(message, Hint):
                self._hints[message] = None
                self._are_pressing = self._are_pressing or message.area in _PRESSING
            elif isinstance(message, Rest):
                if len(self._rests) >= _MOST_RESTS:
                    return False
                self._rests[message] = None
            else:
                self._commands.append(message)
            self._changed.notify()
            return True

    def wake(self) -> None:
        """End the wait of `receive`."""
        with self._changed:
            self._woken = True
            self._changed.notify()

    def holds(self, kinds: Collection[str] | None = None) -> bool:
        """Whether a command waits; of these kinds, or any."""
        with self._changed:
            return any(kinds is None or command.kind in kinds for command in self._commands)

    def receive(self, wait_seconds: float) -> list[Command | Rest | Hint]:
        """Take out all messages, commands first; wait so long for one.

        The first hint after a while is handed out at once; those after it gather for a moment.
        """
        end = time.monotonic() + wait_seconds
        with self._changed:
            while not self._is_urgent():
                now = time.monotonic()
                until = min(end, self._hints_due()) if self._hints else end
                if now >= until:
                    break
                self._changed.wait(until - now)
            if self._hints:
                self._taken_at = time.monotonic()
            self._are_pressing = self._woken = False
            messages: list[Command | Rest | Hint] = [*self._commands, *self._rests, *self._hints]
            self._commands.clear()
            self._rests.clear()
            self._hints.clear()
            return messages

    def _hints_due(self) -> float:
        gather = _GATHER_PRESSING_SECONDS if self._are_pressing else _GATHER_SECONDS
        return self._taken_at + gather

    def _is_urgent(self) -> bool:
        return bool(self._commands or self._rests or self._woken)

    def close(self) -> list[Command]:
        """Take no more messages; returns the commands that will never be carried out."""
        with self._changed:
            self._closed = True
            left = list(self._commands)
            self._commands.clear()
            self._rests.clear()
            self._hints.clear()
            return left
