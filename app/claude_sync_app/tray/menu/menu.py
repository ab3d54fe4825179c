"""The whole menu: a pure function of Status, the minute, the preferences and the environment.

It is for one click, and has two levels: GNOME shows nothing of a third on low screens, and Plasma
opens one off the screen. What wants reading or deciding is in the window. Counts are in the labels.
Entries that can't apply are left out, except the two main ones. An entry keeps its id while it
means the same, so that an open menu can be kept up to date.
"""

from __future__ import annotations

from claude_sync import __version__
from claude_sync.service.status import Status
from claude_sync.state.preferences import Preferences
from claude_sync.wording import count
from claude_sync_app.shown_text import shortened
from claude_sync_app.tray.environment import Environment
from claude_sync_app.tray.finding_filter import current_warnings, warning_counts
from claude_sync_app.tray.labels import is_private, store_name
from claude_sync_app.tray.menu.model import Item, separator
from claude_sync_app.tray.menu.preferences import preferences_menu
from claude_sync_app.tray.menu.sessions import session_rows
from claude_sync_app.tray.offers import pullable, pushable
from claude_sync_app.tray.status_line import is_paused, not_set_up, tooltip
from claude_sync_app.tray.verbs import Action, Verb
from claude_sync_app.tray.window_pages import (
    CONFLICTS,
    DOCTOR,
    STORE,
    conflict_page,
    open_window,
)

_STATUS_LENGTH = 90  # the longest row makes the whole menu wide


def menu(
    status: Status, now_minutes: int, preferences: Preferences, environment: Environment
) -> Item:
    """The menu.

    Args:
        status: what there is.
        now_minutes: whole minutes since the epoch.
        preferences: what the user chose.
        environment: this machine and this desktop.

    Returns:
        an item whose children are the menu's rows.
    """
    groups = (
        _top(status, now_minutes, preferences, environment),
        _push_and_pull(status),
        (
            *session_rows(status, now_minutes, preferences),
            *_conflicts(status),
            *_doctor(status, preferences),
        ),
        (
            *_pause(status, now_minutes),
            preferences_menu(preferences, environment),
            Item("help", "Help", action=Action(Verb.HELP)),
            Item("about", f"About claude-sync {__version__}", action=Action(Verb.ABOUT)),
            Item("quit", "Quit", action=Action(Verb.QUIT)),
        ),
    )
    rows: list[Item] = []
    for number, group in enumerate(groups):
        if rows and group:
            rows.append(separator(f"line.{number}"))
        rows += group
    return Item("menu", children=tuple(rows))


# --- the status -----------------------------------------------------------------------------


def _top(
    status: Status, now_minutes: int, preferences: Preferences, environment: Environment
) -> tuple[Item, ...]:
    sentence = shortened(tooltip(status, now_minutes, preferences, environment), _STATUS_LENGTH)
    rows = [Item("status", sentence, enabled=False)]
    choose = Item("choose", "Choose shared folder…", action=open_window(STORE))
    if not_set_up(status):
        rows.append(choose)
    elif is_private(status, environment):
        store = store_name(status, environment)
        private = f"Shared folder: {store} (this machine only)"
        rows += [Item("private", private, enabled=False), choose]
    rows.append(Item("open", "Open claude-sync", action=open_window()))
    if status.error or status.offline_since is not None:
        rows.append(Item("retry", "Try again", action=Action(Verb.RETRY)))
    return tuple(rows)


# --- pushing and pulling -----------------------------------------------------------------------


def _push_and_pull(status: Status) -> tuple[Item, ...]:
    verb = status.activity.verb if status.activity is not None else ""
    push, pull = len(pushable(status)), len(pullable(status))
    rows = [
        _main_entry("push", Verb.PUSH_ALL, "Push", push, busy=verb == "Pushing"),
        _main_entry("pull", Verb.PULL_ALL, "Pull", pull, busy=verb == "Pulling"),
    ]
    if status.older:
        rows.append(
            Item(
                "push-older",
                f"Push older ones ({len(status.older)})…",
                action=Action(Verb.PUSH_OLDER),
            )
        )
    return tuple(rows)


def _main_entry(item_id: str, verb: Verb, word: str, number: int, *, busy: bool) -> Item:
    if busy:
        label = f"{word}ing…"
    else:
        label = f"{word} {count(number, 'session')}" if number else f"Nothing to {word.lower()}"
    return Item(item_id, label, enabled=bool(number) and not busy, action=Action(verb))


# --- what wants a decision ---------------------------------------------------------------------


def _conflicts(status: Status) -> tuple[Item, ...]:
    number = len(status.conflicts)
    if not number:
        return ()
    page = conflict_page(status.conflicts[0].session_id) if number == 1 else CONFLICTS
    return (Item("conflicts", f"{count(number, 'conflict')}…", action=open_window(page)),)


def _doctor(status: Status, preferences: Preferences) -> tuple[Item, ...]:
    counts = warning_counts(current_warnings(status, preferences))
    if not counts:
        return ()
    return (Item("doctor", f"Doctor: {counts}…", action=open_window(DOCTOR)),)


# --- the rest ----------------------------------------------------------------------------------


def _pause(status: Status, now_minutes: int) -> tuple[Item, ...]:
    if is_paused(status, now_minutes * 60):
        return (Item("continue", "Resume syncing", action=Action(Verb.UNPAUSE)),)
    choices = (
        Item("pause.hour", "For an hour", action=Action(Verb.PAUSE, detail="hour")),
        Item("pause.on", "Until I resume", action=Action(Verb.PAUSE)),
    )
    return (Item("pause", "Pause", children=choices),)
