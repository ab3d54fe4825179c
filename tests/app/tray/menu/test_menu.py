"""The whole menu, as values."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_sync import __version__
from claude_sync.model import Level, Progress, State
from claude_sync.service.status import Status
from claude_sync.state.preference_kinds import Notifications
from claude_sync.state.preferences import Preferences
from claude_sync_app.desktop.synced_folders import SyncedFolder
from claude_sync_app.tray.environment import Environment
from claude_sync_app.tray.menu.menu import menu
from claude_sync_app.tray.menu.model import Item, update_in_place, walk
from claude_sync_app.tray.verbs import Action, Verb
from claude_sync_app.tray.window_pages import open_window
from tray_values import (
    AROUND,
    HOME,
    MINUTES,
    NOW,
    arrival,
    conflict,
    entry,
    minutes_ago,
    outline,
    session,
    status,
    warning,
)


def made(
    shown: Status, preferences: Preferences | None = None, around: Environment = AROUND
) -> Item:
    return menu(shown, MINUTES, preferences or Preferences(), around)


PREFERENCES = (
    "Preferences",
    [
        "Push when a session changes",
        "---",
        "When one arrives: ask me",
        "When one arrives: pull it",
        "When one arrives: do nothing",
        "---",
        "Notifications",
        "Titles in notifications",
        "Start at login",
        "---",
        "Shared folder…",
        "All settings…",
    ],
)
REST = [
    ("Pause", ["For an hour", "Until I resume"]),
    PREFERENCES,
    "Help",
    f"About claude-sync {__version__}",
    "Quit",
]


def test_where_all_is_well_there_is_nothing_to_do() -> None:
    assert outline(made(status())) == [
        "Up to date — 2 minutes ago (off)",
        "Open claude-sync",
        "---",
        "Nothing to push (off)",
        "Nothing to pull (off)",
        "---",
        *REST,
    ]


def test_everything_that_there_can_be_stands_in_its_place() -> None:
    here = session("s1", state=State.CHANGED, mtime_ns=minutes_ago(0), open=True)
    newer = arrival("s2", "Write the docs", "nas", here=True)
    old = session("s3", "Old thing", mtime_ns=minutes_ago(60))
    away = arrival("s4", was_open=True)
    split = conflict("s6", mtime_ns=minutes_ago(120))
    shown = status(
        sessions=(here, newer.state, old, away.state, split, session("s7")),
        to_push=("s1", "s9"),
        older=("s9",),
        arrivals=(newer, away),
        conflicts=(split,),
        findings=(warning(),),
    )
    assert outline(made(shown)) == [
        "1 conflict, 1 changed here, 2 waiting from desktop and nas, doctor: 1 warning (off)",
        "Open claude-sync",
        "---",
        "Push 1 session",
        "Pull 2 sessions",
        "Push older ones (1)…",
        "---",
        "• ▶ Fix the login bug — app — just now",
        "↓ Write the docs — app — nas, 10 minutes ago",
        "↓ Refactor the parser — api — desktop, 10 minutes ago",
        "Old thing — app — 1 hour ago",
        "! Both went on — app — 2 hours ago",
        "More sessions…",
        "1 conflict…",
        "Doctor: 1 warning…",
        "---",
        *REST,
    ]


def test_the_menu_has_two_levels_and_no_two_entries_bear_one_id() -> None:
    around = replace(AROUND, plugin=True)
    shown = status(
        location="~/claude-sync",
        label="~/claude-sync",
        sessions=(session("s1"), session("s2", ignored=True), session("s3", detail="x", open=True)),
        arrivals=(arrival("s1", here=True), arrival("s4")),
        conflicts=(conflict("s1"), conflict("s3")),
        findings=(warning("w", "a"), warning("w", "b"), warning("v", "c")),
        older=("s9",),
        error="x",
    )
    made_of = made(shown, Preferences(ignored_findings=("v",)), around)
    ids = [item.id for item in walk(made_of)]
    assert len(ids) > 30
    assert sorted(ids) == sorted(set(ids))
    assert [item.id for row in made_of.children for item in row.children if item.children] == []


# --- what the entries do -----------------------------------------------------------------------

S1 = session("s1", state=State.CHANGED, undoable=True)
PRIVATE = status(location="~/claude-sync", label="~/claude-sync")
CLICKS: list[tuple[Status, tuple[str, ...], Action]] = [
    (status(), ("Open claude-sync",), open_window()),
    (status(to_push=("s1",)), ("Push 1",), Action(Verb.PUSH_ALL)),
    (status(arrivals=(arrival(),)), ("Pull 1",), Action(Verb.PULL_ALL)),
    (status(older=("a", "b")), ("Push older ones (2)…",), Action(Verb.PUSH_OLDER)),
    (status(sessions=(S1,)), ("• Fix the login bug",), Action(Verb.RESUME, "s1")),
    (status(sessions=(S1,)), ("More sessions…",), open_window()),
    (status(conflicts=(conflict(),)), ("1 conflict…",), open_window("conflict/c1")),
    (
        status(conflicts=(conflict(), conflict("c2"))),
        ("2 conflicts…",),
        open_window("sessions?state=conflict"),
    ),
    (status(findings=(warning(),)), ("Doctor: 1 warning…",), open_window("doctor")),
    (status(), ("Pause", "For an hour"), Action(Verb.PAUSE, detail="hour")),
    (status(), ("Pause", "Until I resume"), Action(Verb.PAUSE)),
    (status(paused_until=NOW + 1), ("Resume syncing",), Action(Verb.UNPAUSE)),
    (status(error="x"), ("Try again",), Action(Verb.RETRY)),
    (status(offline_since=NOW), ("Try again",), Action(Verb.RETRY)),
    (PRIVATE, ("Choose shared folder…",), open_window("settings/store")),
    (status(location="", label=""), ("Choose shared",), open_window("settings/store")),
    (status(), ("Preferences", "Push when"), Action(Verb.SET, "push_on_change", "false")),
    (
        status(),
        ("Preferences", "When one arrives: pull it"),
        Action(Verb.SET, "on_arrival", '"pull"'),
    ),
    (status(), ("Preferences", "Titles in"), Action(Verb.SET, "show_titles", "false")),
    (status(), ("Preferences", "Start at"), Action(Verb.START_AT_LOGIN, detail="off")),
    (status(), ("Preferences", "Shared folder…"), open_window("settings/store")),
    (status(), ("Preferences", "All settings…"), open_window("settings")),
    (status(), ("Help",), Action(Verb.HELP)),
    (status(), ("About",), Action(Verb.ABOUT)),
    (status(), ("Quit",), Action(Verb.QUIT)),
]


@pytest.mark.parametrize(("shown", "path", "action"), CLICKS)
def test_a_click_asks_for_what_the_entry_says(
    shown: Status, path: tuple[str, ...], action: Action
) -> None:
    found = entry(made(shown), *path)
    assert (found.action, found.enabled) == (action, True)


def test_whatever_can_be_clicked_does_something() -> None:
    for shown, _, _ in CLICKS:
        for item in walk(made(shown)):
            if item.enabled and not item.separator and not item.children:
                assert item.action is not None, item.label


# --- the two main ones -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("holds", "push", "pull"),
    [
        ({"to_push": ("a",)}, "Push 1 session", "Nothing to pull (off)"),
        (
            {"to_push": ("a", "b"), "older": ("a", "b")},
            "Nothing to push (off)",
            "Nothing to pull (off)",
        ),
        (
            {"arrivals": (arrival("a"), arrival("b", here=True, open=True))},
            "Nothing to push (off)",
            "Pull 1 session",
        ),
        (
            {"to_push": ("a",), "activity": Progress("Pushing")},
            "Pushing… (off)",
            "Nothing to pull (off)",
        ),
        (
            {"arrivals": (arrival(),), "activity": Progress("Pulling")},
            "Nothing to push (off)",
            "Pulling… (off)",
        ),
        (
            {"to_push": ("a",), "activity": Progress("Undoing")},
            "Push 1 session",
            "Nothing to pull (off)",
        ),
        ({"to_push": ("a",), "paused_until": NOW + 9}, "Push 1 session", "Nothing to pull (off)"),
    ],
)
def test_the_two_main_entries_count_what_can_be_done_now(
    holds: dict[str, Any], push: str, pull: str
) -> None:
    assert outline(made(status(**holds)))[3:5] == [push, pull]


def test_in_an_open_menu_the_main_entries_stay_and_change_what_they_say() -> None:
    before = made(status(to_push=("s1",), sessions=(S1,)))
    held = update_in_place(before, made(status(activity=Progress("Pushing"), sessions=(S1,))))
    assert outline(held)[3:5] == ["Pushing… (off)", "Nothing to pull (off)"]
    after = update_in_place(held, made(status(sessions=(S1._replace(state=State.SYNCED),))))
    assert outline(after)[3:5] == ["Nothing to push (off)", "Nothing to pull (off)"]


# --- the doctor --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("findings", "label"),
    [
        ((warning(level=Level.OK),), None),
        ((), None),
        ((warning(level=Level.INFO),), None),
        ((warning("ignored"),), None),
        ((warning(level=Level.ERROR), warning("w2")), "Doctor: 1 error, 1 warning…"),
    ],
)
def test_the_doctor_is_in_the_menu_where_it_warns(
    findings: tuple[Any, ...], label: str | None
) -> None:
    shown = made(status(findings=findings), Preferences(ignored_findings=("ignored",)))
    labels = [row.label for row in shown.children]
    assert [one for one in labels if one.startswith("Doctor")] == ([label] if label else [])


# --- the shared folder ----------------------------------------------------------------------------


@pytest.mark.parametrize("location", ["~/claude-sync", f"{HOME}/claude-sync"])
def test_at_the_first_start_the_menu_says_that_no_other_machine_sees_them(location: str) -> None:
    shown = made(status(location=location, label="~/claude-sync"))
    assert outline(shown)[:5] == [
        "Up to date — 2 minutes ago (off)",
        "Shared folder: ~/claude-sync (this machine only) (off)",
        "Choose shared folder…",
        "Open claude-sync",
        "---",
    ]


@pytest.mark.parametrize(
    "holds",
    [
        {"location": "/srv/share", "label": "/srv/share"},
        {"location": "ssh://nas/~/claude-sync", "label": "nas", "remote": True},
        # Another machine reaches this one's folder over ssh.
        {"location": "~/claude-sync", "sessions": (session(machines=("desktop", "laptop")),)},
    ],
)
def test_anywhere_else_it_does_not(holds: dict[str, Any]) -> None:
    labels = [row.label for row in made(status(**holds)).children]
    assert not any("machine only" in label for label in labels)


def test_a_synced_folder_of_that_name_is_no_private_one() -> None:
    around = replace(AROUND, synced_folders=(SyncedFolder("Syncthing", f"{HOME}/claude-sync"),))
    shown = made(status(location="~/claude-sync"), around=around)
    assert not any("machine only" in row.label for row in shown.children)


def test_before_a_place_is_chosen_choosing_one_comes_first() -> None:
    shown = made(status(location="", label=""))
    assert outline(shown)[:2] == ["Choose a shared folder (off)", "Choose shared folder…"]


# --- preferences -------------------------------------------------------------------------------


def marks(preferences: Preferences, around: Environment = AROUND) -> dict[str, bool]:
    return {
        item.label: item.checked
        for item in walk(made(status(), preferences, around))
        if item.checked is not None
    }


def test_marks_say_what_is_chosen() -> None:
    defaults = {
        "Push when a session changes": True,
        "When one arrives: ask me": True,
        "When one arrives: pull it": False,
        "When one arrives: do nothing": False,
        "Notifications": True,
        "Titles in notifications": True,
        "Start at login": True,
    }
    assert marks(Preferences()) == defaults
    none = Notifications(*[False] * 6)
    others = Preferences(
        push_on_change=False, on_arrival="nothing", notifications=none, show_titles=False
    )
    off = Environment(autostart=False, home=HOME)
    assert marks(others, off) == {
        **dict.fromkeys(defaults, False),
        "When one arrives: do nothing": True,
    }
    assert "Start at login" not in marks(Preferences(), Environment(home=HOME))


@pytest.mark.parametrize(("has_it", "wanted"), [(True, "off"), (False, "on")])
def test_the_switch_of_the_plugin_shows_what_the_client_has(has_it: bool, wanted: str) -> None:
    environment = Environment(plugin=has_it, home=HOME)
    item = entry(made(status(), around=environment), "Preferences", "Inside Claude Code")
    assert item.checked is has_it
    assert item.action is not None
    assert (str(item.action.verb), item.action.detail) == ("inside-client", wanted)


def test_without_a_client_there_is_no_switch_of_the_plugin() -> None:
    rows = entry(made(status(), around=Environment(home=HOME)), "Preferences").children
    assert "Inside Claude Code" not in [row.label for row in rows]


@pytest.mark.parametrize(
    ("kinds", "switched"),
    [
        (Notifications(), False),
        (Notifications(arrival=False), False),
        (Notifications(*[False] * 6), True),
    ],
)
def test_notifications_are_switched_all_at_once(kinds: Notifications, switched: bool) -> None:
    item = entry(made(status(), Preferences(notifications=kinds)), "Preferences", "Notifications")
    assert item.action is not None
    assert item.action[:2] == ("set", "notifications")
    assert json.loads(item.action.detail) == dict.fromkeys(Notifications._fields, switched)


# --- other people's text -----------------------------------------------------------------------

HOSTILE = "<b>_&a&amp;\n\x1b[31mred\x07 \u202eevil\u202c \U0001f600 " + "x" * 300


def test_titles_are_one_short_line_and_nothing_in_them_acts() -> None:
    shown = status(
        sessions=(session(title=HOSTILE, project_key="git:h/" + HOSTILE),),
        arrivals=(arrival(title=HOSTILE, machine=HOSTILE),),
        conflicts=(conflict(title=HOSTILE),),
        findings=(warning(title=HOSTILE),),
    )
    for item in walk(made(shown)):
        assert "\n" not in item.label
        assert "\x1b" not in item.label
        assert "\u202e" not in item.label
        assert len(item.label) <= 160, item.label
    first = next(row for row in made(shown).children if row.id == "session.s1").label
    assert first.startswith("<b>_&a&amp; [31mred evil \U0001f600 xxx")


def test_a_long_reason_does_not_make_the_menu_wide() -> None:
    shown = made(status(offline_since=NOW, offline_message="it is " + "far " * 40 + "away"))
    assert shown.children[0].label.startswith("Offline — it is far")
    assert len(shown.children[0].label) == 90


def test_a_session_without_a_title_is_known_by_its_id() -> None:
    row = entry(made(status(sessions=(session("0f4c1d9e-1111", "\x00"),))), "Untitled")
    assert row.label == "Untitled 0f4c1d9e — app — 5 minutes ago"


@given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_whatever_things_are_called_there_is_a_menu(title: str, key: str, machine: str) -> None:
    shown = status(
        sessions=(session(title=title, project_key=key, detail=machine),),
        arrivals=(arrival(title=title, machine=machine),),
        conflicts=(conflict(title=title, project_key=key, rivals=(machine, title)),),
        label=title,
        error=key,
    )
    for item in walk(made(shown)):
        item.label.encode()
        assert "\n" not in item.label


def test_a_thousand_sessions_make_no_longer_menu_than_ten() -> None:
    many = tuple(session(f"s{n}", directory=Path("/x")) for n in range(1_000))
    assert len(list(walk(made(status(sessions=many))))) < 40
