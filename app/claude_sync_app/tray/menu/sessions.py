"""The menu's sessions: recent ones, and those on other machines. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from claude_sync.model import SessionState, State
from claude_sync.service.status import Arrival, Status
from claude_sync.state.preferences import Preferences
from claude_sync.wording import ago, replaces
from claude_sync_app.shown_text import one_line, shortened
from claude_sync_app.tray.labels import machine_of, project_of, title_of
from claude_sync_app.tray.menu.model import Item, separator
from claude_sync_app.tray.offers import is_held_back, pullable
from claude_sync_app.tray.verbs import Action, Verb

_MINUTE_NS = 60 * 10**9
_DETAIL_LENGTH = 90


# --- recent ones -------------------------------------------------------------------------------


def recent_menu(status: Status, now_minutes: int, preferences: Preferences) -> tuple[Item, ...]:
    """The last sessions of this machine, by use, as a submenu."""
    here = [state for state in status.sessions if state.path is not None]
    if not here:
        return ()
    waiting = {arrival.session_id: arrival for arrival in status.arrivals}
    rows = tuple(
        _recent_session(state, waiting.get(state.session_id), now_minutes, status.deferred)
        for state in here[: preferences.recent_limit]
    )
    return (Item("recent", "Recent sessions", children=rows),)


def _recent_session(
    state: SessionState, arrival: Arrival | None, now_minutes: int, deferred: Collection[str]
) -> Item:
    label = " — ".join(
        filter(None, (title_of(state), project_of(state.project_key), _age(state, now_minutes)))
    )
    marks = "".join(f"{mark} " for mark in _marks(state))
    return Item(
        f"session.{state.session_id}", marks + label, children=_actions(state, arrival, deferred)
    )


def _marks(state: SessionState) -> Iterable[str]:
    """The marks in front: the session's state, and whether it is open."""
    if state.state is State.CONFLICT:
        yield "!"
    elif state.state is State.WAITING:
        yield "↓"
    elif state.state is State.CHANGED:
        yield "•"
    if state.open:
        yield "▶"


def _actions(
    state: SessionState, arrival: Arrival | None, deferred: Collection[str]
) -> tuple[Item, ...]:
    sid = state.session_id
    prefix = f"session.{sid}"
    rows = []
    if state.detail:
        detail = shortened(one_line(state.detail), _DETAIL_LENGTH)
        rows.append(Item(f"{prefix}.detail", detail, enabled=False))
    if state.state is State.CHANGED:
        rows.append(_action_item(prefix, "push", "Push now", Action(Verb.PUSH, sid)))
    if arrival is not None:
        machine = machine_of(arrival.machine)
        if is_held_back(arrival):
            label = f"Close it here to pull from {machine}"
            if sid in deferred:
                label = f"Pulled from {machine} once it is closed here"
            rows.append(Item(f"{prefix}.close", label, enabled=False))
        elif state.replaces:
            label = f"Take {machine}'s: it {replaces(state.replaces)}"
            rows.append(_action_item(prefix, "replace", label, Action(Verb.REPLACE, sid)))
        else:
            label = "Put back what it lost" if state.shortened else f"Pull from {machine}"
            rows.append(_action_item(prefix, "pull", label, Action(Verb.PULL, sid)))
    if state.directory is not None:
        rows += [
            _action_item(
                prefix,
                "resume",
                "Resume in terminal",
                Action(Verb.RESUME, sid),
                enabled=not state.open,
            ),
            _action_item(prefix, "copy", "Copy resume command", Action(Verb.COPY_COMMAND, sid)),
            _action_item(prefix, "open", "Open project folder", Action(Verb.OPEN_PROJECT, sid)),
        ]
    rows.append(_action_item(prefix, "pack", "Pack to file…", Action(Verb.PACK, sid)))
    return (*rows, *_undo_and_sharing(prefix, state))


def _undo_and_sharing(prefix: str, state: SessionState) -> Iterable[Item]:
    rows = []
    if state.undoable and not state.open:
        rows.append(
            _action_item(prefix, "undo", "Undo the last pull", Action(Verb.UNDO, state.session_id))
        )
    project, key = project_of(state.project_key), state.project_key
    if key and state.ignored:
        rows.append(
            _action_item(prefix, "share", f"Share {project} again", Action(Verb.SHARE_AGAIN, key))
        )
    elif key:
        rows.append(
            _action_item(prefix, "stop", f"Stop sharing {project}…", Action(Verb.STOP_SHARING, key))
        )
    return [separator(f"{prefix}.line"), *rows] if rows else []


def _action_item(
    prefix: str, name: str, label: str, action: Action, *, enabled: bool = True
) -> Item:
    return Item(f"{prefix}.{name}", label, enabled=enabled, action=action)


# --- those on other machines -------------------------------------------------------------------


def arrivals_menu(status: Status, now_minutes: int, preferences: Preferences) -> tuple[Item, ...]:
    """What other machines have and this one doesn't, as a submenu."""
    away = [arrival for arrival in pullable(status) if not arrival.here]
    limit = preferences.recent_limit
    rows = [_arrival_entry(arrival, now_minutes) for arrival in away[:limit]]
    if len(away) > limit:
        rows.append(
            Item(
                "arrivals.choose",
                f"Choose from all {len(away)}…",
                action=Action(Verb.CHOOSE_ARRIVALS),
            )
        )
    rows += _projects_without_folder(status.sessions, limit)
    incomplete = sum(one.state is State.INCOMPLETE and one.path is None for one in status.sessions)
    if incomplete:
        verb = "is" if incomplete == 1 else "are"
        rows.append(
            Item("arrivals.incomplete", f"{incomplete} {verb} still arriving", enabled=False)
        )
    return (Item("arrivals", "From other machines", children=tuple(rows)),) if rows else ()


def _arrival_entry(arrival: Arrival, now_minutes: int) -> Item:
    state, sid = arrival.state, arrival.session_id
    machine = machine_of(arrival.machine)
    pushed = ago(int(arrival.pushed_at * 1e9), now_minutes * _MINUTE_NS)
    parts = (title_of(state), project_of(state.project_key), f"{machine}, {pushed}")
    rows = (
        Item(f"arrival.{sid}.pull", "Pull", action=Action(Verb.PULL, sid)),
        Item(
            f"arrival.{sid}.resume",
            "Pull and resume",
            action=Action(Verb.PULL_AND_RESUME, sid),
        ),
    )
    return Item(f"arrival.{sid}", " — ".join(filter(None, parts)), children=rows)


def _projects_without_folder(sessions: Iterable[SessionState], limit: int) -> list[Item]:
    """A row for each project that has no directory on this machine."""
    number_of: dict[str, int] = {}
    for state in sessions:
        if state.state is State.UNPLACED and state.path is None:
            number_of[state.project_key] = number_of.get(state.project_key, 0) + 1
    rows = []
    for key, number in list(number_of.items())[:limit]:
        needs = "needs its" if number == 1 else "need their"
        project = project_of(key)
        rows.append(
            Item(
                f"arrivals.folder.{key}",
                f"{f'{project} — ' if project else ''}{number} {needs} folder…",
                action=Action(Verb.ADD_PROJECT_FOLDER, key),
            )
        )
    return rows


def _age(state: SessionState, now_minutes: int) -> str:
    return ago(state.mtime_ns, now_minutes * _MINUTE_NS)
