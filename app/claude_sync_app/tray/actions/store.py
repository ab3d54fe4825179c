"""Choosing the shared folder, and leaving it. What will be readable there is shown first."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from claude_sync.errors import (
    ClaudeSyncError,
    MachineNameTaken,
    Stopped,
    StoreKeyNeeded,
    StoreKeyWrong,
)
from claude_sync.service.journal import Journal
from claude_sync.state.preferences import Preferences
from claude_sync.sync.context import Context
from claude_sync.sync.forget import bundles_of_this_machine, forget
from claude_sync.sync.setup import SetUp, default_location, set_up
from claude_sync.sync.store_key import KeyChoice, StoreKind, kind_of_store
from claude_sync.transports.base import MARKER_NAME
from claude_sync.transports.location import CloudLocation, FolderLocation, parse_location
from claude_sync.values import NamedTuple
from claude_sync.wording import capitalized, count, join, short_path
from claude_sync_app.desktop.clipboard import copy_text
from claude_sync_app.desktop.dialogs import Dialogs
from claude_sync_app.shown_text import one_line, without_controls
from claude_sync_app.store_folder import SUBFOLDER, existing_stores, folder_for_store
from claude_sync_app.tray.actions.dialog_buttons import choose
from claude_sync_app.tray.actions.projects import choose_projects
from claude_sync_app.tray.context import TrayContext
from claude_sync_app.tray.dialog_choices import DialogChoice
from claude_sync_app.tray.labels import is_private, synced_folder_of
from claude_sync_app.tray.sharing_summary import describe_older, describe_shared
from claude_sync_app.tray.verbs import Action, Verb

_TITLE = "Shared folder"
_ENCRYPTION_TITLE = "Encrypted or not"
_KEY_TITLE = "Key of the shared folder"
_NAME_TITLE = "This machine's name"
_MOST_BUTTONS = 5
_MOST_OFFERED = 2
_NO_DIALOGS = "This desktop has no dialogs (zenity or kdialog)."


def choose_store(tray: TrayContext, action: Action) -> None:
    """Make another folder the shared one, if the person agrees to what will be readable there."""
    dialogs = tray.dialogs
    if dialogs is None:
        tray.notify(
            "store",
            "Choose the shared folder in a terminal",
            f"{_NO_DIALOGS} Type: claude-sync init FOLDER",
        )
        return
    if action.detail == "menu":
        choose(tray, _TITLE, "Where do your machines share their sessions?", _ways(tray))
        return
    location = _ask_location(tray, dialogs, action.detail)
    if location is None:
        return
    encrypt = _ask_encryption(tray, dialogs, location)
    if encrypt is None or not _agrees(tray, dialogs, location, encrypted=encrypt):
        return
    before = _Before(tray.preferences, is_private(tray.status, tray.environment))
    made: list[str] = []
    try:
        key = KeyChoice(encrypt, plain=not encrypt, show=made.append)
        done = _switch(tray, dialogs, location, key)
    finally:
        if made:  # whatever went wrong afterwards: it may count already
            show_made_key(tray, dialogs, made[-1])
    if done is None:
        return
    others = ""
    if done.machines:
        others = f" Sessions of {join([one_line(name) for name in done.machines])} are there."
    tray.notify(
        "store",
        f"Sessions are shared through {without_controls(done.label)}",
        f"This machine is called {done.machine.name} there.{others}",
    )
    _offer_to_remove(tray, dialogs, before, done)


def _ways(tray: TrayContext) -> list[DialogChoice]:
    """How the shared folder can be chosen, and that it can be left."""
    status, environment = tray.status, tray.environment
    now = synced_folder_of(status, environment)
    ways = [
        DialogChoice(f"{one_line(folder.name)}…", Action(Verb.CHOOSE_STORE, detail=folder.path))
        for folder in environment.synced_folders
        if folder != now
    ]
    ways += [
        DialogChoice("A folder…", Action(Verb.CHOOSE_STORE)),
        DialogChoice("A host over ssh…", Action(Verb.CHOOSE_STORE, detail="ssh")),
        DialogChoice("A cloud by rclone…", Action(Verb.CHOOSE_STORE, detail="rclone")),
    ]
    if status.location and not is_private(status, environment):
        ways.append(DialogChoice("Leave it…", Action(Verb.LEAVE_STORE)))
    return ways


def leave_store(tray: TrayContext, _: Action) -> None:
    """Make this machine's private folder the shared one again."""
    dialogs = tray.dialogs
    if dialogs is None:
        tray.notify(
            "store",
            "Leave the shared folder in a terminal",
            f"{_NO_DIALOGS} Type: claude-sync init ~/claude-sync",
        )
        return
    here = without_controls(tray.status.label)
    text = (
        f"Sessions will no longer be pushed to {here} or pulled from there.\n"
        "They will be pushed to ~/claude-sync, which only this machine sees."
    )
    if dialogs.choose_button(f"Leave {here}", text, ["Leave"]) != 0:
        return
    before = _Before(tray.preferences, private=False)
    done = _switch(tray, dialogs, default_location(), KeyChoice(plain=True))
    if done is not None:
        _offer_to_remove(tray, dialogs, before, done)


