"""Which directory a session belongs to, which project a directory, and what that costs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from claude_sync.claude.home import encode_directory, folder_matches
from claude_sync.errors import (
    ProjectKeyError,
    SessionUnplaced,
    UsageError,
)
from claude_sync.model import ProjectKey
from claude_sync.projects import git as asking
from claude_sync.projects import key_lookup
from claude_sync.projects.registry import Registry
from repositories import APP, URL, clone, git, program


def folder(directory: Path) -> str:
    return encode_directory(str(directory))


@pytest.fixture
def no_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    def hide() -> None:
        (tmp_path / "empty").mkdir(exist_ok=True)
        monkeypatch.setenv("PATH", str(tmp_path / "empty"))

    return hide


# --- which directory a session belongs to ------------------------------------------------------


def test_a_session_belongs_to_the_directory_that_encodes_to_its_folder(
    tmp_path: Path, registry: Registry
) -> None:
    app = clone(tmp_path / "my app")
    cwds = ["/home/other/app", "C:\\Users\\me\\app", "relative", "", "a\0b", str(app)]
    assert registry.directory_of(folder(app), cwds) == app


def test_an_editor_may_spell_a_directory_in_another_case(
    tmp_path: Path, projects_file: Path
) -> None:
    app = clone(tmp_path / "App")
    typed = tmp_path / "app"
    if not typed.exists():
        typed.symlink_to("App")  # what a disk that folds case does by itself
    for system, found in (("win32", app), ("darwin", app), ("linux", None)):
        registry = Registry(projects_file, home=tmp_path / "home", system=system)
        assert registry.directory_of(folder(app).lower(), [str(app)]) == found, system
        if found:
            assert registry.directory_of(folder(app), [str(typed)]) == app
            assert [one.path for one in registry.projects()] == [app]  # once, under one name
            assert registry.remove(typed)
            assert not registry.learn(typed)


def test_a_directory_of_another_machine_registers_nothing(
    tmp_path: Path, registry: Registry, projects_file: Path
) -> None:
    app, other = clone(tmp_path / "app"), clone(tmp_path / "other")
    assert registry.directory_of(folder(app), [str(other)]) is None
    assert registry.projects() == ()
    assert not registry.save()
    assert not projects_file.exists()


def test_a_registered_directory_is_found_without_the_transcripts_help(
    app: Path, registry: Registry, projects_file: Path
) -> None:
    registry.directory_of(folder(app), [str(app)])
    assert registry.save()
    assert Registry(projects_file).directory_of(folder(app), ["/elsewhere/app"]) == app


def test_what_the_records_say_counts_last_and_only_if_it_fits(
    tmp_path: Path, registry: Registry
) -> None:
    app = tmp_path / "app"
    assert registry.directory_of(folder(app), [], installed=str(app)) == app
    assert registry.directory_of(folder(app), [], installed=str(tmp_path / "other")) is None


def test_of_two_directories_with_one_folder_name_the_existing_one_counts(
    tmp_path: Path, registry: Registry
) -> None:
    there = tmp_path / "my" / "app"
    there.mkdir(parents=True)
    gone = tmp_path / "my-app"
    assert folder(there) == folder(gone)
    registry.add(there)
    assert registry.directory_of(folder(gone), [str(gone)]) == there
    assert registry.directory_of(folder(gone), [str(gone), str(there)]) == there


def test_a_directory_that_is_gone_still_owns_its_sessions(
    tmp_path: Path, registry: Registry
) -> None:
    gone = tmp_path / "gone"
    assert registry.directory_of(folder(gone), [str(gone)]) == gone
    assert registry.projects() == ()


def test_what_is_learnt_answers_at_once(app: Path, registry: Registry) -> None:
    assert registry.directory_of(folder(app), []) is None
    assert registry.learn(app)
    assert registry.directory_of(folder(app), []) == app


def test_beyond_200_characters_another_hash_fits_too(tmp_path: Path, registry: Registry) -> None:
    deep = tmp_path / ("a" * 120) / ("b" * 120)
    deep.mkdir(parents=True)
    older = folder(deep)[:201] + "zzzzz"
    assert registry.directory_of(older, [str(deep)]) == deep
    assert registry.directory_of(older, []) == deep


_PATHS = st.text(st.sampled_from("/aé😀-x"), min_size=1, max_size=12).map(lambda t: "/" + t * 25)


@given(_PATHS, _PATHS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_directory_fits_a_folder_as_the_client_says(
    registry: Registry, one: str, other: str
) -> None:
    found = registry.directory_of(encode_directory(one), [other])
    assert (found is not None) == folder_matches(encode_directory(one), other)


# --- which project a directory belongs to ------------------------------------------------------


def test_git_is_asked_once_a_repository_and_again_when_its_configuration_changes(
    app: Path, projects_file: Path, git_starts: Callable[[], int]
) -> None:
    for name in ("a", "b", "c"):
        (app / name).mkdir()
    first = Registry(projects_file)
    for name in ("a", "b", "c"):
        assert first.key_of(app / name) == ProjectKey(APP, name)
    assert git_starts() == 1
    first.save()

    second = Registry(projects_file)
    assert second.key_of(app / "a") == ProjectKey(APP, "a")
    assert git_starts() == 0
    git(app, "remote", "set-url", "origin", "git@github.com:you/renamed.git")
    assert second.key_of(app / "b").key == APP, "one pass sees one state"
    second.refresh()
    assert second.key_of(app / "a").key == "git:github.com/you/renamed"
    assert second.key_of(app / "b").key == "git:github.com/you/renamed"
    assert git_starts() == 1


def test_a_changed_included_or_general_configuration_is_seen(
    tmp_path: Path,
    registry: Registry,
    git_starts: Callable[[], int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    general, included = tmp_path / "general", tmp_path / "included"
    general.write_text(f"[include]\n\tpath = {included}\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(general))
    app = clone(tmp_path / "app", "gh:you/app")

    def key() -> str:
        registry.refresh()
        return registry.key_of(app).key

    assert key() == "git:gh/you/app"
    included.write_text('[url "https://github.com/"]\n\tinsteadOf = gh:\n')
    assert key() == APP
    included.write_text('[url "https://h.example/"]\n\tinsteadOf = gh:\n')
    assert key() == "git:h.example/you/app"
    general.write_text("")
    assert key() == "git:gh/you/app"
    git_starts()
    assert key() == "git:gh/you/app"
    assert git_starts() == 0


def test_a_worktrees_own_configuration_that_appears_later_is_seen(
    app: Path, registry: Registry
) -> None:
    git(app, "config", "extensions.worktreeConfig", "true")
    assert registry.key_of(app).key == APP
    git(app, "config", "--worktree", "url.https://h.example/.insteadOf", "https://github.com/")
    registry.refresh()
    assert registry.key_of(app).key == "git:h.example/you/app"


def test_a_changed_configuration_of_ssh_is_seen(
    tmp_path: Path, registry: Registry, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # ssh reads the configuration of the account's home, whatever HOME says.
    (tmp_path / "bin").mkdir()
    included = home / ".ssh" / "conf.d" / "work"
    included.parent.mkdir(parents=True)
    (home / ".ssh" / "config").write_text(f"Include {included.parent}/*\n")
    program(tmp_path / "bin", "ssh", f'exec "$REAL" -F "{home}/.ssh/config" "$@"')
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    app = clone(tmp_path / "app", "git@work:you/app")

    def key() -> str:
        registry.refresh()
        return registry.key_of(app).key

    assert key() == "git:work/you/app"
    included.write_text("Host work\n  HostName github.com\n")
    assert key() == APP
    included.write_text("Host work\n  HostName h.example\n")
    assert key() == "git:h.example/you/app"


def test_the_branch_matters_only_where_it_chooses_the_remote(
    app: Path, registry: Registry, git_starts: Callable[[], int]
) -> None:
    registry.key_of(app)
    git(app, "symbolic-ref", "HEAD", "refs/heads/other")
    git_starts()
    registry.refresh()
    registry.key_of(app)
    assert git_starts() == 0
    git(app, "remote", "rename", "origin", "one")
    git(app, "remote", "add", "two", "https://h.example/two")
    git(app, "config", "branch.other.remote", "two")
    registry.refresh()
    assert registry.key_of(app).key == "git:h.example/two"
    git(app, "symbolic-ref", "HEAD", "refs/heads/main")
    registry.refresh()
    assert registry.key_of(app).key == APP


def test_a_missing_git_keeps_the_keys_that_are_known(
    tmp_path: Path, projects_file: Path, no_git: Callable[[], None]
) -> None:
    app, new = clone(tmp_path / "app"), clone(tmp_path / "new")
    registry = Registry(projects_file)
    registry.add(app)
    registry.save()
    config = app / ".git" / "config"
    config.write_text(config.read_text() + "[x]\n\ty = z\n")
    no_git()
    registry = Registry(projects_file)
    assert registry.key_of(app) == ProjectKey(APP)
    assert registry.key_of(app / "sub") == ProjectKey(APP, "sub")
    with pytest.raises(ProjectKeyError, match="install git"):
        registry.key_of(new)
    assert registry.placement(APP).directory == app


@pytest.mark.skipif(os.name == "nt", reason="Windows has no FIFOs")
@pytest.mark.parametrize("known", [False, True])
def test_a_git_that_never_answers_is_waited_for_once(
    tmp_path: Path, projects_file: Path, monkeypatch: pytest.MonkeyPatch, *, known: bool
) -> None:
    monkeypatch.setattr(asking, "_PATIENCE_SECONDS", 0.2)
    monkeypatch.setattr(key_lookup, "_LONG_SECONDS", 0.1)
    app = clone(tmp_path / "app")
    if known:
        registry = Registry(projects_file)
        registry.add(app)
        registry.save()
    config, fifo = app / ".git" / "config", tmp_path / "fifo"
    os.mkfifo(fifo)
    before = config.read_text()
    config.write_text(f"{before}[include]\n\tpath = {fifo}\n")
    asked: list[object] = []
    run = asking._run

    def counted(*arguments: Any) -> Any:
        asked.append(arguments)
        return run(*arguments)

    monkeypatch.setattr(asking, "_run", counted)
    for _ in range(3):
        registry = Registry(projects_file)
        if known:
            assert registry.key_of(app) == ProjectKey(APP)
        else:
            with pytest.raises(ProjectKeyError, match=r"git (didn|doesn)'t answer"):
                registry.key_of(app)
        registry.save()
    assert len(asked) == 1
    config.write_text(before)
    assert Registry(projects_file).key_of(app) == ProjectKey(APP)


def test_a_directory_that_is_gone_keeps_its_key(tmp_path: Path, projects_file: Path) -> None:
    outer = clone(tmp_path / "outer", "https://github.com/you/outer")
    tree, plain = clone(outer / "trees" / "app"), tmp_path / "notes"
    (tree / "sub").mkdir()
    plain.mkdir()
    registry = Registry(projects_file)
    for directory in (tree, tree / "sub", plain):
        assert registry.directory_of(folder(directory), [str(directory)]) == directory
        registry.key_of(directory)
    registry.save()
    shutil.rmtree(tree)
    shutil.rmtree(plain)
    registry = Registry(projects_file)
    assert registry.key_of(tree) == ProjectKey(APP)
    assert registry.key_of(tree / "sub") == ProjectKey(APP, "sub")
    assert registry.key_of(plain) == ProjectKey("name:notes")
    assert registry.key_of(outer / "never" / "seen").key == "git:github.com/you/outer"
    with pytest.raises(SessionUnplaced, match="isn't there"):
        registry.placement(APP)


def test_a_directory_removed_on_a_branch_follows_its_repository(
    app: Path, registry: Registry
) -> None:
    (app / "sub").mkdir()
    registry.directory_of(folder(app / "sub"), [str(app / "sub")])
    assert registry.key_of(app / "sub") == ProjectKey(APP, "sub")
    (app / "sub").rmdir()
    git(app, "remote", "set-url", "origin", "https://github.com/you/renamed")
    registry.refresh()
    assert registry.key_of(app / "sub") == ProjectKey("git:github.com/you/renamed", "sub")


def test_a_key_given_by_hand_stands_above_git(app: Path, projects_file: Path) -> None:
    (app / "sub").mkdir()
    inner = clone(app / "inner", "https://github.com/you/inner")
    registry = Registry(projects_file)
    assert registry.add(app, "git:Forge.example/Me/X") == ProjectKey("git:forge.example/me/x")
    registry.save()
    registry = Registry(projects_file)
    assert registry.key_of(app) == ProjectKey("git:forge.example/me/x")
    assert registry.key_of(app / "sub") == ProjectKey("git:forge.example/me/x", "sub")
    assert registry.key_of(inner).key == "git:github.com/you/inner"
    assert registry.placement("git:forge.example/me/x").directory == app
    assert registry.add(app) == ProjectKey(APP), "added again without a key: git's"


def test_a_key_by_hand_needs_no_git(
    app: Path, registry: Registry, no_git: Callable[[], None]
) -> None:
    no_git()
    assert registry.add(app, "name:app") == ProjectKey("name:app")
    assert registry.add(app, URL) == ProjectKey(APP)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "app",
        "git:",
        "name:",
        "/srv/app",
        "git:a\nb/c",
        "git:app",
        "git:you:zq9@forge.example/x",
    ],
)
def test_nonsense_is_refused_as_a_key(tmp_path: Path, registry: Registry, key: str) -> None:
    with pytest.raises(UsageError):
        registry.add(tmp_path, key)
    assert registry.projects() == ()


def test_only_a_directory_can_be_added(tmp_path: Path, registry: Registry) -> None:
    (tmp_path / "file").write_text("")
    for name in ("file", "gone"):
        with pytest.raises(UsageError):
            registry.add(tmp_path / name)


# --- what it costs -----------------------------------------------------------------------------


@pytest.fixture
def many(tmp_path: Path) -> list[Path]:
    found = []
    for number in range(250):
        root = clone(tmp_path / "code" / f"r{number}", f"https://h.example/g/r{number}")
        for name in ("a", "b", "c"):
            (root / name).mkdir()
            found.append(root / name)
        found.append(root)
    return found


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How often the disk was looked at since the last call."""
    number = 0

    def counted(real: Callable[..., Any]) -> Callable[..., Any]:
        def look(*arguments: Any, **named: Any) -> Any:
            nonlocal number
            number += 1
            return real(*arguments, **named)

        return look

    for name in ("stat", "lstat", "scandir", "listdir", "open"):
        monkeypatch.setattr(os, name, counted(getattr(os, name)))

    def count() -> int:
        nonlocal number
        found, number = number, 0
        return found

    return count


def test_a_thousand_directories_cost_a_process_a_repository_and_then_none(
    many: list[Path], projects_file: Path, git_starts: Callable[[], int], looks: Callable[[], int]
) -> None:
    sessions = [(folder(directory), [str(directory)]) for directory in many]

    def ask(times: int) -> tuple[list[ProjectKey], bool]:
        registry = Registry(projects_file)
        found = [registry.directory_of(*session) or Path() for session in sessions * times]
        return [registry.key_of(directory) for directory in found], registry.save()

    first, learnt = ask(1)
    assert learnt
    assert git_starts() == 250
    looks()
    assert ask(1) == (first, False)
    once = looks()
    assert ask(10) == (first * 10, False)
    assert 0 < looks() == once, "ten sessions in a directory cost no more than one"
    assert git_starts() == 0
