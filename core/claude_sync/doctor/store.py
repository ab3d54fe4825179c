"""The shared folder: whether it is there, who else can read or write it, and its free space."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from claude_sync.disk.files import nearest_existing
from claude_sync.doctor.access import can_pass, can_read, can_write, scan
from claude_sync.doctor.facts import Facts
from claude_sync.doctor.fixes import grant_command
from claude_sync.doctor.modes import MAKE, READ, allows, mode_for_others
from claude_sync.errors import (
    MarkerReplaced,
    NotSetUp,
    PreferencesError,
    StoreLocked,
    StoreOffline,
    StoreTooNew,
    UsageError,
)
from claude_sync.model import Finding, Level
from claude_sync.sync.setup import default_location
from claude_sync.values import NamedTuple
from claude_sync.wording import capitalized, count, join, quoted, short_path, size, what_happened

SLOW_SECONDS = 2.0
_SPACE_BYTES = 1 << 30
_SPACE_SHARE = 20


def reached(facts: Facts) -> Iterator[Finding]:
    """Whether it can be read, and how long that takes."""
    if facts.store_error is not None:
        if not _is_found_already(facts):
            yield _unreached(facts)
        return
    store, seconds = facts.context.store, facts.round_trip_seconds
    names = {bundle.head.machine_id for bundle in facts.bundles}
    held = f"{count(len(facts.bundles), 'bundle')} of {count(len(names), 'machine')}"
    if seconds is None:
        title = f"The shared folder is {store.label}"
    else:
        answer = f"{max(1, round(seconds * 1000)):,} ms"
        title = f"The shared folder is on {store.label}, which answers in {answer}"
    slow = seconds is not None and seconds >= SLOW_SECONDS
    kind = ", encrypted" if store.encrypted else ""
    yield Finding(
        code="store-slow" if slow else "store",
        level=Level.WARNING if slow else Level.OK,
        title=title,
        detail=f"It holds {held}{kind}."
        + (" Everything takes at least that long." if slow else ""),
        fix="Check the connection to it" if slow else "",
    )
    unseen = sorted(facts.survey.unseen) if facts.survey is not None else []
    folders = [folder for folder in unseen if not folder or store.names.is_folder(folder)]
    if folders:
        path = facts.store_folder
        yield Finding(
            code="store-unseen",
            level=Level.ERROR,
            title="A part of the shared folder can't be listed",
            detail=f"What lies in {join([folder or 'it' for folder in folders])} is unknown, so "
            "nothing is pushed or pulled there.",
            fix=grant_command(path / folders[0])
            if path is not None
            else "Check that folder's permissions on the host",
        )
    if facts.context.preferences.location == default_location():
        yield Finding(
            code="store-private",
            level=Level.INFO,
            title="The shared folder is only on this machine",
            detail=f"{store.label} is a private folder: no other machine sees it.",
            fix="`claude-sync init FOLDER` with one that your machines share, or `claude-sync init "
            "ssh://HOST/PATH`",
        )


def _is_found_already(facts: Facts) -> bool:
    """Whether another check says that the preferences, which name the store, can't be read."""
    problems = facts.context.preferences.problems
    unread = any(problem.key in ("", "location", "store_id") for problem in problems)
    return unread and isinstance(facts.store_error, (NotSetUp, PreferencesError))


def _unreached(facts: Facts) -> Finding:
    error, location = facts.store_error, facts.location
    assert error is not None
    if isinstance(error, NotSetUp):
        return Finding(
            code="not-set-up",
            level=Level.WARNING,
            title="No shared folder is chosen yet",
            detail=f"The first push makes {short_path(default_location())}, which only this "
            "machine sees.",
            fix="`claude-sync init FOLDER` with one that your machines share, or `claude-sync init "
            "ssh://HOST/PATH`",
        )
    folder = facts.store_folder
    todo = capitalized(error.todo or "try again later")
    elsewhere = "; or choose another one with `claude-sync init LOCATION`"
    if isinstance(error, UsageError):
        code, title = "location-wrong", "The shared folder's location can't be read"
        todo, elsewhere = "`claude-sync init LOCATION` with a folder, or ssh://HOST/PATH", ""
    elif isinstance(error, StoreLocked):
        code, title, elsewhere = "store-locked", "The shared folder's key can't be used here", ""
    elif isinstance(error, StoreTooNew):
        code, title = "store-newer", "A newer claude-sync made the shared folder"
    elif isinstance(error, MarkerReplaced):
        code, title = "store-marker-replaced", "The shared folder's marker isn't as it should be"
        elsewhere = ""
    elif isinstance(error, StoreOffline) and folder is not None and not folder.is_dir():
        code, title = "store-missing", "The shared folder isn't there"
    elif isinstance(error, StoreOffline) and folder is not None:
        code, title = "store-not-mounted", "Something else is where the shared folder was"
        todo = f"Mount its disk; or use what is there now with `claude-sync init {location}`"
        elsewhere = ""
    elif isinstance(error, StoreOffline):
        code, title = "store-offline", "The shared folder can't be reached"
    else:
        code, title = "store-denied", "The shared folder can't be used"
        elsewhere = ""
        if folder is not None:
            todo = f"{grant_command(folder)}, if it is yours"
    return Finding(
        code=code, level=Level.ERROR, title=title, detail=what_happened(error), fix=todo + elsewhere
    )


