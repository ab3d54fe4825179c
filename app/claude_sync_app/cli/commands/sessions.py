"""``claude-sync sessions``"""

from __future__ import annotations

import sys
from argparse import ArgumentTypeError, Namespace

from claude_sync.state import preferences
from claude_sync.state.paths import paths
from claude_sync.sync.states import states
from claude_sync_app.cli import listing, selection
from claude_sync_app.cli.context import command_context, is_set_up
from claude_sync_app.cli.output import is_terminal, print_json, print_line, print_note
from claude_sync_app.cli.parser import Parser
from claude_sync_app.cli.runner import DONE

_SHOWN_ON_A_TERMINAL = 20


def configure(parser: Parser) -> None:
    selection.add_project(parser, "every project's")
    parser.add_argument(
        "--limit",
        metavar="N",
        type=_number,
        help=f"only the newest N (default: {_SHOWN_ON_A_TERMINAL} on a terminal, else all)",
    )
    parser.add_json()
    parser.explain(
        "Those of this directory's project, here and where sessions meet.\n"
        "\n"
        "  changed      what is here is to be pushed\n"
        "  synced       the same here and there\n"
        "  waiting      there is something to pull\n"
        "  ahead        what is here is newer, and pushed\n"
        "  conflict     machines went on apart: `claude-sync resolve`\n"
        "  incomplete   it is still arriving\n"
        "  unplaced     no directory here is known for it: `claude-sync projects add`\n"
        "  gone         it was here and isn't any more; a pull that names it brings it back\n"
        "\n"
        "In a pipe: whole ids and project keys, with tabs between.",
        ("sessions", "this project's"),
        ("sessions --all --limit 5", "the five used last"),
    )


def run(arguments: Namespace) -> int:
    with command_context(store=False) as context:
        project = selection.project(context, arguments)
        met = is_set_up(preferences.load(paths()))
        every = states(context, store=met)
    found = [one for one in every if project in (None, one.project_key)]
    limit = arguments.limit
    if limit is None and not arguments.json and is_terminal(sys.stdout):
        limit = _SHOWN_ON_A_TERMINAL
    shown = found if limit is None else found[:limit]
    if arguments.json:
        print_json({"sessions": [listing.session_json(one) for one in shown]})
        return DONE
    if found:
        listing.print_sessions(shown, every, project=project is None)
    elif project is not None:
        print_line(f"No session of {project} is known; --all lists every project's.")
    else:
        print_line("No session is known yet.")
    if arguments.limit is None and len(shown) < len(found):
        print_note(f"({len(found) - len(shown)} more: --limit {len(found)})")
    if found and not met:
        print_note("No place where sessions meet was chosen yet: `claude-sync init LOCATION`.")
    return DONE


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise ArgumentTypeError(f"{text!r} is no whole number")
    return int(text)