# --- asking ------------------------------------------------------------------------------------


def _ask_location(tray: TrayContext, dialogs: Dialogs, how: str) -> str | None:
    """The location that the person chose, None for Cancel; how to ask: CHOOSE_STORE's detail."""
    if how == "rclone":
        return _ask_cloud(tray, dialogs)
    if how == "ssh":
        question = "Host and folder there, as in nas:sessions or ssh://me@nas:2222/srv/sessions"
        typed = dialogs.ask_text(_TITLE, question)
        return _settle(tray, dialogs, typed) if typed else None
    synced = tray.environment.synced_folders
    if how == "":
        start = Path(synced[0].path) if synced else Path.home()
        folder = dialogs.choose_folder(_TITLE, start)
        return None if folder is None else _settle(tray, dialogs, str(folder))
    return _settle(tray, dialogs, how)


def _settle(tray: TrayContext, dialogs: Dialogs, location: str) -> str | None:
    """The location for what was chosen or typed, None for Cancel; a shared folder that is in a
    synced one already is offered first, so that two machines meet."""
    parsed = parse_location(location)
    if not isinstance(parsed, FolderLocation):
        return location
    synced = tray.environment.synced_folders
    chosen = Path(parsed.path)
    folder = folder_for_store(chosen, synced)
    if (folder / MARKER_NAME).exists():
        return str(folder)
    there = existing_stores(chosen, synced)[:_MOST_OFFERED]
    if not there:
        return str(folder)
    text = (
        "Sessions are shared there already. Machines meet only where they use the same folder.\n"
        f"A new one would be {short_path(without_controls(str(folder)))}."
    )
    labels = [f"Use {short_path(without_controls(str(one)))}" for one in there]
    pressed = dialogs.choose_button(_TITLE, text, [*labels, "Make a new one"])
    if pressed is None:
        return None
    return str(there[pressed] if pressed < len(there) else folder)


def _ask_cloud(tray: TrayContext, dialogs: Dialogs) -> str | None:
    """The location in one of the clouds that rclone knows, None for Cancel."""
    from claude_sync.transports.rclone.remotes import remotes

    known = remotes()
    if not known:
        tray.notify(
            "store",
            "rclone knows no cloud yet",
            "Set one up in a terminal. Type: rclone config",
        )
        return None
    if len(known) <= _MOST_BUTTONS:
        pressed = dialogs.choose_button(_TITLE, "Which cloud?", known)
        remote = None if pressed is None else known[pressed]
    else:
        remote = dialogs.ask_text(_TITLE, f"Which cloud? rclone knows {join(known)}.", known[0])
    if not remote:
        return None
    question = f"Which folder in {remote}? Where files lie in buckets, begin with the bucket."
    path = dialogs.ask_text(_TITLE, question, SUBFOLDER)
    return f"rclone:{remote}:{path}" if path else None


def _ask_encryption(tray: TrayContext, dialogs: Dialogs, location: str) -> bool | None:
    """Whether the store is encrypted, or is to be; None for Cancel."""
    kind = tray.wait(tray.service.call(lambda context: kind_of_store(context.paths, location)))
    if kind is not StoreKind.NONE:
        return kind is StoreKind.ENCRYPTED
    text = (
        "Encrypted, only your machines can read what lies there, and nobody else can write "
        "sessions there; you get a key, which each of them asks for once.\n"
        "Nothing is there yet: if another machine shares this folder already, cancel, and choose "
        "it again once that has arrived.\n"
        "Otherwise whoever can read the folder can read your sessions."
    )
    labels = ["Encrypted (recommended)", "Not encrypted"]
    pressed = dialogs.choose_button(_ENCRYPTION_TITLE, text, labels)
    return None if pressed is None else pressed == 0


def _agrees(tray: TrayContext, dialogs: Dialogs, location: str, *, encrypted: bool) -> bool:
    parsed = parse_location(location)
    where = short_path(without_controls(parsed.spelling))
    which = "that folder on the host"
    if isinstance(parsed, FolderLocation):
        which = "this folder"
    elif isinstance(parsed, CloudLocation):
        which = "that folder in the cloud"
    while True:
        known = tray.status.sessions, tray.preferences.ignore, time.time()
        summary, older = describe_shared(*known), describe_older(*known)
        readers = (
            "your machines that have its key, and by nobody else"
            if encrypted
            else (f"whoever can read {which}")
        )
        text = f"{where}\n\n{summary}, will be readable by {readers}.\n{older}".rstrip()
        pressed = dialogs.choose_button(_TITLE, text, ["Share", "Choose projects…"])
        if pressed != 1:
            return pressed == 0
        choose_projects(tray, dialogs)


