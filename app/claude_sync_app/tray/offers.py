"""Which sessions "Push" and "Pull" mean now: the menu's counts and its main entries. Pure."""

from __future__ import annotations

from claude_sync.model import SessionState
from claude_sync.service.status import Arrival, Status


def pushable(status: Status) -> tuple[str, ...]:
    """Ids of the sessions that "Push" pushes: those that changed, except old ones."""
    older = frozenset(status.older)
    return tuple(sid for sid in status.to_push if sid not in older)


def pullable(status: Status) -> tuple[Arrival, ...]:
    """The arrivals that "Pull" pulls: not those whose session is open here, nor `replacing`."""
    return tuple(
        arrival
        for arrival in status.arrivals
        if not is_held_back(arrival) and not arrival.state.replaces
    )


def replacing(status: Status) -> tuple[Arrival, ...]:
    """The arrivals that would replace what exists only here: each is asked for by itself."""
    return tuple(arrival for arrival in status.arrivals if arrival.state.replaces)


def held_back(status: Status) -> tuple[Arrival, ...]:
    """The arrivals that wait until the session is closed here."""
    return tuple(
        arrival
        for arrival in status.arrivals
        if is_held_back(arrival) and not arrival.state.replaces
    )


def last_used_ns(state: SessionState, arrival: Arrival | None) -> int:
    """When a session was used last, there where another machine is ahead."""
    return state.mtime_ns if arrival is None else int(arrival.pushed_at * 1e9)


def is_held_back(arrival: Arrival) -> bool:
    """Whether its session is open here. (If it isn't here, `open` means there.)"""
    return arrival.here and arrival.state.open
