"""Where the shared folder is for what was typed after `claude-sync init`."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from claude_sync.errors import UsageError
from claude_sync.state import preferences
from claude_sync.state.paths import Paths
from claude_sync_app.cli.typed_folder import TypedFolder, typed_folder

DROPBOX = os.path.join("~", "Dropbox")
SHARED = os.path.join(DROPBOX, "work", "sessions")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home directory in which Dropbox keeps a folder in sync, with something in it."""
    home = tmp_path / "home"
    (home / "Dropbox" / "Photos" / "2026").mkdir(parents=True)
    roaming = home / "AppData" / "Roaming"
    for settings in (home / ".dropbox", roaming / "Dropbox"):  # on Windows the second
        settings.mkdir(parents=True)
        accounts = {"personal": {"path": str(home / "Dropbox")}}
        (settings / "info.json").write_text(json.dumps(accounts))
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    monkeypatch.setenv("APPDATA", str(roaming))
    return home


@pytest.fixture
def own(tmp_path: Path) -> Paths:
    return Paths(tmp_path / "config", tmp_path / "state", tmp_path / "run")


def store(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / ".ccsync-store").touch()
    return folder


def test_a_synced_folder_means_its_subfolder_and_is_told_so(home: Path, own: Paths) -> None:
    root = home / "Dropbox"
    found = typed_folder(own, str(root))
    assert found.location == str(root / "claude-sync")
    assert found.remark == (
        f"In {DROPBOX} sessions are in a subfolder, claude-sync, the same from every machine."
    )
    assert typed_folder(own, str(root / "claude-sync")) == TypedFolder(str(root / "claude-sync"))
    store(root / "claude-sync")
    assert typed_folder(own, str(root)) == TypedFolder(
        str(root / "claude-sync"), f"{DROPBOX} has one already, in claude-sync."
    )


def test_what_other_machines_chose_below_it_is_found_first(home: Path, own: Paths) -> None:
    root = home / "Dropbox"
    there = store(root / "work" / "sessions")
    found = TypedFolder(str(there), f"It was there already, below {DROPBOX}.")
    assert typed_folder(own, str(root)) == found
    assert typed_folder(own, str(root / "work")).location == str(there)
    assert typed_folder(own, str(root), anew=True) == TypedFolder(
        str(root / "claude-sync"),
        f"In {DROPBOX} sessions are in a subfolder, claude-sync, the same from every machine. "
        f"Sessions are shared in {SHARED} already: machines meet only where they "
        "use the same folder.",
    )
    another = typed_folder(own, str(root / "new"))
    assert another.location == str(root / "new"), "it was named, and is a folder of its own"
    assert f"{SHARED} already" in another.remark
    store(root / "old")
    with pytest.raises(UsageError, match="several shared folders are there already"):
        typed_folder(own, str(root))


def test_elsewhere_what_was_typed_counts_as_it_is(home: Path, own: Paths) -> None:
    (home / "stick" / "document").mkdir(parents=True)
    for typed in (str(home / "stick"), "nas:sessions", "rclone:drive:x", str(home / "claude-sync")):
        assert typed_folder(own, typed) == TypedFolder(typed)
    used = home / "Dropbox" / "Photos"
    preferences.change(own, location=str(used), store_id="x")
    assert typed_folder(own, str(used)) == TypedFolder(str(used)), "it is this machine's already"
