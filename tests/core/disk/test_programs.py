"""Programs are found by whole paths: never one that lies in the current directory."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from claude_sync.disk.programs import find_program, full_command
from claude_sync.errors import ProjectKeyError, TransportError
from claude_sync.projects.git import ssh_hostname
from claude_sync.transports import open_transport
from claude_sync_app.desktop import clipboard, launching

SYSTEMS = ("linux", "darwin", "win32")
ELSEWHERE = ("", ".", "./", "bin", "./bin", "..", "../here/bin")
"""Entries of a PATH that mean the current directory, or what is named from there."""


def _program(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / name
    program.write_text('#!/bin/sh\n: > "${0%/*}/ran"\n')
    program.chmod(0o755)
    return program


@pytest.fixture
def cloned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory, with programs in it and below it that nobody asked for."""
    here = tmp_path / "here"
    for folder in (here, here / "bin", tmp_path):
        for name in ("ssh", "git", "cmd", "clip", "powershell", "xclip", "wt", "pbcopy"):
            _program(folder, name)
            _program(folder, f"{name}.exe")
    monkeypatch.chdir(here)
    return here


@pytest.mark.parametrize("system", SYSTEMS)
def test_no_program_is_found_from_the_current_directory(cloned: Path, system: str) -> None:
    separator = ";" if system == "win32" else ":"
    for path in (*ELSEWHERE, separator.join(ELSEWHERE)):
        for name in ("ssh", "ssh.exe", "wt", "./ssh", "bin/ssh", "../ssh", ""):
            assert find_program(name, path=path, system=system) is None
    assert find_program("ssh", system=system, environment={"PATH": ""}) is None


def test_on_windows_no_program_is_found_by_a_path_from_there(cloned: Path) -> None:
    for name in (".\\ssh.exe", "bin\\ssh.exe", "C:ssh.exe", "C:ssh"):
        assert find_program(name, path="", system="win32") is None


@pytest.mark.parametrize("system", SYSTEMS)
def test_what_the_path_names_wholly_is_found_behind_them(
    cloned: Path, tmp_path: Path, system: str
) -> None:
    good = _program(tmp_path / "good", "ssh.exe" if system == "win32" else "ssh")
    path = (";" if system == "win32" else ":").join([*ELSEWHERE, str(good.parent)])
    assert find_program("ssh", path=path, system=system) == str(good)
    assert find_program(str(good), path="", system=system) == str(good)


def test_windows_own_programs_are_taken_from_its_own_folder(cloned: Path, tmp_path: Path) -> None:
    windows = tmp_path / "Windows"
    environment = {"SystemRoot": str(windows), "PATH": str(cloned)}
    for name in ("cmd.exe", "powershell"):
        assert find_program(name, system="win32", environment=environment) is None
    cmd = _program(windows / "System32", "cmd.exe")
    shell = _program(windows / "System32" / "WindowsPowerShell" / "v1.0", "powershell.exe")
    assert find_program("cmd", system="win32", environment=environment) == str(cmd)
    assert find_program("PowerShell.exe", system="win32", environment=environment) == str(shell)


def test_on_windows_a_batch_file_is_run_only_where_it_is_named(tmp_path: Path) -> None:
    batch = _program(tmp_path, "ssh.cmd")
    assert find_program("ssh", path=str(tmp_path), system="win32") is None
    assert find_program("ssh.cmd", path=str(tmp_path), system="win32") == str(batch)


def test_folders_and_what_may_not_be_run_are_no_programs(tmp_path: Path) -> None:
    (tmp_path / "ssh").mkdir()
    (tmp_path / "git").write_text("")
    for name in ("ssh", "git", "a\0b"):
        assert find_program(name, path=str(tmp_path), system="linux") is None
    with pytest.raises(FileNotFoundError):
        full_command(["no-such-program", "x"])


def test_nothing_of_ours_starts_one(
    cloned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", os.pathsep.join(("", ".", "bin")))
    monkeypatch.setenv("DISPLAY", ":99")
    with pytest.raises(ProjectKeyError, match="isn't installed"):
        ssh_hostname("host")
    for ssh in ("ssh", "./ssh"):
        transport = open_transport("host:/srv/store", (ssh,), tmp_path / "run")
        with pytest.raises(TransportError):
            transport.list_files()
        transport.close()
    if sys.platform != "win32":  # no program has it there
        assert clipboard.copy_text("x") is False
    assert launching.run(["xclip"]) is False
    for git in ("git", "bin/git"):
        with pytest.raises(launching.DesktopError, match="can't be started"):
            launching.start([git], directory=cloned)
    assert not [*cloned.rglob("ran"), *tmp_path.glob("ran")]
    # They would have run.
    subprocess.run([cloned / "git"], check=True)
    assert (cloned / "ran").exists()
