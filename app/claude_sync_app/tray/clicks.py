"""What each verb of the menu and the notifications does. In the loop's thread: nothing waits.

What takes one command of the service is one line here; what asks somebody, starts a program or
touches the disk is a background task, and its steps stand in `flows`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable

from claude_sync.model import Outcome
from claude_sync_app.tray.conflict_choice import read_choice
from claude_sync_app.tray.context import TrayContext
from claude_sync_app.tray.environment import Environment
from claude_sync_app.tray.menu.model import Action
from claude_sync_app.tray.offers import pullable, pushable
from claude_sync_app.tray.verbs import Verb

_HOUR_SECONDS = 3600.0


class Clicks:
    """Does what actions ask for.

    Args:
        tray: what to work with.
        environment: gives the newest Environment.
        look_around: has them looked at again.
        quit: ends the program.
    """

    def __init__(
        self,
        tray: TrayContext,
        environment: Callable[[], Environment],
        look_around: Callable[[], None],
        quit: Callable[[], None],  # noqa: A002 -- as the menu has it
    ) -> None:
        self._tray = tray
        self._service = tray.service
        self._environment = environment
        self._look_around = look_around
        self._quit = quit
        self._does: dict[str, Callable[[Action], None]] = {
            Verb.PUSH: lambda action: self._push(action.subject.split()),
            Verb.PUSH_ALL: lambda _: self._push(pushable(tray.status)),
            Verb.PULL: lambda action: self._pull(action.subject.split()),
            Verb.PULL_ALL: lambda _: self._pull(one.session_id for one in pullable(tray.status)),
            Verb.UNDO: self._undo,
            Verb.KEEP: self._keep,
            Verb.RETRY: self._retry,
            Verb.PAUSE: self._pause,
            Verb.CONTINUE: lambda _: tray.report_failure(self._service.resume()),
            Verb.SET: self._set,
            Verb.RUN_DOCTOR: lambda _: tray.report_failure(self._service.run_doctor()),
            Verb.LATER: lambda _: None,
            Verb.QUIT: lambda _: self._quit(),
        }

    def click(self, action: Action) -> None:
        """Do what an action asks for; returns at once."""
        do = self._does.get(action.verb)
        if do is not None:
            do(action)
            return
        environment = self._environment()

        def task() -> None:
            # Imported where it costs nobody a wait.
            from claude_sync_app.tray.actions import do

            do(self._tray, action, environment)
            if action.verb == Verb.START_AT_LOGIN:
                self._look_around()

        self._tray.background_tasks.run(
            f"{action.verb} {action.subject} {action.detail}".strip(), task
        )

    # --- one command of the service ---

    def _push(self, sessions: Iterable[str]) -> None:
        if ids := list(sessions):
            self._service.push(ids)

    def _pull(self, sessions: Iterable[str]) -> None:
        if ids := list(sessions):
            self._service.pull(ids)

    def _undo(self, action: Action) -> None:
        for session_id in action.subject.split():
            self._service.undo(session_id)

    def _keep(self, action: Action) -> None:
        chosen = read_choice(action, self._tray.status)
        if chosen is None:
            self._tray.notify(
                f"keep {action.subject}",
                "Nothing was decided",
                "A side has changed since it was shown; look at it again, then choose.",
            )
            return
        what, versions = chosen
        self._service.resolve(action.subject, what, versions)

    def _retry(self, action: Action) -> None:
        del action
        for event in reversed(self._tray.status.events):
            failed = [one.session_id for one in event.results if one.outcome is Outcome.FAILED]
            if failed and event.kind == "push":
                self._push(failed)
            elif failed and event.kind == "pull":
                self._pull(failed)
            if failed or event.kind == "failed":
                break
        self._tray.report_failure(self._service.look_now())

    def _pause(self, action: Action) -> None:
        until = time.time() + _HOUR_SECONDS if action.detail == "hour" else None
        self._tray.report_failure(self._service.pause(until))

    def _set(self, action: Action) -> None:
        self._tray.report_failure(
            self._service.change(**{action.subject: json.loads(action.detail)})
        )
