"""Being asked to stop: Ctrl-C, or a system that ends its processes."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any


class Interrupts:
    """While it is entered, SIGINT and SIGTERM are noted, so that work can end between two steps.

    The second one interrupts at once: what was being waited for may never come.

    Attributes:
        cut: ends at once, from any thread, what is being waited for; None where nothing can.
    """

    def __init__(self) -> None:
        self.cut: Callable[[], None] | None = None
        self._asked = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Interrupts:
        for number in (signal.SIGINT, signal.SIGTERM):
            # What the one who started us chose to have ignored (nohup, a shell's &) stays ignored.
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
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True
        if self.cut is not None:
            # Not here: what was interrupted may hold the very lock that this takes.
            threading.Thread(target=self.cut, name="claude-sync stopping", daemon=True).start()

    def asked(self) -> bool:
        """Whether the work is to end."""
        return self._asked
