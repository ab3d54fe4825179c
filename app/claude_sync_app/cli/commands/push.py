"""``claude-sync push``"""

from __future__ import annotations

from argparse import Namespace

from claude_sync.sync.push import push
from claude_sync_app.cli import results, selection
from claude_sync_app.cli.context import command_context
from claude_sync_app.cli.output import print_line
from claude_sync_app.cli.parser import Parser
from claude_sync_app.shown_text import short_key


def configure(parser: Parser) -> None:
    selection.add_sessions(parser, "every project that isn't ignored")
    parser.add_json()
    parser.describe(
        "Without SESSION: all sessions of this directory's project that changed since they\n"
        "were pushed.",
        ("push", "before you leave this machine"),
        ("push --all", "the same for every project"),
        ("push 3f2a", "the session whose id begins with 3f2a"),
    )


def run(arguments: Namespace) -> int:
    named = selection.named(arguments)
    with command_context() as context:
        project = selection.project(context, arguments)
        done = push(context, named, project=project)
        results.log_results(context, "push", done)
        where = context.store.label
    if arguments.json:
        results.print_results_json(done)
    elif not done and project is not None:
        print_line(
            f"No session of {short_key(project)} is on this machine; "
            "`claude-sync push --all` pushes every project's."
        )
    else:
        results.print_results(done, "push", where, named=named is not None)
    return results.exit_status(done, named=named is not None)
