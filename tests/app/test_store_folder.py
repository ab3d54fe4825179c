"""Which folder becomes the shared one for the folder that a person chose."""

from __future__ import annotations

from pathlib import Path

import pytest

from claude_sync_app.desktop.synced_folders import SyncedFolder
from claude_sync_app.store_folder import existing_stores, folder_for_store


@pytest.fixture
def dropbox(tmp_path: Path) -> SyncedFolder:
    folder = tmp_path / "Dropbox"
    folder.mkdir()
    return SyncedFolder("Dropbox", str(folder))


def store(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / ".ccsync-store").touch()
    return folder


def test_the_store_gets_a_folder_of_its_own_among_other_things(tmp_path: Path) -> None:
    assert folder_for_store(tmp_path / "new") == tmp_path / "new"
    assert folder_for_store(tmp_path) == tmp_path, "it is empty"
    (tmp_path / "a document").touch()
    assert folder_for_store(tmp_path) == tmp_path / "claude-sync"
    (tmp_path / ".ccsync-store").touch()
    assert folder_for_store(tmp_path) == tmp_path, "it is a store already"


def test_in_a_synced_folder_sessions_are_in_the_same_subfolder_on_every_machine(
    dropbox: SyncedFolder, tmp_path: Path
) -> None:
    root = Path(dropbox.path)
    assert folder_for_store(root, [dropbox]) == root / "claude-sync", "though it is empty"
    (root / "Photos").mkdir()
    assert folder_for_store(root, [dropbox]) == root / "claude-sync"
    link = tmp_path / "link"
    link.symlink_to(root)
    assert folder_for_store(link, [dropbox]) == link / "claude-sync", "however it is spelled"
    own = root / "claude-sync"
    assert folder_for_store(own, [dropbox]) == own
    (own / "laptop").mkdir(parents=True)
    assert folder_for_store(own, [dropbox]) == own, "what marks it may arrive last"


def test_what_is_in_a_synced_folder_already_is_found_wherever_one_begins(
    dropbox: SyncedFolder,
) -> None:
    root = Path(dropbox.path)
    deep = store(root / "work" / "notes" / "claude-sync")
    near = store(root / "sessions")
    (root / ".dropbox.cache").mkdir()
    store(root / ".dropbox.cache" / "old")
    (root / "around").symlink_to(root)
    assert existing_stores(root, [dropbox]) == [near, deep]
    assert existing_stores(root / "work", [dropbox]) == [near, deep]
    assert existing_stores(root / "work") == [deep], "below itself where nothing is synced"


def test_a_search_ends_however_much_there_is(dropbox: SyncedFolder) -> None:
    root = Path(dropbox.path)
    folder = root
    for number in range(6):
        folder = folder / f"level {number}"
    store(folder)
    assert existing_stores(root, [dropbox]) == [], "too deep"
    for number in range(21):
        many = root / f"a{number:02}"
        many.mkdir()
        for entry in range(1_000):
            (many / str(entry)).touch()
    store(root / "z" / "claude-sync")
    assert existing_stores(root, [dropbox]) == [], "behind too many entries"
