"""What is kept of the sessions that Claude Code deletes: those it has, and those it is about to.

It deletes a transcript at its start once that wasn't written for so many days. What was pushed
before, or went into the vault, stays there.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from claude_sync.model import SessionState, State
from claude_sync.sync.context import Context
from claude_sync.sync.restore import Restorable, look_anyway, restorable_surveyed
from claude_sync.sync.states import states_surveyed
from claude_sync.values import NamedTuple

SOON_DAYS = 7
_DAY_NS = 86_400 * 10**9
_IS_KEPT = (State.SYNCED, State.AHEAD, State.WAITING)


class DeletedSoon(NamedTuple):
    """A session that Claude Code is about to delete here.

    Attributes:
        session: where it stands.
        due_ns: from when on, nanoseconds since the epoch; it does so at its next start after that.
        is_kept: whether all of it is in the store.
    """

    session: SessionState
    due_ns: int
    is_kept: bool


class Keeping(NamedTuple):
    """What is kept of this machine's sessions.

    Attributes:
        cleanup_days: after how many days without a change Claude Code deletes a session.
        gone: what is no longer in Claude Code's folder and can be brought back, newest first.
        soon: what it deletes within a week, the first to go first.
        has_store: whether the store could be looked at; else only the vault counts.
    """

    cleanup_days: int
    gone: tuple[Restorable, ...]
    soon: tuple[DeletedSoon, ...]
    has_store: bool


def keeping(context: Context) -> Keeping:
    """What is kept though Claude Code has deleted it here, and what it will delete this week.

    Args:
        context: what to work with. Where its store can't be reached, the vault alone counts.

    Raises:
        ClaudeHomeError: Claude Code's folder can't be read.
        LockBusy: another claude-sync is at work.
        Stopped: `context` said so.
    """
    with context.working("looking"):
        survey, has_store = look_anyway(context)
        states = states_surveyed(context, survey)
        found = restorable_surveyed(context, survey, states)
    days = context.home.cleanup_days()
    return Keeping(
        cleanup_days=days,
        gone=tuple(one for one in found if one.gone),
        soon=tuple(deleted_soon(states, days, time.time_ns())),
        has_store=has_store,
    )


def deleted_soon(
    sessions: Iterable[SessionState], cleanup_days: int, now_ns: int
) -> list[DeletedSoon]:
    """Which sessions Claude Code deletes within a week. Pure.

    Args:
        sessions: where every session stands.
        cleanup_days: after how many days without a change it does so.
        now_ns: nanoseconds since the epoch.

    Returns:
        the first to go first; none that is open.
    """
    found = []
    for one in sessions:
        due_ns = one.mtime_ns + cleanup_days * _DAY_NS
        if one.path is not None and not one.open and due_ns < now_ns + SOON_DAYS * _DAY_NS:
            found.append(DeletedSoon(one, due_ns, one.state in _IS_KEPT))
    return sorted(found, key=lambda one: (one.due_ns, one.session.session_id))
