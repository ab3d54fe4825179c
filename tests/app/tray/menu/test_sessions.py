"""The sessions in the menu: a row each, and what a click on it does."""

from __future__ import annotations

from typing import Any

import pytest

from claude_sync.model import State
from claude_sync.service.status import Status
from claude_sync.state.preferences import Preferences
from claude_sync_app.tray.menu.menu import menu
from claude_sync_app.tray.menu.model import Item, update_in_place
from claude_sync_app.tray.verbs import Action, Verb
from claude_sync_app.tray.window_pages import open_window
from tray_values import AROUND, MINUTES, arrival, conflict, minutes_ago, session, status


def rows(shown: Status, preferences: Preferences | None = None) -> list[Item]:
    made = menu(shown, MINUTES, preferences or Preferences(), AROUND)
    return [row for row in made.children if row.id.startswith("session.")]


@pytest.mark.parametrize(
    ("more", "mark"),
    [
        ({}, ""),
        ({"state": State.CHANGED}, "• "),
        ({"state": State.WAITING}, "↓ "),
        ({"state": State.CONFLICT}, "! "),
        ({"state": State.AHEAD}, ""),
        ({"open": True}, "▶ "),
        ({"state": State.CHANGED, "open": True}, "• ▶ "),
    ],
)
def test_a_mark_says_how_a_session_stands(more: dict[str, Any], mark: str) -> None:
    (row,) = rows(status(sessions=(session(**more),)))
    assert row.label == f"{mark}Fix the login bug — app — 5 minutes ago"


def test_the_last_five_of_all_machines_are_shown_by_use() -> None:
    # Last used here days ago, and elsewhere a minute ago.
    away = arrival("away", here=True, minutes=1, mtime_ns=minutes_ago(5000))
    gone = session("gone", path=None, state=State.GONE)
    many = (gone, *(session(f"s{n}", f"Number {n}") for n in range(30)), away.state)
    shown = status(sessions=many, arrivals=(away,))
    for limit in (1, 5, 10, 100):
        ids = [row.id for row in rows(shown, Preferences(recent_limit=limit))]
        assert ids == ["session.away", *(f"session.s{n}" for n in range(min(limit, 5) - 1))]


HERE: dict[str, Any] = {"here": True}
LIKELIEST: list[tuple[Any, Action]] = [
    (session("s1"), Action(Verb.RESUME, "s1")),
    (session("s1", state=State.CHANGED), Action(Verb.RESUME, "s1")),
    (session("s1", open=True), open_window("session/s1")),
    (session("s1", directory=None), open_window("session/s1")),
    (conflict("s1"), open_window("conflict/s1")),
    (conflict("s1", shortened=True), open_window("conflict/s1")),
    (arrival("s1"), Action(Verb.PULL_AND_RESUME, "s1")),
    (arrival("s1", here=True), Action(Verb.PULL_AND_RESUME, "s1")),
    (arrival("s1", here=True, open=True), open_window("session/s1")),
    (arrival("s1", here=True, replaces=3), open_window("conflict/s1")),
    (arrival("s1", here=True, shortened=True), open_window("conflict/s1")),
    (
        session("s1", path=None, state=State.UNPLACED, project_key="name:site"),
        Action(Verb.ADD_PROJECT_FOLDER, "name:site"),
    ),
]


@pytest.mark.parametrize(("one", "action"), LIKELIEST)
def test_a_click_does_what_is_likeliest(one: Any, action: Action) -> None:
    waiting = (one,) if hasattr(one, "state") and hasattr(one, "pushed_at") else ()
    state = one.state if waiting else one
    split = (state,) if state.state is State.CONFLICT else ()
    (row,) = rows(status(sessions=(state,), arrivals=waiting, conflicts=split))
    assert (row.action, row.enabled) == (action, True)


def test_what_is_elsewhere_names_the_machine_and_what_it_lacks_here() -> None:
    away = arrival("s1", minutes=2)
    homeless = session("s2", "Site", path=None, state=State.UNPLACED, project_key="name:site")
    coming = session("s3", "Coming", path=None, state=State.INCOMPLETE)
    found = rows(status(sessions=(away.state, homeless, coming), arrivals=(away,)))
    assert [(row.label, row.enabled) for row in found] == [
        ("↓ Refactor the parser — api — desktop, 2 minutes ago", True),
        ("Site — site — 5 minutes ago — needs its folder…", True),
        ("Coming — app — 5 minutes ago — still arriving", False),
    ]


def test_two_of_one_name_are_told_apart() -> None:
    both = (
        session("0f4c1d9e-1", mtime_ns=minutes_ago(5)),
        session("d0d0d0d0-2"),
        session("x", "Y"),
    )
    assert [row.label for row in rows(status(sessions=both))] == [
        "Fix the login bug (0f4c1d9e) — app — 5 minutes ago",
        "Fix the login bug (d0d0d0d0) — app — 5 minutes ago",
        "Y — app — 5 minutes ago",
    ]


def test_in_an_open_menu_a_row_that_came_to_mean_something_else_can_not_be_clicked() -> None:
    before = menu(status(sessions=(session("s1"),)), MINUTES, Preferences(), AROUND)
    split = conflict("s1", "Fix the login bug")
    after = menu(status(conflicts=(split,)), MINUTES, Preferences(), AROUND)
    held = update_in_place(before, after)
    (row,) = (one for one in held.children if one.id == "session.s1")
    assert (row.action, row.enabled) == (Action(Verb.RESUME, "s1"), False)
