"""The signals that end a program: SIGTERM, Ctrl-C, a closed terminal, a log-out."""

from __future__ import annotations

import signal
import socket
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from claude_sync_app.desktop.loop import Loop

_NAMES = ("SIGTERM", "SIGINT", "SIGHUP", "SIGBREAK")


class Signals:
    """Calls a function in the loop's thread for each signal that asks the program to end.

    Python runs a handler in the main thread, when that gets to it: a main thread that waits for
    an icon to end may sleep on if the system delivered the signal to another thread. So the loop
    listens for the byte that the C handler writes (`signal.set_wakeup_fd`).

    To be created and ended in the main thread.

    Args:
        loop: where it is heard.
        heard: called there.
    """

    def __init__(self, loop: Loop, heard: Callable[[], None]) -> None:
        self._loop = loop
        self._heard = heard
        self._before: dict[signal.Signals, Any] = {}
        self._sockets: tuple[socket.socket, socket.socket] | None = None
        self._descriptor = -1
        handler = self._call
        if sys.platform != "win32":
            self._sockets = reading, writing = socket.socketpair()
            reading.setblocking(False)
            writing.setblocking(False)
            loop.listen(reading, self._read)
            self._descriptor = signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)
            handler = _nothing
        for name in _NAMES:
            number = getattr(signal, name, None)
            # What was ignored when we were started (nohup) stays ignored.
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, handler)

    def end(self) -> None:
        """Restore the handlers from before."""
        for number, before in self._before.items():
            signal.signal(number, before)
        if self._sockets is not None:
            signal.set_wakeup_fd(self._descriptor)
            self._loop.ignore(self._sockets[0])
            self._sockets[1].close()

    def _call(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self._loop.call(self._heard)

    def _read(self) -> None:
        assert self._sockets is not None
        numbers = self._sockets[0].recv(256)
        if any(number in self._before for number in numbers):
            self._heard()


def _nothing(number: int, frame: FrameType | None) -> None:
    del number, frame