# --- a folder ----------------------------------------------------------------------------------


def writable(facts: Facts) -> Iterator[Finding]:
    """Whether the folder's modes allow writing; only --deep tries it."""
    folder = facts.store_folder
    if facts.view is None or folder is None:
        return
    own_id = facts.context.machine.id
    own = {b.name.partition("/")[0] for b in facts.bundles if b.head.machine_id == own_id}
    hidden = [
        entry.path
        for entry in scan(folder)
        if entry.is_dir(follow_symlinks=False)
        and not entry.name.startswith(".")
        and not (can_read(entry.path) and can_pass(entry.path))
    ]
    if hidden:
        yield Finding(
            code="store-hidden",
            level=Level.ERROR,
            title="Part of the shared folder can't be read",
            detail=f"This user can't see what is in {short_path(hidden[0])}.",
            fix=grant_command(hidden[0]),
        )
    shut = [
        path for path in (folder, *(folder / name for name in sorted(own))) if not can_write(path)
    ]
    if shut:
        yield Finding(
            code="store-unwritable",
            level=Level.ERROR,
            title="This user can't write into the shared folder",
            detail=f"Nothing can be pushed into {short_path(shut[0])}.",
            fix=grant_command(shut[0]),
        )


def private(facts: Facts) -> Iterator[Finding]:
    """Whether other users of this machine can read or write what is there.

    On Windows access control lists decide that, which the folders of a profile inherit.
    """
    folder = facts.store_folder
    if os.name == "nt" or facts.view is None or folder is None:
        return
    exposure = Exposure(folder)
    exposure.look({bundle.name for bundle in facts.bundles})
    readable, writable = exposure.readable, exposure.writable
    if writable:
        yield Finding(
            code="store-writable-by-others",
            level=Level.ERROR,
            title="Other users can write into the shared folder",
            detail=f"Whoever can write into {short_path(writable[0])} can put words into a session "
            "that you resume.",
            fix=f"`chmod -R go-w {quoted(folder)}`",
        )
    if readable:
        yield Finding(
            code="store-readable-by-others",
            level=Level.WARNING,
            title="Other users can read the shared folder",
            detail=f"{count(len(readable), 'bundle')}, such as {short_path(readable[0])}, can be "
            "read by other users of this machine.",
            fix=f"`chmod -R go-rwx {quoted(folder)}`",
        )


class Exposure:
    """What the modes of files and folders, and of the folders above, let others do.

    "Who" is a mask of two bits, as in a mode: 0o010 for the group, 0o001 for everyone else.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = os.path.realpath(folder)
        self.readable: list[str] = []
        self.writable: list[str] = []

    def look(self, names: set[str]) -> None:
        """Find what others can read, and what they can write to, among these bundles."""
        who = 0o011
        for parent in Path(self._folder).parents:
            mode = mode_for_others(str(parent))
            # Whom a group's bits don't keep out may pass as everybody else.
            who &= mode | (mode & 0o001) << 3
        mode = mode_for_others(self._folder)
        if allows(who, mode, MAKE):
            self.writable.append(self._folder)
        for directory in sorted({name.partition("/")[0] for name in names}):
            self._look_into(directory, who & mode, names)

    def _look_into(self, directory: str, who: int, names: set[str]) -> None:
        path = os.path.join(self._folder, directory)
        mode = mode_for_others(path) if who else 0
        if allows(who, mode, MAKE):
            self.writable.append(path)
        if not who & mode:
            return
        for entry in scan(path):
            if f"{directory}/{entry.name}" in names:
                file = mode_for_others(entry.path)
                if allows(who & mode, file, 0o2):
                    self.writable.append(entry.path)
                if allows(who & mode, file, READ):
                    self.readable.append(entry.path)


# --- room --------------------------------------------------------------------------------------


def room(facts: Facts) -> Iterator[Finding]:
    """Whether a disk that claude-sync writes to is nearly full."""
    context = facts.context
    folder = facts.store_folder if facts.view is not None else None
    paths = [
        ("store-nearly-full", "of the shared folder", folder, "pushed"),
        ("disk-nearly-full", "of Claude Code's folder", context.home.path, "pulled"),
        ("disk-nearly-full", "of this machine's records", context.paths.state, "remembered"),
    ]
    seen: set[int] = set()
    for code, what, path, verb in paths:
        if path is None:
            continue
        disk = _disk(path)
        if disk.device in seen or disk.free >= min(_SPACE_BYTES, disk.total // _SPACE_SHARE):
            continue
        seen.add(disk.device)
        forget = ", or remove this machine's old bundles with `claude-sync forget --older-than 90`"
        yield Finding(
            code=code,
            level=Level.WARNING,
            title=f"The disk {what} is nearly full",
            detail=f"{size(disk.free)} are free for {short_path(path)}; soon nothing can be "
            f"{verb}.",
            fix=f"Make room on that disk{forget if code == 'store-nearly-full' else ''}",
        )


class _Disk(NamedTuple):
    """A disk's space in bytes, and its number."""

    free: int
    total: int
    device: int


def _disk(path: Path) -> _Disk:
    """The disk of a path that may not exist yet."""
    import shutil

    path = nearest_existing(path)
    try:
        usage = shutil.disk_usage(path)
        return _Disk(usage.free, usage.total, os.stat(path).st_dev)
    except OSError:
        return _Disk(_SPACE_BYTES, _SPACE_BYTES, 0)
