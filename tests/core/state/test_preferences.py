from __future__ import annotations

import errno
import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from claude_sync.errors import ClaudeSyncError, PreferencesError
from claude_sync.state import preferences
from claude_sync.state.paths import Paths, paths
from claude_sync.state.preference_kinds import KINDS, Notifications
from claude_sync.state.preferences import (
    InvalidPreference,
    Preferences,
    as_json,
    change,
    load,
    parse_value,
    set_text,
    value_of,
)
from failing_calls import failing

SECRET = "hunter2"


@pytest.fixture
def here(home: Path) -> Paths:
    return paths()


def write(here: Paths, given: object) -> str:
    text = given if isinstance(given, str) else json.dumps(given)
    here.config.mkdir(parents=True, exist_ok=True)
    here.preferences_file.write_text(text, encoding="utf-8")
    return text


def stored(here: Paths) -> Any:
    return json.loads(here.preferences_file.read_text(encoding="utf-8"))


# --- reading -----------------------------------------------------------------------------------


def test_without_a_file_everything_has_its_default(here: Paths) -> None:
    found = load(here)
    assert found == Preferences()
    assert as_json(found) == {
        "location": None,
        "store_id": None,
        "encrypted": False,
        "push_on_change": True,
        "checkpoints": True,
        "on_arrival": "ask",
        "pull_interval_seconds": 60,
        "watch_store": True,
        "quiet_seconds": 3,
        "notifications": dict.fromkeys(Notifications._fields, True),
        "search": True,
        "show_titles": True,
        "recent_limit": 5,
        "left_click": "menu",
        "terminal": None,
        "projects_roots": [],
        "ignore": [],
        "ignored_findings": [],
        "ssh_command": ["ssh"],
        "cloud_megabytes_a_day": 500,
        "check_for_updates": False,
        "claude_config_dir": None,
        "paused_until": None,
    }
    assert not here.config.exists()


def test_every_value_of_the_file_arrives(here: Paths, home: Path) -> None:
    write(
        here,
        {
            "schema": 1,
            "location": "ssh://nas/~/sessions",
            "store_id": "4c2f",
            "push_on_change": False,
            "on_arrival": "pull",
            "pull_interval_seconds": 7.5,
            "watch_store": False,
            "quiet_seconds": 0,
            "notifications": {"arrival": False},
            "show_titles": False,
            "recent_limit": 3,
            "left_click": "push",
            "terminal": ["xterm", "-e"],
            "projects_roots": ["~/code", str(home / "work")],
            "ignore": ["git:github.com/employer/*"],
            "ignored_findings": ["clock-off", "another-code"],
            "ssh_command": ["ssh", "-F", "other config"],
            "claude_config_dir": "~/.claude-work",
            "paused_until": "2026-01-31T18:00:00Z",
        },
    )
    assert load(here) == Preferences(
        location="ssh://nas/~/sessions",
        store_id="4c2f",
        push_on_change=False,
        on_arrival="pull",
        pull_interval_seconds=7.5,
        watch_store=False,
        quiet_seconds=0,
        notifications=Notifications(arrival=False),
        show_titles=False,
        recent_limit=3,
        left_click="push",
        terminal=("xterm", "-e"),
        projects_roots=(home / "code", home / "work"),
        ignore=("git:github.com/employer/*",),
        ignored_findings=("clock-off", "another-code"),
        ssh_command=("ssh", "-F", "other config"),
        claude_config_dir=home / ".claude-work",
        paused_until=1769882400.0,
    )


@pytest.mark.parametrize("key", ["terminal", "ssh_command"])
def test_a_command_that_is_a_string_is_one_program_never_split(here: Paths, key: str) -> None:
    write(here, {key: "/opt/my tools/run -x"})
    assert getattr(load(here), key) == ("/opt/my tools/run -x",)


WRONG: list[tuple[str, Any]] = [
    ("location", 7),
    ("location", ""),
    ("store_id", []),
    ("push_on_change", "yes"),
    ("push_on_change", 1),
    ("on_arrival", "Pull"),
    ("on_arrival", ["ask"]),
    ("pull_interval_seconds", 0),
    ("pull_interval_seconds", "60"),
    ("pull_interval_seconds", True),
    ("watch_store", 1),
    ("quiet_seconds", -1),
    ("quiet_seconds", 1e300),
    ("notifications", True),
    ("notifications", ["arrival"]),
    ("show_titles", {}),
    ("recent_limit", 2.5),
    ("recent_limit", 0),
    ("left_click", "both"),
    ("terminal", []),
    ("terminal", ""),
    ("terminal", ["", "-e"]),
    ("terminal", ["xterm", 7]),
    ("terminal", ["xterm", "\0"]),
    ("projects_roots", "~/code"),
    ("projects_roots", ["code"]),
    ("projects_roots", [7]),
    ("ignore", {"a": 1}),
    ("ignore", [""]),
    ("ignored_findings", "clock-off"),
    ("ignored_findings", [7]),
    ("ssh_command", 7),
    ("ssh_command", {"ssh": 1}),
    ("claude_config_dir", ".claude"),
    ("claude_config_dir", ["/x"]),
    ("paused_until", "tomorrow"),
    ("paused_until", "2026-01-31T18:00:00"),
    ("paused_until", 7),
    ("paused_until", True),
]


