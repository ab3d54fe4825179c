"""Start at login: the entry that the desktop really starts, and what the system says of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_sync_app.desktop import autostart
from claude_sync_app.desktop.autostart import AutostartStatus, xdg
from claude_sync_app.desktop.launching import DesktopError
from programs import require
from waiting import PATIENCE_SECONDS, until


@pytest.fixture
def own(home: Path) -> Path:
    return home / ".config" / "autostart"


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The system's folder of entries, empty."""
    monkeypatch.setenv("XDG_CONFIG_DIRS", str(tmp_path / "xdg"))
    folder = tmp_path / "xdg" / "autostart"
    folder.mkdir(parents=True)
    return folder


def test_it_is_off_until_it_is_switched_on_and_off_again(own: Path, system: Path) -> None:
    start = autostart.choose()
    assert start.status() == AutostartStatus(False)
    start.enable([sys.executable, "-m", "x"])
    entry = own / "claude-sync.desktop"
    assert start.status() == AutostartStatus(True, str(entry), sys.executable)
    start.disable()
    assert start.status() == AutostartStatus(False)
    assert list(own.iterdir()) == []
    start.disable()


def test_it_is_switched_and_looked_at_in_one_way_and_what_is_wrong_is_said(
    own: Path, system: Path
) -> None:
    assert not autostart.start_at_login().enabled
    assert autostart.start_at_login(on=True).enabled
    assert autostart.start_at_login().enabled
    assert not autostart.start_at_login(on=False).enabled
    if own.exists():
        own.rmdir()
    own.parent.mkdir(exist_ok=True)
    own.write_bytes(b"a file")
    with pytest.raises(DesktopError, match="start at login") as caught:
        autostart.start_at_login(on=True)
    assert caught.value.where.startswith(str(own))


def _program(folder: Path, name: str) -> Path:
    """A program that notes what it was started with."""
    log = folder / "log"
    script = f"#!/bin/sh\nprintf '%s\\n' \"$@\" > '{log}.new'\nmv '{log}.new' '{log}'\n"
    program = folder / name
    program.write_text(script)
    program.chmod(0o755)
    return program


def _started_with(folder: Path) -> list[str]:
    log = folder / "log"
    until(log.exists)
    return log.read_text().splitlines()


def test_a_login_starts_it(own: Path, system: Path, tmp_path: Path) -> None:
    program = _program(tmp_path, "claude sync tray")
    autostart.choose().enable([str(program), "tray", "--since=login"])
    require("dex")
    subprocess.run(["dex", "-a", "-w", "-s", str(own)], check=True, timeout=PATIENCE_SECONDS)
    assert _started_with(tmp_path) == ["tray", "--since=login"]


def test_an_entry_is_valid_and_keeps_every_character_of_the_command(
    own: Path, system: Path, tmp_path: Path
) -> None:
    program = _program(tmp_path, "a 'b' \"c\" $d `e` \\f g")
    arguments = ["two words", "$HOME %u %%", 'q"uote', "back\\slash", "", "~"]
    start = autostart.choose()
    start.enable([str(program), *arguments])
    assert start.status().program == str(program)
    assert not start.status().is_broken

    entry = own / "claude-sync.desktop"
    require("desktop-file-validate", "gdbus")
    checked = subprocess.run(
        ["desktop-file-validate", str(entry)], capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stdout) == (0, "")
    # As GNOME, Xfce and others start it.
    subprocess.run(["gio", "launch", str(entry)], check=True, timeout=PATIENCE_SECONDS)
    assert _started_with(tmp_path) == arguments


def test_what_was_switched_off_elsewhere_is_off(own: Path, system: Path) -> None:
    start = autostart.choose()
    start.enable([sys.executable])
    entry = own / "claude-sync.desktop"
    text = entry.read_text()
    for line in ("Hidden=true", "X-GNOME-Autostart-enabled=false"):
        entry.write_text(text + line + "\n")
        assert not start.status().enabled
    start.enable([sys.executable])
    assert start.status().enabled


def test_an_entry_of_the_systems_is_seen_and_hidden_by_one_of_the_users(
    own: Path, system: Path
) -> None:
    (system / "claude-sync.desktop").write_text(xdg.entry_text(["/usr/bin/claude-sync-tray"]))
    start = autostart.choose()
    assert start.status().where == str(system / "claude-sync.desktop")
    assert start.status().enabled
    start.disable()
    assert not start.status().enabled
    assert start.status().where == str(own / "claude-sync.desktop")
    start.enable([sys.executable])
    assert start.status().enabled


def test_an_entry_whose_program_is_gone_is_broken(own: Path, system: Path, tmp_path: Path) -> None:
    start = autostart.choose()
    start.enable([str(tmp_path / "gone")])
    assert start.status().is_broken
    (own / "claude-sync.desktop").write_bytes(b"\xff\xfe[Desktop Entry\nExec=")
    assert start.status() == AutostartStatus(False, str(own / "claude-sync.desktop"), "")
    assert not start.status().is_broken


@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"])), min_size=1))
def test_every_command_survives_being_written_into_an_entry(command: list[str]) -> None:
    entry = xdg.parse(xdg.entry_text(command))
    assert xdg.split(entry["Exec"]) == command


def test_the_command_is_the_one_that_is_installed(tmp_path: Path) -> None:
    command = autostart.tray_command()
    assert os.path.isabs(command[0])
    assert os.path.exists(command[0])
