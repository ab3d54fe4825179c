"""What is said to whoever begins to work in a directory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from claude_sync.model import SessionState, State
from claude_sync.service.messages import Answer, News
from claude_sync.service.news import news_of
from machines import KEY, OTHER, SESSION

APP = Path("/home/me/app")
LAPTOP = {SESSION: ("laptop", 5)}


def state(
    session_id: str = SESSION, directory: Path | None = APP, key: str = KEY, **more: Any
) -> SessionState:
    plain = SessionState(session_id, "Fix", key, directory, None, 1, 3, State.WAITING)
    return plain._replace(**more)


def test_what_another_machine_went_on_with_is_news_in_its_project() -> None:
    expected = Answer((News(SESSION, "Fix", "laptop", 5, diverged=False),), 1)
    assert news_of(KEY, [state(), state(OTHER, key="name:other")], LAPTOP) == expected


def test_what_has_no_directory_here_yet_is_news_to_whoever_has_just_cloned_its_project() -> None:
    unplaced = state(directory=None, state=State.UNPLACED, rivals=("laptop",))
    expected = Answer((News(SESSION, "Fix", "laptop", 3, diverged=False),), 1)
    assert news_of(KEY, [unplaced], {}) == expected
    assert news_of(KEY, [unplaced._replace(path=Path("/x.jsonl"))], {}) == Answer()
    assert news_of(KEY, [unplaced._replace(rivals=())], {}) == Answer()


def test_what_diverged_is_news_too_and_names_the_other_machine() -> None:
    diverged = state(state=State.CONFLICT, rivals=("desktop", "laptop"))
    expected = Answer((News(SESSION, "Fix", "desktop", 0, diverged=True),), 1)
    assert news_of(KEY, [diverged], {}) == expected


@pytest.mark.parametrize(
    "change",
    [
        {"state": State.SYNCED},
        {"state": State.CHANGED},
        {"state": State.GONE},
        {"state": State.CONFLICT},
        {"project_key": ""},
    ],
    ids=str,
)
def test_nothing_else_is(change: dict[str, Any]) -> None:
    assert news_of(KEY, [state(**change)], LAPTOP) == Answer()


def test_what_waits_but_is_no_arrival_is_none() -> None:
    assert news_of(KEY, [state()], {}) == Answer()
