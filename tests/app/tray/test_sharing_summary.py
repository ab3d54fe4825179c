"""How much this machine shares, in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from claude_sync.model import SessionState, State
from claude_sync_app.tray.sharing_summary import describe_shared


def _session(key: str, size: int = 1_000_000, *, here: bool = True) -> SessionState:
    path = Path("/x.jsonl") if here else None
    return SessionState("s", "t", key, None, path, size, 0, State.CHANGED)


@pytest.mark.parametrize(
    ("sessions", "ignored", "text"),
    [
        ([], [], "No sessions yet, and those to come"),
        ([_session("git:a/x")], [], "1 session of 1 project, 1.0 MB"),
        (
            [_session("git:a/x"), _session("git:a/x"), _session("git:a/y", 900)],
            [],
            "3 sessions of 2 projects, 2.0 MB",
        ),
        ([_session("git:a/x"), _session("git:b/y")], ["git:b/*"], "1 session of 1 project, 1.0 MB"),
        ([_session("git:b/y")], ["GIT:B/*"], "No sessions yet, and those to come"),
        ([_session("git:a/x", here=False)], [], "No sessions yet, and those to come"),
    ],
)
def test_what_will_be_describe_shared(
    sessions: list[SessionState], ignored: list[str], text: str
) -> None:
    assert describe_shared(sessions, ignored) == text
