"""The tray application as a program: starting, being seen, being ended."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from desktop.notification_servers import NotificationServer
from desktop.panel import Panel
from desktop.programs import PrivateBus, Programs
from desktop.tray_program import Tray, TrayMachine, await_notice, await_row, click, prefer
from machines import OTHER, SESSION, said
from waiting import PATIENCE_SECONDS, until

# --- the first start ---------------------------------------------------------------------------


def test_the_first_start_opens_the_window_once(
    programs: Programs,
    panel: Panel,
    server: NotificationServer,
    fresh: TrayMachine,
    opened: Callable[[], list[Path]],
) -> None:
    fresh.set_up_alone()
    tray = Tray(programs, fresh)
    (page,) = until(opened)
    assert page.is_file()
    until(lambda: panel.menu().rows[0].label.startswith("Up to date"))
    assert tray.end() == 0
    panel.watcher.registered.clear()
    again = Tray(programs, fresh)
    until(lambda: panel.menu().rows[0].label.startswith("Up to date"))
    assert len(opened()) == 1
    assert again.end() == 0
    assert list(server.shown) == [], "what the window says needs no notification"


def test_the_first_start_keeps_everything_at_home_and_says_where(
    programs: Programs,
    panel: Panel,
    server: NotificationServer,
    fresh: TrayMachine,
    no_browser: None,
) -> None:
    (fresh.claude / "sessions").mkdir(parents=True)
    fresh.project.mkdir(parents=True)
    fresh.write(SESSION, said("new", cwd=str(fresh.project)))
    fresh.write(OTHER, said("old", cwd=str(fresh.project)))
    fresh.grow_old(OTHER, seconds=10 * 86_400)
    tray = Tray(programs, fresh)

    await_row(panel, "Choose shared folder…")
    assert "Shared folder: ~/claude-sync (this machine only)" in panel.menu().labels
    private = fresh.home / "claude-sync"
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    (bundle,) = until(lambda: list(private.glob("*/*.ccsync")))
    assert bundle.name.startswith(SESSION), "what is older waits until it is asked for"
    await_row(panel, "Push older ones (1)")

    (shown,) = server.shown.wait()
    assert "~/claude-sync" in shown["summary"] + shown["body"]
    assert shown["actions"], "the notification has a button for choosing another place"
    assert tray.end() == 0


def test_a_home_that_cannot_be_used_is_said_and_watched_all_the_same(
    programs: Programs, panel: Panel, fresh: TrayMachine, no_browser: None
) -> None:
    (fresh.home / "claude-sync").write_text("something else")
    tray = Tray(programs, fresh)
    await_row(panel, "Choose shared folder…")
    click(panel, "Quit")
    assert tray.ended() == 0


# --- one a user, and its end -------------------------------------------------------------------


def test_a_second_one_says_so_and_ends_well(
    programs: Programs, panel: Panel, laptop: TrayMachine
) -> None:
    first = Tray(programs, laptop)
    panel.item()
    done = subprocess.run(
        [sys.executable, "-m", "claude_sync_app", "tray"],
        env={**os.environ, **laptop.environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0
    assert "already running" in done.stdout
    assert str(first.process.pid) in done.stdout, "and which one it is"
    assert done.stderr == ""
    click(panel, "Quit")
    assert first.ended() == 0
    assert first.words() == ""


@pytest.mark.parametrize("number", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_a_signal_ends_it_and_pushes_what_changed(
    programs: Programs, panel: Panel, laptop: TrayMachine, number: str
) -> None:
    prefer(laptop, quiet_seconds=60)
    tray = Tray(programs, laptop)
    await_row(panel, "Preferences")
    until(lambda: "Up to date" in panel.menu().rows[0].label)
    laptop.write(SESSION, said("the last word"))
    panel.tell("opened", 0)
    await_row(panel, "Push 1 session")
    assert not laptop.bundle().exists(), "it is still at rest"
    tray.process.send_signal(getattr(signal, number))
    assert tray.ended(5) == 0
    assert laptop.bundle().exists()
    assert tray.words() == ""


def test_quitting_does_not_wait_for_a_push(
    programs: Programs, panel: Panel, laptop: TrayMachine
) -> None:
    tray = Tray(programs, laptop)
    click(panel, "Quit")
    assert tray.ended(5) == 0


# --- panels, buses, displays -------------------------------------------------------------------


def test_a_panel_that_comes_late_or_comes_back_gets_the_icon(
    programs: Programs, bus: PrivateBus, laptop: TrayMachine
) -> None:
    tray = Tray(programs, laptop)
    until(lambda: "No icon" in tray.words())
    panel = Panel(bus.address)
    try:
        panel.item()
        await_row(panel, "Quit")
        panel.vanish()
        panel.appear()
        panel.item()
        click(panel, "Quit")
        assert tray.ended() == 0
    finally:
        panel.close()


@pytest.mark.slow
def test_where_no_panel_comes_a_notification_says_what_to_install(
    programs: Programs,
    server: NotificationServer,
    laptop: TrayMachine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_CURRENT_DESKTOP", "ubuntu:GNOME")
    Tray(programs, laptop)
    shown = await_notice(server, "claude-sync is running without an icon", seconds=180)
    assert "gnome-shell-extension-appindicator" in str(shown["body"])


@pytest.mark.usefixtures("no_bus")
def test_without_a_bus_and_a_display_it_says_why_and_watches_on(
    programs: Programs, laptop: TrayMachine
) -> None:
    tray = Tray(programs, laptop)
    until(lambda: "No icon" in tray.words())
    assert len(tray.words().strip().splitlines()) == 1
    laptop.write(SESSION, said("hello"))
    until(laptop.bundle().exists)
    assert tray.end() == 0


def test_a_bus_that_restarts_gets_the_icon_again(
    programs: Programs, bus: PrivateBus, laptop: TrayMachine
) -> None:
    panel = Panel(bus.address)
    tray = Tray(programs, laptop)
    panel.item()
    bus.end()
    panel._loop.stop()
    bus.start()
    panel = Panel(bus.address)
    try:
        until(lambda: panel.watcher.registered)
        click(panel, "Quit")
        assert tray.ended() == 0
    finally:
        panel.close()
