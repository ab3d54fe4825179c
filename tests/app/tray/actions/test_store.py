"""Which folder becomes the shared one for the folder that a person chose."""

from __future__ import annotations

from pathlib import Path

from claude_sync_app.tray.actions.store import folder_for_store


def test_the_store_gets_a_folder_of_its_own_among_other_things(tmp_path: Path) -> None:
    assert folder_for_store(tmp_path / "new") == tmp_path / "new"
    assert folder_for_store(tmp_path) == tmp_path, "it is empty"
    (tmp_path / "a document").touch()
    assert folder_for_store(tmp_path) == tmp_path / "claude-sync"
    (tmp_path / ".ccsync-store").touch()
    assert folder_for_store(tmp_path) == tmp_path, "it is a store already"
