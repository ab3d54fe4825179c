"""Questions to a person at a terminal. Ctrl-C ends them at once, whenever it comes."""

from __future__ import annotations

import sys
import threading

from claude_sync_app.cli.interrupts import Interrupts
from claude_sync_app.cli.output import fitted, flush, is_terminal, print_line, print_raw
from claude_sync_app.shown_text import without_controls

_POLL_SECONDS = 0.05
_LONGEST_ANSWER = 4096


def can_ask() -> bool:
    """Whether there is someone to ask: a terminal to read from and to show on."""
    return is_terminal(sys.stdin) and is_terminal(sys.stdout)


def ask(question: str) -> str:
    """What a person answers, "" for nothing; also where they ended the input (Ctrl-D).

    Raises:
        KeyboardInterrupt: they pressed Ctrl-C, or did so just before they were asked.
    """
    return _asked(question) or ""


def _asked(question: str) -> str | None:
    """The same, None where they ended the input."""
    with Interrupts() as interrupts:
        if interrupts.requested():
            raise KeyboardInterrupt
        flush()
        print_raw(fitted(sys.stdout, without_controls(question)) + " ")
        flush()
        # A signal that comes after the last look at it and before the read would leave the read
        # waiting. So another thread reads, and this one never waits for long without a look.
        answer = _Answer()
        answer.start()
        while not answer.given.wait(_POLL_SECONDS) and not interrupts.requested():
            pass
        if interrupts.requested():
            print_line()  # what comes next begins a line of its own
            raise KeyboardInterrupt
        return answer.text


def ask_secret(question: str) -> str:
    """The same, without showing what is typed.

    Raises:
        KeyboardInterrupt: as `ask`; or they ended the input, which is no answer.
    """
    if sys.platform == "win32":
        import getpass

        try:
            return getpass.getpass(without_controls(question) + " ").strip()
        except EOFError:
            raise KeyboardInterrupt from None
    import termios

    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    silent = [*before[:3], before[3] & ~termios.ECHO, *before[4:]]
    try:
        termios.tcsetattr(terminal, termios.TCSAFLUSH, silent)
        answer = _asked(question)
        if answer is None:
            raise KeyboardInterrupt
        return answer
    finally:
        termios.tcsetattr(terminal, termios.TCSAFLUSH, before)
        print_line()


def confirm(question: str) -> bool:
    """Whether a person says yes; just Enter means no."""
    return ask(f"{question} [y/N]").lower() in ("y", "yes")


class _Answer(threading.Thread):
    """Reads one line. It ends with the process if none is typed."""

    def __init__(self) -> None:
        super().__init__(name="claude-sync prompt", daemon=True)
        self.given = threading.Event()
        self.text: str | None = None

    def run(self) -> None:
        try:
            # Past the buffer of sys.stdin: Python can't end while a thread waits in that.
            with open(sys.stdin.fileno(), "rb", buffering=0, closefd=False) as terminal:
                line = terminal.read(_LONGEST_ANSWER)
            if line:
                self.text = line.decode(sys.stdin.encoding, "replace").strip()
        except (OSError, ValueError):
            pass  # the terminal is gone: nothing was answered
        finally:
            self.given.set()
