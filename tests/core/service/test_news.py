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


@pytest.mark.parametrize(
    "directory", ["/home/me/app", "/home/me/app/src/deep"], ids=["its own", "below it"]
)
def test_what_another_machine_went_on_with_is_news_in_its_project(directory: str) -> None:
    expected = Answer((News(SESSION, "Fix", "laptop", 5, diverged=False),), 1)
    assert news_of(directory, [state()], LAPTOP) == expected


@pytest.mark.parametrize("directory", ["/home/me", "/home/me/app2", "/", "/home/me/other"])
def test_elsewhere_it_is_none(directory: str) -> None:
    assert news_of(directory, [state()], LAPTOP) == Answer()


def test_another_directory_of_the_same_project_counts_as_well() -> None:
    here = state(OTHER, Path("/home/me/worktree"), state=State.SYNCED)
    assert news_of("/home/me/worktree", [state(), here], LAPTOP).total == 1


def test_of_projects_in_one_another_the_nearest_one_counts() -> None:
    outer = state(directory=Path("/home/me"), key="name:~")
    inner = state(OTHER, state=State.SYNCED)
    assert news_of("/home/me/app", [outer, inner], LAPTOP) == Answer()
    assert news_of("/home/me/elsewhere", [outer, inner], LAPTOP).total == 1


def test_what_diverged_is_news_too_and_names_the_other_machine() -> None:
    diverged = state(state=State.CONFLICT, rivals=("desktop", "laptop"))
    expected = Answer((News(SESSION, "Fix", "desktop", 0, diverged=True),), 1)
    assert news_of("/home/me/app", [diverged], {}) == expected


@pytest.mark.parametrize(
    "change",
    [
        {"state": State.SYNCED},
        {"state": State.CHANGED},
        {"state": State.GONE},
        {"state": State.CONFLICT},
        {"directory": None},
        {"project_key": ""},
    ],
    ids=str,
)
def test_nothing_else_is(change: dict[str, Any]) -> None:
    assert news_of("/home/me/app", [state(**change)], LAPTOP) == Answer()


def test_what_waits_but_is_no_arrival_is_none() -> None:
    assert news_of("/home/me/app", [state()], {}) == Answer()
