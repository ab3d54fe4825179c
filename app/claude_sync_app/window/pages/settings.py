"""Every preference with its explanation, where sessions meet, which projects are shared."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from claude_sync.errors import ClaudeSyncError, UsageError
from claude_sync.model import SessionState
from claude_sync.state import preferences
from claude_sync.sync.bundles.naming import ignore_pattern, is_ignored
from claude_sync.values import NamedTuple
from claude_sync_app.desktop import autostart
from claude_sync_app.desktop.opening import open_path
from claude_sync_app.shown_text import one_line
from claude_sync_app.tray.environment import Environment
from claude_sync_app.tray.labels import is_private, project_of
from claude_sync_app.window import store_choice
from claude_sync_app.window.page import Answer, Asked, Page, Reply, Waiting, page, post
from claude_sync_app.window.preference_texts import CONTROLS, from_typed, shown_groups

NAVIGATION = ("Settings", "/settings")


class _Project(NamedTuple):
    """A project that has sessions here."""

    key: str
    name: str
    sessions: int
    is_shared: bool


def _show(asked: Asked) -> Reply:
    status = asked.status
    environment = Environment(home=str(Path.home()))
    values = {
        "page_path": "/settings",
        "groups": list(shown_groups(status.preferences)),
        "problems": [one for one in status.preferences.problems if one.key not in CONTROLS],
        "places": store_choice.places(asked),
        "is_private": is_private(status, environment),
        "projects": _projects(status.sessions, status.preferences.ignore),
        "autostart": _autostart(),
        "plugin": plugin_enabled(),
        "file": asked.services.paths.preferences_file,
    }
    return Page("settings.html", "Settings", values)


def _projects(sessions: tuple[SessionState, ...], patterns: tuple[str, ...]) -> list[_Project]:
    counts = Counter(one.project_key for one in sessions if one.path and one.project_key)
    found = [
        _Project(key, project_of(key), number, not is_ignored(key, patterns))
        for key, number in counts.items()
    ]
    return sorted(found, key=lambda one: (one.name.lower(), one.key))


def _autostart() -> bool | None:
    try:
        return autostart.choose().status().enabled
    except OSError:
        return None


def plugin_enabled() -> bool | None:
    """Whether Claude Code uses the plugin, None where there is no Claude Code to be found."""
    from claude_sync.claude.client import find_client
    from claude_sync_app.inside_client.installation import plugin_status

    try:
        status = plugin_status()
    except ClaudeSyncError:
        return None
    return status.enabled if status.installed or find_client() is not None else None


# --- preferences -------------------------------------------------------------------------------


def _typed(asked: Asked) -> tuple[str, object]:
    """The preference that a page names, and its value as JSON has it.

    Raises:
        PreferencesError, UsageError: there is no such one, or it can't hold that.
    """
    key = asked.text("key", most=100)
    if key not in CONTROLS:
        raise UsageError("the page has no such preference", todo="load it again")
    return key, preferences.parse_value(key, from_typed(key, asked.text("value", most=20_000)))


def _check(asked: Asked) -> Reply:
    _typed(asked)
    return Answer()


def _set(asked: Asked) -> Reply:
    key, value = _typed(asked)
    name, _, part = key.partition(".")
    change: dict[str, Any] = {name: {part: value} if part else value}
    return Waiting(asked.services.service.change(**change), lambda _: Answer("Saved."))


def _open_file(asked: Asked) -> Reply:
    path = asked.services.paths.preferences_file
    if not path.exists():
        preferences.change(asked.services.paths)
    open_path(path)
    return Answer("Opened in your editor.")


# --- projects ----------------------------------------------------------------------------------


def _share(asked: Asked) -> Reply:
    """Share a project or never push it by itself again."""
    key, service = asked.text("project"), asked.services.service
    patterns = list(asked.status.preferences.ignore)
    if not asked.flag("on"):
        if not is_ignored(key, patterns):
            patterns.append(ignore_pattern(key))
        return Waiting(
            service.change(ignore=patterns), lambda _: Answer(f"{project_of(key)} isn't pushed.")
        )
    patterns = [one for one in patterns if one not in (key, ignore_pattern(key))]
    for pattern in patterns:
        if is_ignored(key, [pattern]):
            raise ClaudeSyncError(
                f"{project_of(key)} also fits the pattern {one_line(pattern)}",
                todo="take it out of “Projects that are never pushed”",
            )
    return Waiting(service.change(ignore=patterns), lambda _: _push_project(asked, key))


def _push_project(asked: Asked, key: str) -> Answer:
    # By name: that is what brings back sessions whose bundles were removed.
    here = [one.session_id for one in asked.status.sessions if one.project_key == key and one.path]
    if here:
        asked.services.service.push(here)
    return Answer(f"{project_of(key)} is shared.")


# --- this desktop ------------------------------------------------------------------------------


def _start_at_login(asked: Asked) -> Reply:
    autostart.start_at_login(on=asked.flag("on"))
    return Answer("It starts at login." if asked.flag("on") else "It doesn't start at login.")


def _inside_client(asked: Asked) -> Reply:
    from claude_sync_app.inside_client.installation import disable_plugin, enable_plugin

    if not asked.flag("on"):
        disable_plugin()
        return Answer("Claude Code doesn't use it any more.")
    enable_plugin()
    return Answer("From Claude Code's next start on, what you finish there is pushed at once.")


# --- the first start ---------------------------------------------------------------------------


def _welcome(asked: Asked) -> Reply:
    values = {
        "page_path": "/welcome",
        "places": store_choice.places(asked),
        "is_private": True,
        "autostart": _autostart(),
        "plugin": plugin_enabled(),
    }
    return Page("welcome.html", "Welcome", values)


ROUTES = (
    page("/settings", _show),
    page("/settings/{section}", _show),
    post("/settings/check", _check),
    post("/settings/set", _set),
    post("/settings/file", _open_file),
    post("/settings/share", _share),
    post("/settings/start-at-login", _start_at_login),
    post("/settings/inside-client", _inside_client),
    post("/settings/store/check", store_choice.check),
    post("/settings/store/choose", store_choice.choose),
    post("/settings/store/remove-left", store_choice.remove_left),
    page("/welcome", _welcome),
)
