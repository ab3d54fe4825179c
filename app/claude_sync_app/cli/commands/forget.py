"""``claude-sync forget``"""

from __future__ import annotations

from argparse import ArgumentTypeError, Namespace

from claude_sync.model import Bundle
from claude_sync.sync.context import Context
from claude_sync.sync.forget import (
    bundles_of_machine,
    bundles_of_sessions,
    bundles_older_than,
    forget,
)
from claude_sync.wording import count, join, size
from claude_sync_app.cli.context import command_context
from claude_sync_app.cli.output import print_json, print_line
from claude_sync_app.cli.parser import Parser
from claude_sync_app.cli.prompt import can_ask, confirm
from claude_sync_app.cli.results import log_removals
from claude_sync_app.cli.runner import DONE, FAILED, WrongArguments
from claude_sync_app.cli.selection import SESSION
from claude_sync_app.shown_text import titled_id


def configure(parser: Parser) -> None:
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("session", nargs="?", metavar="SESSION", help=SESSION)
    which.add_argument(
        "--machine", metavar="NAME", help="everything pushed by a machine you no longer use"
    )
    which.add_argument(
        "--older-than",
        metavar="DAYS",
        type=_days,
        help="what this machine pushed of sessions unused for so many days",
    )
    parser.add_argument("--yes", action="store_true", help="don't ask")
    parser.add_json()
    parser.describe(
        "The session on this machine stays as it is. It isn't pushed again until a push names\n"
        "it. What exists only in the shared folder is kept as an earlier version first.",
        ("forget 3f2a", "what this machine pushed of that session"),
        ("forget --machine old-laptop", "everything that machine pushed"),
        ("forget --older-than 90 --yes", "this machine's old ones, without asking"),
    )


def run(arguments: Namespace) -> int:
    with command_context() as context:
        bundles = _bundles(context, arguments)
        where = context.store.label
    if bundles and not arguments.yes:
        if not can_ask():
            raise WrongArguments(
                "there is no terminal to ask on", todo="add --yes to remove without asking"
            )
        if not confirm(f"Remove {_described(bundles)} from {where}?"):
            print_line("Nothing was removed.")
            return FAILED
    removed = 0
    if bundles:
        with command_context() as context:
            gone = forget(context, bundles)
            log_removals(context, gone)
            removed = len(gone)
    if arguments.json:
        print_json({"removed": removed})
    elif not bundles:
        print_line("There is nothing to remove.")
    else:
        print_line(f"Removed {count(removed, 'bundle')} from {where}.")
    if removed < len(bundles):
        left = len(bundles) - removed
        print_line(
            f"{count(left, 'bundle')} changed meanwhile and stayed: run this again to remove them."
        )
        return FAILED
    return DONE


def _bundles(context: Context, arguments: Namespace) -> list[Bundle]:
    if arguments.machine is not None:
        return bundles_of_machine(context, arguments.machine)
    if arguments.older_than is not None:
        return bundles_older_than(context, arguments.older_than)
    return bundles_of_sessions(context, [arguments.session])


def _described(bundles: list[Bundle]) -> str:
    total = size(sum(bundle.stamp.size for bundle in bundles))
    machines = sorted({bundle.head.machine for bundle in bundles})
    if len(bundles) == 1:
        head = bundles[0].head
        return f"{machines[0]}'s bundle of {titled_id(head.title, head.session_id)} ({total})"
    return f"{count(len(bundles), 'bundle')} of {join(machines)} ({total})"


def _days(text: str) -> float:
    try:
        days = float(text)
    except ValueError:
        days = -1.0
    if not 0 <= days < 1e6:
        raise ArgumentTypeError(f"{text!r} isn't a number of days")
    return days
