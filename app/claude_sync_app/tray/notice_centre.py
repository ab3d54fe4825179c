"""Shows notices, and turns the answers into clicks. All of it in the loop's thread."""

from __future__ import annotations

import time
from asyncio import TimerHandle
from collections.abc import Callable
from dataclasses import replace

from claude_sync.service.status import Status
from claude_sync_app.desktop.loop import Loop
from claude_sync_app.desktop.notifications.values import Answer, AnswerKind, Notifier
from claude_sync_app.tray.environment import Environment
from claude_sync_app.tray.notices.history import after_answer, after_sleep, new_history
from claude_sync_app.tray.notices.notice import Notice
from claude_sync_app.tray.notices.notices import next_notices
from claude_sync_app.tray.verbs import Action

_KEPT = 100


class NoticeCentre:
    """Keeps what was notified, and shows what there is to notify of.

    Args:
        loop: carries it.
        clicked: called with what an answer asks for.
    """

    def __init__(self, loop: Loop, clicked: Callable[[Action], None]) -> None:
        self._loop = loop
        self._clicked = clicked
        self._notifier: Notifier | None = None
        self._history = new_history(time.time())
        self._last_status = Status()
        self._shown: dict[str, Notice] = {}
        self._again_timer: TimerHandle | None = None

    def attach(self, notifier: Notifier) -> None:
        """Show them through this from now on."""
        self._notifier = notifier

    def welcome(self) -> None:
        """Say once where sessions are: it is the first start."""
        self._history = replace(self._history, welcomes=True)

    def woke(self) -> None:
        """The machine was asleep until now."""
        self._history = after_sleep(self._history, time.time())

    def consider(self, status: Status, environment: Environment) -> None:
        """Show what there is to show since the Status before."""
        now = time.time()
        update = next_notices(
            self._last_status,
            status,
            preferences=status.preferences,
            history=self._history,
            now=now,
            environment=environment,
        )
        self._history = update.history
        if update.considered:
            self._last_status = status
        for key in update.withdraw:
            self._withdraw(key)
        for notice in update.show:
            self.show(notice)
        if self._again_timer is not None:
            self._again_timer.cancel()
            self._again_timer = None
        if update.again_at is not None:
            wait = max(0.0, update.again_at - now)
            self._again_timer = self._loop.later(
                wait, lambda: self._consider_again(status, environment)
            )

    def _consider_again(self, status: Status, environment: Environment) -> None:
        self._again_timer = None
        self.consider(status, environment)

    def show(self, notice: Notice) -> None:
        """Show a notice, in place of the one with its key."""
        key = notice.notification.key
        self._shown.pop(key, None)
        self._shown[key] = notice
        for oldest in list(self._shown)[:-_KEPT]:
            del self._shown[oldest]
        if self._notifier is not None:
            self._notifier.show(notice.notification)

    def answered(self, answer: Answer) -> None:
        """An answer came, or nothing shows notifications here."""
        self._history = after_answer(self._history, answer, time.time())
        notice = self._shown.get(answer.key)
        if notice is None or answer.kind is AnswerKind.SHOWN:
            return
        del self._shown[answer.key]
        action = None
        if answer.kind is AnswerKind.BODY:
            action = notice.body
        elif answer.kind is AnswerKind.BUTTON:
            action = notice.buttons.get(answer.button)
        if action is not None:
            self._clicked(action)

    def end(self) -> None:
        """Show nothing any more."""
        if self._again_timer is not None:
            self._again_timer.cancel()
            self._again_timer = None

    def _withdraw(self, key: str) -> None:
        if self._shown.pop(key, None) is not None and self._notifier is not None:
            self._notifier.withdraw(key)
