"""``claude-sync unpack``"""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from claude_sync.sync.pack import unpack
from claude_sync_app.cli import results, selection
from claude_sync_app.cli.context import command_context
from claude_sync_app.cli.parser import Parser
from claude_sync_app.cli.runner import WrongArguments


def configure(parser: Parser) -> None:
    parser.add_argument("file", metavar="FILE", type=Path, help="what `claude-sync pack` wrote")
    parser.add_argument(
        "--into",
        metavar="DIR",
        type=Path,
        help="the directory for it, if its project isn't known here",
    )
    parser.add_argument(
        "--replace",
        action="store_true",
        help="let it replace what was said only here, if someone chose it in its place",
    )
    parser.add_json()
    parser.describe(
        "No set-up is needed. The rules of a pull apply; but what was said only here\n"
        "gives way to nothing without --replace, and then is kept as an earlier version.",
        ("unpack 3f2a-laptop.ccsync", "into its project's directory"),
        ("unpack 3f2a-laptop.ccsync --into .", "into this directory"),
    )


def run(arguments: Namespace) -> int:
    if arguments.into is not None and not arguments.into.is_dir():
        raise WrongArguments(
            "there is no such directory",
            where=str(arguments.into),
            todo="make it, or correct --into",
        )
    with command_context(store=False) as context:
        selection.register_current_directory(context)
        done = unpack(context, arguments.file, arguments.into, replace=arguments.replace)
        results.log_results(context, "unpack", [done])
    if arguments.json:
        results.print_results_json([done])
    else:
        results.print_results([done], "unpack", "", named=True)
    return results.exit_status([done], named=True)
