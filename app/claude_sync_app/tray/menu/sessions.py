"""The menu's sessions: the last ones of this machine and of others, a row each. Pure.

A click on a row does what is most likely wanted; what else can be done, the window offers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from claude_sync.model import SessionState, State
from claude_sync.service.status import Arrival, Status
from claude_sync.state.preferences import Preferences
from claude_sync.wording import ago
from claude_sync_app.tray.labels import machine_of, project_of, title_of
from claude_sync_app.tray.menu.model import Item
from claude_sync_app.tray.offers import is_held_back, last_used_ns
from claude_sync_app.tray.verbs import Action, Verb
from claude_sync_app.tray.window_pages import conflict_page, open_window, session_page

ROWS = 5
"""At most: the menu is for one click, and all the others are in the window."""

_MINUTE_NS = 60 * 10**9
_ID_LENGTH = 8


def session_rows(status: Status, now_minutes: int, preferences: Preferences) -> tuple[Item, ...]:
    """The last sessions by use, wherever they are, and where all the others are."""
    if not status.sessions:
        return ()
    waiting = {arrival.session_id: arrival for arrival in status.arrivals}
    last = _last(status.sessions, waiting, min(ROWS, preferences.recent_limit))
    names = Counter((title_of(state), state.project_key) for state in last)
    rows = [
        _row(
            state,
            waiting.get(state.session_id),
            now_minutes,
            has_namesake=names[title_of(state), state.project_key] > 1,
        )
        for state in last
    ]
    return (*rows, Item("more", "More sessions…", action=open_window()))


def _last(
    sessions: Iterable[SessionState], waiting: Mapping[str, Arrival], limit: int
) -> list[SessionState]:
    """The last used ones that something can be done with by one click."""
    known = [one for one in sessions if one.path is not None or _can_be_had(one, waiting)]
    # They come in the order in which they were used here.
    likely = known[:limit] + [one for one in known[limit:] if one.session_id in waiting]
    likely.sort(key=lambda one: -last_used_ns(one, waiting.get(one.session_id)))
    return likely[:limit]


def _can_be_had(state: SessionState, waiting: Mapping[str, Arrival]) -> bool:
    return state.session_id in waiting or state.state in (State.UNPLACED, State.INCOMPLETE)


def _row(
    state: SessionState, arrival: Arrival | None, now_minutes: int, *, has_namesake: bool
) -> Item:
    title = title_of(state)
    if has_namesake:
        # As after "Keep both": one was made of the other, and bears its title.
        title = f"{title} ({state.session_id[:_ID_LENGTH]})"
    when = ago(last_used_ns(state, arrival), now_minutes * _MINUTE_NS)
    if arrival is not None:
        when = f"{machine_of(arrival.machine)}, {when}"
    parts = (title, project_of(state.project_key), when, _hint(state))
    marks = "".join(f"{mark} " for mark in _marks(state))
    return Item(
        f"session.{state.session_id}",
        marks + " — ".join(filter(None, parts)),
        enabled=state.state is not State.INCOMPLETE or state.path is not None,
        action=likeliest(state, arrival),
    )


def _marks(state: SessionState) -> Iterator[str]:
    """The marks in front: the session's state, and whether it is open here."""
    if state.state is State.CONFLICT:
        yield "!"
    elif state.state is State.WAITING:
        yield "↓"
    elif state.state is State.CHANGED:
        yield "•"
    if state.open and state.path is not None:
        yield "▶"


def _hint(state: SessionState) -> str:
    if state.path is not None:
        return ""
    if state.state is State.UNPLACED:
        return "needs its folder…"
    return "still arriving" if state.state is State.INCOMPLETE else ""


def likeliest(state: SessionState, arrival: Arrival | None) -> Action:
    """What a person who clicks a session most likely wants."""
    session_id = state.session_id
    if state.state is State.CONFLICT:
        return open_window(conflict_page(session_id))
    if arrival is not None and not is_held_back(arrival):
        # What would replace something that is only here, or lost something, is looked at first.
        if state.replaces or state.shortened:
            return open_window(conflict_page(session_id))
        return Action(Verb.PULL_AND_RESUME, session_id)
    if state.state is State.UNPLACED and state.path is None:
        return Action(Verb.ADD_PROJECT_FOLDER, state.project_key)
    if state.open or state.directory is None:
        return open_window(session_page(session_id))
    return Action(Verb.RESUME, session_id)
