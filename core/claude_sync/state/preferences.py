"""What the user chose.

preferences.json is the user's file. What can't be used in it is skipped, named in `problems`,
and left as it is; keys that mean nothing here are kept. Reasons never quote a value.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from claude_sync.disk.json_object import NoObject, read_object, write_object
from claude_sync.disk.locks import Lock
from claude_sync.disk.refusals import refusal
from claude_sync.disk.snapshot import stamp_of
from claude_sync.errors import PreferencesError
from claude_sync.model import Stamp
from claude_sync.state.paths import Paths
from claude_sync.state.preference_kinds import KINDS, Notifications, Wrong
from claude_sync.values import NamedTuple

SCHEMA = 1


class InvalidPreference(NamedTuple):
    """Why something in preferences.json isn't used. ``key`` is "" where it is the whole file."""

    key: str
    reason: str


class Preferences(NamedTuple):
    """Every preference, with its default where the file has none that can be used.

    Attributes:
        location: where sessions meet, None before it is chosen.
        store_id: the UUID in that place's marker.
        encrypted: whether that place is encrypted: then it never counts as plain.
        push_on_change: whether watching pushes.
        checkpoints: whether checkpoints travel with their sessions, to and from this machine.
        on_arrival: "ask", "pull" or "nothing".
        pull_interval_seconds: how often to look at the place.
        watch_store: whether a connection is held on which a host tells of changes at once.
        quiet_seconds: how long a session has to rest before it is pushed.
        notifications: which kinds are shown.
        search: whether there is an index of what was said.
        show_titles: whether notifications name sessions by their titles.
        recent_limit: sessions in the menu, which shows five at most.
        left_click: "menu" or "push".
        terminal: program and arguments of the terminal to resume in, None for the system's.
        projects_roots: directories below which projects are looked for.
        ignore: patterns of project keys that are never pushed by themselves.
        ignored_findings: codes of the doctor's findings that aren't warned of; they stay listed.
        ssh_command: program and arguments that stand for ssh.
        cloud_megabytes_a_day: how much is pushed to a cloud in a day unless a session is named; 0
            for no limit.
        check_for_updates: whether the tray asks once a day if a newer version was published.
        claude_config_dir: Claude Code's folder as it was when this machine was set up.
        paused_until: seconds since the epoch, infinity until resumed by hand, None if not paused.
        problems: what in the file isn't used, and why.
        unknown: keys in the file that mean nothing here.
        stamp: of the file that was read, None where there is none: to see that it changed.
    """

    location: str | None = None
    store_id: str | None = None
    encrypted: bool = False
    push_on_change: bool = True
    checkpoints: bool = True
    on_arrival: str = "ask"
    pull_interval_seconds: float = 60
    watch_store: bool = True
    quiet_seconds: float = 3
    notifications: Notifications = Notifications()
    search: bool = True
    show_titles: bool = True
    recent_limit: int = 5
    left_click: str = "menu"
    terminal: tuple[str, ...] | None = None
    projects_roots: tuple[Path, ...] = ()
    ignore: tuple[str, ...] = ()
    ignored_findings: tuple[str, ...] = ()
    ssh_command: tuple[str, ...] = ("ssh",)
    cloud_megabytes_a_day: float = 500
    check_for_updates: bool = False
    claude_config_dir: Path | None = None
    paused_until: float | None = None
    problems: tuple[InvalidPreference, ...] = ()
    unknown: tuple[str, ...] = ()
    stamp: Stamp | None = None

    def __eq__(self, other: object) -> bool:
        """Whether they say the same, whichever state of the file they were read from."""
        return isinstance(other, Preferences) and self[:-1] == other[:-1]

    def __hash__(self) -> int:
        return hash(self[:-1])


def load(paths: Paths) -> Preferences:
    """Read preferences.json. Whatever is in it, there are preferences afterwards."""
    path = paths.preferences_file
    try:
        stamp = stamp_of(os.stat(path))
    except FileNotFoundError:
        return Preferences()
    except OSError as error:
        return _unread(error)
    try:
        document = read_object(path)
    except OSError as error:
        return _unread(error)
    except NoObject as error:
        return Preferences(problems=(InvalidPreference("", str(error)),), stamp=stamp)
    return _typed(document, stamp)


def _unread(error: OSError) -> Preferences:
    return Preferences(problems=(InvalidPreference("", f"can't be read: {error.strerror}"),))


def check_read(paths: Paths, chosen: Preferences) -> None:
    """Make sure that the preferences are those of the file, if there is one.

    Raises:
        PreferencesError: it couldn't be read, so whatever it says isn't known.
    """
    for problem in chosen.problems:
        if not problem.key and chosen.stamp is None:
            raise _unusable(
                paths.preferences_file, f"preferences.json {problem.reason}", "make it readable"
            )


def stamp(paths: Paths) -> Stamp | None:
    """The stamp of preferences.json now: another one than was loaded means, load it again."""
    try:
        return stamp_of(os.stat(paths.preferences_file))
    except OSError:
        return None


