"""A child process that is talked to over its pipes: what it needs differs by system.

Where pipes can be polled, one thread does all of it, and doesn't mind that a shared connection
that ssh leaves running may hold stderr open. Where they can't (Windows), two threads read.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from queue import Empty, Full, Queue
from typing import Any, Protocol

from claude_sync.disk.programs import full_command

_CHUNK = 1 << 16
TICK_SECONDS = 0.2
_MESSAGES_KEPT = 1 << 16
# While it is written to, a child's answers are taken in, lest both wait for each other. What was
# asked for ahead is a few MiB.
_TAKEN_AHEAD = 64 << 20
_FAREWELL_SECONDS = 2.0


class Pipes(Protocol):
    """A running child. Used by one thread, except for `end`."""

    def write(self, data: bytes | memoryview, patience: float) -> None:
        """Write all of it; takes in what comes meanwhile.

        Raises:
            BrokenPipeError: the child doesn't read any more.
            BufferError: it says more meanwhile than can be an answer.
            TimeoutError: nothing was taken for `patience` seconds.
        """

    def read(self, patience: float) -> bytes:
        """What came, b"" at the end.

        Raises:
            TimeoutError: nothing came for `patience` seconds.
        """

    @property
    def is_running(self) -> bool: ...

    @property
    def messages(self) -> str:
        """What came of its stderr so far."""

    def end(self) -> None:
        """Make the child end, from any thread."""

    def close(self) -> tuple[int | None, str]:
        """End the child and close its pipes; its exit status, and what it wrote to stderr."""


def start_pipes(
    argv: Sequence[str], is_stopped: Callable[[], bool], tick_seconds: float = TICK_SECONDS
) -> Pipes:
    """Start a child.

    Args:
        argv: program and arguments.
        is_stopped: asked while waiting; waiting ends with TimeoutError once it says yes.
        tick_seconds: how often it is asked. It needn't be often by whoever uses `end` as well,
            which lets a wait for answers end at once.

    Raises:
        OSError: it can't be started.
    """
    if os.name == "nt":
        return ThreadedPipes(argv, is_stopped, tick_seconds)
    return PolledPipes(argv, is_stopped, tick_seconds)


class _Child:
    """The process itself, and its end."""

    def __init__(self, argv: Sequence[str]) -> None:
        # A session of its own, so that a terminal's Ctrl-C reaches us and not ssh.
        flags = getattr(subprocess, "CREATE_NO_WINDOW", 0)
        self.process = subprocess.Popen(
            full_command(argv),
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            creationflags=flags,
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self.stdin, self.stdout, self.stderr = (
            self.process.stdin,
            self.process.stdout,
            self.process.stderr,
        )
        self._lock = threading.Lock()

    def end(self) -> None:
        # Only ssh itself, not its group: a jump host's ssh in it may carry the shared connection.
        with self._lock:
            if self.process.poll() is None:
                self.process.terminate()

    def finish(self, *, at_once: bool) -> int | None:
        """Wait for the end, which `at_once` doesn't leave to the child; its status."""
        if at_once:
            self.end()
        deadline = time.monotonic() + _FAREWELL_SECONDS
        while time.monotonic() < deadline:
            with self._lock:
                if self.process.poll() is not None:
                    return self.process.returncode
            time.sleep(0.002)
        with self._lock:
            self.process.kill()
        return self.process.wait()


def _polling(to: int, *of: int) -> tuple[Any, int]:
    """What waits for pipes of a child, and the word for one that can be written to.

    Args:
        to: what the child reads.
        of: what it writes; waited for from now on.
    """
    if sys.platform == "win32":
        raise NotImplementedError("pipes can't be polled there")
    import select

    poll = select.poll()
    for descriptor in (to, *of):
        os.set_blocking(descriptor, False)
    for descriptor in of:
        poll.register(descriptor, select.POLLIN)
    return poll, select.POLLOUT


