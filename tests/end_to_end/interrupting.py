"""Run on a terminal by `test_prompts`: interrupts a piece of work before each of its lines in turn.

The signal is a real one; that it comes before a certain line is the tracer's doing. No answer is
typed, so that work which overlooks the signal at a prompt never ends.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import claude_sync_app.cli
from claude_sync_app.cli import main, prompt
from claude_sync_app.cli.interrupts import Interrupts, clear_stop_request

_CLI = Path(claude_sync_app.cli.__file__).parent
_SOURCES = frozenset(map(str, _CLI.rglob("*.py"))) - {claude_sync_app.cli.__file__}
_ROUNDS_OF_WAITING = 2


class _Tracer:
    """Sends SIGINT before a line of the command line's own modules; counts them until then."""

    def __init__(self, line: int) -> None:
        self.sent = False
        self._left = line
        self._rounds = 0

    def __call__(self, frame: FrameType, event: str, _argument: object) -> Any:
        if frame.f_code.co_filename not in _SOURCES or frame.f_code.co_name == "<module>":
            return None
        if event == "line" and not self.sent:
            self._left -= 1
            self._rounds += frame.f_code is Interrupts.requested.__code__
            if self._left < 0 or self._rounds > _ROUNDS_OF_WAITING:
                self.sent = True
                os.kill(os.getpid(), signal.SIGINT)
        return self

    @property
    def was_last(self) -> bool:
        """Whether the work came to the waiting before the line that was asked for."""
        return self.sent and self._left >= 0


def _interrupt_each_line(work: Callable[[], int]) -> int:
    """How often work was interrupted, always with status 130."""
    line = 0
    while True:
        tracer = _Tracer(line)
        sys.settrace(tracer)
        try:
            status = work()
        finally:
            sys.settrace(None)
        assert tracer.sent, f"it ended with {status} by itself"
        assert status == 130, f"it ended with {status}, interrupted before line {line}"
        line += 1
        if tracer.was_last:
            return line


def _asked() -> int:
    try:
        clear_stop_request()
        prompt.ask("Really?")
    except KeyboardInterrupt:
        return 130
    return 0


def _asked_after_a_late_signal() -> int:
    clear_stop_request()
    with Interrupts():
        os.kill(os.getpid(), signal.SIGINT)
    try:
        prompt.ask("Too late?")
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    if sys.argv[1:]:
        print("interrupted", _interrupt_each_line(lambda: main(sys.argv[1:])))
    else:
        assert _asked_after_a_late_signal() == 130
        print("interrupted", _interrupt_each_line(_asked))
