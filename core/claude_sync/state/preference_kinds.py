"""What each preference may hold: how it is read, stored and typed. Pure."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from claude_sync.values import NamedTuple


class Notifications(NamedTuple):
    """Which kinds of notifications are shown."""

    arrival: bool = True
    pulled: bool = True
    pushed: bool = True
    conflict: bool = True
    doctor: bool = True
    failed: bool = True


UNTIL_RESUMED = "resumed"
"""What ``paused_until`` holds in the file when only a person ends the pause."""


class Wrong(ValueError):
    """A value that can't be used. ``str()`` says what it must be and never quotes it."""


class ValueKind(NamedTuple):
    """What one preference may hold.

    Attributes:
        read: from what JSON has; raises Wrong.
        words: from what a person typed, to what JSON has; raises Wrong.
        store: to what JSON has, from either.
    """

    read: Callable[[Any], object]
    words: Callable[[str], object]
    store: Callable[[Any], object] = lambda value: value


# --- one value ---------------------------------------------------------------------------------

_FLAGS = dict.fromkeys(("true", "yes", "on", "1"), True) | dict.fromkeys(
    ("false", "no", "off", "0"), False
)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Wrong("must be true or false")
    return value


def _flag_words(text: str) -> bool:
    try:
        return _FLAGS[text.strip().lower()]
    except KeyError:
        raise Wrong("must be true or false") from None


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value or "\0" in value:
        raise Wrong("must be a text")
    return value


_TEXT_AS_TYPED = "must be plain words, or a JSON string from one quote to the other"


def _text_words(text: str, must: str = _TEXT_AS_TYPED) -> object:
    """Plain words stand for themselves; a JSON string or null is taken for what it means."""
    if text.strip() == "null":
        return None
    return _json(text, must) if text.lstrip().startswith('"') else text


def _plain(value: Any) -> object:
    return os.fspath(value) if isinstance(value, Path) else value


def _path(value: Any) -> Path:
    path = os.path.expanduser(_text(value))
    if not os.path.isabs(path):
        raise Wrong("must be an absolute path, or begin with ~")
    return Path(path)


def _choice(*options: str) -> ValueKind:
    must = "must be " + ", ".join(options[:-1]) + f" or {options[-1]}"

    def read(value: Any) -> str:
        if value not in options:
            raise Wrong(must)
        return cast("str", value)

    return ValueKind(read, functools.partial(_text_words, must=must))


def _number(least: float, most: float, *, whole: bool = False) -> ValueKind:
    must = f"must be a {'whole ' if whole else ''}number from {least} to {most}"

    def read(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
            raise Wrong(must)
        if not least <= value <= most:
            raise Wrong(must)
        return cast("float", value)

    def words(text: str) -> object:
        return None if text.strip() == "null" else _json(text, must)

    return ValueKind(read, words)


def _json(text: str, must: str) -> object:
    """What a text means as JSON; Wrong with what it must be where it is none."""
    try:
        return cast("object", json.loads(text))
    except (ValueError, RecursionError):
        raise Wrong(must) from None


# --- several values ----------------------------------------------------------------------------


_NOTIFICATIONS = "must be an object: kind and true or false"
_LIST_AS_TYPED = "must be one item in plain words, or a JSON array of texts"


def _arguments(value: Any) -> tuple[str, ...]:
    """A program and its arguments. A string is a program, never a line to split."""
    must = "must be an array of texts, a program and its arguments"
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, (list, tuple)) or not items or not items[0]:
        raise Wrong(must)
    if not all(isinstance(item, str) and "\0" not in item for item in items):
        raise Wrong(must)
    return tuple(items)


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)):
        raise Wrong("must be an array of texts")
    try:
        return tuple(_text(item) for item in value)
    except Wrong:
        raise Wrong("must be an array of texts") from None


def _paths(value: Any) -> tuple[Path, ...]:
    try:
        return tuple(_path(item) for item in _texts(value))
    except Wrong:
        raise Wrong("must be an array of absolute paths") from None


