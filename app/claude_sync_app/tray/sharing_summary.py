"""What sharing will make readable for others, in words. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from claude_sync.model import SessionState
from claude_sync.service.schedule import RECENT_SECONDS
from claude_sync.sync.bundles.naming import is_ignored
from claude_sync.wording import count, size


def describe_shared(sessions: Sequence[SessionState], ignored: Sequence[str], now: float) -> str:
    """How much goes into a folder that is shared from now on: 412 sessions of 14 projects, 3.1 GB.

    What is older than a week goes only when it is asked for, and isn't counted.

    Args:
        sessions: all that are known.
        ignored: patterns of keys of projects that aren't shared.
        now: seconds since the epoch.
    """
    shared = [one for one in _sharable(sessions, ignored) if not _is_old(one, now)]
    return describe(shared) if shared else "No sessions yet, and those to come"


def describe_older(sessions: Sequence[SessionState], ignored: Sequence[str], now: float) -> str:
    """What stays here although it may be shared, a sentence; "" where there is none.

    Args:
        sessions, ignored, now: as `describe_shared` takes them.
    """
    older = sum(_is_old(one, now) for one in _sharable(sessions, ignored))
    if not older:
        return ""
    what, them = ("isn't", "it") if older == 1 else ("aren't", "them")
    return f"{count(older, 'older session')} {what} copied until you push {them}."


def describe(sessions: Sequence[SessionState]) -> str:
    """How much these are: 3 sessions of 2 projects, 2.0 MB."""
    projects = len({one.project_key for one in sessions})
    return (
        f"{count(len(sessions), 'session')} of {count(projects, 'project')}, "
        f"{size(sum(one.size for one in sessions))}"
    )


def _sharable(sessions: Sequence[SessionState], ignored: Sequence[str]) -> list[SessionState]:
    return [
        one
        for one in sessions
        if one.path is not None and not one.forgotten and not is_ignored(one.project_key, ignored)
    ]


def _is_old(session: SessionState, now: float) -> bool:
    return session.mtime_ns < (now - RECENT_SECONDS) * 1e9
