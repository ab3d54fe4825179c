"""Choosing where sessions meet: what is there, what will be readable by whom, doing it."""

from __future__ import annotations

import os
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from claude_sync.errors import (
    ClaudeSyncError,
    MachineNameTaken,
    StoreKeyNeeded,
    StoreKeyWrong,
    UsageError,
)
from claude_sync.service.journal import Journal
from claude_sync.state.preferences import Preferences
from claude_sync.store.marker import find_store
from claude_sync.sync.context import Context
from claude_sync.sync.forget import bundles_of_this_machine, forget
from claude_sync.sync.setup import SetUp, default_location, set_up
from claude_sync.sync.store_key import KeyChoice, StoreKind, kind_of_store
from claude_sync.transports import open_transport
from claude_sync.transports.location import CloudLocation, FolderLocation, parse_location
from claude_sync.wording import count, join, sentence, short_path
from claude_sync_app.desktop.synced_folders import find_synced_folders
from claude_sync_app.shown_text import one_line, without_controls
from claude_sync_app.store_folder import existing_stores, folder_for_store
from claude_sync_app.tray.sharing_summary import describe_older, describe_shared
from claude_sync_app.window.page import Answer, Asked, Reply, Waiting

_MOST_FOUND = 3


def places(asked: Asked) -> dict[str, Any]:
    """What can be chosen on this machine."""
    synced = find_synced_folders(Path.home(), os.environ)
    return {
        "synced": [(one.name, one.path) for one in synced],
        "remotes": _remotes(),
        "private": default_location(),
        "location": asked.status.preferences.location or "",
    }


def _remotes() -> list[str]:
    from claude_sync.transports.rclone.remotes import remotes

    try:
        return remotes()
    except ClaudeSyncError:
        return []


# --- looking -----------------------------------------------------------------------------------


def check(asked: Asked) -> Reply:
    """Say what is at a place, and what will be readable there by whom. Makes a folder on a host."""
    location = _location(asked)
    parsed = parse_location(location)
    if isinstance(parsed, FolderLocation):
        kind = kind_of_store(asked.services.paths, location)
    else:
        kind = _reach(asked, location)
    known = asked.status.sessions, asked.status.preferences.ignore, time.time()
    return Answer(
        more={
            "location": location,
            "where": without_controls(short_path(parsed.spelling)),
            "kind": kind.value,
            "shared": describe_shared(*known),
            "older": describe_older(*known),
            "readers": _readers(parsed),
            "others": _others(location, parsed),
            "private": location == default_location(),
        }
    )


def _location(asked: Asked) -> str:
    """The location that was chosen; in a synced folder, the part of it that machines agree on."""
    text = asked.text("location").strip()
    parsed = parse_location(text)
    if not isinstance(parsed, FolderLocation):
        return parsed.spelling
    if not Path(os.path.expanduser(text)).is_absolute():
        # Where the program that serves the window was started, nobody who types here knows.
        raise UsageError("a folder's whole path is needed", where=text[:200])
    folder = Path(parsed.path)
    if asked.flag("exact") or str(folder) == default_location():
        return str(folder)
    synced = find_synced_folders(Path.home(), os.environ)
    return str(folder_for_store(folder, synced))


def _reach(asked: Asked, location: str) -> StoreKind:
    """Which kind of store is in a place that is reached over a connection.

    Raises:
        TransportError: it can't be reached, or not be written.
    """
    command = asked.status.preferences.ssh_command
    with closing(open_transport(location, command, asked.services.paths.runtime)) as transport:
        marker = find_store(transport)
    if marker is None:
        return StoreKind.NONE
    return StoreKind.ENCRYPTED if marker.encrypted else StoreKind.PLAIN


def _others(location: str, parsed: object) -> list[tuple[str, str]]:
    """Shared folders that are near by already: machines meet only where they use the same one."""
    if not isinstance(parsed, FolderLocation):
        return []
    synced = find_synced_folders(Path.home(), os.environ)
    found = [str(one) for one in existing_stores(Path(parsed.path), synced)]
    return [
        (one, without_controls(short_path(one))) for one in found[:_MOST_FOUND] if one != location
    ]


