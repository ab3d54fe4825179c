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
    selection.add_project(parser, "all projects")
    parser.add_argument(
        "--limit",
        metavar="N",
        type=_number,
        help=f"the newest N (default: {_SHOWN_ON_A_TERMINAL} on a terminal, otherwise all)",
    )
    parser.add_json()
    parser.describe(
        "Lists the sessions of this directory's project, here and in the shared folder.\n"
        "\n"
        "  changed      changed here, to be pushed\n"
        "  synced       the same here and in the shared folder\n"
        "  waiting      newer on another machine, to be pulled\n"
        "  ahead        newer here, and pushed\n"
        "  conflict     it diverged: choose with `claude-sync resolve`\n"
        "  incomplete   still arriving\n"
        "  unplaced     without a directory here: `claude-sync projects add`\n"
        "  unknown      can't be read here: `claude-sync doctor`\n"
        "  gone         deleted here; pull it by name to bring it back\n"
        "\n"
        "A session is `shortened` where its file lacks something that it held before.\n"
        "\n"
        "In a pipe: whole ids and project keys, separated by tabs.",
        ("sessions", "this project's sessions"),
        ("sessions --all --limit 5", "the five used last, of any project"),
    )


def run(arguments: Namespace) -> int:
    with command_context(store=False) as context:
        project = selection.project(context, arguments)
        set_up = is_set_up(preferences.load(paths()))
        every = states(context, store=set_up)
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
        print_line(f"There are no sessions of {project}; --all lists every project's.")
    else:
        print_line("There are no sessions yet.")
    if arguments.limit is None and len(shown) < len(found):
        print_note(f"({len(found) - len(shown)} more: --limit {len(found)})")
    if found and not set_up:
        print_note("No shared folder is chosen yet; choose one with `claude-sync init LOCATION`.")
    return DONE


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise ArgumentTypeError(f"{text!r} isn't a whole number")
    return int(text)
