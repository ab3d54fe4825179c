"""Handlers that take at most some commands of the service; in the loop's thread: nothing waits."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from concurrent.futures import Future
from typing import Any

from claude_sync.errors import ClaudeSyncError, Stopped
from claude_sync.model import Outcome
from claude_sync.wording import sentence
from claude_sync_app.shown_text import one_line, without_controls
from claude_sync_app.tray.conflict_choice import read_choice
from claude_sync_app.tray.context import TrayContext
from claude_sync_app.tray.offers import pullable, pushable
from claude_sync_app.tray.verbs import Action, Verb

_HOUR_SECONDS = 3600.0


def push(tray: TrayContext, action: Action) -> None:
    _push(tray, action.subject.split())


def push_all(tray: TrayContext, _: Action) -> None:
    _push(tray, pushable(tray.status))


def pull(tray: TrayContext, action: Action) -> None:
    _pull(tray, action.subject.split())


def replace(tray: TrayContext, action: Action) -> None:
    """Pull what replaces something that exists only here: the menu's label said so."""
    tray.service.pull([action.subject], replace=True)


def pull_all(tray: TrayContext, _: Action) -> None:
    _pull(tray, [arrival.session_id for arrival in pullable(tray.status)])


def undo(tray: TrayContext, action: Action) -> None:
    for session_id in action.subject.split():
        tray.service.undo(session_id)


def later(_tray: TrayContext, _: Action) -> None:
    """Nothing now: the history of notices remembers until when."""


def keep(tray: TrayContext, action: Action) -> None:
    """Settle a conflict, unless a side has changed since the choice was shown."""
    choice = read_choice(action, tray.status)
    if choice is None:
        tray.notify(
            f"keep {action.subject}",
            "Nothing was decided",
            "A side has changed since it was shown; look at it again, then choose.",
        )
        return
    what, versions = choice
    tray.service.resolve(action.subject, what, versions)


def pause(tray: TrayContext, action: Action) -> None:
    until = time.time() + _HOUR_SECONDS if action.detail == "hour" else None
    tray.report_failure(tray.service.pause(until))


def unpause(tray: TrayContext, _: Action) -> None:
    tray.report_failure(tray.service.resume())


def retry(tray: TrayContext, _: Action) -> None:
    """Do again what failed last, and look at everything."""
    for event in reversed(tray.status.events):
        failed = [one.session_id for one in event.results if one.outcome is Outcome.FAILED]
        if failed and event.kind == "push":
            _push(tray, failed)
        elif failed and event.kind == "pull":
            _pull(tray, failed)
        if failed or event.kind == "failed":
            break
    tray.report_failure(tray.service.look_now())
    if tray.status.offline_since is not None or tray.status.error:
        reached = tray.service.call(lambda context: context.store.listing())
        reached.add_done_callback(lambda done: _say_whether_reached(tray, done))


def _say_whether_reached(tray: TrayContext, done: Future[Any]) -> None:
    """Answer "Try again" where nothing else does; in the service's thread."""
    error = None if done.cancelled() else done.exception()
    if isinstance(error, Stopped) or done.cancelled():
        return
    if isinstance(error, ClaudeSyncError):
        again = ("Try again", Action(Verb.RETRY))
        log = ("Show log", Action(Verb.SHOW_LOG))
        tray.notify("retry", "It still fails", sentence(one_line(str(error))), [again, log])
    elif error is None:
        store = without_controls(tray.status.label) or "The shared folder"
        tray.notify("retry", f"{store} can be reached")


def set_preference(tray: TrayContext, action: Action) -> None:
    tray.report_failure(tray.service.change(**{action.subject: json.loads(action.detail)}))


def quit_tray(tray: TrayContext, _: Action) -> None:
    tray.quit()


def _push(tray: TrayContext, session_ids: Iterable[str]) -> None:
    if ids := list(session_ids):
        tray.service.push(ids)


def _pull(tray: TrayContext, session_ids: Iterable[str]) -> None:
    if ids := list(session_ids):
        tray.service.pull(ids)
