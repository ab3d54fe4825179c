"""From the command that switches the start at login on, over the login, to the icon."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from desktop.panel import Panel
from desktop.programs import Programs
from desktop.tray_program import TrayMachine, await_row, click
from machines import SESSION, opened, said
from waiting import PATIENCE_SECONDS, until


def _command(machine: TrayMachine, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "claude_sync_app", *arguments],
        env={**os.environ, **machine.environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def test_what_is_switched_on_shows_the_icon_at_every_login(
    programs: Programs, panel: Panel, laptop: TrayMachine
) -> None:
    status = _command(laptop, "autostart", "status")
    assert (status.returncode, status.stdout) == (0, "The icon isn't started at login.\n")
    enabled = _command(laptop, "autostart", "enable")
    assert enabled.returncode == 0
    assert "~/.config/autostart/claude-sync.desktop" in enabled.stdout

    entries = laptop.home / ".config" / "autostart"
    for _ in range(2):
        panel.watcher.registered.clear()
        login = programs.start(["dex", "-a", "-w", "-s", str(entries)], laptop.environment)
        await_row(panel, "Quit")
        laptop.write(SESSION, said("work"))
        until(lambda: _is_pushed(laptop))
        click(panel, "Quit")
        assert login.wait(PATIENCE_SECONDS) == 0, "what was started at login has ended"

    document = json.loads(_command(laptop, "autostart", "disable", "--json").stdout)
    assert document == {"enabled": False, "where": "", "program": ""}
    assert list(entries.iterdir()) == []


def _is_pushed(machine: TrayMachine) -> bool:
    bundle = machine.bundle()
    return bundle.exists() and opened(bundle).transcript == machine.read(SESSION)


def test_an_entry_that_leads_nowhere_is_said(laptop: TrayMachine) -> None:
    entry = laptop.home / ".config/autostart/claude-sync.desktop"
    entry.parent.mkdir(parents=True)
    entry.write_text("[Desktop Entry]\nType=Application\nName=x\nExec=/gone/claude-sync-tray\n")
    status = _command(laptop, "autostart")
    assert status.returncode == 0
    assert "claude-sync autostart enable" in status.stderr


def test_a_folder_that_cannot_be_written_is_named(laptop: TrayMachine, tmp_path: Path) -> None:
    (laptop.home / ".config" / "autostart").write_text("a file is in the way")
    done = _command(laptop, "autostart", "enable")
    assert done.returncode == 1
    assert ".config/autostart" in done.stderr
    assert len(done.stderr.splitlines()) == 1
