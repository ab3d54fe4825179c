"""Going on with a session by a click: what is pulled first, and what a terminal gets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from desktop.notification_servers import NotificationServer
from desktop.panel import Panel
from desktop.programs import Programs, install
from desktop.tray_program import Tray, TrayMachine, await_notice, await_row, click, prefer, press
from machines import OTHER, SESSION, PlayedMachine, said
from programs import require
from waiting import until

_NASTY = "a'b\"c;$(touch x)&<b>"
# A shell of the user's that ends where it would wait for keys.
_SHELL = '#!/bin/sh\n[ "$2" = -c ] && exec /bin/bash "$@"\nexit 0\n'
_CLAUDE = """\
#!/bin/sh
test "$1" != --help || exit 0
printf '%s\\n' "$PWD" "$@" > {log}.new
mv {log}.new {log}
"""


def test_a_session_is_pulled_and_resumed_in_a_terminal_in_its_folder(
    programs: Programs,
    panel: Panel,
    server: NotificationServer,
    laptop: TrayMachine,
    desktop: PlayedMachine,
    display: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    require("xterm")
    laptop.project = laptop.home / _NASTY
    laptop.set_up()
    log = tmp_path / "log"
    install(tmp_path, monkeypatch, "claude", _CLAUDE.format(log=log))
    shell = install(tmp_path, monkeypatch, "bash", _SHELL)
    monkeypatch.setenv("SHELL", str(shell))
    monkeypatch.setenv("TERMINAL", "xterm")
    desktop.write(OTHER, said("from the desktop"))
    desktop.push()
    Tray(programs, laptop)
    press(server, await_notice(server, "desktop"), "Pull and resume")
    until(log.exists)
    folder, *arguments = log.read_text().splitlines()
    assert arguments == ["--resume", OTHER]
    assert folder == str(laptop.project)
    assert not (Path(folder) / "x").exists()
    assert laptop.read(OTHER) == desktop.read(OTHER)
    notice = await_notice(server, "Pulled “from the desktop” from desktop, ")
    assert notice["summary"] == "Pulled and resumed", "short enough for every desktop"
    assert "if it asks, and you trust what is in it, choose “Yes, I trust this folder”" in str(
        notice["body"]
    )


def test_resuming_pulls_what_another_machine_is_ahead_with(
    programs: Programs,
    panel: Panel,
    server: NotificationServer,
    laptop: TrayMachine,
    desktop: PlayedMachine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    laptop.write(SESSION, said("from the laptop"))
    laptop.push()
    desktop.pull()
    trusted = {"projects": {str(laptop.project): {"hasTrustDialogAccepted": True}}}
    (laptop.home / ".claude.json").write_text(json.dumps(trusted))
    prefer(laptop, on_arrival="nothing", show_titles=False)
    install(tmp_path, monkeypatch, "terminal", f'#!/bin/sh\ntouch "{tmp_path}/opened"; sleep 2\n')
    prefer(laptop, terminal=["terminal", "--"])
    Tray(programs, laptop)
    await_row(panel, "from the laptop")
    desktop.write(SESSION, said("more"))
    desktop.push()
    click(panel, "from the laptop")
    notice = await_notice(server, "Pulled a session of app from desktop, ")
    assert "\n" not in notice["body"], "there is nothing to remark"
    assert (tmp_path / "opened").exists()
    assert laptop.read() == desktop.read()


def test_what_has_to_be_decided_is_said_in_place_of_a_terminal(
    programs: Programs,
    panel: Panel,
    server: NotificationServer,
    laptop: TrayMachine,
    desktop: PlayedMachine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    laptop.write(SESSION, said("begin"))
    laptop.push()
    desktop.pull()
    desktop.write(SESSION, said("there"))
    mine = laptop.write(SESSION, said("here"))
    prefer(laptop, notifications={"conflict": False}, on_arrival="nothing")
    install(tmp_path, monkeypatch, "terminal", f'#!/bin/sh\ntouch "{tmp_path}/opened"\n')
    prefer(laptop, terminal=["terminal", "--"])
    Tray(programs, laptop)
    number = await_row(panel, "• begin").number
    desktop.push()
    panel.tell("clicked", number)
    notice = await_notice(server, "“begin” wasn't resumed")
    assert "diverged on this machine and desktop" in str(notice["body"])
    assert "Compare…" in notice["actions"].values()
    assert not (tmp_path / "opened").exists()
    assert laptop.read() == mine


def test_what_is_still_arriving_is_resumed_all_the_same_by_a_button(
    programs: Programs,
    panel: Panel,
    server: NotificationServer,
    laptop: TrayMachine,
    desktop: PlayedMachine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    laptop.write(SESSION, said("begin"))
    laptop.push()
    desktop.pull()
    desktop.write(SESSION, said("there"))
    desktop.push()
    desktop.bundle().write_bytes(desktop.bundle().read_bytes()[:-50])
    install(tmp_path, monkeypatch, "terminal", f'#!/bin/sh\ntouch "{tmp_path}/opened"; sleep 2\n')
    prefer(laptop, terminal=["terminal", "--"])
    Tray(programs, laptop)
    click(panel, "begin")
    notice = await_notice(server, "“begin” wasn't resumed")
    assert not (tmp_path / "opened").exists()
    press(server, notice, "Resume all the same")
    until((tmp_path / "opened").exists)


def test_without_a_terminal_and_a_clipboard_the_line_is_shown(
    programs: Programs,
    panel: Panel,
    server: NotificationServer,
    laptop: TrayMachine,
) -> None:
    laptop.write(SESSION, said("hello"))
    laptop.push()
    prefer(laptop, terminal=["/nowhere/terminal"])
    Tray(programs, laptop)
    click(panel, "hello")
    press(server, await_notice(server, "Couldn't open a terminal"), "Copy resume command")
    line = str(await_notice(server, "Type this to resume")["body"])
    assert "claude --resume " + SESSION in line
