"""What the icon shows and its status line says. Pure."""

from __future__ import annotations

import math

from claude_sync.model import Level, Progress
from claude_sync.service.status import Status
from claude_sync.state.preferences import Preferences
from claude_sync.wording import ago, count, duration
from claude_sync_app.shown_text import one_line, shortened
from claude_sync_app.tray.environment import Environment
from claude_sync_app.tray.finding_filter import current_warnings, warning_counts
from claude_sync_app.tray.icons.icons import IconState
from claude_sync_app.tray.labels import machines_of
from claude_sync_app.tray.offers import held_back, pullable, pushable, replacing

TOOLTIP_LENGTH = 127
"""What Windows shows of a tooltip: 128 characters, the last of them a NUL."""

_MINUTE_NS = 60 * 10**9


def icon_state(
    status: Status, preferences: Preferences, now: float, *, is_first_start: bool = False
) -> IconState:
    """The icon's state: of all that apply, the most important one.

    Args:
        status: what there is.
        preferences: which findings are ignored.
        now: seconds since the epoch.
        is_first_start: whether nobody knows this icon yet: it is ours, and not a warning's.
    """
    warnings = current_warnings(status, preferences)
    offline, paused = status.offline_since is not None, is_paused(status, now)
    waiting = bool(pullable(status) or replacing(status))
    applies = (
        (IconState.ERROR, bool(status.error) or status.stopped),
        (IconState.ERROR, any(finding.level is Level.ERROR for finding in warnings)),
        (IconState.ATTENTION, bool(status.conflicts) or not_set_up(status)),
        # A warning only informs, for as long as it stands: it hides nothing that can be pulled.
        (IconState.WAITING, waiting and not (offline or paused)),
        (IconState.ATTENTION, bool(warnings) and not is_first_start),
        (IconState.OFFLINE, offline),
        (IconState.PAUSED, paused),
        (IconState.WAITING, waiting),
        (IconState.SYNCING, status.activity is not None or not status.started),
    )
    return next((state for state, does in applies if does), IconState.UP_TO_DATE)


def is_paused(status: Status, now: float) -> bool:
    """Whether syncing by itself is paused (`now`: seconds since the epoch)."""
    return status.paused_until is not None and now < status.paused_until


def not_set_up(status: Status) -> bool:
    """Whether no shared folder is chosen."""
    return status.machine is not None and not status.location


def tooltip(
    status: Status, now_minutes: int, preferences: Preferences, environment: Environment
) -> str:
    """The status sentence: one line of at most 127 characters.

    Args:
        status: what there is.
        now_minutes: whole minutes since the epoch.
        preferences: which findings are ignored.
        environment: the home directory, which is shown as ``~``.
    """
    text = one_line(_status_text(status, now_minutes, preferences))
    home = environment.home
    if len(home) > 1:
        text = text.replace(f"{home}/", "~/").replace(f"{home}\\", "~\\")
    return shortened(text[:1].upper() + text[1:], TOOLTIP_LENGTH)


def _status_text(status: Status, now_minutes: int, preferences: Preferences) -> str:
    if status.stopped:
        return "Stopped — quit, then start again"
    if status.activity is not None:
        return activity_text(status.activity)
    if status.error:
        return status.error
    if not_set_up(status):
        return "Choose a shared folder"
    if status.offline_since is not None:
        offline = f"Offline{_lasting(status.offline_since, now_minutes)}"
        return f"{offline} — {status.offline_message}" if status.offline_message else offline
    if not status.started:
        return "Looking at sessions…"
    counts = ", ".join(_counts(status))
    warnings = warning_counts(current_warnings(status, preferences))
    doctor = f", doctor: {warnings}" if warnings else ""
    if is_paused(status, now_minutes * 60):
        paused = _paused(status, now_minutes)
        return f"{paused} — {counts}{doctor}" if counts else f"{paused}{doctor}"
    return (counts or f"Up to date — {_when(status.last_sync, now_minutes)}") + doctor


def activity_text(activity: Progress) -> str:
    """What is being done: Pushing…, Pulling 3 of 12…"""
    verb = one_line(activity.verb) or "Working"
    if activity.sessions_total > 1:
        at = min(activity.sessions_done + 1, activity.sessions_total)
        return f"{verb} {at} of {activity.sessions_total}…"
    return f"{verb}…"


def _counts(status: Status) -> list[str]:
    changed, waiting, held = pushable(status), pullable(status), held_back(status)
    parts = []
    if status.conflicts:
        parts.append(count(len(status.conflicts), "conflict"))
    if changed:
        parts.append(f"{len(changed)} changed here")
    if waiting:
        machines = machines_of(arrival.machine for arrival in waiting)
        parts.append(f"{len(waiting)} waiting from {machines}")
    if other := replacing(status):
        parts.append(f"{len(other)} would replace what is only here")
    if held:
        parts.append(f"{len(held)} newer elsewhere but open here")
    return parts


def _paused(status: Status, now_minutes: int) -> str:
    until = status.paused_until
    assert until is not None
    if until == float("inf"):
        return "Paused"
    left = max(1, math.ceil(until / 60 - now_minutes))
    return f"Paused for {duration(60 * left)} more"


def _lasting(since: float, now_minutes: int) -> str:
    age = _when(since, now_minutes)
    if age.endswith(" ago"):
        return f" for {age[: -len(' ago')]}"
    return "" if age == "just now" else f" since {age}"


def _when(moment: float | None, now_minutes: int) -> str:
    if moment is None:
        return "just now"
    return ago(int(moment * 1e9), now_minutes * _MINUTE_NS)
