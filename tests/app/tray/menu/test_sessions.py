"""The sessions in the menu: recent ones, those on other machines, conflicts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from claude_sync.model import State
from claude_sync.service.status import Status
from claude_sync.state.preferences import Preferences
from claude_sync_app.tray.conflict_choice import BOTH, MINE, THEIRS, keep_action
from claude_sync_app.tray.menu.menu import menu
from claude_sync_app.tray.menu.model import Item, update_in_place
from claude_sync_app.tray.verbs import Action, Verb
from tray_values import (
    AROUND,
    MINUTES,
    arrival,
    conflict,
    entry,
    outline,
    session,
    status,
)


def made(shown: Status, preferences: Preferences | None = None) -> Item:
    return menu(shown, MINUTES, preferences or Preferences(), AROUND)


# --- sessions ----------------------------------------------------------------------------------


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
    (recent,) = entry(made(status(sessions=(session(**more),))), "Recent").children
    assert recent.label == f"{mark}Fix the login bug — app — 5 minutes ago"


def test_only_so_many_recent_sessions_are_shown_and_only_those_of_this_machine() -> None:
    away = session("away", path=None, state=State.WAITING)
    many = (away, *(session(f"s{n}", f"Number {n}") for n in range(30)))
    for limit in (1, 10, 100):
        rows = entry(
            made(status(sessions=many), Preferences(recent_limit=limit)), "Recent"
        ).children
        assert [row.id for row in rows] == [f"session.s{n}" for n in range(min(limit, 30))]


@pytest.mark.parametrize(
    ("more", "present", "absent"),
    [
        ({"directory": None}, (), ("Resume", "Copy", "Open project")),
        ({"state": State.CHANGED}, ("Push now",), ("Pull",)),
        ({"undoable": True}, ("Undo",), ()),
        ({"undoable": True, "open": True}, (), ("Undo",)),
        ({"project_key": ""}, ("Pack",), ("Stop", "Share", "---")),
        ({"ignored": True, "state": State.CHANGED}, ("Push now", "Share app again"), ("Stop",)),
        ({"detail": "can't be read"}, ("can't be read (off)",), ()),
    ],
)
def test_only_what_can_be_done_with_a_session_is_offered(
    more: dict[str, Any], present: tuple[str, ...], absent: tuple[str, ...]
) -> None:
    (row,) = outline(made(status(sessions=(session(**more),))))[5][1]
    labels = row[1]
    assert [name for name in present if not any(one.startswith(name) for one in labels)] == []
    assert [name for name in absent if any(one.startswith(name) for one in labels)] == []


def test_what_is_newer_elsewhere_but_open_here_says_what_to_do() -> None:
    shown = made(status(arrivals=(arrival("a1", here=True, open=True),)))
    close = entry(shown, "Recent", "↓ ▶", "Close it here to pull from desktop")
    assert (close.enabled, close.action) == (False, None)
    assert "From other machines" not in [row.label for row in shown.children]
    asked_for = status(arrivals=(arrival("a1", here=True, open=True),), deferred=("a1",))
    waits = entry(made(asked_for), "Recent", "↓ ▶", "Pulled from desktop once it is closed here")
    assert (waits.id, waits.enabled) == (close.id, False)


def test_what_replaces_something_is_asked_for_by_itself_and_says_so() -> None:
    shown = made(status(arrivals=(arrival("a1", here=True, replaces=1),)))
    take = entry(shown, "Recent", "↓", "Take desktop's: it replaces 1 line that is only here")
    assert take.action == Action(Verb.REPLACE, "a1")
    assert entry(shown, "Nothing to pull").enabled is False


def test_of_a_machine_that_is_new_here_not_all_is_listed() -> None:
    arrivals = tuple(arrival(f"a{n}", f"Number {n}") for n in range(400))
    shown = made(status(arrivals=arrivals))
    rows = entry(shown, "From other machines").children
    assert [row.label.split(" — ")[0] for row in rows[:-1]] == [f"Number {n}" for n in range(10)]
    assert (rows[-1].label, rows[-1].action) == (
        "Choose from all 400…",
        Action(Verb.CHOOSE_ARRIVALS),
    )


def test_projects_without_a_folder_here_are_counted_by_project() -> None:
    def homeless(sid: str, key: str, **more: Any) -> Any:
        return session(sid, path=None, state=State.UNPLACED, project_key=key, **more)

    shown = status(
        sessions=(
            homeless("a", "git:github.com/you/web"),
            homeless("b", "name:site"),
            homeless("c", "git:github.com/you/web"),
            session("d", state=State.UNPLACED),
            session("e", path=None, state=State.GONE),
            session("f", path=None, state=State.INCOMPLETE),
        )
    )
    assert [row.label for row in entry(made(shown), "From other machines").children] == [
        "web — 2 need their folder…",
        "site — 1 needs its folder…",
        "1 is still arriving",
    ]


# --- conflicts ---------------------------------------------------------------------------------


def test_a_side_that_is_not_offered_is_shown_and_can_not_be_kept() -> None:
    state = conflict()
    mine, theirs = state.sides
    state = state._replace(sides=(mine._replace(offered=False), theirs))
    rows = entry(made(status(conflicts=(state,))), "Conflicts", "Both").children
    assert [row.enabled for row in rows] == [True, True, False, True]


def test_nothing_is_kept_of_a_session_that_is_open_here() -> None:
    rows = entry(made(status(conflicts=(conflict(open=True),))), "Conflicts", "Both").children
    assert [(row.label.split(" (")[0], row.enabled) for row in rows] == [
        ("Close it here before you choose", False),
        ("Compare…", True),
        ("Keep both", False),
        ("Keep this machine's", False),
        ("Keep desktop's", False),
    ]


def test_what_lost_something_can_be_brought_back_with_one_click() -> None:
    here, pushed = conflict().sides
    sides = (here, pushed._replace(machine="laptop", pushed_from_here=True))
    lost = conflict(sides=sides, shortened=True, detail="10 turns that were here are gone")
    rows = entry(made(status(conflicts=(lost,))), "Conflicts", "Both").children
    assert [(row.label.split(" (")[0], row.action) for row in rows] == [
        ("10 turns that were here are gone", None),
        ("Compare…", Action(Verb.COMPARE, "c1")),
        ("Keep both", keep_action(lost, BOTH)),
        ("Keep what is left here", keep_action(lost, MINE)),
        ("Bring back what was pushed from here", keep_action(lost, THEIRS)),
    ]


def test_of_what_lost_something_that_can_not_be_had_what_is_left_can_be_kept() -> None:
    here, _ = conflict().sides
    lost = conflict(sides=(here,), rivals=(), shortened=True, detail="a turn is gone")
    rows = entry(made(status(conflicts=(lost,))), "Conflicts", "Both").children
    labels = [row.label.split(" (")[0] for row in rows]
    assert labels == ["a turn is gone", "Keep what is left here"]


def test_what_lost_something_that_a_pull_puts_back_is_not_said_to_come_from_elsewhere() -> None:
    one = arrival("a1", "Fix it", here=True)
    one = replace(one, state=one.state._replace(shortened=True, detail="a turn is gone"))
    shown = status(sessions=(one.state,), arrivals=(one,))
    rows = entry(made(shown), "Recent sessions", "↓ Fix it").children
    labels = [row.label for row in rows]
    assert labels[:2] == ["a turn is gone", "Put back what it lost"]


def test_a_conflict_that_can_not_be_read_says_why_and_offers_nothing() -> None:
    state = conflict(sides=(), rivals=(), detail="the bundle is damaged")
    rows = entry(made(status(conflicts=(state,))), "Conflicts", "Both").children
    assert [(row.label, row.enabled) for row in rows] == [("the bundle is damaged", False)]


def test_in_an_open_menu_a_choice_that_was_overtaken_can_not_be_made() -> None:
    before = conflict()
    mine, theirs = before.sides
    longer = theirs._replace(version=theirs.version._replace(size=99))
    grown = before._replace(sides=(mine, longer))
    after = grown._replace(
        sides=(mine, theirs._replace(version=theirs.version._replace(sha256="x")))
    )
    held = update_in_place(made(status(conflicts=(before,))), made(status(conflicts=(after,))))
    rows = entry(held, "Conflicts", "Both").children
    assert [row.enabled for row in rows] == [True, False, False, False]


def test_of_very_many_conflicts_the_first_are_listed() -> None:
    many = tuple(conflict(f"c{n}") for n in range(25))
    rows = entry(made(status(conflicts=many)), "Conflicts (25)").children
    assert len(rows) == 21
    assert (rows[-1].label, rows[-1].enabled) == ("and 5 more after these", False)
