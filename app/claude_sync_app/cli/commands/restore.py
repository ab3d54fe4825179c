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
from claude_sync.wording import ago, rfc3339, short_path, size
from claude_sync_app.cli import results
from claude_sync_app.cli.context import command_context
from claude_sync_app.cli.listing import UNTITLED, short_ids
from claude_sync_app.cli.output import (
    is_terminal,
    print_error,
    print_json,
    print_line,
    print_note,
)
from claude_sync_app.cli.parser import Parser
from claude_sync_app.cli.prompt import ask, can_ask
from claude_sync_app.cli.runner import DONE, FAILED, WrongArguments
from claude_sync_app.cli.selection import SESSION
from claude_sync_app.cli.tables import Column, print_table

_LEAST_SHA256 = 6
_SHA256_SHOWN = 12
_WHY = {
    "pull": "replaced by a pull",
    "push": "replaced in the shared folder",
    "resolve": "given up by a choice",
    "undo": "undone",
    "restore": "replaced by a restore",
    "forget": "forgotten",
}


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
        "Brings back what the vault, this machine's bundle or another's still holds of a\n"
        "session. What it replaces goes into the vault; the other machines follow.\n"
        "Without a session, shows which ones were deleted or lost something, and which others\n"
        "the vault holds something of.",
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
        return _named(arguments.version, found).version
    if arguments.json or not can_ask():
        raise WrongArguments(
            "there is no terminal to ask on", todo="add --version, as `--list` shows them"
        )
    _list_versions(found, as_json=False)
    while True:
        answer = ask(f"Bring back which (1 to {len(found)}), or nothing? [nothing]")
        if answer.lower() in ("", "n", "no", "nothing"):
            return None
        try:
            return _named(answer, found).version
        except UsageError as error:
            print_error(str(error))


def _named(text: str, found: Sequence[EarlierVersion]) -> EarlierVersion:
    if text.isascii() and text.isdigit() and len(text) < _LEAST_SHA256:
        if 1 <= int(text) <= len(found):
            return found[int(text) - 1]
        fits = []
    else:
        fits = [one for one in found if one.version.sha256.startswith(text.lower())]
    if len(fits) != 1 or len(text) < _LEAST_SHA256:
        raise UsageError(
            "no version is called that",
            where=text,
            todo=f"type a number from 1 to {len(found)}, or {_LEAST_SHA256} digits of a SHA-256",
        )
    return fits[0]


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
        Column("in the vault", right=True, dispensable=2),
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
    now_ns = time.time_ns()
    columns = [
        Column("", right=True),
        Column("last used"),
        Column("turns", right=True),
        Column("size", right=True, dispensable=3),
        Column("from", least=12),
        Column("", least=8, dispensable=1),
        Column("sha256", dispensable=2),
    ]
    rows = [
        [
            str(number),
            ago(one.at_ns, now_ns),
            f"{one.turns:,}",
            size(one.version.size),
            one.machine or "this machine's vault",
            _remark(one),
            one.version.sha256[:_SHA256_SHOWN],
        ]
        for number, one in enumerate(found, 1)
    ]
    print_table(columns, rows)


def _remark(one: EarlierVersion) -> str:
    why = _WHY.get(one.reason, "")
    held = "all of it is here" if one.is_here else ""
    return ", ".join(filter(None, [why, held]))


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
