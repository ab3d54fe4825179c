"""What will be readable where sessions meet, in words. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from claude_sync.model import SessionState
from claude_sync.wording import count, size


def readable(sessions: Sequence[SessionState], ignored: Sequence[str]) -> str:
    """How many sessions of this machine there are to share: 412 sessions of 14 projects, 3.1 GB.

    Args:
        sessions: all that are known.
        ignored: patterns of keys of projects that aren't shared.
    """
    shared = [
        one for one in sessions if one.path is not None and not matches(one.project_key, ignored)
    ]
    if not shared:
        return "No session so far, and those to come"
    projects = len({one.project_key for one in shared})
    return (
        f"{count(len(shared), 'session')} of {count(projects, 'project')}, "
        f"{size(sum(one.size for one in shared))}"
    )


def matches(key: str, patterns: Sequence[str]) -> bool:
    """Whether a project is ignored, as core reads the preference."""
    return any(fnmatchcase(key, pattern.lower()) for pattern in patterns)


def pattern_of(key: str) -> str:
    """The pattern that fits one key and no other."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in key)
