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


STORES = [
    "Now: Dropbox (off)",
    "---",
    "Other folder…",
    "A host over ssh…",
    "A cloud by rclone…",
    "---",
    "Leave shared folder…",
]
PREFERENCES = (
    "Preferences",
    [
        "Push when a session changes",
        ("When a session arrives", ["Ask me", "Pull it", "Do nothing"]),
        "Notifications",
        "Titles in notifications",
        "Start at login",
        ("Choose shared folder", STORES),
        "Open preferences file",
    ],
)
REST = [
    "Pause for an hour",
    "Pause",
    PREFERENCES,
    "Open claude-sync",
    "Open shared folder",
    "Show log",
    "Help",
    f"About claude-sync {__version__}",
    "---",
    "Quit",
]


def test_where_all_is_well_there_is_nothing_to_do() -> None:
    assert outline(made(status())) == [
        "Up to date — 2 minutes ago (off)",
        "---",
        "Nothing to push (off)",
        "Nothing to pull (off)",
        "---",
        *REST,
    ]


def test_everything_that_there_can_be_stands_in_its_place() -> None:
    here = session("s1", state=State.CHANGED, mtime_ns=minutes_ago(0), open=True)
    newer = arrival("s2", "Write the docs", "nas", here=True)
    undone = session("s3", "Old thing", undoable=True, mtime_ns=minutes_ago(60))
    away = arrival("s4", was_open=True)
    unplaced = session("s5", path=None, state=State.UNPLACED, project_key="name:site")
    split = conflict("s6", mtime_ns=minutes_ago(120))
    shown = status(
        sessions=(here, newer.state, undone, split, away.state, unplaced),
        to_push=("s1", "s9"),
        older=("s9",),
        arrivals=(newer, away),
        conflicts=(split,),
        findings=(warning(),),
    )
    common = ["Copy resume command", "Open project folder", "Pack to file…", "---"]
    assert outline(made(shown)) == [
        "1 conflict, 1 changed here, 2 waiting from desktop and nas, doctor: 1 warning (off)",
        "---",
        "Push 1 session",
        "Pull 2 sessions",
        "Push older ones (1)…",
        "---",
        (
            "Recent sessions",
            [
                (
                    "• ▶ Fix the login bug — app — just now",
                    ["Push now", "Resume in terminal (off)", *common, "Stop sharing app…"],
                ),
                (
                    "↓ Write the docs — app — 5 minutes ago",
                    ["Pull from nas", "Resume in terminal", *common, "Stop sharing app…"],
                ),
                (
                    "Old thing — app — 1 hour ago",
                    ["Resume in terminal", *common, "Undo the last pull", "Stop sharing app…"],
                ),
                (
                    "! Both went on — app — 2 hours ago",
                    ["Resume in terminal", *common, "Stop sharing app…"],
                ),
            ],
        ),
        (
            "From other machines",
            [
                (
                    "Refactor the parser — api — desktop, 10 minutes ago",
                    ["Pull", "Pull and resume"],
                ),
                "site — 1 needs its folder…",
            ],
        ),
        (
            "Conflicts (1)",
            [
                (
                    "Both went on — app — desktop",
                    [
                        "Compare…",
                        "Keep both",
                        "Keep this machine's (12 lines more since they diverged, 5 minutes ago)",
                        "Keep desktop's (3 lines more since they diverged, 1 hour ago)",
                    ],
                )
            ],
        ),
        ("Doctor: 1 warning", ["The clock is off", "---", "Check again"]),
        "---",
        *REST,
    ]


def test_no_two_entries_bear_one_id() -> None:
    around = replace(AROUND, synced_folders=(SyncedFolder("A", "/a"), SyncedFolder("B", "/b")))
    shown = status(
        location="~/claude-sync",
        label="~/claude-sync",
        sessions=(session("s1"), session("s2", ignored=True), session("s3", detail="x", open=True)),
        arrivals=(arrival("s1", here=True), arrival("s4")),
        conflicts=(conflict("s1"), conflict("s3")),
        findings=(warning("w", "a"), warning("w", "b"), warning("v", "c")),
        error="x",
    )
    ids = [item.id for item in walk(made(shown, Preferences(ignored_findings=("v",)), around))]
    assert len(ids) > 60
    assert sorted(ids) == sorted(set(ids))


# --- what the entries do -----------------------------------------------------------------------