def _readers(parsed: object) -> str:
    if isinstance(parsed, CloudLocation):
        return "whoever can read that folder in the cloud, its provider among them"
    if isinstance(parsed, FolderLocation):
        if parsed.path == default_location():
            return "you, on this machine alone"
        return "whoever can read this folder, here and wherever it is synced to"
    return "whoever can read that folder on the host"


# --- doing -------------------------------------------------------------------------------------


def choose(asked: Asked) -> Reply:
    """Make a place the one where sessions meet; the page said what will be readable there."""
    location = asked.text("location")
    encrypt = asked.flag("encrypt")
    typed = asked.text("key", most=500) if "key" in asked.body else ""
    name = asked.text("name", most=100).strip() if "name" in asked.body else ""
    made: list[str] = []
    key = KeyChoice(encrypt, typed.strip() or None, plain=not encrypt, show=made.append)
    before = asked.status.preferences

    def work(context: Context) -> Answer:
        try:
            done = set_up(
                context.paths,
                location,
                name=name or None,
                take_over=asked.flag("take_over"),
                key=key,
            )
        except ClaudeSyncError as error:
            return _refused(error, made)
        if before.location not in (None, done.location):
            asked.services.left = before
        left = _left(context, before, done)
        return _done(done, made, before, left)

    service = asked.services.service
    future = service.call(work)
    future.add_done_callback(lambda _: service.look_now())
    return Waiting(future, lambda answer: answer)


def _refused(error: ClaudeSyncError, made: list[str]) -> Answer:
    """Why it wasn't done; a key that was made is shown all the same, for it may count already."""
    more: dict[str, Any] = {"made_key": made[-1]} if made else {}
    if isinstance(error, MachineNameTaken):
        taken = one_line(error.where)
        more["name_taken"] = taken
        return Answer(f"Another machine is called {taken} there.", is_error=True, more=more)
    if isinstance(error, (StoreKeyNeeded, StoreKeyWrong)):
        more["needs_key"] = True
    return Answer(sentence(one_line(str(error))), is_error=True, more=more)


def _done(done: SetUp, made: list[str], before: Preferences, left: int) -> Answer:
    others = ""
    if done.machines:
        others = f" Sessions of {join([one_line(name) for name in done.machines])} are there."
    text = (
        f"Sessions are shared through {without_controls(done.label)}. "
        f"This machine is called {done.machine.name} there.{others}"
    )
    more: dict[str, Any] = {"made_key": made[-1]} if made else {}
    if left:
        still = "is" if left == 1 else "are"
        more["left"] = (
            f"{count(left, 'session')} of this machine {still} still in {_where_left(before)}. "
        )
    return Answer(text, more=more)


def _left(context: Context, before: Preferences, done: SetUp) -> int:
    """How many bundles of this machine's stay in the place that was left."""
    if before.location in (None, done.location):
        return 0
    try:
        with Context(context.paths, before) as old:
            return len(bundles_of_this_machine(old))
    except ClaudeSyncError:
        return 0  # it can't be reached, so nothing can be removed there now


def _where_left(before: Preferences) -> str:
    """The place that was left, as people call it."""
    return short_path(without_controls(before.location or ""))


def remove_left(asked: Asked) -> Reply:
    """Remove this machine's bundles from the place that was left last."""
    before = asked.services.left
    if before is None or before.location == asked.status.preferences.location:
        raise UsageError("no other place was left since the window was opened")

    def work(context: Context) -> int:
        with Context(context.paths, before, should_stop=context.should_stop) as old:
            removed = forget(old, bundles_of_this_machine(old))
        Journal(context.paths).write_removals(removed)
        return len(removed)

    where = _where_left(before)
    return Waiting(
        asked.services.service.call(work),
        lambda number: Answer(f"Removed {count(number, 'session')} from {where}."),
    )
