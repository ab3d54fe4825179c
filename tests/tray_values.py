"""Values for tests of what the tray shows and says: sessions, arrivals, conflicts, a moment."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from claude_sync.model import (
    Finding,
    Level,
    Machine,
    Outcome,
    Result,
    SessionState,
    Side,
    State,
    Version,
)
from claude_sync.service.status import Arrival, Event, Status
from claude_sync.state.preferences import Preferences
from claude_sync_app.desktop.notifications.values import Answer, AnswerKind
from claude_sync_app.desktop.synced_folders import SyncedFolder
from claude_sync_app.tray.environment import Environment
from claude_sync_app.tray.menu.model import Item
from claude_sync_app.tray.notices.history import after_answer, new_history
from claude_sync_app.tray.notices.notice import Notice
from claude_sync_app.tray.notices.notices import NoticeUpdate, next_notices

MINUTES = 29_498_040
"""The moment it is in these tests, in whole minutes since the epoch: 2026-01-31 18:00 UTC."""

NOW = MINUTES * 60.0
"""The same in seconds."""

HOME = os.path.abspath("/home/me")
DROPBOX = SyncedFolder("Dropbox", f"{HOME}/Dropbox")
AROUND = Environment(autostart=True, synced_folders=(DROPBOX,), home=HOME)
HOUR = 3_600.0
OFFLINE: dict[str, Any] = {"offline_since": NOW, "offline_message": "nas doesn't answer"}
LAPTOP = Machine("laptop", "id-of-laptop")


def minutes_ago(minutes: float) -> int:
    """A moment in nanoseconds since the epoch."""
    return int((NOW - minutes * 60) * 1e9)


def version(name: str) -> Version:
    return Version(len(name), name)


def session(sid: str = "s1", title: str = "Fix the login bug", **more: Any) -> SessionState:
    """A session of this machine that is as it is elsewhere, used five minutes ago."""
    values: dict[str, Any] = {
        "project_key": "git:github.com/you/app",
        "directory": Path(HOME, "code", "app"),
        "path": Path(HOME, ".claude", "projects", "-x", f"{sid}.jsonl"),
        "size": 1_000,
        "mtime_ns": minutes_ago(5),
        "state": State.SYNCED,
        **more,
    }
    return SessionState(sid, title, **values)


def arrival(
    sid: str = "a1",
    title: str = "Refactor the parser",
    machine: str = "desktop",
    *,
    here: bool = False,
    minutes: float = 10,
    was_open: bool = False,
    **more: Any,
) -> Arrival:
    """A session that is newer on another machine, and by default isn't here."""
    away = {} if here else {"path": None, "project_key": "git:github.com/you/api"}
    values = {"state": State.WAITING, "rivals": (machine,), **away, **more}
    state = session(sid, title, **values)
    pushed = NOW - minutes * 60
    return Arrival(state, machine, version(f"{sid}-there"), NOW, here, was_open, pushed)


def conflict(sid: str = "c1", title: str = "Both went on", **more: Any) -> SessionState:
    """A session on which laptop and desktop diverged."""
    sides = (
        Side("laptop", "", version("mine"), 12, minutes_ago(5)),
        Side("desktop", "id-of-desktop", version("theirs"), 3, minutes_ago(60)),
    )
    values = {"state": State.CONFLICT, "rivals": ("desktop",), "sides": sides, **more}
    return session(sid, title, **values)


def warning(code: str = "w1", title: str = "The clock is off", **more: Any) -> Finding:
    return Finding(code, **{"level": Level.WARNING, "title": title, **more})


def status(**more: Any) -> Status:
    """All is well: everything is in ~/Dropbox/claude-sync, looked at two minutes ago."""
    values: dict[str, Any] = {
        "machine": LAPTOP,
        "location": "~/Dropbox/claude-sync",
        "label": "~/Dropbox/claude-sync",
        "last_sync": NOW - 120,
        "started": True,
        "examined": True,
        **more,
    }
    if "sessions" not in more:
        known = [one.state for one in values.get("arrivals", ())]
        values["sessions"] = (*known, *values.get("conflicts", ()))
    return Status(**values)


def happened(
    number: int, kind: str, *results: Result, by_hand: bool = True, message: str = ""
) -> Event:
    return Event(number, kind, by_hand, NOW, results, message)


def result(sid: str, outcome: Outcome, **more: Any) -> Result:
    return Result(sid, outcome, **more)


def outline(item: Item) -> list[Any]:
    """A menu's labels: one a row, "---" for a line, a pair for a submenu; (off) if disabled."""
    rows: list[Any] = []
    for row in item.children:
        label = "---" if row.separator else row.label + ("" if row.enabled else " (off)")
        rows.append((label, outline(row)) if row.children else label)
    return rows


def entry(menu: Item, *labels: str) -> Item:
    """The entry that labels lead to, one a level; each may be only the beginning of it."""
    for label in labels:
        (menu,) = (row for row in menu.children if row.label.startswith(label))
    return menu


class PlayedTray:
    """A tray that sees one Status after another, on a clock that the test moves."""

    def __init__(
        self,
        preferences: Preferences | None = None,
        *,
        starting: bool = False,
        welcomes: bool = False,
    ) -> None:
        self.preferences = preferences or Preferences()
        self.history = replace(new_history(NOW, welcomes=welcomes), settled=not starting)
        self.now = NOW + 60
        self.seen = Status()
        self.last = NoticeUpdate(self.history)

    def see(self, shown: Status | None = None) -> list[Notice]:
        """What is told of a Status; without one, of the last one again."""
        shown = self.seen if shown is None else shown
        self.last = next_notices(
            self.seen,
            shown,
            preferences=self.preferences,
            history=self.history,
            now=self.now,
            environment=AROUND,
        )
        self.history = self.last.history
        if self.last.considered:
            self.seen = shown
        return list(self.last.show)

    def keys(self, shown: Status | None = None) -> list[str]:
        return [notice.notification.key for notice in self.see(shown)]

    def answer(self, key: str, button: str = "") -> None:
        kind = AnswerKind.BUTTON if button else AnswerKind.DISMISSED
        self.history = after_answer(self.history, Answer(key, kind, button), self.now)

    def wait(self, seconds: float) -> None:
        self.now += seconds
