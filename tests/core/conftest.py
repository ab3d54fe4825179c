"""What tests of projects and their directories begin with."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from claude_sync.projects.registry import Registry
from repositories import clone, program


@pytest.fixture
def projects_file(tmp_path: Path) -> Path:
    """Where a registry is kept; it isn't there yet."""
    return tmp_path / "config" / "projects.json"


@pytest.fixture
def registry(projects_file: Path) -> Registry:
    """One that knows nothing yet."""
    return Registry(projects_file)


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """A repository of the project `APP`."""
    return clone(tmp_path / "app")


@pytest.fixture
def git_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
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
