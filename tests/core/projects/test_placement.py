"""Where a session from elsewhere is resumed: nobody who writes into the store chooses that."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from claude_sync.projects.registry import Registry
from randomness import examples
from repositories import APP, URL, git, program, repository

TRACKED = ("packages", "packages/web", "packages/web/src", "é dir", "dist")
"""Directories with committed files; `dist` is ignored all the same."""
FOLLOWED = frozenset(TRACKED) - {"dist"}
UNTRACKED = ("node_modules", "node_modules/evil", "build", "new", ".claude", ".claude/x", "vendor")


@pytest.fixture
def cloned(tmp_path: Path) -> Path:
    """A working tree with tracked, ignored and new directories, and another one inside."""
    app = repository(tmp_path / "app", URL)
    (app / ".gitignore").write_text("node_modules/\nbuild\n/dist/\n")
    odd = (":(x)", "!y", "#z") if os.name == "posix" else ()
    for name in (*TRACKED, *UNTRACKED, *odd):
        (app / name).mkdir(parents=True, exist_ok=True)
        (app / name / "file").write_text("x")
    inner = repository(app / "vendor")
    git(inner, "add", "file")
    git(inner, "commit", "-q", "-m", "x")
    (app / "link").symlink_to("node_modules/evil")
    (app / "short").symlink_to("packages/web")
    git(app, "add", "-f", ".gitignore", "link", "short", "vendor", ".claude")
    git(app, "add", "-f", *(f"./{name}" for name in (*TRACKED, *odd)))
    git(app, "commit", "-q", "-m", "x")
    return app


@pytest.mark.parametrize("subpath", sorted(FOLLOWED))
def test_a_directory_that_git_tracks_files_in_is_followed(
    cloned: Path, registry: Registry, subpath: str
) -> None:
    registry.add(cloned)
    assert registry.placement(APP, subpath) == (cloned / subpath, "")
    assert registry.placement(APP, subpath, ask=False).directory == cloned
    assert registry.placement(APP, subpath.upper()).directory in (cloned, cloned / subpath)


@pytest.mark.parametrize(
    "subpath",
    ["dist", *UNTRACKED, ".git", ".git/hooks", ".GIT/hooks", "gone", "link", "packages/x"],
)
def test_any_other_is_not_and_that_is_said(cloned: Path, registry: Registry, subpath: str) -> None:
    registry.add(cloned)
    place = registry.placement(APP, subpath)
    assert place.directory == cloned
    assert place.reason


def test_a_link_is_followed_where_it_leads_to(cloned: Path, registry: Registry) -> None:
    registry.add(cloned)
    assert registry.placement(APP, "short/src").directory == cloned / "packages" / "web" / "src"


def test_a_directory_that_a_session_was_run_in_is_followed(
    cloned: Path, registry: Registry
) -> None:
    registry.add(cloned)
    registry.learn(cloned / "build")
    assert registry.placement(APP, "build").directory == cloned / "build"
    assert registry.placement(APP, "new", was_used=lambda one: one == cloned / "new").directory == (
        cloned / "new"
    )
    registry.remove(cloned / "build")
    assert registry.placement(APP, "build").directory == cloned


@pytest.mark.parametrize("subpath", [".git/hooks", ".claude", ".claude/x"])
def test_inside_of_git_and_claude_nothing_is_resumed_whatever_was_run_there(
    cloned: Path, registry: Registry, subpath: str
) -> None:
    registry.add(cloned)
    registry.learn(cloned / subpath)
    assert registry.placement(APP, subpath, was_used=lambda _: True).directory == cloned


def test_one_that_another_commit_has_is_followed_though_it_is_missing(
    cloned: Path, registry: Registry
) -> None:
    registry.add(cloned)
    (cloned / "packages" / "web" / "src" / "file").unlink()
    (cloned / "packages" / "web" / "src").rmdir()
    place = registry.placement(APP, "packages/web/src")
    assert place.directory == cloned / "packages" / "web" / "src"


def test_where_there_is_no_repository_or_git_can_not_answer_it_is_the_root(
    tmp_path: Path, cloned: Path, registry: Registry, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "sub").mkdir()
    assert registry.placement("name:~", "sub").directory == home
    notes = tmp_path / "notes"
    (notes / "sub").mkdir(parents=True)
    registry.add(notes)
    assert registry.placement("name:notes", "sub").directory == notes
    registry.add(cloned)
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    assert registry.placement(APP, "packages").directory == cloned


def test_git_is_asked_twice_for_a_project_however_many_sessions_come(
    tmp_path: Path, cloned: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.add(cloned)
    log = tmp_path / "log"
    (tmp_path / "bin").mkdir()
    program(tmp_path / "bin", "git", f'echo "$@" >> "{log}"; exec "$REAL" "$@"')
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    assert registry.placement(APP).directory == cloned
    assert not log.exists()
    for number in range(20):
        registry.placement(APP, f"node_modules/{number}")
        registry.placement(APP, "packages/web")
    assert len(log.read_text().splitlines()) == 2


def test_nothing_that_the_repository_names_is_run(cloned: Path, registry: Registry) -> None:
    ran = cloned / "ran"
    hook = cloned / "monitor"
    hook.write_text(f'#!/bin/sh\n: > "{ran}"\n')
    hook.chmod(0o755)
    git(cloned, "config", "core.fsmonitor", str(hook))
    registry.add(cloned)
    assert registry.placement(APP, "packages").directory == cloned / "packages"
    assert not ran.exists()


PARTS = st.sampled_from(
    ["packages", "web", "src", "link", "short", "node_modules", "evil", ".git", ".claude", "dist"]
)


@given(st.lists(PARTS | st.text(max_size=4), max_size=4).map("/".join))
@settings(max_examples=examples(60), suppress_health_check=list(HealthCheck))
def test_whatever_a_bundle_says_it_is_the_root_or_a_tracked_directory(
    cloned: Path, registry: Registry, subpath: str
) -> None:
    registry.add(cloned)
    directory = registry.placement(APP, subpath).directory
    assert directory == cloned or directory.relative_to(cloned).as_posix() in FOLLOWED
