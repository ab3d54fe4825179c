"""``claude-sync undo``"""

from __future__ import annotations

from argparse import Namespace

from claude_sync.model import Outcome, Result
from claude_sync.state.paths import paths
from claude_sync.sync.undo import undo
from claude_sync.wording import sentence
from claude_sync_app.cli import results
from claude_sync_app.cli.context import command_context
from claude_sync_app.cli.output import print_line
from claude_sync_app.cli.parser import Parser
from claude_sync_app.cli.selection import SESSION
from claude_sync_app.resume_options import resume_options


def configure(parser: Parser) -> None:
    parser.add_argument("session", metavar="SESSION", help=SESSION)
    parser.add_json()
    parser.describe(
        "What is undone is kept as an earlier version; pulls skip it until it changes or is\n"
        "named.",
        ("undo 3f2a", "put the session back as it was before"),
        ("pull 3f2a", "pull the other version after all"),
    )


def run(arguments: Namespace) -> int:
    with command_context(store=False) as context:
        done = undo(context, arguments.session)
        results.log_result(context, "undo", done)
    name = results.session_name(done)
    if arguments.json:
        results.print_results_json([done])
    elif done.outcome is Outcome.GONE:
        print_line(f"Removed {name}, which wasn't here before the last pull.")
        _print_remark(done)
    else:
        print_line(f"{name} is as it was before the last pull, resolve or restore.")
        _print_remark(done)
        if done.directory is not None:
            options = resume_options(paths(), done.path, done.from_elsewhere)
            results.print_resume_line(done.directory, done.session_id, options)
    return 0


def _print_remark(done: Result) -> None:
    if done.message:
        print_line(sentence(done.message))
