"""What every page says of the Status: one line, and the numbers beside the pages."""

from __future__ import annotations

import time

from claude_sync.model import Level
from claude_sync.service.status import Status
from claude_sync.values import NamedTuple
from claude_sync_app.tray.environment import Environment
from claude_sync_app.tray.finding_filter import current_warnings
from claude_sync_app.tray.offers import pullable, pushable
from claude_sync_app.tray.status_line import icon_state, tooltip


class Summary(NamedTuple):
    """The Status in short.

    Attributes:
        state: as the icon shows it.
        text: one line.
        done, total: bytes of the work that is under way; `total` is 0 where that isn't known.
        is_busy: whether something is under way.
        warnings: how many of the doctor's findings warn.
        conflicts: how many sessions wait for a decision.
        push, pull: how many a push or a pull of all would take.
    """

    state: str
    text: str
    done: int
    total: int
    is_busy: bool
    warnings: int
    conflicts: int
    push: int
    pull: int


def summary_of(status: Status) -> Summary:
    """The Status in short, as of now."""
    now = time.time()
    preferences = status.preferences
    activity = status.activity
    warnings = current_warnings(status, preferences)
    return Summary(
        state=icon_state(status, preferences, now).value,
        text=tooltip(status, int(now // 60), preferences, Environment()),
        done=activity.done if activity is not None else 0,
        total=activity.total if activity is not None else 0,
        is_busy=activity is not None,
        warnings=sum(one.level in (Level.WARNING, Level.ERROR) for one in warnings),
        conflicts=len(status.conflicts),
        push=len(pushable(status)),
        pull=len(pullable(status)),
    )
