"""``claude-sync restore``"""

from __future__ import annotations

import sys
import time
from argparse import Namespace
from collections.abc import Sequence

from claude_sync.errors import UsageError
from claude_sync.model import Version
from claude_sync.sync.restore import (
    EarlierVersion,
    Restorable,
    earlier_versions,
    restorable,
    restore,
)
from claude_sync.wording import ago, rfc3339, short_path
from claude_sync_app.cli import results
from claude_sync_app.cli.choices import choose_version, named_version, print_versions
from claude_sync_app.cli.context import command_context
from claude_sync_app.cli.listing import UNTITLED, short_ids
from claude_sync_app.cli.output import (
    is_terminal,
    print_json,
    print_line,
    print_note,
)
from claude_sync_app.cli.parser import Parser
from claude_sync_app.cli.prompt import can_ask
from claude_sync_app.cli.runner import DONE, FAILED, WrongArguments
from claude_sync_app.cli.selection import SESSION
from claude_sync_app.cli.tables import Column, print_table


def configure(parser: Parser) -> None:
    parser.add_argument("session", metavar="SESSION", nargs="?", help=SESSION)
    parser.add_argument(
        "--version",
        metavar="VERSION",
        help="which: its number in the list, or the beginning of its SHA-256",
    )
    parser.add_argument("--list", action="store_true", help="only show what there is")
    parser.add_json()
    parser.describe(
        "Brings back an earlier version of a session: kept on this machine, in its bundle, or\n"
        "in another's. What it replaces is kept, too; the other machines follow.\n"
        "Without a session, shows which ones were deleted or lost something, and which others\n"
        "have earlier versions on this machine.",
        ("restore", "sessions that can be brought back, the deleted and damaged ones first"),
        ("restore 3f2a", "show the versions of one, and ask"),
        ("restore 3f2a --version 1", "bring back the first of them"),
    )


def run(arguments: Namespace) -> int:
    if arguments.session is None:
        if arguments.version is not None:
            raise WrongArguments("--version needs a session", todo="name one")
        return _list_sessions(as_json=arguments.json)
    with command_context(store=False) as context:
        found = earlier_versions(context, arguments.session)
    if arguments.list:
        _list_versions(found, as_json=arguments.json)
        return DONE
    version = _chosen(arguments, found)
    if version is None:
        print_line("Nothing was changed.")
        return FAILED
    with command_context(store=False) as context:
        done = restore(context, arguments.session, version)
        results.log_results(context, "restore", done)
        where = short_path(context.store.label) if len(done) > 1 else ""
    if arguments.json:
        results.print_results_json(done)
    else:
        results.print_restored(done, where)
    return results.exit_status(done, named=True)


def _chosen(arguments: Namespace, found: Sequence[EarlierVersion]) -> Version | None:
    """The version to bring back, None for none.

    Raises:
        UsageError: there is none, or none like that.
    """
    if not found:
        raise UsageError(
            "no earlier version of that session can be had",
            where=arguments.session,
            todo="`claude-sync restore` shows of which ones there is one",
        )
    if arguments.version is not None:
        return named_version(arguments.version, found).version
    if arguments.json or not can_ask():
        raise WrongArguments(
            "there is no terminal to ask on", todo="add --version, as `--list` shows them"
        )
    chosen = choose_version(found)
    return chosen if isinstance(chosen, Version) else None


# --- lists -------------------------------------------------------------------------------------


def _list_sessions(*, as_json: bool) -> int:
    with command_context(store=False) as context:
        found = restorable(context)
    if as_json:
        print_json({"sessions": [_session_json(one) for one in found]})
    elif not found:
        print_line(
            "There is nothing to bring back: nothing was replaced, deleted or shortened here."
        )
    else:
        _print_sessions(found)
    return DONE


def _session_json(one: Restorable) -> dict[str, object]:
    return {
        "session_id": one.session_id,
        "title": one.title,
        "gone": one.gone,
        "shortened": one.shortened,
        "versions": one.kept,
        "kept": rfc3339(one.at_ns) if one.kept else None,
    }


def _print_sessions(found: Sequence[Restorable]) -> None:
    shorts = short_ids(one.session_id for one in found) if is_terminal(sys.stdout) else {}
    now_ns = time.time_ns()
    columns = [
        Column("session", style="cyan"),
        Column("title", least=24),
        Column("last kept", dispensable=1),
        Column("kept here", right=True, dispensable=2),
        Column("state", least=7),
    ]
    rows = [
        [
            shorts.get(one.session_id, one.session_id),
            one.title or UNTITLED,
            ago(one.at_ns, now_ns) if one.kept else "",
            f"{one.kept:,}" if one.kept else "",
            "deleted here" if one.gone else "shortened" if one.shortened else "here",
        ]
        for one in found
    ]
    print_table(columns, rows)
    print_note("Show the versions of one with `claude-sync restore SESSION`.")


def _list_versions(found: Sequence[EarlierVersion], *, as_json: bool) -> None:
    if as_json:
        print_json({"versions": [_version_json(one) for one in found]})
        return
    if not found:
        print_line("No earlier version of that session can be had.")
        return
    print_versions(found)


def _version_json(one: EarlierVersion) -> dict[str, object]:
    return {
        "sha256": one.version.sha256,
        "size": one.version.size,
        "turns": one.turns,
        "modified": rfc3339(one.at_ns),
        "machine": one.machine or None,
        "reason": one.reason or None,
        "is_here": one.is_here,
    }
