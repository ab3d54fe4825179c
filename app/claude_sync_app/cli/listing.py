"""Sessions and their states, for people and for programs, as `sessions` and `status` show them."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Sequence
from itertools import takewhile

from claude_sync.model import SessionState, Side, State
from claude_sync.spelling import plain
from claude_sync.wording import ago, count, replaces, rfc3339, size
from claude_sync_app.cli.output import is_terminal
from claude_sync_app.cli.tables import Column, print_table
from claude_sync_app.shown_text import short_key

_SHORTEST_ID = 8
UNTITLED = "(no title yet)"


# --- for programs ------------------------------------------------------------------------------


def session_json(state: SessionState) -> dict[str, object]:
    """One session of ``sessions --json``."""
    return {
        "session_id": state.session_id,
        "title": state.title,
        "project_key": state.project_key,
        "directory": None if state.directory is None else str(state.directory),
        "path": None if state.path is None else plain(str(state.path)),
        "size": state.size,
        "modified": rfc3339(state.mtime_ns) if state.mtime_ns else None,
        "state": state.state.value,
        "open": state.open,
        "replaces": state.replaces,
        "shortened": state.shortened,
        "machines": list(state.machines),
    }


def side_json(side: Side) -> dict[str, object]:
    """One side of a conflict."""
    return {
        "machine": side.machine,
        "here": not side.machine_id,
        "size": side.version.size,
        "sha256": side.version.sha256,
        "lines": side.lines,
        "modified": rfc3339(side.mtime_ns),
        "offered": side.offered,
        "pushed_from_here": side.pushed_from_here,
    }


# --- for people --------------------------------------------------------------------------------


def short_ids(ids: Iterable[str]) -> dict[str, str]:
    """The beginning of each id that no other id shares, eight letters or more."""
    in_order = sorted(ids)
    shorts = {}
    for index, session_id in enumerate(in_order):
        near = in_order[max(0, index - 1) : index] + in_order[index + 1 : index + 2]
        shared = max((_shared(session_id, other) for other in near), default=0)
        shorts[session_id] = session_id[: max(_SHORTEST_ID, shared + 1)]
    return shorts


def _shared(one: str, other: str) -> int:
    """How many letters two ids begin with alike."""
    alike = takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))
    return sum(1 for _ in alike)


def print_sessions(
    states: Sequence[SessionState], everything: Sequence[SessionState], *, project: bool
) -> None:
    """Print a table of sessions; in a pipe whole ids and keys, separated by tabs.

    Args:
        states: which sessions.
        everything: all sessions, so that a short id fits only one of them.
        project: whether to show the project of each.
    """
    for_a_person = is_terminal(sys.stdout)
    shorts = short_ids(state.session_id for state in everything) if for_a_person else {}
    now_ns = time.time_ns()
    columns = [Column("session", style="cyan"), Column("title", least=24)]
    columns += [Column("project", least=10, dispensable=2)] * project
    columns += [
        Column("last used", dispensable=1),
        Column("size", right=True, dispensable=3),
        Column("state", least=18),
    ]
    rows = []
    for state in states:
        key = short_key(state.project_key) if for_a_person else state.project_key
        title = state.title or (UNTITLED if for_a_person else "")
        row = [shorts.get(state.session_id, state.session_id), title]
        row += [key] * project
        row += [
            ago(state.mtime_ns, now_ns) if state.mtime_ns else "",
            size(state.size) if state.size else "",
            state_label(state),
        ]
        rows.append(row)
    print_table(columns, rows)


def state_label(state: SessionState) -> str:
    """A session's state, in a few words."""
    others = ", ".join(state.rivals)
    if state.state is State.CONFLICT:
        words = f"conflict: {others}" if others else "conflict"
    elif state.state is State.WAITING and others:
        words = f"waiting: {others}"
        if state.replaces:
            words += f" {replaces(state.replaces)}"
    else:
        words = state.state.value
    remarks = [words]
    remarks += ["shortened"] * state.shortened
    remarks += ["open"] * state.open
    if state.state is State.CHANGED:
        remarks += ["ignored"] * state.ignored + ["forgotten"] * state.forgotten
    return ", ".join(remarks)


def side_summary(side: Side, now_ns: int) -> str:
    """What a side of a conflict has that the others lack."""
    return f"{count(side.lines, 'line')} more, last used {ago(side.mtime_ns, now_ns)}"
