"""What is kept of projects, and how they are found under projects_roots."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from capabilities import MODES, require_posix
from claude_sync.claude.home import encode_directory
from claude_sync.errors import (
    ClaudeSyncError,
    PreferencesError,
    SessionUnplaced,
)
from claude_sync.projects.directory import ProjectDirectory
from claude_sync.projects.registry import Registry
from examined import snapshot
from repositories import APP, clone


def folder(directory: Path) -> str:
    return encode_directory(str(directory))


def only(paths: tuple[ProjectDirectory, ...]) -> ProjectDirectory:
    assert len(paths) == 1, paths
    return paths[0]


# --- projects_roots ----------------------------------------------------------------------------


def test_repositories_are_found_under_projects_roots(tmp_path: Path, projects_file: Path) -> None:
    roots = tmp_path / "code"
    app = clone(roots / "forge" / "you" / "app")
    clone(app / "vendor" / "inner", "https://h.example/inner")
    clone(roots / ".hidden" / "x", "https://h.example/hidden")
    clone(roots / "a" / "b" / "c" / "d" / "e", "https://h.example/deep")
    outside = clone(tmp_path / "outside", "https://h.example/outside")
    (roots / "link").symlink_to(outside)
    registry = Registry(projects_file, roots=[roots, tmp_path / "gone"])
    assert registry.placement(APP).directory == app
    assert [one.path for one in registry.projects()] == [app]
    registry.save()
    assert Registry(projects_file, roots=[roots]).directory_of(folder(app), []) == app


def test_a_search_is_repeated_only_when_something_changed(
    tmp_path: Path,
    projects_file: Path,
    git_starts: Callable[[], int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    roots = tmp_path / "code"
    for number in range(20):
        clone(roots / "group" / f"r{number}", f"https://h.example/{number}")
    registry = Registry(projects_file, roots=[roots])
    with pytest.raises(SessionUnplaced):
        registry.placement(APP)
    assert git_starts() == 20
    registry.save()

    listed: list[str] = []
    real = os.scandir

    def watched(path: str) -> object:
        listed.append(str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", watched)
    registry = Registry(projects_file, roots=[roots])
    with pytest.raises(SessionUnplaced):
        registry.placement(APP)
    assert (listed, git_starts()) == ([], 0)
    app = clone(roots / "group" / "app")
    registry.refresh()
    assert registry.placement(APP).directory == app
    assert git_starts() == 1
    (roots / "later").mkdir()
    registry.refresh(roots=[roots, tmp_path])
    with pytest.raises(SessionUnplaced):
        registry.placement("git:h.example/late")
    clone(roots / "later" / "x", "https://h.example/late")
    registry.refresh()
    assert registry.placement("git:h.example/late").directory == roots / "later" / "x"


def test_a_root_that_is_a_repository_itself_is_searched_too(home: Path, registry: Registry) -> None:
    clone(home, "https://github.com/me/dotfiles")
    app = clone(home / "code" / "app")
    registry.refresh(roots=[Path("~")])
    assert registry.placement(APP).directory == app


# --- the file ----------------------------------------------------------------------------------


def test_unknown_members_are_kept_and_nothing_is_written_without_need(
    app: Path, projects_file: Path
) -> None:
    projects_file.parent.mkdir()
    projects_file.write_text(
        json.dumps(
            {
                "later": [1],
                "directories": {
                    str(app): {"source": "added", "later": {"x": 1}},
                    "/odd": {"source": "sold"},
                    "relative": 7,
                },
                "repositories": {"/r": 5},
            }
        )
    )
    before = projects_file.read_bytes()
    registry = Registry(projects_file)
    assert registry.problem == ""
    assert not registry.save()
    assert projects_file.read_bytes() == before
    assert registry.key_of(app).key == APP
    assert registry.save()
    document = json.loads(projects_file.read_text())
    assert document["later"] == [1]
    assert document["directories"][str(app)]["later"] == {"x": 1}
    assert document["directories"][str(app)]["key"] == APP
    assert document["directories"]["/odd"] == {"source": "sold"}
    assert document["directories"]["relative"] == 7
    assert document["repositories"]["/r"] == 5
    assert not MODES or projects_file.stat().st_mode & 0o777 == 0o600
    as_it_was = snapshot(projects_file)
    registry.refresh()
    registry.key_of(app)
    assert not registry.save()
    assert snapshot(projects_file) == as_it_was


@pytest.mark.parametrize(
    "garbage", [b"", b"\xff\x00", b"[]", b'{"directories"', b'"x"', b"[" * 9999]
)
def test_a_damaged_file_is_kept_under_another_name(
    app: Path, projects_file: Path, garbage: bytes
) -> None:
    projects_file.parent.mkdir()
    for number in (1, 2):
        projects_file.write_bytes(garbage)
        registry = Registry(projects_file)
        assert "damaged" in registry.problem
        assert not registry.save()
        assert projects_file.read_bytes() == garbage, "looking changes nothing"
        registry.add(app)
        assert registry.save()
        assert registry.problem == ""
        assert projects_file.with_name(f"projects.json.damaged-{number}").read_bytes() == garbage
        assert only(Registry(projects_file).projects()).path == app


def test_a_newer_versions_file_is_read_and_left_alone(app: Path, projects_file: Path) -> None:
    projects_file.parent.mkdir()
    text = json.dumps({"schema": 2, "directories": {str(app): {"source": "found"}}})
    projects_file.write_text(text)
    registry = Registry(projects_file)
    assert "newer" in registry.problem
    assert registry.placement(APP).directory == app
    assert not registry.save()
    assert projects_file.read_text() == text


def test_two_processes_lose_nothing_of_each_other(tmp_path: Path, projects_file: Path) -> None:
    a, b, c = (tmp_path / name for name in "abc")
    for directory in (a, b, c):
        directory.mkdir()
    one, two = Registry(projects_file), Registry(projects_file)
    one.learn(a)
    two.add(b)
    two.add(c)
    two.save()
    two.remove(c)
    two.save()
    one.learn(c)
    one.save()
    assert {one.path for one in Registry(projects_file).projects()} == {a, b}
    two.refresh()
    assert {one.path for one in two.projects()} == {a, b}


def test_a_link_to_the_file_stays_a_link(tmp_path: Path, projects_file: Path) -> None:
    (tmp_path / "dotfiles").mkdir()
    projects_file.parent.mkdir()
    projects_file.symlink_to(tmp_path / "dotfiles" / "projects.json")
    registry = Registry(projects_file)
    registry.add(tmp_path)
    registry.save()
    assert projects_file.is_symlink()
    assert only(Registry(projects_file).projects()).path == tmp_path


def test_a_file_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    registry = Registry(tmp_path / "file" / "projects.json")
    registry.add(tmp_path)
    with pytest.raises(PreferencesError, match="can't be written"):
        registry.save()


def test_a_directory_in_the_files_place_is_not_removed(tmp_path: Path, projects_file: Path) -> None:
    projects_file.mkdir(parents=True)
    registry = Registry(projects_file)
    assert registry.problem
    registry.add(tmp_path)
    with pytest.raises(ClaudeSyncError):
        registry.save()
    assert projects_file.is_dir()


def test_names_that_are_no_text_survive(tmp_path: Path, projects_file: Path) -> None:
    require_posix("names that are no text")
    odd = tmp_path / os.fsdecode(b"caf\xe9")
    odd.mkdir()
    registry = Registry(projects_file)
    registry.add(odd)
    registry.save()
    assert Registry(projects_file).placement("name:caf%e9").directory == odd
