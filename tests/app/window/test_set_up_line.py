"""What the page of machines says is to be typed on another one."""

from __future__ import annotations

from pathlib import Path

import pytest

from capabilities import require_posix
from claude_sync.state.preferences import Preferences
from claude_sync_app.window.pages.machines import set_up_line


@pytest.mark.parametrize(
    ("location", "encrypted", "line"),
    [
        ("", False, "claude-sync init FOLDER"),
        ("nas:sessions", False, "claude-sync init nas:sessions"),
        ("nas:sessions", True, "claude-sync init nas:sessions --encrypt"),
    ],
)
def test_it_names_the_folder_and_that_it_is_encrypted(
    location: str, encrypted: bool, line: str
) -> None:
    assert set_up_line(location, Preferences(encrypted=encrypted)) == line


def test_a_folder_is_quoted_and_named_from_the_home() -> None:
    require_posix("a shell of POSIX")
    chosen = Preferences()
    assert set_up_line("/mnt/my disk", chosen) == "claude-sync init '/mnt/my disk'"
    below = str(Path.home() / "My Cloud")
    assert set_up_line(below, chosen) == "claude-sync init ~/'My Cloud'"
