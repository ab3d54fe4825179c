"""Rounds as the runner has them done: what is due, what came of it, and what can't be reached."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable

from claude_sync.errors import (
    ClaudeSyncError,
    LockBusy,
    RecordsError,
    Stopped,
    StoreAbsent,
    StoreOffline,
)
from claude_sync.service import schedule
from claude_sync.service.journal import Journal
from claude_sync.service.resources import Resources
from claude_sync.service.status import StatusPublisher
from claude_sync.service.timetable import LOOK, Timetable
from claude_sync.service.worker import Done, Worker

_LOCK_RETRY_SECONDS = 5.0
_MORE_SECONDS = 0.2


class Rounds:
    """Goes the rounds, and says what came of them.

    Args:
        timetable: when the next look is due.
        publisher: where Status is put up.
        journal: where it is written down.

    Attributes:
        resting_until: when the next portion may be pushed, by the timetable's clock: a command
            line that waits for its turn gets it before that.
    """

    def __init__(self, timetable: Timetable, publisher: StatusPublisher, journal: Journal) -> None:
        self._timetable = timetable
        self._publisher = publisher
        self._journal = journal
        self._failures = 0
        self._trouble = ""
        self._ended = -1e9
        self._took = 0.0
        self.resting_until = -math.inf

    @property
    def offline(self) -> bool:
        """Whether the place couldn't be used when it was last tried."""
        return self._failures > 0

    def on_store_hint(self) -> None:
        """Something happened in a local store: look there soon."""
        moment = schedule.look_after_event(self._timetable.clock(), self._ended, self._took)
        self._timetable.due_by(LOOK, moment)

    def go(
        self, resources: Resources, due: list[str], *, pull: bool, act: bool, interval: float
    ) -> None:
        """One round; what goes wrong is said, and tried again when that is of use.

        Args:
            due: ids of sessions that are to be pushed now.
            pull: whether what arrives is pulled by itself.
            act: whether anything may be pulled at all.
            interval: how long until the next look at the store, seconds.

        Raises:
            RecordsError, Stopped
        """
        worker = resources.worker
        if worker is None:
            return
        portion = worker.portion(due)
        self._timetable.due_in(LOOK, interval)
        began = self._timetable.clock()
        done = self.attempt(lambda: worker.round(push=portion, pull=pull, act=act))
        self._ended = self._timetable.clock()
        self._took = self._ended - began
        if done is None:
            return
        if len(portion) < len(due) or worker.more:
            self.resting_until = self._ended + _MORE_SECONDS
            self._timetable.due_by(LOOK, self.resting_until)
        self._say(done)
        if done.pulled or done.pushed:
            resources.save()
        self.show(resources)

    def attempt(self, work: Callable[[], Done]) -> Done | None:
        """Do some work with the store; None where it couldn't be done, and why is said.

        Raises:
            RecordsError, Stopped
        """
        try:
            done = work()
        except (RecordsError, Stopped):
            raise
        except LockBusy:
            self._timetable.due_in(LOOK, _LOCK_RETRY_SECONDS)
            return None
        except ClaudeSyncError as error:
            self._cannot(error)
            return None
        self._can_again()
        return done

    def _say(self, done: Done) -> None:
        if done.pulled:
            self._journal.write_results("pull", done.pulled)
            self._publisher.record("pull", results=done.pulled)
        if done.pushed:
            self._journal.write_results("push", done.pushed)
            self._publisher.record("push", results=done.pushed)

    def show(self, resources: Resources) -> None:
        """Put up where everything stands now."""
        worker = resources.worker
        if worker is None:
            return
        overview = worker.overview
        self._publisher.publish(
            machine=resources.context.machine,
            sessions=overview.sessions,
            to_push=overview.to_push,
            older=overview.older,
            arrivals=overview.arrivals,
            conflicts=overview.conflicts,
            deferred=tuple(sorted(worker.deferred)),
            last_sync=time.time(),
            error=_first_failure(worker),
            started=True,
        )

    # -- a place that can't be used -----------------------------------------------------------

    def _cannot(self, error: ClaudeSyncError) -> None:
        self._failures += 1
        wait = schedule.retry_after(
            self._failures,
            random.random(),  # noqa: S311 -- spreads load, guards nothing
            by_hand_only=isinstance(error, StoreAbsent) or not error.passing,
        )
        self._timetable.due_in(LOOK, wait)
        message = str(error)
        if message != self._trouble:
            self._journal.write(f"watch waits: {message}")
            self._trouble = message
        if isinstance(error, StoreOffline):
            since = self._publisher.status.offline_since or time.time()
            self._publisher.publish(offline_since=since, offline_message=message, started=True)
        else:
            if self._publisher.status.error != message:
                self._publisher.record("failed", message=message)
            self._publisher.publish(
                offline_since=None, offline_message="", error=message, started=True
            )

    def _can_again(self) -> None:
        if self._failures:
            self._failures = 0
            self._trouble = ""
            self._journal.write("watch goes on")
            self._publisher.publish(offline_since=None, offline_message="")

    def begin_anew(self) -> None:
        """Forget what couldn't be used: another place was chosen."""
        self._failures = 0
        self._trouble = ""
        self._publisher.publish(
            sessions=(),
            to_push=(),
            older=(),
            arrivals=(),
            deferred=(),
            conflicts=(),
            last_sync=None,
            offline_since=None,
            offline_message="",
            error="",
        )


def _first_failure(worker: Worker) -> str:
    return next(iter(worker.failures.values()), "")
