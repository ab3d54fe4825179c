"""Asks a question through a program and reads its answer."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from claude_sync.disk.programs import full_command
from claude_sync.values import NamedTuple
from claude_sync_app.desktop.launching import DesktopError

REFUSED = 77
"""The exit status of a program of ours that isn't allowed to ask."""


class Row(NamedTuple):
    """A row of a list: its key in the answer, its label, and whether it is checked."""

    key: str
    label: str
    checked: bool = True


@dataclass(frozen=True, slots=True)
class DialogCommand:
    """A program that asks a question.

    Attributes:
        arguments: the program and what it gets, never read by a shell.
        environment: what it gets beside our own.
        text: for its standard input.
    """

    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    text: str = ""


class DialogAnswer(NamedTuple):
    """What the program answered: its exit status and its output without the last line's end."""

    status: int
    text: str


class DialogProgram(Protocol):
    """How one program is asked. Pure."""

    def folder(self, title: str, start: str) -> DialogCommand: ...

    def text(self, title: str, question: str, initial: str) -> DialogCommand: ...

    def secret(self, title: str, question: str) -> DialogCommand: ...

    def buttons(self, title: str, text: str, labels: Sequence[str]) -> DialogCommand: ...

    def shown(self, title: str, text: str, labels: Sequence[str]) -> DialogCommand: ...

    def was_shown(self, answer: DialogAnswer, labels: Sequence[str]) -> int | None: ...

    def pressed(self, answer: DialogAnswer, labels: Sequence[str]) -> int | None: ...

    def rows(self, title: str, question: str, rows: Sequence[Row]) -> DialogCommand: ...

    def chosen(self, answer: DialogAnswer, rows: Sequence[Row]) -> list[int]: ...


class Dialogs:
    """Asks questions in the system's dialogs.

    Each method waits for the answer, so it is called in a background task; several dialogs may be
    open at once. `close` ends them all, as if they had been cancelled.
    """

    def __init__(self, program: DialogProgram) -> None:
        self._program = program
        self._asking: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()

    def choose_folder(self, title: str, start: Path) -> Path | None:
        """A folder; None for Cancel.

        Raises:
            DesktopError: the dialog can't be shown.
        """
        answer = self._ask(self._program.folder(title, str(start)))
        return Path(answer.text) if answer.status == 0 and answer.text else None

    def ask_text(self, title: str, question: str, initial: str = "") -> str | None:
        """A line of text, stripped; None for Cancel.

        Raises:
            DesktopError: the dialog can't be shown.
        """
        answer = self._ask(self._program.text(title, question, initial))
        return answer.text.strip() if answer.status == 0 else None

    def ask_secret(self, title: str, question: str) -> str | None:
        """A line that isn't shown while it is typed, stripped; None for Cancel.

        Raises:
            DesktopError: the dialog can't be shown.
        """
        answer = self._ask(self._program.secret(title, question))
        return answer.text.strip() if answer.status == 0 else None

    def choose_button(self, title: str, text: str, labels: Sequence[str]) -> int | None:
        """The index of the button that was pressed; None for Cancel, which is always there.

        Args:
            title: of the dialog.
            text: plain, may have several lines.
            labels: of one or two buttons, the likelier choice first.

        Raises:
            DesktopError: the dialog can't be shown.
        """
        answer = self._ask(self._program.buttons(title, text, labels))
        return self._program.pressed(answer, labels)

    def show_secret(self, title: str, text: str, labels: Sequence[str]) -> int | None:
        """The same below a text that nobody else may see: other users see what programs get.

        It is only ever in the program's standard input.

        Args:
            title: of the dialog.
            text: plain, may have several lines.
            labels: of one or two buttons. A program that has only one of its own shows the first.

        Raises:
            DesktopError: the dialog can't be shown.
        """
        answer = self._ask(self._program.shown(title, text, labels))
        return self._program.was_shown(answer, labels)

    def choose_rows(self, title: str, question: str, rows: Sequence[Row]) -> list[str] | None:
        """The keys of the rows that are checked in the end; None for Cancel.

        Raises:
            DesktopError: the dialog can't be shown.
        """
        answer = self._ask(self._program.rows(title, question, rows))
        if answer.status != 0:
            return None
        return [rows[i].key for i in self._program.chosen(answer, rows) if 0 <= i < len(rows)]

    def close(self) -> None:
        """Close all dialogs."""
        with self._lock:
            asking = list(self._asking)
        for program in asking:
            program.terminate()

    def _ask(self, command: DialogCommand) -> DialogAnswer:
        try:
            program = subprocess.Popen(
                full_command(command.arguments),
                env={**os.environ, **command.environment},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except (OSError, ValueError) as error:
            raise DesktopError(
                f"{command.arguments[0]} can't be started", todo="edit the preferences file instead"
            ) from error
        with self._lock:
            self._asking.add(program)
        try:
            output, _ = program.communicate(command.text.encode("utf-8", "replace"))
        finally:
            with self._lock:
                self._asking.discard(program)
        if program.returncode == REFUSED:
            raise DesktopError(
                "this machine's rules keep PowerShell from showing dialogs",
                todo="use the command line instead; `claude-sync --help` names what there is",
            )
        text = os.fsdecode(output).replace("\r\n", "\n").removesuffix("\n")
        return DialogAnswer(program.returncode, text)


def numbers(text: str) -> list[int]:
    """The numbers that are lines of their own."""
    return [int(line) for line in text.split("\n") if line.isascii() and line.isdigit()]