@pytest.mark.parametrize(("key", "value"), WRONG)
def test_a_wrong_value_leaves_that_key_its_default_and_is_named(
    here: Paths, key: str, value: Any
) -> None:
    text = write(here, {"show_titles": False, key: value} if key != "show_titles" else {key: value})
    found = load(here)
    assert getattr(found, key) == getattr(Preferences(), key)
    assert [problem.key for problem in found.problems] == [key]
    assert found.problems[0].reason.startswith("must be ")
    assert found.show_titles is (key == "show_titles")
    assert here.preferences_file.read_text() == text


@pytest.mark.parametrize("key", KINDS)
def test_a_reason_never_quotes_the_value(here: Paths, key: str) -> None:
    write(here, {key: {SECRET: [SECRET]}})
    found = load(here)
    assert SECRET not in str(found.problems)
    with pytest.raises(PreferencesError) as caught:
        change(here, **{key: {SECRET: SECRET}})
    assert SECRET not in str(caught.value)


def test_a_wrong_kind_of_notification_leaves_the_others(here: Paths) -> None:
    write(here, {"notifications": {"arrival": "no", "pushed": False, "future": 7}})
    found = load(here)
    assert found.notifications == Notifications(pushed=False)
    assert found.problems == (InvalidPreference("notifications.arrival", "must be true or false"),)


def test_null_stands_for_the_default(here: Paths) -> None:
    write(here, dict.fromkeys(KINDS))
    assert load(here) == Preferences()


def test_keys_that_mean_nothing_are_listed(here: Paths) -> None:
    write(here, {"schema": 1, "colour": "red", "push_on_chnage": True})
    found = load(here)
    assert found.unknown == ("colour", "push_on_chnage")
    assert not found.problems


@pytest.mark.parametrize("text", ["", "{", "[]", '{"a": }', "[" * 50_000, "\0"])
def test_a_file_that_is_no_json_object_means_defaults_and_a_problem(here: Paths, text: str) -> None:
    write(here, text)
    found = load(here)
    assert found.location is None
    assert [problem.key for problem in found.problems] == [""]
    assert "JSON" in found.problems[0].reason


def test_a_file_that_cannot_be_read_means_defaults_and_a_problem(here: Paths) -> None:
    here.preferences_file.mkdir(parents=True)
    found = load(here)
    assert [problem.key for problem in found.problems] == [""]
    assert found.problems[0].reason.startswith("can't be read")


@pytest.mark.parametrize("schema", [2, "1", 1.0, True, []])
def test_another_schema_is_a_problem_but_what_is_known_is_used(here: Paths, schema: Any) -> None:
    write(here, {"schema": schema, "on_arrival": "pull"})
    found = load(here)
    assert [problem.key for problem in found.problems] == ["schema"]
    assert found.on_arrival == "pull"


def test_a_changed_file_is_seen_by_its_stamp(here: Paths) -> None:
    assert preferences.stamp(here) is None
    change(here, show_titles=False)
    found = load(here)
    assert found.stamp == preferences.stamp(here)
    write(here, {"show_titles": True, "recent_limit": 5})
    assert found.stamp != preferences.stamp(here)


# --- changing ----------------------------------------------------------------------------------


def test_a_change_is_stored_and_the_rest_of_the_file_stays(here: Paths) -> None:
    before = {"schema": 1, "on_arrival": "WRONG", "colour": {"a": [1, None]}, "recent_limit": 4}
    write(here, before)
    found = change(here, show_titles=False)
    assert stored(here) == {**before, "show_titles": False}
    assert list(stored(here)) == [*before, "show_titles"]
    assert not found.show_titles
    assert found == load(here)


def test_the_first_change_makes_a_private_file(here: Paths) -> None:
    change(here, location="/srv/sessions")
    assert stored(here) == {"schema": 1, "location": "/srv/sessions"}
    if os.name == "posix":
        assert here.preferences_file.stat().st_mode & 0o777 == 0o600
        assert here.config.stat().st_mode & 0o777 == 0o700


