"""Which project a person begins to work in, told by a program that keeps nothing of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from claude_sync.projects.key_lookup import key_at
from claude_sync.projects.registry import Registry
from repositories import APP, clone


@pytest.fixture
def projects_file(tmp_path: Path) -> Path:
    return tmp_path / "config" / "projects.json"


def test_all_of_a_clone_that_nobody_knows_yet_is_its_project(
    tmp_path: Path, projects_file: Path
) -> None:
    below = clone(tmp_path / "app") / "src" / "deep"
    below.mkdir(parents=True)
    assert key_at(str(tmp_path / "app"), projects_file) == APP
    assert key_at(str(below), projects_file) == APP
    assert not projects_file.exists()


def test_a_key_that_was_given_by_hand_counts(tmp_path: Path, projects_file: Path) -> None:
    registry = Registry(projects_file)
    registry.add(clone(tmp_path / "app"), "name:mine")
    registry.save()
    assert key_at(str(tmp_path / "app"), projects_file) == "name:mine"


def test_a_link_leads_to_the_project_behind_it(tmp_path: Path, projects_file: Path) -> None:
    clone(tmp_path / "app")
    (tmp_path / "link").symlink_to("app")
    assert key_at(str(tmp_path / "link"), projects_file) == APP


def test_where_git_refuses_no_key_is_told(tmp_path: Path, projects_file: Path) -> None:
    (clone(tmp_path / "app") / ".git" / "config").write_text("[broken")
    assert key_at(str(tmp_path / "app"), projects_file) == ""


@pytest.mark.parametrize("directory", ["", "src", "/a\0b", "/" + "a" * 5000])
def test_what_is_no_directory_of_this_system_has_no_key(
    projects_file: Path, directory: str
) -> None:
    assert key_at(directory, projects_file) == ""
