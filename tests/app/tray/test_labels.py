"""What sessions, projects, machines and places are called."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_sync_app.desktop.synced_folders import SyncedFolder
from claude_sync_app.tray.environment import Environment
from claude_sync_app.tray.labels import (
    discreet_title_of,
    machine_of,
    machines_of,
    project_of,
    store_name,
    title_of,
)
from tray_values import HOME, session, status


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("git:github.com/you/app", "app"),
        ("name:site", "site"),
        ("git:host/x", "x"),
        ("", ""),
        ("git:h/a\u202eb\n", "ab"),
        ("git:h/" + "x" * 100, "x" * 29 + "…"),
    ],
)
def test_a_project_is_called_by_the_last_part_of_its_key(key: str, name: str) -> None:
    assert project_of(key) == name


@pytest.mark.parametrize(
    ("title", "show_titles", "said"),
    [
        ("Fix\nit", True, "Fix it"),
        ("", True, "Untitled 0f4c1d9e"),
        ("Fix it", False, "A session of app"),
        ("", False, "A session of app"),
    ],
)
def test_titles_are_told_only_with_leave(title: str, show_titles: bool, said: str) -> None:
    state = session("0f4c1d9e-1111", title)
    assert discreet_title_of(state, show_titles=show_titles) == said


def test_of_a_session_without_a_project_not_even_that_is_told() -> None:
    assert discreet_title_of(session(project_key=""), show_titles=False) == "A session"


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([], ""),
        (["desktop"], "desktop"),
        (["nas", "desktop", "nas"], "desktop and nas"),
        (["a", "b", "c"], "3 machines"),
        (["\x1b"], "another machine"),
    ],
)
def test_machines_are_named_while_they_are_few(names: list[str], said: str) -> None:
    assert machines_of(names) == said


@given(st.text())
def test_every_name_is_one_short_line(text: str) -> None:
    for name in (title_of(session(title=text)), project_of(text), machine_of(text)):
        assert len(name) <= 50
        assert "\n" not in name
        name.encode()


@pytest.mark.parametrize(
    ("holds", "folders", "said"),
    [
        ({"location": "~/Dropbox/x", "label": "~/Dropbox/x"}, [("Dropbox", "Dropbox")], "Dropbox"),
        (
            {"location": f"{HOME}/Dropbox/x/y", "label": "~/Dropbox/x/y"},
            [("Dropbox", "Dropbox"), ("Nested", "Dropbox/x")],
            "Nested",
        ),
        (
            {"location": "~/Dropboxes", "label": "~/Dropboxes"},
            [("Dropbox", "Dropbox")],
            "~/Dropboxes",
        ),
        ({"location": "~/x", "label": "~/x"}, [], "~/x"),
        ({"location": "ssh://nas/~/x", "label": "nas", "remote": True}, [("All", "")], "nas"),
        ({"location": "nas:x", "label": ""}, [("All", "")], "nas:x"),
        ({"location": "~", "label": "~"}, [("All", "")], "All"),
    ],
)
def test_a_place_is_called_what_people_call_it(
    holds: dict[str, Any], folders: list[tuple[str, str]], said: str
) -> None:
    synced = tuple(SyncedFolder(name, f"{HOME}/{path}".rstrip("/")) for name, path in folders)
    assert store_name(status(**holds), Environment(synced_folders=synced, home=HOME)) == said
