"""What sharing will make readable for others, in words. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from claude_sync.model import SessionState
from claude_sync.sync.bundles.naming import is_ignored
from claude_sync.wording import count, size


def describe_shared(sessions: Sequence[SessionState], ignored: Sequence[str]) -> str:
    """How much this machine has to share: 412 sessions of 14 projects, 3.1 GB.

    Args:
        sessions: all that are known.
        ignored: patterns of keys of projects that aren't shared.
    """
    shared = [
        one for one in sessions if one.path is not None and not is_ignored(one.project_key, ignored)
    ]
    if not shared:
        return "No sessions yet, and those to come"
    projects = len({one.project_key for one in shared})
    return (
        f"{count(len(shared), 'session')} of {count(projects, 'project')}, "
        f"{size(sum(one.size for one in shared))}"
    )
