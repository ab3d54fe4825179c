"""A terminal of a given width for a command to run in."""

from __future__ import annotations

import os
import re
import select
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from end_to_end.machine import COMMAND, Machine
from waiting import PATIENCE_SECONDS

Answer = str | Callable[[], str]
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Screen(NamedTuple):
    """What stood on the screen, without escape sequences, and the exit status."""

    status: int
    text: str

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()


def on_terminal(
    machine: Machine,
    *arguments: str | Path,
    columns: int = 80,
    answers: Sequence[tuple[str, Answer]] = (),
    program: Sequence[str | Path] = (COMMAND,),
    environment: Mapping[str, str] | None = None,
) -> Screen:
    """Run the command on a terminal, in the project's directory.

    Args:
        machine: where.
        arguments: of the command.
        columns: the terminal's width.
        answers: what is typed once a text has appeared, or says what is; each pair in its turn.
        program: what is run in place of the command.
        environment: what it gets beside the machine's.
    """
    assert sys.platform != "win32"  # which has no such terminals
    import fcntl
    import termios

    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(
        [*map(str, program), *map(str, arguments)],
        cwd=machine.project,
        env=machine.environment({"TERM": "xterm-256color", **(environment or {})}),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        preexec_fn=_take_terminal,
    )
    os.close(theirs)
    try:
        said = _talk(ours, list(answers))
    finally:
        os.close(ours)
        status = process.wait(PATIENCE_SECONDS)
    return Screen(status, _ESCAPES.sub("", said.decode()).replace("\r\n", "\n"))


def _take_terminal() -> None:
    """What is typed there reaches the process as keys do: Ctrl-C is a signal."""
    assert sys.platform != "win32"
    import fcntl
    import termios

    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _talk(ours: int, answers: list[tuple[str, Answer]]) -> bytes:
    said, heard = b"", 0
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        if not select.select([ours], [], [], 0.1)[0]:
            continue
        try:
            block = os.read(ours, 65536)
        except OSError:  # how Linux reports that the other end is closed
            return said
        if not block:
            return said
        said += block
        if answers and answers[0][0].encode() in said[heard:]:
            heard = len(said)
            answer = answers.pop(0)[1]
            os.write(ours, (answer if isinstance(answer, str) else answer()).encode())
    raise AssertionError(f"the command didn't end: {said!r}")
