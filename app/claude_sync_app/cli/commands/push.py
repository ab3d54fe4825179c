"""``claude-sync push``"""

from __future__ import annotations

from argparse import Namespace

from claude_sync.sync.push import push
from claude_sync.wording import short_path
from claude_sync_app.cli import results
from claude_sync_app.cli import selection as choosing
from claude_sync_app.cli.context import opened
from claude_sync_app.cli.output import say
from claude_sync_app.cli.parser import Parser


def configure(parser: Parser) -> None:
    choosing.add_sessions(parser, "every project that isn't ignored")
    parser.add_json()
    parser.explain(
        "Without a session's name: those of this directory's project\n"
        "that changed since they were pushed.",
        ("push", "before you leave this machine"),
        ("push --all", "the same for every project"),
        ("push 3f2a", "the session whose id begins so, whatever its project"),
    )


def run(arguments: Namespace) -> int:
    named = choosing.named(arguments)
    with opened() as context:
        project = choosing.project(context, arguments)
        done = push(context, named, project=project)
        results.record(context, "push", done)
        where = short_path(context.store.label)
    if arguments.json:
        results.say_results(done)
    elif not done and project is not None:
        say(f"No session of {project} is on this machine; --all pushes every project's.")
    else:
        results.tell(done, "push", where, named=named is not None)
    return results.status_of(done, named=named is not None)
