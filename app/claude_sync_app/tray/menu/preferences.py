"""The menu's preferences: what is switched now and then; the window has all of them. Pure."""

from __future__ import annotations

import json

from claude_sync.state.preferences import Preferences
from claude_sync_app.tray.environment import Environment
from claude_sync_app.tray.menu.model import Item, separator
from claude_sync_app.tray.verbs import Action, Verb
from claude_sync_app.tray.window_pages import SETTINGS, STORE, open_window

_ON_ARRIVAL = (("ask", "ask me"), ("pull", "pull it"), ("nothing", "do nothing"))


def preferences_menu(preferences: Preferences, environment: Environment) -> Item:
    """The submenu of preferences."""
    arrival = [
        Item(
            f"preferences.arrival.{value}",
            f"When one arrives: {label}",
            checked=preferences.on_arrival == value,
            radio=True,
            action=_set("on_arrival", value),
        )
        for value, label in _ON_ARRIVAL
    ]
    notified = any(preferences.notifications)
    switched = dict.fromkeys(preferences.notifications._fields, not notified)
    rows = [
        _flag("push_on_change", "Push when a session changes", preferences.push_on_change),
        separator("preferences.line.1"),
        *arrival,
        separator("preferences.line.2"),
        Item(
            "preferences.notifications",
            "Notifications",
            checked=notified,
            action=_set("notifications", switched),
        ),
        _flag("show_titles", "Titles in notifications", preferences.show_titles),
        *_of_this_machine(environment),
        separator("preferences.line.3"),
        Item("preferences.store", "Shared folder…", action=open_window(STORE)),
        Item("preferences.all", "All settings…", action=open_window(SETTINGS)),
    ]
    return Item("preferences", "Preferences", children=tuple(rows))


def _of_this_machine(environment: Environment) -> list[Item]:
    """What the system and the client are asked for, and what they say."""
    switches = (
        ("autostart", "Start at login", environment.autostart, Verb.START_AT_LOGIN),
        ("plugin", "Inside Claude Code", environment.plugin, Verb.INSIDE_CLIENT),
    )
    return [
        Item(
            f"preferences.{name}",
            label,
            checked=is_on,
            action=Action(verb, detail="off" if is_on else "on"),
        )
        for name, label, is_on, verb in switches
        if is_on is not None
    ]


def _flag(name: str, label: str, value: bool) -> Item:
    return Item(f"preferences.{name}", label, checked=value, action=_set(name, not value))


def _set(name: str, value: object) -> Action:
    return Action(Verb.SET, name, json.dumps(value))
