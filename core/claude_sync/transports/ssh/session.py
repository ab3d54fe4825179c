"""One conversation with the script on the host: requests out, lines and counted bytes back."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence

from claude_sync.errors import TransportError
from claude_sync.transports.base import stopped
from claude_sync.transports.location import HostLocation
from claude_sync.transports.ssh.errors import (
    connection_lost,
    no_answer,
    no_ssh,
    nonsense,
    not_connected,
)
from claude_sync.transports.ssh.pipes import TICK_SECONDS, Pipes, start_pipes
from claude_sync.transports.ssh.script import addition, opening

_GREETING_SECONDS = 14.0
_MOMENT_SECONDS = 1.0
# Whether the connection lives is ssh's to find out (ServerAliveInterval); this is for a host that
# is alive and yet does nothing, and has to leave room for hashing a big file on a small machine.
_ANSWER_SECONDS = 600.0
# A host that says a little every few minutes would never be silent that long. So what is waited for
# one answer is counted together, and this many bytes win back a second of it.
_LEAST_BYTES_A_SECOND = 256
_CHATTER_BYTES = 1 << 20
_LINE_BYTES = 1 << 16
_SHORT_LINE_BYTES = 1 << 10


class Session:
    """A running script. Used by one thread, except for `end`.

    Every method that sends or waits raises TransportError if ssh can't be started or the host
    can't be reached, is silent or answers what makes no sense, and Stopped if the work was
    interrupted.

    Args:
        argv: the ssh to run.
        location: the host, and the store's path there.
        is_stopped: whether the work was interrupted.
        tick_seconds: how often that is asked while waiting; see `start_pipes`.
    """

    def __init__(
        self,
        argv: Sequence[str],
        location: HostLocation,
        is_stopped: Callable[[], bool],
        tick_seconds: float = TICK_SECONDS,
    ) -> None:
        self._location = location
        self._is_stopped = is_stopped
        self._token = os.urandom(16).hex()
        self._buffer = bytearray()
        self._greeted = False
        self._started = self.used = time.monotonic()
        self._patience = _ANSWER_SECONDS
        self._closed = False
        self._known: set[str] = set()
        try:
            self._pipes: Pipes = start_pipes(argv, is_stopped, tick_seconds)
        except OSError as error:
            raise no_ssh(argv[0]) from error
        self.send(opening(location.path, self._token))

    @property
    def is_running(self) -> bool:
        """Whether the process is there, as far as can be told without asking the host."""
        return self._pipes.is_running

    @property
    def messages(self) -> str:
        """What ssh wrote to stderr so far."""
        return self._pipes.messages

    def send(self, data: bytes | memoryview) -> None:
        """Send requests or the bytes of a file."""
        try:
            self._pipes.write(data, _ANSWER_SECONDS if self._greeted else self._greeting_left())
        except BrokenPipeError:
            # Its messages tell why.
            self._greet()
            raise self._lost() from None
        except BufferError:
            raise self.nonsense() from None
        except TimeoutError:
            raise self._timed_out() from None

    def wait_from_now(self) -> None:
        """Something else was done since it was begun: what came meanwhile must still be taken in.

        The host gets no second time for its greeting: only a moment where the first is used up.
        """
        self._started = max(self._started, time.monotonic() - _GREETING_SECONDS + _MOMENT_SECONDS)

    def need(self, *parts: str) -> None:
        """Have the script know these of its parts; sends what it doesn't know yet."""
        for part in parts:
            if part not in self._known:
                self._known.add(part)
                self.send(addition(part))

    # --- answers -------------------------------------------------------------------------------

    def line(self) -> bytes:
        """The next line, without its end."""
        self._greet()
        self._patience = _ANSWER_SECONDS
        return self._line(_LINE_BYTES)

    def only_line(self, seconds: float) -> bytes:
        """The next line, for which there are so many seconds; nothing may come behind it.

        Whoever waits for long asks for one line at a time: what else comes wasn't asked for.
        """
        self._greet()
        self._patience = seconds
        line = self._line(_SHORT_LINE_BYTES)
        if self._buffer:
            raise self.nonsense()
        return line

    def words(self) -> list[str]:
        """The next line's words."""
        return self.line().decode("utf-8", "replace").split()

    def nonsense(self) -> TransportError:
        """The error for an answer that isn't one of the script's."""
        return nonsense(self._location)

    def lines(self, most: int, most_bytes: int) -> Iterator[bytes]:
        """The lines up to one that is a lone dot.

        Args:
            most: how many there may be.
            most_bytes: how many bytes they may have together; more makes no sense.
        """
        self._greet()
        self._patience = _ANSWER_SECONDS
        while (line := self._line(_LINE_BYTES)) != b".":
            most, most_bytes = most - 1, most_bytes - len(line)
            if most < 0 or most_bytes < 0:
                raise self.nonsense()
            yield line

    def counted(self, size: int) -> Iterator[bytes]:
        """Exactly so many bytes, in pieces."""
        self._greet()
        self._patience = _ANSWER_SECONDS
        while size > 0:
            if not self._buffer:
                self._receive()
            piece = bytes(memoryview(self._buffer)[:size])
            del self._buffer[: len(piece)]
            size -= len(piece)
            yield piece

    def _line(self, limit: int) -> bytes:
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if searched > limit:
                raise self.nonsense()
            self._receive()
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line

    def _greet(self) -> None:
        """Skip what start-up files print, up to the token."""
        chatter = 0
        while not self._greeted:
            line = self._line(_CHATTER_BYTES)
            chatter += len(line) + 1
            self._greeted = line == self._token.encode()
            if chatter > _CHATTER_BYTES:
                raise self.nonsense()

    def _receive(self) -> None:
        begun = time.monotonic()
        patience = self._patience if self._greeted else self._greeting_left()
        try:
            data = self._pipes.read(max(0.0, patience))
        except TimeoutError:
            raise self._timed_out() from None
        if not data:
            raise self._lost()
        self._buffer += data
        self.used = time.monotonic()
        left = self._patience - (self.used - begun) + len(data) / _LEAST_BYTES_A_SECOND
        self._patience = min(left, _ANSWER_SECONDS)

    def _greeting_left(self) -> float:
        return max(0.0, self._started + _GREETING_SECONDS - time.monotonic())

    def _timed_out(self) -> Exception:
        self.close()
        return stopped() if self._is_stopped() else no_answer(self._location.host)

    def _lost(self) -> Exception:
        status, messages = self.close()
        if self._is_stopped():
            return stopped()
        if self._greeted:
            return connection_lost(self._location.host)
        return not_connected(messages, status, self._location)

    # --- the end -------------------------------------------------------------------------------

    def end(self) -> None:
        """From any thread: make what is under way fail soon."""
        self._pipes.end()

    def close(self) -> tuple[int | None, str]:
        """End it, whatever it is doing; its exit status and ssh's messages."""
        if self._closed:
            return None, ""
        self._closed = True
        return self._pipes.close()
