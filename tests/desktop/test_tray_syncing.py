"""Push, pull and conflicts by clicks: in the menu as a panel reads it, and on notifications."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from claude_sync.state import preferences
from desktop.notification_servers import Dunst, NotificationServer
from desktop.panel import Panel, Refused
from desktop.programs import Programs
from desktop.tray_program import (
    Tray,
    TrayMachine,
    await_notice,
    await_row,
    click,
    prefer,
    press,
    row_beginning,
)
from machines import OTHER, SESSION, PlayedMachine, said
from waiting import PATIENCE_SECONDS, until

NASTY_TITLE = (
    "<b>bold</b> & \x1b[31m\u202e\u05e9\u05dc\u05d5\u05dd \U0001f469\u200d\U0001f4bb\n" + "x" * 300
)


def _titled(text: str) -> bytes:
    return json.dumps({"type": "custom-title", "customTitle": text}).encode() + b"\n"


def _label(panel: Panel, number: int = 0) -> str:
    return panel.menu().rows[number].label


def _await_sentence(panel: Panel, beginning: str, seconds: float = PATIENCE_SECONDS) -> None:
    until(lambda: _label(panel), lambda label: label.startswith(beginning), seconds)


def _look(panel: Panel) -> None:
    """Open the menu and close it again, as a person does to see how things are."""
    panel.tell("opened", 0)
    panel.tell("closed", 0)


def _click_now(panel: Panel, *labels: str) -> None:
    """Click an entry as it is at this moment; once more where it has just become another."""

    def clicked() -> bool:
        try:
            panel.click(*labels)
        except Refused:
            return False
        return True

    until(clicked)


def _diverged(laptop: TrayMachine, desktop: PlayedMachine) -> tuple[bytes, bytes]:
    """A session that both went on with; what each of them holds."""
    laptop.write(SESSION, _titled("Fix the login bug"), said("begin"))
    laptop.push()
    desktop.pull()
    mine = laptop.write(SESSION, said("laptop says"))
    theirs = desktop.write(SESSION, said("desktop says"), said("and more"))
    desktop.push()
    return mine, theirs


# --- pushing -----------------------------------------------------------------------------------


def test_a_click_pushes_says_so_at_once_and_tells_when_it_is_done(
    programs: Programs, panel: Panel, server: NotificationServer, laptop: TrayMachine
) -> None:
    prefer(laptop, push_on_change=False)
    laptop.write(SESSION, _titled("Fix the login bug"), said("hello"))
    Tray(programs, laptop)
    number = await_row(panel, "Push 1 session").number
    panel.signals.clear()
    panel.tell("clicked", number)
    until(lambda: any("Pushing" in str(body) for body in panel.heard("ItemsPropertiesUpdated")))
    until(laptop.bundle().exists)
    assert "1 session" in str(await_notice(server, "Copied 1 session")["summary"])
    _await_sentence(panel, "Up to date")
    assert row_beginning(panel, "Nothing to push") is not None


# --- arrivals ----------------------------------------------------------------------------------


def test_an_arrival_is_told_and_pulled_by_its_button_byte_for_byte(
    programs: Programs,
    panel: Panel,
    server: NotificationServer,
    laptop: TrayMachine,
    desktop: PlayedMachine,
) -> None:
    Tray(programs, laptop)
    _await_sentence(panel, "Up to date")
    desktop.write(OTHER, _titled("Fix the login bug"), said("from the desktop"))
    desktop.write_sidecar(OTHER, "tool-results/a.txt", b"long output")
    desktop.push()
    notice = await_notice(server, "Fix the login bug")
    assert "desktop" in str(notice["summary"]) + str(notice["body"])
    assert not laptop.has(OTHER), "it asks first"
    press(server, notice, "Pull")
    until(lambda: laptop.has(OTHER))
    _await_sentence(panel, "Up to date")
    assert laptop.read(OTHER) == desktop.read(OTHER)
    assert laptop.sidecar(OTHER) == desktop.sidecar(OTHER)


def test_later_means_that_nothing_is_pulled_and_nothing_asked_again(
    programs: Programs,
    panel: Panel,
    server: NotificationServer,
    laptop: TrayMachine,
    desktop: PlayedMachine,
) -> None:
    desktop.write(OTHER, said("from the desktop"))
    desktop.push()
    Tray(programs, laptop)
    press(server, await_notice(server, "desktop"), "Later")
    _look(panel)
    await_row(panel, "Pull 1 session")
    before = len(server.shown)
    desktop.write(OTHER, said("more"))
    desktop.push()
    until(lambda: len(laptop.world.bundles()) == 1)
    _await_sentence(panel, "1 waiting from desktop")
    assert not laptop.has(OTHER)
    assert len(server.shown) == before


def test_a_title_full_of_tricks_is_only_text(
    programs: Programs,
    panel: Panel,
    display: str,
    tmp_path: Path,
    laptop: TrayMachine,
    desktop: PlayedMachine,
) -> None:
    dunst = Dunst(programs, tmp_path)
    desktop.write(OTHER, _titled(NASTY_TITLE), said("x"))
    desktop.push()
    Tray(programs, laptop)
    shown = until(lambda: [one for one in dunst.shown() if "bold" in str(one)])[0]
    said_there = shown["summary"] + shown["body"]
    for trick in ("\x1b", "\u202e"):
        assert trick not in said_there
    assert "\n" not in shown["summary"]
    row = await_row(panel, "\u200e↓ <b>bold")
    assert "<b>bold" in row.label
    assert len(row.label) < 150
    dunst.press("Pull")
    until(lambda: laptop.has(OTHER))
    assert laptop.read(OTHER) == desktop.read(OTHER)


# --- conflicts ---------------------------------------------------------------------------------


def test_a_conflict_is_told_shown_and_resolved_by_clicks_that_are_answered(
    programs: Programs,
    panel: Panel,
    server: NotificationServer,
    laptop: TrayMachine,
    desktop: PlayedMachine,
    opened: Callable[[], list[Path]],
) -> None:
    mine, theirs = _diverged(laptop, desktop)
    Tray(programs, laptop)
    notice = await_notice(server, "Fix the login bug")
    assert set(notice["actions"].values()) >= {"Compare…", "Keep both"}

    click(panel, "! Fix the login bug")
    until(opened, lambda found: len(found) == 1)

    def is_opened_again() -> bool:
        click(panel, "1 conflict…")  # nothing, while the same page is still being opened
        return len(opened()) > 1

    until(is_opened_again)
    assert laptop.read(SESSION) == mine, "what only shows decides nothing"

    press(server, notice, "Keep both")
    kept = await_notice(server, "Kept both sides of “Fix the login bug”")
    until(lambda: row_beginning(panel, "1 conflict") is None)
    (copy,) = [sid for sid in laptop.sessions() if sid != SESSION]
    assert copy[:8] in str(kept["body"])
    assert (laptop.read(SESSION), laptop.read(copy)) == (mine, theirs)
    rows = [label for label in panel.menu().labels if "Fix the login bug" in label]
    assert len(set(rows)) == 2, "the two can be told apart"

    press(server, kept, "Undo")
    await_notice(server, "“Fix the login bug” is as it was before")


# --- places that come and go -------------------------------------------------------------------


def test_a_folder_that_goes_and_comes_back_is_offline_in_between(
    programs: Programs, panel: Panel, server: NotificationServer, laptop: TrayMachine
) -> None:
    store, away = laptop.world.store, laptop.world.folder / "away"
    Tray(programs, laptop)
    _await_sentence(panel, "Up to date")
    store.rename(away)
    _look(panel)
    _await_sentence(panel, "Offline")
    laptop.write(SESSION, said("written meanwhile"))
    store.mkdir()
    click(panel, "Try again")
    await_notice(server, "It still fails")
    _await_sentence(panel, "Offline")
    assert list(store.iterdir()) == [], "an empty mount point isn't written into"
    store.rmdir()
    away.rename(store)
    click(panel, "Try again")
    await_notice(server, "can be reached")
    until(laptop.bundle().exists)
    _await_sentence(panel, "Up to date")


# --- while the menu is open --------------------------------------------------------------------


def test_an_open_menu_keeps_its_rows_while_sessions_arrive(
    programs: Programs, panel: Panel, laptop: TrayMachine, desktop: PlayedMachine
) -> None:
    Tray(programs, laptop)
    _await_sentence(panel, "Up to date")
    panel.tell("opened", 0)
    before = panel.menu().labels
    for number in range(5):
        desktop.write(f"{number}a2b3c4d-1111-4222-8333-444455556666", said("x"))
    desktop.push()
    _await_sentence(panel, "5 waiting from desktop")
    assert "Pull 5 sessions" in panel.menu().labels, "labels follow"
    assert len(panel.menu().labels) == len(before), "rows wait"
    panel.tell("closed", 0)
    await_row(panel, "↓")


def test_five_hundred_clicks_in_a_row_are_all_taken(
    programs: Programs, panel: Panel, laptop: TrayMachine
) -> None:
    Tray(programs, laptop)
    _await_sentence(panel, "Up to date")
    for _ in range(250):
        for label in ("Titles in notifications", "Push when a session changes"):
            _click_now(panel, "Preferences", label)

    def agrees() -> bool:
        row = panel.menu().find("Preferences", "Titles in notifications")
        return bool(row.properties["toggle-state"]) is preferences.load(laptop.paths).show_titles

    until(agrees)
    log = laptop.paths.log_file.read_text()
    assert "stopped" not in log
    assert "failed" not in log