S1 = session("s1", state=State.CHANGED, undoable=True)
CLICKS: list[tuple[Status, tuple[str, ...], Action]] = [
    (status(to_push=("s1",)), ("Push 1",), Action(Verb.PUSH_ALL)),
    (status(arrivals=(arrival(),)), ("Pull 1",), Action(Verb.PULL_ALL)),
    (status(older=("a", "b")), ("Push older ones (2)…",), Action(Verb.PUSH_OLDER)),
    (status(sessions=(S1,)), ("Recent", "•", "Push now"), Action(Verb.PUSH, "s1")),
    (status(sessions=(S1,)), ("Recent", "•", "Resume in"), Action(Verb.RESUME, "s1")),
    (status(sessions=(S1,)), ("Recent", "•", "Copy"), Action(Verb.COPY_COMMAND, "s1")),
    (status(sessions=(S1,)), ("Recent", "•", "Open project"), Action(Verb.OPEN_PROJECT, "s1")),
    (status(sessions=(S1,)), ("Recent", "•", "Pack"), Action(Verb.PACK, "s1")),
    (status(sessions=(S1,)), ("Recent", "•", "Undo"), Action(Verb.UNDO, "s1")),
    (
        status(sessions=(S1,)),
        ("Recent", "•", "Stop sharing app…"),
        Action(Verb.STOP_SHARING, "git:github.com/you/app"),
    ),
    (
        status(sessions=(session(ignored=True),)),
        ("Recent", "Fix", "Share app again"),
        Action(Verb.SHARE_AGAIN, "git:github.com/you/app"),
    ),
    (
        status(arrivals=(arrival("a1", here=True),)),
        ("Recent", "↓", "Pull from desktop"),
        Action(Verb.PULL, "a1"),
    ),
    (
        status(arrivals=(arrival("a1"),)),
        ("From", "Refactor", "Pull and"),
        Action(Verb.PULL_AND_RESUME, "a1"),
    ),
    (
        status(sessions=(session(path=None, state=State.UNPLACED, project_key="name:site"),)),
        ("From", "site"),
        Action(Verb.ADD_PROJECT_FOLDER, "name:site"),
    ),
    (
        status(conflicts=(conflict(),)),
        ("Conflicts", "Both", "Compare…"),
        Action(Verb.COMPARE, "c1"),
    ),
    (status(findings=(warning(),)), ("Doctor", "The clock"), Action(Verb.SHOW_FINDING, "w1")),
    (status(findings=(warning(),)), ("Doctor", "Check again"), Action(Verb.RUN_DOCTOR)),
    (status(), ("Pause for",), Action(Verb.PAUSE, detail="hour")),
    (status(paused_until=NOW + 1), ("Resume syncing",), Action(Verb.UNPAUSE)),
    (status(error="x"), ("Try again",), Action(Verb.RETRY)),
    (status(offline_since=NOW), ("Try again",), Action(Verb.RETRY)),
    (status(), ("Preferences", "Push when"), Action(Verb.SET, "push_on_change", "false")),
    (
        status(),
        ("Preferences", "When a", "Pull it"),
        Action(Verb.SET, "on_arrival", '"pull"'),
    ),
    (status(), ("Preferences", "Titles in"), Action(Verb.SET, "show_titles", "false")),
    (status(), ("Preferences", "Start at"), Action(Verb.START_AT_LOGIN, detail="off")),
    (status(), ("Preferences", "Choose shared folder", "Other"), Action(Verb.CHOOSE_STORE)),
    (
        status(),
        ("Preferences", "Choose shared folder", "A host"),
        Action(Verb.CHOOSE_STORE, detail="ssh"),
    ),
    (status(), ("Preferences", "Choose shared folder", "Leave"), Action(Verb.LEAVE_STORE)),
    (
        status(location="/srv/x", label="/srv/x"),
        ("Preferences", "Choose shared folder", "Dropbox…"),
        Action(Verb.CHOOSE_STORE, detail=f"{HOME}/Dropbox"),
    ),
    (status(), ("Preferences", "Open pref"), Action(Verb.OPEN_PREFERENCES)),
    (status(), ("Open shared",), Action(Verb.OPEN_STORE)),
    (status(), ("Show log",), Action(Verb.SHOW_LOG)),
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


def test_every_click_asks_for_something_that_there_is() -> None:
    for shown, _, _ in CLICKS:
        for item in walk(made(shown)):
            if item.action is not None:
                assert isinstance(item.action.verb, Verb)
                assert not item.children


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
    assert outline(made(status(**holds)))[2:4] == [push, pull]


def test_in_an_open_menu_the_main_entries_stay_and_change_what_they_say() -> None:
    before = made(status(to_push=("s1",), sessions=(S1,)))
    held = update_in_place(before, made(status(activity=Progress("Pushing"), sessions=(S1,))))
    assert outline(held)[2:4] == ["Pushing… (off)", "Nothing to pull (off)"]
    after = update_in_place(held, made(status(sessions=(S1._replace(state=State.SYNCED),))))
    assert outline(after)[2:4] == ["Nothing to push (off)", "Nothing to pull (off)"]


# --- the doctor --------------------------------------------------------------------------------


def test_an_ignored_finding_is_listed_and_can_be_heeded_again() -> None:
    shown = status(findings=(warning("w1", "A"), warning("w2", "B")))
    doctor = entry(made(shown, Preferences(ignored_findings=("w1",))), "Doctor: 1 warning")
    assert outline(doctor) == [
        ("A (ignored)", ["What it means…", "Warn of it again"]),
        "B",
        "---",
        "Check again",
    ]
    again = entry(doctor, "A", "Warn")
    assert again.action == Action(Verb.STOP_IGNORING_FINDING, "w1")


@pytest.mark.parametrize(
    ("findings", "label"),
    [
        ((warning(level=Level.OK),), None),
        ((), None),
        ((warning(level=Level.INFO),), "Doctor: no warnings"),
        ((warning(level=Level.ERROR), warning("w2")), "Doctor: 1 error, 1 warning"),
    ],
)
def test_the_doctor_has_a_menu_where_it_has_something_to_say(
    findings: tuple[Any, ...], label: str | None
) -> None:
    labels = [row.label for row in made(status(findings=findings)).children]
    assert [one for one in labels if one.startswith("Doctor")] == ([label] if label else [])


def test_of_several_findings_with_one_code_each_shows_itself() -> None:
    shown = status(findings=(warning("w", "A"), warning("w", "B"), warning("v", "C")))
    doctor = entry(made(shown), "Doctor: 3 warnings")
    assert [row.action for row in doctor.children[:3]] == [
        Action(Verb.SHOW_FINDING, "w", "A"),
        Action(Verb.SHOW_FINDING, "w", "B"),
        Action(Verb.SHOW_FINDING, "v"),
    ]


# --- the shared folder ----------------------------------------------------------------------------

CHOICES = [
    "Now: ~/claude-sync (off)",
    "---",
    "Dropbox…",
    "Other folder…",
    "A host over ssh…",
    "A cloud by rclone…",
]


@pytest.mark.parametrize("location", ["~/claude-sync", f"{HOME}/claude-sync"])
def test_at_the_first_start_the_menu_says_that_no_other_machine_sees_them(location: str) -> None:
    shown = made(status(location=location, label="~/claude-sync"))
    assert outline(shown)[:4] == [
        "Up to date — 2 minutes ago (off)",
        "Shared folder: ~/claude-sync (this machine only) (off)",
        ("Choose shared folder", CHOICES),
        "---",
    ]
    assert outline(entry(shown, "Preferences", "Choose shared folder")) == CHOICES


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
    assert entry(made(status(**holds)), "Preferences", "Choose shared folder", "Leave").enabled


def test_a_synced_folder_of_that_name_is_no_private_one() -> None:
    around = replace(AROUND, synced_folders=(SyncedFolder("Syncthing", f"{HOME}/claude-sync"),))
    shown = made(status(location="~/claude-sync"), around=around)
    assert not any("machine only" in row.label for row in shown.children)
    assert entry(shown, "Preferences", "Choose shared folder").children[0].label == "Now: Syncthing"


def test_before_a_place_is_chosen_choosing_one_comes_first() -> None:
    shown = made(status(location="", label=""))
    assert outline(shown)[:2] == [
        "Choose a shared folder (off)",
        (
            "Choose shared folder",
            ["Dropbox…", "Other folder…", "A host over ssh…", "A cloud by rclone…"],
        ),
    ]
    assert "Open shared folder" not in [row.label for row in shown.children]


def test_a_folder_on_a_host_can_not_be_opened() -> None:
    shown = made(status(location="ssh://nas/~/x", label="nas", remote=True))
    assert "Open shared folder" not in [row.label for row in shown.children]
    assert entry(shown, "Preferences", "Choose shared folder").children[0].label == "Now: nas"


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
        "Ask me": True,
        "Pull it": False,
        "Do nothing": False,
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
        "Do nothing": True,
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
    recent = entry(made(shown), "Recent").children[0].label
    assert recent.startswith("<b>_&a&amp; [31mred evil \U0001f600 xxx")


def test_a_long_reason_does_not_make_the_menu_wide() -> None:
    shown = made(status(offline_since=NOW, offline_message="it is " + "far " * 40 + "away"))
    assert shown.children[0].label.startswith("Offline — it is far")
    assert len(shown.children[0].label) == 90


def test_a_session_without_a_title_is_known_by_its_id() -> None:
    (row,) = entry(made(status(sessions=(session("0f4c1d9e-1111", "\x00"),))), "Recent").children
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
    assert len(list(walk(made(status(sessions=many))))) < 120
