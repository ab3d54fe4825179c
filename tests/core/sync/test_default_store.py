"""The store as long as none was chosen: a private folder, and never something else."""

from __future__ import annotations

import json
import os
import stat
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from capabilities import MODES, require_posix
from claude_sync.errors import NotSetUp
from claude_sync.state import preferences
from claude_sync.state.paths import paths
from claude_sync.store.marker import read_marker
from claude_sync.sync.setup import SetUp, set_up, set_up_default


def test_the_private_folder_is_made_and_chosen(home: Path) -> None:
    done = set_up_default(paths())
    folder = home / "claude-sync"
    assert done is not None
    assert done.location == str(folder)
    assert not MODES or stat.S_IMODE(folder.stat().st_mode) == 0o700
    chosen = preferences.load(paths())
    assert chosen.location == str(folder)
    marker = read_marker((folder / ".ccsync-store").read_bytes())
    assert marker is not None
    assert chosen.store_id == marker.store_id


def test_what_was_chosen_before_stays(home: Path) -> None:
    set_up(paths(), str(home / "mine"))
    assert set_up_default(paths()) is None
    assert preferences.load(paths()).location == str(home / "mine")
    assert not (home / "claude-sync").exists()


def test_an_empty_folder_becomes_private(home: Path) -> None:
    require_posix("permission bits that keep somebody away")
    (home / "claude-sync").mkdir(mode=0o755)
    assert set_up_default(paths()) is not None
    assert stat.S_IMODE((home / "claude-sync").stat().st_mode) == 0o700


def test_a_store_that_was_there_is_taken_up_again(home: Path) -> None:
    before = set_up_default(paths())
    paths().preferences_file.unlink()
    assert before is not None
    assert before.is_new
    assert set_up_default(paths()) == replace(before, is_new=False)


def test_a_folder_that_is_something_else_is_left_alone(home: Path) -> None:
    clone = home / "claude-sync"
    clone.mkdir()
    (clone / "README.md").write_text("a tree that was cloned")
    with pytest.raises(NotSetUp, match=r"something else .*claude-sync init LOCATION"):
        set_up_default(paths())
    assert [path.name for path in clone.iterdir()] == ["README.md"]
    assert preferences.load(paths()).location is None


def test_a_link_into_a_cloud_is_never_chosen_by_itself(home: Path) -> None:
    (home / "Dropbox").mkdir()
    (home / "claude-sync").symlink_to("Dropbox")
    with pytest.raises(NotSetUp):
        set_up_default(paths())
    assert os.listdir(home / "Dropbox") == []


@pytest.mark.parametrize("said", ["{", json.dumps({"schema": 1, "location": 7})])
def test_preferences_that_cannot_be_read_are_not_taken_for_none(home: Path, said: str) -> None:
    paths().config.mkdir(parents=True)
    paths().preferences_file.write_text(said)
    with pytest.raises(NotSetUp, match=r": (the file|location) .*preferences\.json"):
        set_up_default(paths())
    assert paths().preferences_file.read_text() == said
    assert not (home / "claude-sync").exists()


def test_of_several_at_once_one_sets_up(home: Path) -> None:
    done: list[SetUp | None] = []
    threads = [
        threading.Thread(target=lambda: done.append(set_up_default(paths()))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one is None for one in done) == [False, True, True, True]
