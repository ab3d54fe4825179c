"""What is kept of projects, and how they are found under projects_roots."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from claude_sync.claude_home import encode_directory
from claude_sync.errors import (
    ClaudeSyncError,
    PreferencesError,
    SessionUnplaced,
)
from claude_sync.placing import ProjectDirectory
from claude_sync.registry import Registry
from repositories import bare_bones, program

APP = "git:github.com/you/app"
URL = "https://github.com/you/app.git"


def repository(directory: Path, remote: str | None = URL) -> Path:
    return bare_bones(directory, remote)


def folder(directory: Path) -> str:
    return encode_directory(str(directory))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config" / "projects.json"


@pytest.fixture
def registry(file: Path) -> Registry:
    return Registry(file)


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How often git was started since the last call."""
    wrappers, log = tmp_path / "wrappers", tmp_path / "calls"
    wrappers.mkdir()
    program(wrappers, "git", f'echo >> "{log}"\nexec "$REAL" "$@"')
    monkeypatch.setenv("PATH", f"{wrappers}{os.pathsep}{os.environ['PATH']}")

    def count() -> int:
        number = log.stat().st_size if log.exists() else 0
        log.unlink(missing_ok=True)
        return number

    return count


def only(places: tuple[ProjectDirectory, ...]) -> ProjectDirectory:
    assert len(places) == 1, places
    return places[0]


# --- projects_roots ----------------------------------------------------------------------------


def test_repositories_are_found_under_projects_roots(tmp_path: Path, file: Path) -> None:
    roots = tmp_path / "code"
    app = repository(roots / "forge" / "you" / "app")
    repository(app / "vendor" / "inner", "https://h.example/inner")
    repository(roots / ".hidden" / "x", "https://h.example/hidden")
    repository(roots / "a" / "b" / "c" / "d" / "e", "https://h.example/deep")
    outside = repository(tmp_path / "outside", "https://h.example/outside")
    (roots / "link").symlink_to(outside)
    registry = Registry(file, roots=[roots, tmp_path / "gone"])
    assert registry.place(APP, "sub") == app / "sub"
    assert [place.directory for place in registry.projects()] == [app]
    registry.save()
    assert Registry(file, roots=[roots]).directory_of(folder(app), []) == app


