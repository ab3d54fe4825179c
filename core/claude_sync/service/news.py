"""What is newer elsewhere, or has diverged, in the project of one directory. Pure."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from claude_sync.model import SessionState, State
from claude_sync.service.messages import Answer, News, likeliest_first


def news_of(
    directory: str,
    sessions: Iterable[SessionState],
    arrivals: Mapping[str, tuple[str, int]],
) -> Answer:
    """What a person who begins to work in a directory would want to know.

    Args:
        directory: absolute, as the client spells it.
        sessions: every session, as it stands.
        arrivals: for each that waits, the machine that went on with it, and when in nanoseconds.
    """
    sessions = list(sessions)
    keys = _keys_at(Path(directory), sessions)
    found = []
    for one in sessions:
        if one.project_key not in keys:
            continue
        if one.state is State.WAITING and one.session_id in arrivals:
            machine, moment_ns = arrivals[one.session_id]
            found.append(News(one.session_id, one.title, machine, moment_ns, diverged=False))
        elif one.state is State.CONFLICT and one.rivals:
            found.append(News(one.session_id, one.title, one.rivals[0], 0, diverged=True))
    return likeliest_first(found)


def _keys_at(directory: Path, sessions: Iterable[SessionState]) -> frozenset[str]:
    """The keys of the projects that a directory is in: of the nearest one with sessions."""
    above = [os.path.normcase(path) for path in (directory, *directory.parents)]
    keys: dict[str, set[str]] = {}
    for one in sessions:
        if one.directory is not None and one.project_key:
            keys.setdefault(os.path.normcase(one.directory), set()).add(one.project_key)
    return frozenset(next((keys[path] for path in above if path in keys), ()))
