"""What the table of sessions shows of each, for its script. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from claude_sync.model import SessionState, State
from claude_sync.service.status import Arrival, Status
from claude_sync.wording import replaces, sentence, short_path, size
from claude_sync_app.shown_text import one_line, shortened, without_controls
from claude_sync_app.tray.labels import machine_of, machines_of, project_of, title_of
from claude_sync_app.tray.offers import is_held_back, last_used_ns

_LONGEST_DETAIL = 300
_LONGEST_TITLE = 120
LIKELY = frozenset(
    (
        "compare",
        "replace",
        "pull",
        "pull-and-resume",
        "push",
        "resume",
        "restore",
        "add-project-folder",
    )
)

Row = dict[str, Any]
"""What `static/sessions.js` shows as one row."""


def session_rows(status: Status, turns: Mapping[str, int] | None = None) -> list[Row]:
    """A row for each session, newest first.

    Args:
        status: what there is.
        turns: how many turns sessions have, by their ids, as far as that is known.
    """
    arrivals = {arrival.session_id: arrival for arrival in status.arrivals}
    own = status.machine.name if status.machine is not None else ""
    deferred = frozenset(status.deferred)
    rows = [
        _row(state, arrivals.get(state.session_id), own, is_deferred=state.session_id in deferred)
        for state in status.sessions
    ]
    rows.sort(key=lambda row: -int(row["when"]))
    for row in rows:
        if number := (turns or {}).get(row["id"]):
            row["turns"] = number
    return rows


def _row(state: SessionState, arrival: Arrival | None, own: str, *, is_deferred: bool) -> Row:
    code, label, tone = _standing(state, arrival, is_deferred=is_deferred)
    is_open = state.open and state.path is not None
    row: Row = {
        "id": state.session_id,
        "title": _title(state),
        "project": project_of(state.project_key),
        "key": one_line(state.project_key),
        "machines": _machines(state, own),
        "when": last_used_ns(state, arrival) // 1_000_000,
        "size": state.size,
        "sized": size(state.size),
        "state": code,
        "label": label,
        "tone": tone,
        "do": list(_verbs(state, arrival, own)),
    }
    main = next(iter(row["do"]), "")
    if main in LIKELY:
        row["main"] = main
    if is_open:
        row["open"] = True
    if state.detail and state.state is not State.UNPLACED:
        row["detail"] = sentence(one_line(state.detail)[:_LONGEST_DETAIL])
    if state.directory is not None:
        row["directory"] = without_controls(short_path(state.directory))
    if state.replaces and arrival is not None:
        row["replaces"] = f"{machine_of(arrival.machine)}'s version {replaces(state.replaces)}."
    if state.ignored:
        row["ignored"] = True
    return row


def _title(state: SessionState) -> str:
    """Longer than in a menu: the page cuts it where its room ends."""
    return shortened(one_line(state.title), _LONGEST_TITLE) or title_of(state)


def _machines(state: SessionState, own: str) -> list[str]:
    """Where it is: the machines that pushed it, and this one if it lies here."""
    names = {machine_of(name) for name in state.machines}
    if state.path is not None and own:
        names.add(machine_of(own))
    return sorted(names, key=str.lower)


def _standing(
    state: SessionState, arrival: Arrival | None, *, is_deferred: bool
) -> tuple[str, str, str]:
    """A name for filters, what is said, and how it is coloured."""
    elsewhere = machines_of(state.rivals or state.machines) or "another machine"
    kind = state.state
    if kind is State.CONFLICT:
        return "conflict", "Shortened" if state.shortened else "Conflict", "bad"
    if kind is State.WAITING and state.path is None:
        return "elsewhere", f"Only on {elsewhere}", "wait"
    if kind is State.WAITING:
        if arrival is not None and is_held_back(arrival) and is_deferred:
            return "newer", "Pulled once it is closed", "wait"
        return "newer", f"Newer on {elsewhere}", "wait"
    if kind is State.CHANGED:
        return "changed", "Not shared" if state.ignored else "Changed here", "plain"
    if kind is State.GONE:
        return "gone", "Deleted here", "plain"
    words = {
        State.INCOMPLETE: ("arriving", "Still arriving", "wait"),
        State.UNPLACED: ("unplaced", "Needs a folder", "warn"),
        State.UNKNOWN: ("unknown", "Can't be read", "bad"),
    }
    return words.get(kind, ("synced", "In sync", "good"))


def _verbs(state: SessionState, arrival: Arrival | None, own: str) -> Iterator[str]:
    """What can be done with it, the likeliest first; `static/sessions.js` words them."""
    is_here, kind = state.path is not None, state.state
    is_open = state.open and is_here
    if kind is State.CONFLICT or state.replaces or state.shortened:
        yield "compare"
    if arrival is not None:
        if state.replaces:
            yield "replace"
        elif is_held_back(arrival):
            yield "pull"
        else:
            yield "pull-and-resume"
            yield "pull"
    if kind is State.CHANGED and not state.ignored:
        yield "push"
    if is_here and not is_open and state.directory is not None and arrival is None:
        yield "resume"
    if kind is State.GONE:
        yield "restore"
    if kind is State.UNPLACED:
        yield "add-project-folder"
    if is_here and state.directory is not None:
        yield "copy-command"
        yield "open-project"
    if state.undoable and not is_open:
        yield "undo"
    if is_here and (state.forgotten or state.ignored):
        yield "push"
    if own and own in state.machines:
        yield "forget"
