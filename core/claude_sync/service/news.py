"""What is newer elsewhere, or has diverged, in one project. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from claude_sync.model import Bundle, BundleHead, SessionState, State
from claude_sync.service.messages import Answer, News, likeliest_first
from claude_sync.sync.rivals import newest_of_each


def news_of(
    project: str,
    sessions: Iterable[SessionState],
    arrivals: Mapping[str, tuple[str, int]],
) -> Answer:
    """What a person who begins to work in a project would want to know.

    Args:
        project: its key.
        sessions: every session, as it stands.
        arrivals: for each that waits, the machine that went on with it, and when in nanoseconds.
    """
    found = []
    for one in sessions:
        if one.project_key != project:
            continue
        if one.state is State.WAITING and one.session_id in arrivals:
            machine, moment_ns = arrivals[one.session_id]
            found.append(News(one.session_id, one.title, machine, moment_ns, diverged=False))
        elif one.state is State.UNPLACED and one.path is None and one.rivals:
            # Nobody knew the directory until now: somebody has just cloned the project.
            found.append(_news_of_unplaced(one))
        elif one.state is State.CONFLICT and one.rivals:
            found.append(News(one.session_id, one.title, one.rivals[0], 0, diverged=True))
    return likeliest_first(found)


def _news_of_unplaced(one: SessionState) -> News:
    return News(one.session_id, one.title, one.rivals[0], one.mtime_ns, diverged=False)


def arriving(state: SessionState, bundles: Sequence[Bundle]) -> BundleHead | None:
    """What a session that waits is to become; None where its bundles don't tell.

    Args:
        state: where it stands.
        bundles: what the store holds of it.
    """
    heads = [bundle.head for bundle in newest_of_each(bundles)]
    rivals = [head for head in heads if head.machine in state.rivals]
    return max(rivals, key=lambda one: (one.size, one.sha256), default=None)
