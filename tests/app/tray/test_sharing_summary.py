"""How much this machine shares, in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from claude_sync.model import SessionState, State
from claude_sync_app.tray.sharing_summary import describe, describe_older, describe_shared

NOW = 1_800_000_000.0
DAY = 86_400


def _session(
    key: str, size: int = 1_000_000, *, here: bool = True, days: float = 1, forgotten: bool = False
) -> SessionState:
    path = Path("/x.jsonl") if here else None
    used = int((NOW - days * DAY) * 1e9)
    return SessionState("s", "t", key, None, path, size, used, State.CHANGED, forgotten=forgotten)


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
        ([_session("git:a/x", days=8)], [], "No sessions yet, and those to come"),
        (
            [_session("git:a/x"), _session("git:a/z", forgotten=True)],
            [],
            "1 session of 1 project, 1.0 MB",
        ),
    ],
)
def test_what_goes_into_a_folder_that_is_shared_from_now_on(
    sessions: list[SessionState], ignored: list[str], text: str
) -> None:
    assert describe_shared(sessions, ignored, NOW) == text


@pytest.mark.parametrize(
    ("sessions", "ignored", "text"),
    [
        ([_session("git:a/x")], [], ""),
        (
            [_session("git:a/x", days=8), _session("git:b/y", days=8)],
            ["git:b/*"],
            "1 older session isn't copied until you push it.",
        ),
        (
            [_session("git:a/x", days=8)] * 8 + [_session("git:a/x")] * 12,
            [],
            "8 older sessions aren't copied until you push them.",
        ),
    ],
)
def test_what_does_not_is_said(sessions: list[SessionState], ignored: list[str], text: str) -> None:
    assert describe_older(sessions, ignored, NOW) == text


def test_sessions_that_are_pushed_however_old_are_all_counted() -> None:
    assert describe([_session("git:a/x", days=99)] * 2) == "2 sessions of 1 project, 2.0 MB"
