"""Requests to stop: Ctrl-C, or a system that ends its processes."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


class _Request:
    """Whether the process was asked to stop. It has one, as signals are the process's too: what
    comes as one step ends is there still when the next begins."""

    made = False


def clear_stop_request() -> None:
    """Begin a command, which has not been asked to stop yet."""
    _Request.made = False


class Interrupts:
    """While it is entered, SIGINT and SIGTERM are noted, so that work can end between two steps.

    The second one interrupts at once: what is being waited for may never come.

    Attributes:
        abort: ends at once, from any thread, what is being waited for; None where nothing can.
    """

    def __init__(self) -> None:
        self.abort: Callable[[], None] | None = None
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Interrupts:
        for number in (signal.SIGINT, signal.SIGTERM):
            # What our parent process had ignored (nohup, a shell's &) stays ignored.
            if signal.getsignal(number) is signal.SIG_IGN:
                continue
            try:
                self._before[number] = signal.signal(number, self._on_signal)
            except ValueError:
                break  # not in the main thread, where no signal arrives
        return self

    def __exit__(self, *_: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        if _Request.made:
            raise KeyboardInterrupt
        _Request.made = True
        if self.abort is not None:
            # Not here: what was interrupted may hold the very lock that this takes.
            threading.Thread(target=self.abort, name="claude-sync stopping", daemon=True).start()

    def requested(self) -> bool:
        """Whether the work is to end, or was when the step before this one ended."""
        return _Request.made


@contextmanager
def no_interrupts() -> Iterator[None]:
    """While it is entered, Ctrl-C does nothing: the command is ending as it is."""
    try:
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    except ValueError:
        yield  # not in the main thread, where no signal arrives
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
