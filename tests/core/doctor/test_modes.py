"""Whether other users of this machine get at what claude-sync and Claude Code keep on it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from claude_sync.doctor import modes
from claude_sync.model import Level
from examined import Patient, follow
from machines import SESSION, said

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes are POSIX'")
CODES = [
    f"{whose}-{how}-by-others" for whose in ("own", "claude") for how in ("readable", "writable")
]


def _open_above(path: Path) -> None:
    """Let everybody pass through what lies above, as where homes are open."""
    for parent in path.parents:
        status = parent.stat()
        if status.st_uid == os.geteuid() and not status.st_mode & 0o001:
            parent.chmod(stat.S_IMODE(status.st_mode) | 0o011)


@pytest.fixture
def opened(patient: Patient) -> Patient:
    """This machine with a session, in a home that everybody may pass through."""
    patient.write(SESSION, said())
    patient.push()
    patient.path().chmod(0o600)
    for folder in (patient.claude, patient.claude / "projects", patient.folder):
        folder.chmod(0o755)
    for path in (patient.folder, patient.paths.state, patient.paths.config):
        _open_above(path)
    return patient


def test_where_files_are_private_nothing_is_said(opened: Patient) -> None:
    assert all(opened.is_well(code) for code in CODES)


def _cures(patient: Patient, code: str, level: Level, path: Path, mode: int) -> None:
    _open_above(path)
    path.chmod(mode)
    found = patient.the(code, level)
    follow(found)
    assert patient.is_well(code)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_others_may_read_a_transcript(
    opened: Patient, mode: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(modes, "_private_group", lambda: -1)
    _cures(opened, "claude-readable-by-others", Level.WARNING, opened.path(), mode)


def test_a_group_of_ones_own_has_no_others(
    opened: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(modes, "_private_group", lambda: opened.path().stat().st_gid)
    opened.path().chmod(0o660)
    assert opened.is_well("claude-readable-by-others")
    assert opened.is_well("claude-writable-by-others")


@pytest.mark.parametrize("what", ["transcript", "folder", "projects", "settings"])
def test_others_may_change_what_claude_code_keeps(opened: Patient, what: str) -> None:
    settings = opened.claude / "settings.json"
    settings.write_text("{}")
    settings.chmod(0o600)
    paths = {
        "transcript": opened.path(),
        "folder": opened.folder,
        "projects": opened.claude / "projects",
        "settings": settings,
    }
    mode = 0o602 if paths[what].is_file() else 0o703
    _cures(opened, "claude-writable-by-others", Level.ERROR, paths[what], mode)


def test_others_may_read_the_records(opened: Patient) -> None:
    _cures(opened, "own-readable-by-others", Level.WARNING, opened.records_file(), 0o604)


@pytest.mark.parametrize("what", ["state", "vault_directory", "config"])
def test_others_may_write_among_our_own(opened: Patient, what: str) -> None:
    folder: Path = getattr(opened.paths, what)
    folder.mkdir(parents=True, exist_ok=True)
    _cures(opened, "own-writable-by-others", Level.ERROR, folder, 0o707)


def test_a_private_folder_above_keeps_others_out(opened: Patient) -> None:
    opened.path().chmod(0o666)
    opened.folder.chmod(0o700)
    assert all(opened.is_well(code) for code in CODES)