class PolledPipes:
    """`Pipes` for systems where pipes can be polled."""

    def __init__(
        self,
        argv: Sequence[str],
        is_stopped: Callable[[], bool],
        tick_seconds: float = TICK_SECONDS,
    ) -> None:
        self._child = _Child(argv)
        self._is_stopped = is_stopped
        self._tick = tick_seconds
        self._in = self._child.stdin.fileno()
        self._out = self._child.stdout.fileno()
        self._err = self._child.stderr.fileno()
        self._arrived: deque[bytes] = deque()
        self._messages = bytearray()
        self._ended = False
        self._poll, self._writable = _polling(self._in, self._out, self._err)

    def write(self, data: bytes | memoryview, patience: float) -> None:
        view = memoryview(data)
        deadline = time.monotonic() + patience
        self._poll.register(self._in, self._writable)
        try:
            while view:
                try:
                    view = view[os.write(self._in, view[:_CHUNK]) :]
                    deadline = time.monotonic() + patience
                except BlockingIOError:
                    self._wait(deadline)
                    if sum(map(len, self._arrived)) > _TAKEN_AHEAD:
                        raise BufferError from None
        finally:
            self._poll.unregister(self._in)

    def read(self, patience: float) -> bytes:
        deadline = time.monotonic() + patience
        while not self._arrived and not self._ended:
            self._wait(deadline)
        return self._arrived.popleft() if self._arrived else b""

    def _wait(self, deadline: float) -> None:
        """Take in what came, or wait for a change; TimeoutError when there is no more time."""
        left = deadline - time.monotonic()
        if left <= 0 or self._is_stopped():
            raise TimeoutError
        for descriptor, _ in self._poll.poll(min(left, self._tick) * 1000):
            if descriptor != self._in:
                self._take_in(descriptor)

    def _take_in(self, descriptor: int) -> None:
        try:
            data = os.read(descriptor, _CHUNK)
        except BlockingIOError:
            return
        if not data:
            self._poll.unregister(descriptor)
            self._ended = self._ended or descriptor == self._out
        elif descriptor == self._out:
            self._arrived.append(data)
        elif len(self._messages) < _MESSAGES_KEPT:
            self._messages += data

    @property
    def is_running(self) -> bool:
        return not self._ended and self._child.process.poll() is None

    @property
    def messages(self) -> str:
        return self._messages.decode("utf-8", "replace")

    def end(self) -> None:
        self._child.end()

    def close(self) -> tuple[int | None, str]:
        self._child.stdin.close()
        status = self._child.finish(at_once=not self._ended)
        try:
            while len(self._messages) < _MESSAGES_KEPT and (data := os.read(self._err, _CHUNK)):
                self._messages += data
        except BlockingIOError:
            pass
        self._child.stdout.close()
        self._child.stderr.close()
        return status, self.messages


class ThreadedPipes:
    """`Pipes` for systems where pipes can't be polled."""

    def __init__(
        self,
        argv: Sequence[str],
        is_stopped: Callable[[], bool],
        tick_seconds: float = TICK_SECONDS,
    ) -> None:
        self._child = _Child(argv)
        self._is_stopped = is_stopped
        self._tick = tick_seconds
        self._arrived: Queue[bytes] = Queue(maxsize=64)
        self._messages = bytearray()
        self._closing = False
        self._ended = False
        self._threads = [
            threading.Thread(target=self._read_output, name="ssh output", daemon=True),
            threading.Thread(target=self._read_messages, name="ssh messages", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def _read_output(self) -> None:
        data = b"more"
        while data and not self._closing:
            data = self._child.stdout.read(_CHUNK) or b""
            while not self._closing:
                try:
                    self._arrived.put(data, timeout=TICK_SECONDS)
                    break
                except Full:
                    continue

    def _read_messages(self) -> None:
        while data := self._child.stderr.read(_CHUNK):
            if len(self._messages) < _MESSAGES_KEPT:
                self._messages += data

    def write(self, data: bytes | memoryview, patience: float) -> None:  # noqa: ARG002
        # Such a write can't be given a time; the end of ssh, which is sure to come, breaks it.
        view = memoryview(data)
        while view:
            if self._is_stopped():
                raise TimeoutError
            try:
                view = view[self._child.stdin.write(view[:_CHUNK]) or 0 :]
            except OSError as error:
                raise BrokenPipeError from error

    def read(self, patience: float) -> bytes:
        deadline = time.monotonic() + patience
        while not self._ended:
            left = deadline - time.monotonic()
            if left <= 0 or self._is_stopped():
                raise TimeoutError
            try:
                data = self._arrived.get(timeout=min(left, self._tick))
            except Empty:
                continue
            self._ended = not data
            return data
        return b""

    @property
    def is_running(self) -> bool:
        return not self._ended and self._child.process.poll() is None

    @property
    def messages(self) -> str:
        return self._messages.decode("utf-8", "replace")

    def end(self) -> None:
        self._child.end()

    def close(self) -> tuple[int | None, str]:
        self._closing = True
        try:
            self._child.stdin.close()
        except OSError:
            pass
        status = self._child.finish(at_once=not self._ended)
        for thread in self._threads:
            thread.join(_FAREWELL_SECONDS)
        self._child.stdout.close()
        self._child.stderr.close()
        return status, self.messages