def test_a_search_is_repeated_only_when_something_changed(
    tmp_path: Path, file: Path, calls: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    roots = tmp_path / "code"
    for number in range(20):
        repository(roots / "group" / f"r{number}", f"https://h.example/{number}")
    registry = Registry(file, roots=[roots])
    with pytest.raises(SessionUnplaced):
        registry.place(APP)
    assert calls() == 20
    registry.save()

    listed: list[str] = []
    real = os.scandir

    def watched(path: str) -> object:
        listed.append(str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", watched)
    registry = Registry(file, roots=[roots])
    with pytest.raises(SessionUnplaced):
        registry.place(APP)
    assert (listed, calls()) == ([], 0)
    app = repository(roots / "group" / "app")
    registry.refresh()
    assert registry.place(APP) == app
    assert calls() == 1
    (roots / "later").mkdir()
    registry.refresh(roots=[roots, tmp_path])
    with pytest.raises(SessionUnplaced):
        registry.place("git:h.example/late")
    repository(roots / "later" / "x", "https://h.example/late")
    registry.refresh()
    assert registry.place("git:h.example/late") == roots / "later" / "x"


def test_a_root_that_is_a_repository_itself_is_searched_too(home: Path, registry: Registry) -> None:
    repository(home, "https://github.com/me/dotfiles")
    app = repository(home / "code" / "app")
    registry.refresh(roots=[Path("~")])
    assert registry.place(APP) == app


# --- the file ----------------------------------------------------------------------------------


def test_unknown_members_are_kept_and_nothing_is_written_without_need(
    tmp_path: Path, file: Path
) -> None:
    app = repository(tmp_path / "app")
    file.parent.mkdir()
    file.write_text(
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
    before = file.read_bytes()
    registry = Registry(file)
    assert registry.problem == ""
    assert not registry.save()
    assert file.read_bytes() == before
    assert registry.key_of(app).key == APP
    assert registry.save()
    document = json.loads(file.read_text())
    assert document["later"] == [1]
    assert document["directories"][str(app)]["later"] == {"x": 1}
    assert document["directories"][str(app)]["key"] == APP
    assert document["directories"]["/odd"] == {"source": "sold"}
    assert document["directories"]["relative"] == 7
    assert document["repositories"]["/r"] == 5
    assert file.stat().st_mode & 0o777 == 0o600
    stamp = file.stat()
    registry.refresh()
    registry.key_of(app)
    assert not registry.save()
    assert file.stat() == stamp


@pytest.mark.parametrize(
    "garbage", [b"", b"\xff\x00", b"[]", b'{"directories"', b'"x"', b"[" * 9999]
)
def test_a_damaged_file_is_kept_under_another_name(
    tmp_path: Path, file: Path, garbage: bytes
) -> None:
    app = repository(tmp_path / "app")
    file.parent.mkdir()
    for number in (1, 2):
        file.write_bytes(garbage)
        registry = Registry(file)
        assert "damaged" in registry.problem
        assert not registry.save()
        assert file.read_bytes() == garbage, "looking changes nothing"
        registry.add(app)
        assert registry.save()
        assert registry.problem == ""
        assert file.with_name(f"projects.json.damaged-{number}").read_bytes() == garbage
        assert only(Registry(file).projects()).directory == app


def test_a_newer_versions_file_is_read_and_left_alone(tmp_path: Path, file: Path) -> None:
    app = repository(tmp_path / "app")
    file.parent.mkdir()
    text = json.dumps({"schema": 2, "directories": {str(app): {"source": "found"}}})
    file.write_text(text)
    registry = Registry(file)
    assert "newer" in registry.problem
    assert registry.place(APP) == app
    assert not registry.save()
    assert file.read_text() == text


def test_two_processes_lose_nothing_of_each_other(tmp_path: Path, file: Path) -> None:
    a, b, c = (tmp_path / name for name in "abc")
    for directory in (a, b, c):
        directory.mkdir()
    one, two = Registry(file), Registry(file)
    one.learn(a)
    two.add(b)
    two.add(c)
    two.save()
    two.remove(c)
    two.save()
    one.learn(c)
    one.save()
    assert {place.directory for place in Registry(file).projects()} == {a, b}
    two.refresh()
    assert {place.directory for place in two.projects()} == {a, b}


def test_a_link_to_the_file_stays_a_link(tmp_path: Path, file: Path) -> None:
    (tmp_path / "dotfiles").mkdir()
    file.parent.mkdir()
    file.symlink_to(tmp_path / "dotfiles" / "projects.json")
    registry = Registry(file)
    registry.add(tmp_path)
    registry.save()
    assert file.is_symlink()
    assert only(Registry(file).projects()).directory == tmp_path


def test_a_file_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    registry = Registry(tmp_path / "file" / "projects.json")
    registry.add(tmp_path)
    with pytest.raises(PreferencesError, match="can't be written"):
        registry.save()


def test_a_directory_in_the_files_place_is_not_removed(tmp_path: Path, file: Path) -> None:
    file.mkdir(parents=True)
    registry = Registry(file)
    assert registry.problem
    registry.add(tmp_path)
    with pytest.raises(ClaudeSyncError):
        registry.save()
    assert file.is_dir()


def test_names_that_are_no_text_survive(tmp_path: Path, file: Path) -> None:
    odd = tmp_path / os.fsdecode(b"caf\xe9")
    odd.mkdir()
    registry = Registry(file)
    registry.add(odd)
    registry.save()
    assert Registry(file).place("name:caf%e9") == odd