def change(paths: Paths, **changes: object) -> Preferences:
    """Store preferences; everything else in the file stays as it is.

    Args:
        paths: where.
        changes: key=value, as `Preferences` has it or as JSON would. None takes the key out of the
            file. `notifications` changes the kinds that it names.

    Raises:
        PreferencesError: a value can't be used, the file isn't ours to rewrite (no JSON, or a
            newer claude-sync's), or it can't be written. Nothing was changed.
        LockBusy: another claude-sync keeps changing them.
    """
    path = paths.preferences_file
    with Lock(paths.state / "preferences.lock", "changing preferences"):
        is_new = False
        try:
            document = read_object(path)
        except FileNotFoundError:
            document, is_new = {"schema": SCHEMA}, True
        except NoObject as error:
            raise _unusable(path, f"preferences.json {error}", "correct or remove it") from error
        except OSError as error:
            what = f"preferences.json can't be read: {error.strerror}"
            raise _unusable(path, what, "make it readable") from error
        if _is_newer(document):
            raise _unusable(path, "a newer claude-sync wrote preferences.json", "update this one")
        for key, value in changes.items():
            _put(document, key, value, path)
        try:
            write_object(path, document, new=is_new)
        except OSError as error:
            why, todo = refusal(error, "make its folder writable")
            raise _unusable(path, f"preferences.json can't be written ({why})", todo) from error
    return load(paths)


def set_text(paths: Paths, key: str, text: str) -> Preferences:
    """Store one preference as typed; ``notifications.arrival`` names one kind of them.

    Raises:
        PreferencesError: there is no such key, it can't hold that, or the file can't be changed.
        LockBusy: another claude-sync keeps changing them.
    """
    value = parse_value(key, text)
    name, _, part = key.partition(".")
    if part and value is None:
        value = getattr(Notifications(), part)
    return change(paths, **{name: {part: value} if part else value})


def parse_value(key: str, text: str) -> object:
    """What a person typed, as JSON would have it: words or JSON, by what the key holds.

    ``notifications.arrival`` names one kind of them; null is the default again.

    Raises:
        PreferencesError: there is no such key, or it can't hold that.
    """
    if not _is_key(key):
        raise _no_such(key)
    if text.strip() == "null":
        return None
    kind = KINDS["show_titles" if "." in key else key]  # one kind of notification is on or off too
    try:
        value = kind.words(text)
        if value is not None:
            kind.read(value)
    except Wrong as wrong:
        raise PreferencesError(f"{key} {wrong}") from None
    return value


def value_of(preferences: Preferences, key: str) -> object:
    """A preference as JSON has it; ``notifications.arrival`` names one kind of them.

    Raises:
        PreferencesError: there is no such key.
    """
    if not _is_key(key):
        raise _no_such(key)
    name, _, part = key.partition(".")
    if part:
        return bool(getattr(preferences.notifications, part))
    return as_json(preferences)[name]


def as_json(preferences: Preferences) -> dict[str, object]:
    """Every preference, as JSON has it."""
    return {
        key: None if (value := getattr(preferences, key)) is None else kind.store(value)
        for key, kind in KINDS.items()
    }


def _is_newer(document: dict[str, Any]) -> bool:
    schema = document.get("schema", SCHEMA)
    return type(schema) is not int or schema > SCHEMA


def _typed(document: dict[str, Any], stamp: Stamp) -> Preferences:
    values: dict[str, Any] = {}
    problems = []
    if _is_newer(document):
        problems.append(InvalidPreference("schema", "is not one that this version knows"))
    for key, kind in KINDS.items():
        value = document.get(key)
        if value is None:
            continue
        try:
            values[key] = kind.read(value)
        except Wrong as wrong:
            problems.append(InvalidPreference(key, str(wrong)))
    if "notifications" in values:
        problems += [
            InvalidPreference(f"notifications.{kind}", "must be true or false")
            for kind in Notifications._fields
            if not isinstance(document["notifications"].get(kind, True), bool)
        ]
    unknown = tuple(key for key in document if key not in KINDS and key != "schema")
    return Preferences(**values, problems=tuple(problems), unknown=unknown, stamp=stamp)


def _put(document: dict[str, Any], key: str, value: object, path: Path) -> None:
    kind = KINDS.get(key)
    if kind is None:
        raise _no_such(key)
    if value is None:
        document.pop(key, None)
        return
    try:
        plain = kind.store(value)
        kind.read(plain)
    except Wrong as wrong:
        raise PreferencesError(f"{key} {wrong}", where=str(path)) from None
    if isinstance(plain, dict) and isinstance(document.get(key), dict):
        plain = {**document[key], **plain}
    document[key] = plain


def _is_key(key: str) -> bool:
    name, dot, part = key.partition(".")
    return (name == "notifications" and part in Notifications._fields) if dot else key in KINDS


def _no_such(key: str) -> PreferencesError:
    from difflib import get_close_matches

    known = [*KINDS, *(f"notifications.{kind}" for kind in Notifications._fields)]
    near = get_close_matches(key, known, 1)
    todo = f"did you mean {near[0]}?" if near else "see them all with `claude-sync config`"
    return PreferencesError(f"there is no preference {key!r}", todo=todo)


def _unusable(path: Path, what: str, todo: str) -> PreferencesError:
    return PreferencesError(what, where=str(path), todo=todo)
