"""The commit that a version is shown with."""

from __future__ import annotations

import os
from pathlib import Path

from claude_sync_app.version import commit
from repositories import git, repository


def test_a_clone_says_at_which_commit_it_is_and_whether_it_was_changed(tmp_path: Path) -> None:
    root = repository(tmp_path / "clone")
    git(root, "checkout", "--quiet", "-B", "main")
    (root / "file").write_text("one")
    git(root, "add", "file")
    git(root, "commit", "--quiet", "--message", "first")
    git(root, "tag", "--annotate", "--message", "x", "v1")
    whole = (root / ".git" / "refs" / "heads" / "main").read_text()
    assert commit(root) == whole[:10]
    (root / "new").write_text("untracked files are none of it")
    assert commit(root) == whole[:10]
    (root / "file").write_text("two")
    assert commit(root) == f"{whole[:10]}+"


def test_asking_writes_nothing_into_the_clone(tmp_path: Path) -> None:
    root = repository(tmp_path / "clone")
    (root / "file").write_text("one")
    git(root, "add", "file")
    git(root, "commit", "--quiet", "--message", "first")
    index = root / ".git" / "index"
    # As git finds it after a copy or a touch, which it would like to note down under a lock.
    os.utime(root / "file", (1, 1))
    before = (index.read_bytes(), index.stat().st_ino)
    assert len(commit(root)) == 10
    assert (index.read_bytes(), index.stat().st_ino) == before


def test_a_tree_that_is_no_clone_of_its_own_says_nothing(tmp_path: Path) -> None:
    root = repository(tmp_path / "clone")
    git(root, "commit", "--quiet", "--allow-empty", "--message", "first")
    unpacked = root / "claude-sync-0.1.0"
    unpacked.mkdir()
    assert commit(unpacked) == ""
    assert commit(tmp_path) == ""
