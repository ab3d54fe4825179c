"""Choosing where sessions meet, and leaving it. What will be readable there is said first."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from claude_sync.disk.log import Log, removal_line
from claude_sync.errors import ClaudeSyncError, MachineNameTaken, Stopped
from claude_sync.state.preferences import Preferences
from claude_sync.sync.context import Context
from claude_sync.sync.forget import bundles_of_this_machine, forget
from claude_sync.sync.setup import SetUp, default_location, set_up
from claude_sync.transports.location import FolderLocation, parse_location
from claude_sync.wording import count, join, short_path
from claude_sync_app.desktop.dialogs import Dialogs
from claude_sync_app.shown_text import one_line, without_controls
from claude_sync_app.tray.actions.projects import choose_projects
from claude_sync_app.tray.context import TrayContext
from claude_sync_app.tray.sharing_summary import readable
from claude_sync_app.tray.verbs import Action

_TITLE = "Where sessions meet"
_OWN_FOLDER = "claude-sync"
_MARKER = ".ccsync-store"
SHARE, CHOOSE = "Share", "Choose projects…"


def choose_store(tray: TrayContext, action: Action) -> None:
    """Let sessions meet elsewhere, with the person's word for it."""
    dialogs = tray.dialogs
    if dialogs is None:
        tray.notify(
            "place",
            "Choose where sessions meet in a terminal",
            "This desktop has no dialogs (zenity or kdialog). Type: claude-sync init FOLDER",
        )
        return
    location = _asked(tray, dialogs, action.detail)
    if location is None or not _agreed(tray, dialogs, location):
        return
    before = tray.preferences
    done = _set_up(tray, dialogs, location)
    if done is None:
        return
    tray.wait(tray.service.look_now())
    machines = [one_line(name) for name in done.machines]
    others = f" Sessions of {join(machines)} are there already." if done.machines else ""
    tray.notify(
        "place",
        f"Sessions meet in {short_path(without_controls(done.label))}",
        f"This machine is {done.machine.name} there.{others}",
    )
    if before.location not in (None, done.location):
        _offer_to_remove(tray, dialogs, before)


def leave_store(tray: TrayContext, _: Action) -> None:
    """Meet in the private folder of this machine again."""
    dialogs = tray.dialogs
    if dialogs is None:
        tray.notify(
            "place",
            "Leave in a terminal",
            "This desktop has no dialogs (zenity or kdialog). Type: claude-sync init ~/claude-sync",
        )
        return
    before = tray.preferences
    here = short_path(without_controls(tray.status.label))
    text = (
        f"Sessions will no longer be pushed to {here} nor pulled from there.\n"
        "They will meet in ~/claude-sync, which only this machine sees."
    )
    if dialogs.choose_button(f"Leave {here}", text, ["Leave"]) != 0:
        return
    done = _set_up(tray, dialogs, default_location())
    if done is None:
        return
    tray.wait(tray.service.look_now())
    if before.location not in (None, done.location):
        _offer_to_remove(tray, dialogs, before)


# --- asking ------------------------------------------------------------------------------------


def _asked(tray: TrayContext, dialogs: Dialogs, how: str) -> str | None:
    """The location that a person chose, None for Cancel; how to ask: as CHOOSE_STORE's detail."""
    if how == "menu":
        text = "In a folder that something mirrors, or on a host that you reach over ssh?"
        pressed = dialogs.choose_button(_TITLE, text, ["A folder…", "A host over ssh…"])
        if pressed is None:
            return None
        how = ("", "ssh")[pressed]
    if how == "ssh":
        question = "Host and folder there, as in nas:sessions or ssh://me@nas:2222/srv/sessions"
        return dialogs.ask_text(_TITLE, question) or None
    if how == "":
        synced = tray.environment.synced_folders
        start = Path(synced[0].path) if synced else Path.home()
        folder = dialogs.choose_folder(_TITLE, start)
        return None if folder is None else str(folder_for_store(folder))
    return str(folder_for_store(Path(how)))


def folder_for_store(chosen: Path) -> Path:
    """The folder in which sessions meet for a folder that a person chose.

    Itself, where it is empty, isn't there yet, or sessions meet there already; else one of our
    own in it, so that nobody finds dozens of strange folders among the documents in Dropbox.
    """
    try:
        is_ours = not chosen.exists() or (chosen / _MARKER).exists() or not any(chosen.iterdir())
    except OSError:
        is_ours = True  # setting it up will say what is wrong with it
    return chosen if is_ours else chosen / _OWN_FOLDER


def _agreed(tray: TrayContext, dialogs: Dialogs, location: str) -> bool:
    place = parse_location(location)
    is_folder = isinstance(place, FolderLocation)
    where = short_path(without_controls(place.spelling))
    who = "whoever can read this folder" if is_folder else "whoever can read that place"
    while True:
        found = readable(tray.status.sessions, tray.preferences.ignore)
        text = f"{where}\n\n{found}, will be readable by {who}."
        pressed = dialogs.choose_button(_TITLE, text, [SHARE, CHOOSE])
        if pressed == 1:
            choose_projects(tray, dialogs)
            continue
        return pressed == 0


# --- doing -------------------------------------------------------------------------------------


def _set_up(tray: TrayContext, dialogs: Dialogs, location: str) -> SetUp | None:
    """Set it up under a name that no other machine has there; None where the person gave up."""
    do: Callable[[Context], SetUp] = lambda context: set_up(context.paths, location)  # noqa: E731
    while True:
        try:
            done: SetUp = tray.wait(tray.service.call(do))
            return done
        except MachineNameTaken as error:
            taken = one_line(error.where)
        text = f"Another machine is called {taken} there."
        labels = ["Choose a name…", f"This is {taken}, installed anew"]
        pressed = dialogs.choose_button("This machine's name", text, labels)
        if pressed is None:
            return None
        name = taken
        if pressed == 0:
            asked = dialogs.ask_text("This machine's name", "What is this machine called?", taken)
            if not asked:
                return None
            name = asked
        do = _naming(location, name, take_over=pressed == 1)


def _naming(location: str, name: str, *, take_over: bool) -> Callable[[Context], SetUp]:
    return lambda context: set_up(context.paths, location, name=name, take_over=take_over)


def _offer_to_remove(tray: TrayContext, dialogs: Dialogs, before: Preferences) -> None:
    """Ask whether this machine's bundles go from the place that was left."""
    where = short_path(without_controls(before.location or ""))
    try:
        there = tray.wait(tray.service.call(lambda context: _count(context, before)))
    except Stopped:
        raise
    except ClaudeSyncError as error:
        tray.notify("left", f"This machine's sessions stay in {where}", one_line(str(error)))
        return
    if not there:
        return
    text = (
        f"{count(there, 'session')} of this machine still lie in {where}.\n"
        "Other machines that meet there can go on pulling them."
    )
    if dialogs.choose_button(f"Leaving {where}", text, ["Leave them there", "Remove them"]) == 1:
        removed = tray.wait(tray.service.call(lambda context: _remove(context, before)))
        tray.notify("left", f"Removed {count(removed, 'session')} from {where}")


def _count(context: Context, before: Preferences) -> int:
    with Context(context.paths, before) as old:
        return len(bundles_of_this_machine(old))


def _remove(context: Context, before: Preferences) -> int:
    with Context(context.paths, before, should_stop=context.should_stop) as old:
        removed = forget(old, bundles_of_this_machine(old))
    Log(context.paths.log_file).write(map(removal_line, removed))
    return len(removed)