def test_what_is_stored_is_loaded_again(here: Paths, home: Path) -> None:
    changes: dict[str, Any] = {
        "location": home / "with bytes \udcff",
        "terminal": ("xterm", "-e"),
        "projects_roots": (home / "code",),
        "ignore": ["git:*"],
        "ignored_findings": ("clock-off",),
        "claude_config_dir": home / "c",
        "paused_until": 1769882400.0,
        "quiet_seconds": 1.5,
    }
    found = change(here, **changes)
    assert not found.problems
    assert found.location == str(changes["location"])
    assert found.terminal == ("xterm", "-e")
    assert found.projects_roots == (home / "code",)
    assert found.claude_config_dir == home / "c"
    assert found.paused_until == 1769882400.0
    assert stored(here)["paused_until"] == "2026-01-31T18:00:00Z"
    again = change(here, **{key: as_json(found)[key] for key in changes})
    assert again == found


def test_a_pause_may_last_until_it_is_ended_by_hand(here: Paths) -> None:
    found = change(here, paused_until=math.inf)
    assert found.paused_until == math.inf
    assert stored(here)["paused_until"] == "resumed"
    assert change(here, paused_until=None).paused_until is None
    assert "paused_until" not in stored(here)


def test_changing_one_kind_of_notification_leaves_the_others(here: Paths) -> None:
    write(here, {"notifications": {"pushed": False, "future": 7}})
    found = change(here, notifications={"arrival": False})
    assert stored(here)["notifications"] == {"pushed": False, "future": 7, "arrival": False}
    assert found.notifications == Notifications(arrival=False, pushed=False)
    assert change(here, notifications=Notifications()).notifications == Notifications()


@pytest.mark.parametrize(
    ("key", "value"),
    # A number is how `Preferences` itself has a moment.
    [*(w for w in WRONG if w != ("paused_until", 7)), ("notifications", {"arival": True})],
)
def test_a_wrong_value_is_refused_and_nothing_is_stored(here: Paths, key: str, value: Any) -> None:
    text = write(here, {"recent_limit": 4})
    with pytest.raises(PreferencesError, match=f"^{key} must "):
        change(here, **{"show_titles": False, key: value})
    assert here.preferences_file.read_text() == text


@pytest.mark.parametrize("key", ["colour", "schema", "problems", "stamp"])
def test_a_preference_that_does_not_exist_cannot_be_changed(here: Paths, key: str) -> None:
    with pytest.raises(PreferencesError, match="there is no preference"):
        change(here, **{key: "x"})
    assert not here.preferences_file.exists()


@pytest.mark.parametrize("text", ["{", "[]", '{"schema": 2, "on_arrival": "pull"}', '{"a": NaN}'])
def test_a_file_that_is_not_ours_to_rewrite_is_left_alone(here: Paths, text: str) -> None:
    write(here, text)
    with pytest.raises(PreferencesError) as caught:
        change(here, show_titles=False)
    assert str(here.preferences_file) in str(caught.value)
    assert here.preferences_file.read_text() == text


def test_a_place_that_cannot_be_written_is_named(here: Paths) -> None:
    here.config.parent.mkdir(parents=True)
    here.config.write_text("a file where the folder should be")
    # On Windows state lies in the same folder, and its lock comes first.
    with pytest.raises(ClaudeSyncError, match=r"preferences\.json can't be|lock file can't be"):
        change(here, show_titles=False)


def test_a_linked_file_stays_a_link(here: Paths, home: Path) -> None:
    kept = home / "dotfiles.json"
    kept.write_text('{"recent_limit": 4}')
    here.config.mkdir(parents=True)
    here.preferences_file.symlink_to(kept)
    assert change(here, show_titles=False).recent_limit == 4
    assert here.preferences_file.is_symlink()
    assert json.loads(kept.read_text()) == {"recent_limit": 4, "show_titles": False}


def test_changes_of_two_processes_at_once_are_all_kept(here: Paths) -> None:
    script = (
        "import sys; from claude_sync.state.paths import paths\n"
        "from claude_sync.state.preferences import change, load\n"
        "for number in range(20):\n"
        "    change(paths(), notifications={sys.argv[1]: number % 2 == 0})\n"
        "change(paths(), notifications={sys.argv[1]: False})"
    )
    kinds = Notifications._fields[:4]
    started = [subprocess.Popen([sys.executable, "-c", script, kind]) for kind in kinds]
    assert [process.wait(60) for process in started] == [0] * len(kinds)
    assert stored(here)["notifications"] == dict.fromkeys(kinds, False)


