"""The parser that every command gets: plain help, and errors of one sentence."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from claude_sync_app.cli.commands import Command
from claude_sync_app.cli.output import PROGRAM, print_error

_COLUMNS = 80


class Parser(argparse.ArgumentParser):
    """Reads the arguments of one command.

    Args:
        command: which one.
    """

    def __init__(self, command: Command) -> None:
        super().__init__(
            prog=f"{PROGRAM} {command.name}",
            description=f"{command.summary[0].upper()}{command.summary[1:]}.",
            formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, width=_width()),
            allow_abbrev=False,
            add_help=False,
        )
        self.add_argument("-h", "--help", action="help", help="show this help")
        self._passes_on = False

    def describe(self, more: str, *examples: tuple[str, str]) -> None:
        """Add a description below the summary, and examples.

        Args:
            more: a few sentences with their own line breaks; "" for none.
            examples: what to type, without the program's name, and what it does.
        """
        if more:
            self.description = f"{self.description}\n{more}"
        width = max((len(typed) for typed, _ in examples), default=0)
        in_columns = [f"  {PROGRAM} {typed.ljust(width)}   {does}" for typed, does in examples]
        below = [f"  {PROGRAM} {typed}\n      {does}" for typed, does in examples]
        lines = in_columns if max(map(len, in_columns), default=0) <= _COLUMNS else below
        self.epilog = "\n".join(["examples:", *lines]) if lines else None

    def add_json(self) -> None:
        """Add the option for output as JSON."""
        self.add_argument("--json", action="store_true", help="print JSON")

    def add_passed_on(self, name: str, what: str) -> None:
        """Let what stands behind ``--`` be passed on, unread, as `passed_on`.

        Args:
            name: what it is called in the help.
            what: help for it.
        """
        self._passes_on = True
        self.usage = f"{self.format_usage().removeprefix('usage: ').strip()} [-- {name} ...]"
        self.add_argument_group(f"-- {name}", what)

    def read(self, arguments: Sequence[str]) -> argparse.Namespace:
        """What was typed behind the command; exits where it can't be understood."""
        own = list(arguments)
        passed_on: list[str] = []
        if self._passes_on and "--" in own:
            at = own.index("--")
            own, passed_on = own[:at], own[at + 1 :]
        namespace = self.parse_args(own)
        if self._passes_on:
            namespace.passed_on = passed_on
        return namespace

    def error(self, message: str) -> NoReturn:
        """Print what is wrong in one sentence, and exit."""
        if self._passes_on and message.startswith("unrecognized"):
            # Most likely meant for the other program.
            print_error(
                f"{message}: what is for Claude Code stands behind --; see `{self.prog} --help`"
            )
        else:
            print_error(f"{message}: see `{self.prog} --help`")
        raise SystemExit(2)


def _width() -> int:
    """Columns for help. Asked of argparse, it imports shutil for it, at every start."""
    try:
        columns = int(os.environ.get("COLUMNS", ""))
    except ValueError:
        columns = 0
    if columns <= 0:
        try:
            columns = os.get_terminal_size(sys.__stdout__.fileno()).columns if sys.__stdout__ else 0
        except (OSError, ValueError):
            columns = 0
    return (columns or 80) - 2
