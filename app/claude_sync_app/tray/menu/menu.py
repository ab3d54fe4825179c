"""The whole menu: a pure function of Status, the minute, the preferences and the environment.

Counts are in the labels. Entries that can't apply are left out, except the two main ones. An entry
keeps its id while it means the same, so that an open menu can be kept up to date.
"""

from __future__ import annotations

from claude_sync import __version__
from claude_sync.service.status import Status
from claude_sync.state.preferences import Preferences
from claude_sync.wording import count
from claude_sync_app.shown_text import one_line, shortened
from claude_sync_app.tray.environment import Environment
from claude_sync_app.tray.finding_filter import (
    current_warnings,
    is_finding_ignored,
    listed_findings,
    warning_counts,
)
from claude_sync_app.tray.labels import is_private, store_name
from claude_sync_app.tray.menu.conflicts import conflicts_menu
from claude_sync_app.tray.menu.model import Item, separator
from claude_sync_app.tray.menu.preferences import preferences_menu, store_menu
from claude_sync_app.tray.menu.sessions import arrivals_menu, recent_menu
from claude_sync_app.tray.offers import pullable, pushable
from claude_sync_app.tray.status_line import is_paused, not_set_up, tooltip
from claude_sync_app.tray.verbs import Action, Verb

_FINDING_LENGTH = 70
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
            *recent_menu(status, now_minutes, preferences),
            *arrivals_menu(status, now_minutes, preferences),
            *conflicts_menu(status, now_minutes),
            *_doctor(status, preferences),
        ),
        (
            *_pause(status, now_minutes),
            preferences_menu(status, preferences, environment),
            *_files_and_help(status),
        ),
        (Item("quit", "Quit", action=Action(Verb.QUIT)),),
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
    if status.error or status.offline_since is not None:
        rows.append(Item("retry", "Try again", action=Action(Verb.RETRY)))
    if not_set_up(status):
        rows += store_menu("top", status, environment)
    elif is_private(status, environment):
        rows.append(
            Item(
                "private",
                f"Shared folder: {store_name(status, environment)} (this machine only)",
                enabled=False,
            )
        )
        rows += store_menu("top", status, environment)
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


# --- the doctor --------------------------------------------------------------------------------


def _doctor(status: Status, preferences: Preferences) -> tuple[Item, ...]:
    found = listed_findings(status)
    if not found:
        return ()
    rows = []
    codes = [finding.code for finding in found]
    for index, finding in enumerate(found):
        item_id = f"finding.{finding.code}.{codes[:index].count(finding.code)}"
        title = shortened(one_line(finding.title), _FINDING_LENGTH)
        # If a code was found several times, the title says which one is meant.
        which = finding.title if codes.count(finding.code) > 1 else ""
        show = Action(Verb.SHOW_FINDING, finding.code, which)
        if not is_finding_ignored(finding, preferences):
            rows.append(Item(item_id, title, action=show))
            continue
        stop_ignoring = Action(Verb.STOP_IGNORING_FINDING, finding.code)
        choices = (
            Item(f"{item_id}.show", "What it means…", action=show),
            Item(f"{item_id}.stop_ignoring", "Warn of it again", action=stop_ignoring),
        )
        rows.append(Item(f"{item_id}.ignored", f"{title} (ignored)", children=choices))
    rows += [
        separator("doctor.line"),
        Item("doctor.again", "Check again", action=Action(Verb.RUN_DOCTOR)),
    ]
    counts = warning_counts(current_warnings(status, preferences)) or "no warnings"
    return (Item("doctor", f"Doctor: {counts}", children=tuple(rows)),)


# --- the rest ----------------------------------------------------------------------------------


def _pause(status: Status, now_minutes: int) -> tuple[Item, ...]:
    if is_paused(status, now_minutes * 60):
        return (Item("continue", "Resume syncing", action=Action(Verb.UNPAUSE)),)
    return (
        Item("pause.hour", "Pause for an hour", action=Action(Verb.PAUSE, detail="hour")),
        Item("pause", "Pause", action=Action(Verb.PAUSE)),
    )


def _files_and_help(status: Status) -> tuple[Item, ...]:
    rows = [Item("window", "Open claude-sync", action=Action(Verb.OPEN_WINDOW))]
    if status.location and not status.remote:
        rows.append(Item("store", "Open shared folder", action=Action(Verb.OPEN_STORE)))
    return (
        *rows,
        Item("log", "Show log", action=Action(Verb.SHOW_LOG)),
        Item("help", "Help", action=Action(Verb.HELP)),
        Item("about", f"About claude-sync {__version__}", action=Action(Verb.ABOUT)),
    )
