"""A directory's path as the client names it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from claude_sync.disk.resolved import as_on_disk, resolved


def test_links_are_resolved_as_far_as_the_path_exists(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert resolved(tmp_path / "link" / "missing") == str(tmp_path / "real" / "missing")
    with pytest.raises(ValueError, match="null"):
        resolved("a\0b")


def test_where_case_does_not_count_a_path_is_known_by_what_the_disk_has(tmp_path: Path) -> None:
    (tmp_path / "Code").mkdir()
    typed = os.path.join(tmp_path, "code")
    if not os.path.exists(typed):
        Path(typed).symlink_to("Code")  # what a disk that folds case does by itself
    for system in ("win32", "darwin"):
        assert as_on_disk(typed, system) == str(tmp_path / "Code")
    assert as_on_disk(typed, "linux") == typed


def test_a_link_to_another_name_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert as_on_disk(str(tmp_path / "link"), "darwin") == str(tmp_path / "link")
    assert as_on_disk(str(tmp_path / "missing"), "darwin") == str(tmp_path / "missing")
