"""What counts as an upgrade, and starting it where a process can't become another."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import claude_sync
import claude_sync_app
from claude_sync_app.upgrades import InstalledVersion, start_anew
from waiting import until


def test_in_a_terminal_it_lasts_as_long_as_what_it_started() -> None:
    command = [sys.executable, "-c", "raise SystemExit(3)"]
    assert start_anew(command, waits=True, platform="win32") == 3


def test_elsewhere_it_ends_before_what_it_started(tmp_path: Path) -> None:
    begun, may_end = tmp_path / "begun", tmp_path / "may end"
    new = (
        "import pathlib, sys, time\n"
        "pathlib.Path(sys.argv[1]).touch()\n"
        "while not pathlib.Path(sys.argv[2]).exists(): time.sleep(0.01)\n"
        "pathlib.Path(sys.argv[1]).unlink()\n"
    )
    old = (
        "import sys\n"
        "from claude_sync_app.upgrades import start_anew\n"
        "sys.exit(start_anew([sys.executable, *sys.argv[1:]], platform='win32'))\n"
    )
    done = subprocess.run([sys.executable, "-c", old, "-c", new, begun, may_end], check=False)
    assert done.returncode == 0
    until(begun.exists)
    may_end.touch()
    until(lambda: not begun.exists())


def test_what_can_not_be_started_is_a_failure(tmp_path: Path) -> None:
    missing = [str(tmp_path / "claude-sync")]
    assert start_anew(missing, platform="win32") == 1
    assert start_anew(missing, waits=True, platform="win32") == 1
    assert start_anew(missing, platform="linux") == 1


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that says which version is installed, where a package manager would replace it."""
    for package in (claude_sync, claude_sync_app):
        folder = tmp_path / package.__name__
        folder.mkdir()
        (folder / "__init__.py").write_text("1")
        monkeypatch.setattr(package, "__file__", str(folder / "__init__.py"))
    return tmp_path / "claude_sync" / "__init__.py"


def what_starts() -> list[str]:
    return [sys.executable]


def test_another_version_counts_once_it_was_seen_twice(installed: Path) -> None:
    version = InstalledVersion(what_starts)
    assert not version.is_another()
    installed.write_text("half")
    assert not version.is_another(), "it may be replaced file by file just now"
    installed.write_text("2")
    assert not version.is_another()
    assert version.is_another()


def test_a_program_that_is_gone_for_now_is_no_other_version(installed: Path) -> None:
    version = InstalledVersion(what_starts)
    installed.unlink()
    assert [version.is_another() for _ in range(3)] == [False, False, False]
    installed.write_text("1")
    assert [version.is_another() for _ in range(3)] == [False, False, False]


def test_another_version_that_does_not_start_is_left_alone(installed: Path) -> None:
    version = InstalledVersion(lambda: [str(installed.with_name("no-such-program"))])
    installed.write_text("2")
    assert [version.is_another() for _ in range(3)] == [False, False, False]