def _list_words(text: str) -> object:
    """A JSON array, or one item in plain words."""
    if text.lstrip().startswith("["):
        return _json(text, _LIST_AS_TYPED)
    word = _text_words(text)
    return None if word is None else [word]


def _list_store(value: Any) -> object:
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def _notifications(value: Any) -> Notifications:
    """Every kind; one whose value is no flag is shown."""
    if not isinstance(value, Mapping):
        raise Wrong(_NOTIFICATIONS)
    flags = {kind: value.get(kind) for kind in Notifications._fields}
    return Notifications(**{kind: flag is not False for kind, flag in flags.items()})


def _notifications_words(text: str) -> object:
    if text.lstrip().startswith("{"):
        return _json(text, _NOTIFICATIONS)
    return dict.fromkeys(Notifications._fields, _flag_words(text))


def _notifications_store(value: Any) -> object:
    value = value._asdict() if isinstance(value, Notifications) else value
    if not isinstance(value, Mapping) or not all(isinstance(flag, bool) for flag in value.values()):
        raise Wrong(_NOTIFICATIONS)
    if not set(value) <= set(Notifications._fields):
        raise Wrong("must name kinds that there are: " + ", ".join(Notifications._fields))
    return dict(value)


# --- a moment ----------------------------------------------------------------------------------

_FOR_EVER = float("inf")
_MOMENT = f'must be a time such as 2026-01-31T18:00:00Z, or "{UNTIL_RESUMED}"'


def _moment(value: Any) -> float:
    """Seconds since the epoch; infinity until resumed."""
    if value == UNTIL_RESUMED:
        return _FOR_EVER
    if not isinstance(value, str):
        raise Wrong(_MOMENT)
    from datetime import datetime

    try:
        # Before Python 3.11 fromisoformat doesn't know Z.
        moment = datetime.fromisoformat(value.replace("Z", "+00:00"))
        if moment.tzinfo is None:
            raise Wrong(_MOMENT)
        return moment.timestamp()
    except (ValueError, OverflowError):
        raise Wrong(_MOMENT) from None


def _moment_store(value: Any) -> object:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return value
    if value == _FOR_EVER:
        return UNTIL_RESUMED
    from datetime import datetime, timezone

    try:
        return datetime.fromtimestamp(value, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        raise Wrong(_MOMENT) from None


# --- the table ---------------------------------------------------------------------------------

_TEXT = ValueKind(_text, _text_words, _plain)
_FLAG = ValueKind(_flag, _flag_words)
_COMMAND = ValueKind(_arguments, _list_words, _list_store)

KINDS: Mapping[str, ValueKind] = {
    "location": _TEXT,
    "store_id": _TEXT,
    "encrypted": _FLAG,
    "push_on_change": _FLAG,
    "checkpoints": _FLAG,
    "on_arrival": _choice("ask", "pull", "nothing"),
    "pull_interval_seconds": _number(1, 86_400),
    "watch_store": _FLAG,
    "quiet_seconds": _number(0, 3_600),
    "notifications": ValueKind(_notifications, _notifications_words, _notifications_store),
    "search": _FLAG,
    "show_titles": _FLAG,
    "recent_limit": _number(1, 100, whole=True),
    "left_click": _choice("menu", "push"),
    "terminal": _COMMAND,
    "projects_roots": ValueKind(_paths, _list_words, _list_store),
    "ignore": ValueKind(_texts, _list_words, _list_store),
    "ignored_findings": ValueKind(_texts, _list_words, _list_store),
    "ssh_command": _COMMAND,
    "cloud_megabytes_a_day": _number(0, 1_000_000),
    "check_for_updates": _FLAG,
    "claude_config_dir": ValueKind(_path, _text_words, _plain),
    "paused_until": ValueKind(_moment, _text_words, _moment_store),
}
"""Every preference but ``schema``. null in the file stands for the default."""
