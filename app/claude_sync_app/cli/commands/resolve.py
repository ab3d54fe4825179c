"""``claude-sync resolve``"""

from __future__ import annotations

import time
from argparse import Namespace

from claude_sync.errors import SessionChanging
from claude_sync.sync.conflict import Conflict, show_conflict
from claude_sync.sync.resolve import BOTH, MINE, resolve
from claude_sync_app.cli import listing, results
from claude_sync_app.cli.context import command_context
from claude_sync_app.cli.output import print_error, print_line
from claude_sync_app.cli.parser import Parser
from claude_sync_app.cli.prompt import ask, can_ask
from claude_sync_app.cli.runner import FAILED, WrongArguments
from claude_sync_app.cli.selection import SESSION


def configure(parser: Parser) -> None:
    parser.add_argument("session", metavar="SESSION", help=SESSION)
    parser.add_argument(
        "--keep",
        metavar="SIDE",
        help="mine, theirs (where there is one other), a machine's name, or both",
    )
    parser.add_json()
    parser.describe(
        "Without --keep, shows the sides and asks. `both` keeps this machine's side, and\n"
        "makes a new session of each other side. What isn't kept goes into the vault. The\n"
        "other machines follow at their next pull.",
        ("resolve 3f2a", "show the sides, and ask"),
        ("resolve 3f2a --keep both", "keep every side"),
        ("resolve 3f2a --keep mine", "keep this machine's side"),
        ("resolve 3f2a --keep desktop", "keep that machine's side"),
    )


def run(arguments: Namespace) -> int:
    if arguments.keep is None and (arguments.json or not can_ask()):
        raise WrongArguments(
            "there is no terminal to ask on", todo="add --keep mine, theirs, MACHINE or both"
        )
    keep, shown = arguments.keep, None
    while True:
        if arguments.keep is None:
            with command_context() as context:
                conflict = show_conflict(context, arguments.session)
            keep, shown = _choice(conflict), conflict.versions
        if keep is None:
            print_line("Nothing was changed.")
            return FAILED
        try:
            with command_context() as context:
                done = resolve(context, arguments.session, keep, shown=shown)
                results.log_results(context, "resolve", done)
                where = context.store.label
            break
        except SessionChanging as error:
            if arguments.keep is not None:
                raise
            print_error(f"{error.what}: here are the sides again")
    if arguments.json:
        results.print_results_json(done)
    else:
        results.print_results(done, "resolve", where, named=True)
    return results.exit_status(done, named=True)


def _choice(conflict: Conflict) -> str | None:
    """Show the sides, and ask; None for none of them."""
    now_ns = time.time_ns()
    offered = {
        side.machine if side.machine_id else MINE: side for side in conflict.sides if side.offered
    }
    print_line(f"{conflict.session_id} diverged:")
    for side in conflict.sides:
        name = side.machine if side.machine_id else f"{MINE} (this machine, {side.machine})"
        name += " (pushed from this machine)" * side.pushed_from_here
        held = "" if side.offered else "; another side contains all of it"
        print_line(f"  {name}: {listing.side_summary(side, now_ns)}{held}")
    choices = [*offered, BOTH]
    while True:
        answer = ask(f"Keep {', '.join(choices)}, or nothing for now? [nothing]")
        if answer.lower() in ("", "n", "no", "nothing"):
            return None
        for choice in choices:
            if answer.lower() == choice.lower():
                return choice
        print_error(f"there is no side {answer!r}: type {', '.join(choices)}, or nothing")