# --- as typed ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("location", "~/Dropbox/sessions", "~/Dropbox/sessions"),
        ("location", '"quoted"', "quoted"),
        ("location", "null", None),
        ("push_on_change", "off", False),
        ("push_on_change", "Yes", True),
        ("on_arrival", "pull", "pull"),
        ("pull_interval_seconds", "90", 90),
        ("quiet_seconds", "0.5", 0.5),
        ("recent_limit", "null", None),
        ("notifications", "off", dict.fromkeys(Notifications._fields, False)),
        ("notifications", '{"arrival": false}', {"arrival": False}),
        ("terminal", "gnome-terminal", ["gnome-terminal"]),
        ("terminal", "/opt/my tools/run -x", ["/opt/my tools/run -x"]),
        ("terminal", '["xterm", "-e"]', ["xterm", "-e"]),
        ("terminal", "null", None),
        ("ignore", "git:github.com/employer/*", ["git:github.com/employer/*"]),
        ("ignore", "[]", []),
        ("ignored_findings", "clock-off", ["clock-off"]),
        (
            "ignored_findings",
            '["clock-off", "disk-nearly-full"]',
            ["clock-off", "disk-nearly-full"],
        ),
        ("projects_roots", "~/code", ["~/code"]),
        ("claude_config_dir", "~/.claude", "~/.claude"),
        ("paused_until", "resumed", "resumed"),
        ("paused_until", "null", None),
    ],
)
def test_typed_words_become_values(here: Paths, key: str, text: str, value: object) -> None:
    assert parse_value(key, text) == value
    found = set_text(here, key, text)
    assert not found.problems
    if value is not None:
        assert stored(here)[key] == value


_AN_ARRAY = "one item in plain words, or a JSON array of texts"


@pytest.mark.parametrize(
    ("key", "text", "must_be"),
    [
        ("push_on_change", "maybe", "true or false"),
        ("on_arrival", "push", "ask, pull or nothing"),
        ("on_arrival", '"pull', "ask, pull or nothing"),
        ("pull_interval_seconds", "soon", "a number from 1 to 86400"),
        ("pull_interval_seconds", "Infinity", "a number from 1 to 86400"),
        ("quiet_seconds", "abc", "a number from 0 to 3600"),
        ("quiet_seconds", "", "a number from 0 to 3600"),
        ("recent_limit", "2.5", "a whole number from 1 to 100"),
        ("recent_limit", "[" * 100_000, "a whole number from 1 to 100"),
        ("terminal", "[", _AN_ARRAY),
        ("terminal", "", "an array of texts, a program and its arguments"),
        ("ignore", '["git:github.com/you/*"', _AN_ARRAY),
        ("projects_roots", "code", "an array of absolute paths"),
        ("location", '"', "plain words, or a JSON string from one quote to the other"),
        ("location", "", "a text"),
        ("notifications", "some", "true or false"),
        ("notifications", "{arrival: false}", "an object: kind and true or false"),
        ("paused_until", "later", 'a time such as 2026-01-31T18:00:00Z, or "resumed"'),
    ],
)
def test_typed_words_that_make_no_sense_are_refused_with_what_it_must_be(
    here: Paths, key: str, text: str, must_be: str
) -> None:
    with pytest.raises(PreferencesError) as caught:
        set_text(here, key, text)
    assert str(caught.value) == f"{key} must be {must_be}"
    assert not here.preferences_file.exists()


def test_one_kind_of_notification_can_be_set_and_read(here: Paths) -> None:
    found = set_text(here, "notifications.arrival", "off")
    assert value_of(found, "notifications.arrival") is False
    assert value_of(found, "notifications.pushed") is True
    assert stored(here)["notifications"] == {"arrival": False}


@pytest.mark.parametrize("key", ["colour", "schema", "notifications.colour", "location.x", ""])
def test_a_key_that_does_not_exist_can_be_neither_set_nor_read(here: Paths, key: str) -> None:
    with pytest.raises(PreferencesError, match="there is no preference"):
        set_text(here, key, "true")
    with pytest.raises(PreferencesError, match="there is no preference"):
        value_of(Preferences(), key)


def test_the_table_has_every_preference() -> None:
    fields = set(Preferences._fields) - {"problems", "unknown", "stamp"}
    assert set(KINDS) == fields


def test_preferences_that_vanish_for_a_moment_are_not_begun_anew(home: Path) -> None:
    own = paths()
    preferences.change(own, location="/somewhere", recent_limit=5)
    before = own.preferences_file.read_bytes()
    with (
        failing(own.preferences_file, errno.ENOENT, "open"),
        pytest.raises(PreferencesError, match=r"can't be written \(File (already )?exists\)"),
    ):
        preferences.change(own, recent_limit=7)
    assert own.preferences_file.read_bytes() == before
