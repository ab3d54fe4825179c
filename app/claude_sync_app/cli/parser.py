"""The parser that every command gets: plain help, and errors of one sentence."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from claude_sync_app.cli.commands import Command
from claude_sync_app.cli.output import PROGRAM, filled, print_error, terminal_columns

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
            formatter_class=_Formatter,
            allow_abbrev=False,
            add_help=False,
        )
        self.add_argument("-h", "--help", action="help", help="show this help")
        self._positionals.title = "arguments"
        self._passes_on = False

    def describe(self, more: str, *examples: tuple[str, str]) -> None:
        """Add a description below the summary, and examples.

        Args:
            more: a few sentences, which are wrapped for the terminal; "" for none. Lines that
                begin with a space stay as they are, an empty one ends a paragraph.
            examples: what to type, without the program's name, and what it does.
        """
        if more:
            self.description = f"{self.description}\n\n{more}"
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
        usage = self.format_usage().removeprefix("usage: ").strip()
        indent = " " * len(f"usage: {self.prog} ")
        self.usage = f"{usage}\n{indent}[-- {name} ...]"
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

    def format_help(self) -> str:
        """The help, as wide as the terminal, or 80 columns."""
        self.description = _wrapped(self.description or "", min(_width(), _COLUMNS))
        return super().format_help()

    def error(self, message: str) -> NoReturn:
        """Print what is wrong in one sentence, and exit."""
        from claude_sync_app.cli.mistyped import rephrased

        if self._passes_on and message.startswith("unrecognized arguments: -"):
            # Most likely meant for the other program.
            unknown = message.removeprefix("unrecognized arguments: ").split()[0]
            print_error(
                f"there is no option {unknown} here: what is for Claude Code stands behind --; "
                f"see `{self.prog} --help`"
            )
        else:
            print_error(rephrased(message, self._option_string_actions, self.prog))
        raise SystemExit(2)

    def _check_value(self, action: argparse.Action, value: object) -> None:
        if action.choices is not None and value not in action.choices:
            from claude_sync_app.cli.mistyped import wrong_choice

            print_error(wrong_choice(value, action.choices))
            raise SystemExit(2)


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Lays out the help; what stands in backticks, and names with dashes, aren't torn apart."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_width())

    def _split_lines(self, text: str, width: int) -> list[str]:
        return filled(" ".join(text.split()), width)


def _wrapped(text: str, width: int) -> str:
    lines: list[str] = []
    paragraph: list[str] = []
    for line in [*text.split("\n"), ""]:
        if line and not line.startswith(" "):
            paragraph.append(line)
            continue
        lines += filled(" ".join(paragraph), width)
        paragraph = []
        lines.append(line)
    return "\n".join(lines).rstrip("\n")


def _width() -> int:
    """Columns for help. Asked of argparse, it imports shutil for it, at every start."""
    try:
        columns = int(os.environ.get("COLUMNS", ""))
    except ValueError:
        columns = 0
    return (max(columns, 0) or terminal_columns(sys.__stdout__) or _COLUMNS) - 2