# --- doing -------------------------------------------------------------------------------------


def _switch(tray: TrayContext, dialogs: Dialogs, location: str, key: KeyChoice) -> SetUp | None:
    """Set up a store and look at what is in it; None if the person gave up."""
    done = _set_up(tray, dialogs, location, key)
    if done is not None:
        tray.wait(tray.service.look_now())
    return done


def _set_up(tray: TrayContext, dialogs: Dialogs, location: str, key: KeyChoice) -> SetUp | None:
    """Set it up under a name that no other machine has there, with its key if it has one."""
    name, take_over = None, False
    while True:
        do = _setting_up(location, name, take_over=take_over, key=key)
        try:
            done: SetUp = tray.wait(tray.service.call(do))
            return done
        except StoreKeyNeeded:
            asked = dialogs.ask_secret(_KEY_TITLE, f"The key of {short_path(location)}")
            if not asked:
                return None
            key = KeyChoice(store_key=asked)
            continue
        except StoreKeyWrong as error:
            sentence = capitalized(one_line(str(error)))
            asked = dialogs.ask_secret(_KEY_TITLE, f"{sentence}.")
            if not asked:
                return None
            key = KeyChoice(store_key=asked)
            continue
        except MachineNameTaken as error:
            taken = one_line(error.where)
        text = f"Another machine is called {taken} there."
        labels = ["Choose a name…", f"This is {taken}, reinstalled"]
        pressed = dialogs.choose_button(_NAME_TITLE, text, labels)
        if pressed is None:
            return None
        name, take_over = taken, pressed == 1
        if pressed == 0:
            asked = dialogs.ask_text(_NAME_TITLE, "What is this machine called?", taken)
            if not asked:
                return None
            name = asked


def _setting_up(
    location: str, name: str | None, *, take_over: bool, key: KeyChoice
) -> Callable[[Context], SetUp]:
    return lambda context: set_up(context.paths, location, name=name, take_over=take_over, key=key)


def show_made_key(tray: TrayContext, dialogs: Dialogs, key: str) -> None:
    """Show a key that was made, until the person has it."""
    text = (
        f"The key of the shared folder, which is shown this once:\n\n{key}\n\n"
        "Write it down, or put it into your password manager. Whoever loses it and every machine "
        "loses what lies there. Another machine asks for it once."
    )
    labels = ["I have it", "Copy to the clipboard"]
    while (pressed := dialogs.show_secret(_KEY_TITLE, text, labels)) == 1:
        copy_text(key)
    if pressed is None:
        tray.notify(
            "store",
            "The shared folder's key wasn't kept",
            "Type `claude-sync key change` in a terminal to get another.",
        )


class _Before(NamedTuple):
    """What was chosen before: the preferences, and whether only this machine saw that folder."""

    preferences: Preferences
    private: bool


def _offer_to_remove(tray: TrayContext, dialogs: Dialogs, before: _Before, done: SetUp) -> None:
    """Ask whether to remove this machine's bundles from a store that was left."""
    chosen = before.preferences
    if chosen.location in (None, done.location):
        return
    where = short_path(without_controls(chosen.location or ""))
    try:
        left = tray.wait(tray.service.call(lambda context: _count_bundles(context, chosen)))
    except Stopped:
        raise
    except ClaudeSyncError as error:
        tray.notify("left", f"This machine's sessions stay in {where}", one_line(str(error)))
        return
    if not left:
        return
    readers = "Other machines that use it can still pull them."
    if before.private:
        readers = "Only this machine sees that folder."
    text = (
        f"{count(left, 'session')} of this machine {'is' if left == 1 else 'are'} still in "
        f"{where}.\n{readers}"
    )
    if dialogs.choose_button(f"Leaving {where}", text, ["Leave them there", "Remove them"]) == 1:
        removed = tray.wait(tray.service.call(lambda context: _remove_bundles(context, chosen)))
        tray.notify("left", f"Removed {count(removed, 'session')} from {where}")


def _count_bundles(context: Context, before: Preferences) -> int:
    with Context(context.paths, before) as old:
        return len(bundles_of_this_machine(old))


def _remove_bundles(context: Context, before: Preferences) -> int:
    with Context(context.paths, before, should_stop=context.should_stop) as old:
        removed = forget(old, bundles_of_this_machine(old))
    Journal(context.paths).write_removals(removed)
    return len(removed)
