"""``claude-sync pull``"""

from __future__ import annotations

from argparse import Namespace

from claude_sync.sync.pull import pull
from claude_sync_app.cli import results, selection
from claude_sync_app.cli.context import command_context
from claude_sync_app.cli.output import print_line
from claude_sync_app.cli.parser import Parser
from claude_sync_app.shown_text import short_key


def configure(parser: Parser) -> None:
    selection.add_sessions(parser, "every project")
    parser.add_argument(
        "--dry-run", action="store_true", help="show what would be pulled, and pull nothing"
    )
    parser.add_json()
    parser.describe(
        "Without SESSION: all sessions of this directory's project. A session that is open\n"
        "here is never replaced. A session that was deleted here, or undone, is pulled\n"
        "only when it is named. With a branch that is named comes the session that it began\n"
        "as, where the branch needs files of that.",
        ("pull", "when you arrive at this machine"),
        ("pull --all --dry-run", "what is there to pull?"),
        ("pull 3f2a", "the session whose id begins with 3f2a"),
    )


def run(arguments: Namespace) -> int:
    named = selection.named(arguments)
    with command_context() as context:
        project = selection.project(context, arguments)
        done = pull(context, named, project=project, dry_run=arguments.dry_run, replace=True)
        if not arguments.dry_run:
            results.log_results(context, "pull", done)
        where = context.store.label
    if arguments.json:
        results.print_results_json(done)
    elif not done and project is not None:
        print_line(
            f"No session of {short_key(project)} is in {where}; "
            "`claude-sync pull --all` pulls every project's."
        )
    else:
        results.print_results(
            done, "pull", where, named=named is not None, dry_run=arguments.dry_run
        )
    return results.exit_status(done, named=named is not None)
