"""All commands as one parser, of which shell completions and manual pages are made.

A command that is run gets its own parser only, so that no other module is imported for it.
"""

from __future__ import annotations

from argparse import ArgumentParser
from importlib import import_module
from typing import Any

from claude_sync_app.cli.commands import COMMANDS, Command
from claude_sync_app.cli.output import PROGRAM
from claude_sync_app.cli.parser import Parser

SUMMARY = "move Claude Code sessions between machines, byte for byte"


def command_parser(command: Command) -> Parser:
    """The parser of one command, with all its arguments."""
    parser = Parser(command)
    import_module(f"claude_sync_app.cli.commands.{command.name}").configure(parser)
    return parser


def whole_parser() -> ArgumentParser:
    """The parser of the program, which has every command's below it, in the order of the help."""
    whole = ArgumentParser(PROGRAM, description=f"{SUMMARY[0].upper()}{SUMMARY[1:]}.")
    whole.add_argument("-V", "--version", action="version", help="show the version")
    below = whole.add_subparsers(title="commands", dest="command", parser_class=_Made)
    for command in COMMANDS.values():
        below.add_parser(command.name, help=command.summary, made=command_parser(command))
    return whole


class _Made(ArgumentParser):
    """What argparse calls to make a sub-parser; gives the one that was made already."""

    def __new__(cls, *, made: Parser, **_: Any) -> Any:
        return made
