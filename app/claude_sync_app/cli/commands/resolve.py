"""``claude-sync resolve``"""

from __future__ import annotations

from argparse import Namespace

from claude_sync.errors import SessionChanging
from claude_sync.model import Result
from claude_sync.sync.read_conflict import read_conflict
from claude_sync.sync.resolve import resolve
from claude_sync_app.cli import results
from claude_sync_app.cli.choices import choose_side
from claude_sync_app.cli.context import command_context
from claude_sync_app.cli.output import print_error, print_line
from claude_sync_app.cli.parser import Parser
from claude_sync_app.cli.prompt import can_ask
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
        "makes a new session of each other side. What isn't chosen is kept as an\n"
        "earlier version. The other machines follow at their next pull.",
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
    settled = settle(arguments.session, arguments.keep)
    if settled is None:
        print_line("Nothing was changed.")
        return FAILED
    done, where = settled
    if arguments.json:
        results.print_results_json(done)
    else:
        results.print_results(done, "resolve", where, named=True)
    return results.exit_status(done, named=True)


def settle(session: str, keep: str | None = None) -> tuple[list[Result], str] | None:
    """Settle a conflict as a person says, who is asked unless `keep` is given.

    Args:
        session: its id, or the beginning of it.
        keep: as `resolve` takes it.

    Returns:
        what was done, and what the shared folder is called; None where nothing was chosen.
    """
    while True:
        chosen, shown = keep, None
        if chosen is None:
            with command_context() as context:
                conflict = read_conflict(context, session)
            chosen, shown = choose_side(conflict), conflict.versions
        if chosen is None:
            return None
        try:
            with command_context() as context:
                done = resolve(context, session, chosen, shown=shown)
                results.log_results(context, "resolve", done)
                return done, context.store.label
        except SessionChanging as error:
            if keep is not None:
                raise
            print_error(f"{error.what}: here are the sides again")
