"""What is asked of a person who has to choose: a side of a conflict, or an earlier version."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from claude_sync.errors import UsageError
from claude_sync.model import Version
from claude_sync.sync.conflict import ConflictKind
from claude_sync.sync.read_conflict import ConflictView, SideView
from claude_sync.sync.resolve import BOTH, MINE, THEIRS
from claude_sync.sync.restore import EarlierVersion
from claude_sync.wording import ago, count, size
from claude_sync_app.cli.output import print_error, print_line
from claude_sync_app.cli.prompt import ask
from claude_sync_app.cli.tables import Column, print_table
from claude_sync_app.shown_text import titled_id

_NOTHING = ("", "n", "no", "nothing")
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


# --- a side of a conflict ----------------------------------------------------------------------


def _what_is_wrong(conflict: ConflictView) -> str:
    """Why a side has to be chosen, a predicate."""
    if conflict.kind is ConflictKind.SHORTENED:
        return f"was shortened: {conflict.detail}"
    if conflict.kind is ConflictKind.REPLACES:
        return "would be replaced by what was chosen elsewhere"
    return "diverged"


def choose_side(conflict: ConflictView) -> str | None:
    """Show the sides of a conflict, and ask which is kept, as `resolve` takes it; None for none."""
    now_ns = time.time_ns()
    offered = [_name(one) for one in conflict.sides if one.side.offered]
    print_line(f"{titled_id(conflict.title, conflict.session_id)} {_what_is_wrong(conflict)}:")
    for one in conflict.sides:
        side, name = one.side, _name(one)
        name += f" (this machine, {side.machine})" * (not side.machine_id)
        name += " (pushed from this machine)" * side.pushed_from_here
        held = "" if side.offered else "; another side contains all of it"
        more = f"{count(one.turns, 'turn')} more ({count(side.lines, 'line')})"
        print_line(f"  {name}: {more}, last used {ago(side.mtime_ns, now_ns)}{held}")
    others = [one for one in offered if one != MINE]
    # As `--keep` takes it.
    return _answer([*offered, BOTH], {THEIRS: others[0]} if len(others) == 1 else {})


def _name(view: SideView) -> str:
    return view.side.machine if view.side.machine_id else MINE


def _answer(choices: Sequence[str], besides: Mapping[str, str]) -> str | None:
    while True:
        answer = ask(f"Keep {', '.join(choices)}, or nothing for now? [nothing]")
        if answer.lower() in _NOTHING:
            return None
        for choice in choices:
            if answer.lower() == choice.lower():
                return choice
        if answer.lower() in besides:
            return besides[answer.lower()]
        print_error(f"there is no side {answer!r}: type {', '.join(choices)}, or nothing")


# --- an earlier version ------------------------------------------------------------------------


def choose_version(found: Sequence[EarlierVersion], *, mine: bool = False) -> Version | str | None:
    """Show the earlier versions of a session, and ask which is brought back.

    Args:
        found: at least one, unless `mine` is offered.
        mine: whether it can also be kept as it is.

    Returns:
        the version, `MINE` where it is kept as it is, None for nothing.
    """
    if found:
        print_versions(found)
    which = _which(len(found))
    keep = f"{MINE} to go on with what is left" if mine else ""
    question = ", ".join(filter(None, [which, keep])).capitalize()
    while True:
        answer = ask(f"{question}, or nothing? [nothing]")
        if answer.lower() in _NOTHING:
            return None
        if mine and answer.lower() == MINE:
            return MINE
        try:
            return named_version(answer, found).version
        except UsageError as error:
            print_error(str(error))


def _which(number: int) -> str:
    if number < 2:
        return "Bring back 1" if number else ""
    return f"Bring back which (1 to {number})"


def _numbers(number: int) -> str:
    return f"a number from 1 to {number}" if number > 1 else "1"


def named_version(text: str, found: Sequence[EarlierVersion]) -> EarlierVersion:
    """The version that a number of the list means, or the beginning of a SHA-256.

    Raises:
        UsageError: none does, or several do.
    """
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
            todo=f"type {_numbers(len(found))}, or {_LEAST_SHA256} digits of a SHA-256",
        )
    return fits[0]


def print_versions(found: Sequence[EarlierVersion]) -> None:
    """Print a table of the versions of a session, each with its number."""
    now_ns = time.time_ns()
    columns = [
        Column("", right=True),
        Column("last used"),
        Column("turns", right=True),
        Column("size", right=True, dispensable=3),
        Column("from", least=20),
        Column("", least=24, dispensable=1),
        Column("sha256", dispensable=2),
    ]
    rows = [
        [
            str(number),
            ago(one.at_ns, now_ns),
            f"{one.turns:,}",
            size(one.version.size),
            one.machine or "kept on this machine",
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
