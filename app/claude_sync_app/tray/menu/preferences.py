"""The menu's preferences, and the choice of the shared folder. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence

from claude_sync.service.status import Status
from claude_sync.state.preferences import Preferences
from claude_sync_app.shown_text import one_line, shortened
from claude_sync_app.tray.environment import Environment
from claude_sync_app.tray.labels import is_private, store_name, synced_folder_of
from claude_sync_app.tray.menu.model import Item, separator
from claude_sync_app.tray.verbs import Action, Verb

_ON_ARRIVAL = (("ask", "Ask me"), ("pull", "Pull it"), ("nothing", "Do nothing"))
_NAME_LENGTH = 40


def preferences_menu(status: Status, preferences: Preferences, environment: Environment) -> Item:
    """The submenu of preferences."""
    arrival = tuple(
        Item(
            f"preferences.arrival.{value}",
            label,
            checked=preferences.on_arrival == value,
            radio=True,
            action=_set("on_arrival", value),
        )
        for value, label in _ON_ARRIVAL
    )
    notified = any(preferences.notifications)
    switched = dict.fromkeys(preferences.notifications._fields, not notified)
    rows = [
        _flag("push_on_change", "Push when a session changes", preferences.push_on_change),
        Item("preferences.arrival", "When a session arrives", children=arrival),
        Item(
            "preferences.notifications",
            "Notifications",
            checked=notified,
            action=_set("notifications", switched),
        ),
        _flag("show_titles", "Titles in notifications", preferences.show_titles),
    ]
    if environment.autostart is not None:
        wanted = "off" if environment.autostart else "on"
        rows.append(
            Item(
                "preferences.autostart",
                "Start at login",
                checked=environment.autostart,
                action=Action(Verb.START_AT_LOGIN, detail=wanted),
            )
        )
    if environment.plugin is not None:
        rows.append(
            Item(
                "preferences.plugin",
                "Inside Claude Code",
                checked=environment.plugin,
                action=Action(Verb.INSIDE_CLIENT, detail="off" if environment.plugin else "on"),
            )
        )
    rows += store_menu("preferences", status, environment)
    rows.append(
        Item(
            "preferences.file",
            "Open preferences file",
            action=Action(Verb.OPEN_PREFERENCES),
        )
    )
    return Item("preferences", "Preferences", children=tuple(rows))


def store_menu(under: str, status: Status, environment: Environment) -> Sequence[Item]:
    """The submenu that names the shared folder and offers others.

    Args:
        under: keeps the ids of two of them in one menu apart.
        status: which folder it is now.
        environment: the synced folders to offer.
    """
    prefix = f"{under}.store"
    rows: list[Item] = []
    if status.location:
        here = f"Now: {store_name(status, environment)}"
        rows += [Item(f"{prefix}.now", here, enabled=False), separator(f"{prefix}.line")]
    now = synced_folder_of(status, environment)
    rows += [
        Item(
            f"{prefix}.folder.{folder.path}",
            f"{shortened(one_line(folder.name), _NAME_LENGTH)}…",
            action=Action(Verb.CHOOSE_STORE, detail=folder.path),
        )
        for folder in environment.synced_folders
        if folder != now
    ]
    rows += [
        Item(f"{prefix}.folder", "Other folder…", action=Action(Verb.CHOOSE_STORE)),
        Item(
            f"{prefix}.host",
            "A host over ssh…",
            action=Action(Verb.CHOOSE_STORE, detail="ssh"),
        ),
        Item(
            f"{prefix}.cloud",
            "A cloud by rclone…",
            action=Action(Verb.CHOOSE_STORE, detail="rclone"),
        ),
    ]
    if status.location and not is_private(status, environment):
        rows += [
            separator(f"{prefix}.leaving"),
            Item(f"{prefix}.leave", "Leave shared folder…", action=Action(Verb.LEAVE_STORE)),
        ]
    return (Item(prefix, "Choose shared folder", children=tuple(rows)),)


def _flag(name: str, label: str, value: bool) -> Item:
    return Item(f"preferences.{name}", label, checked=value, action=_set(name, not value))


def _set(name: str, value: object) -> Action:
    return Action(Verb.SET, name, json.dumps(value))
