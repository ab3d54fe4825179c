"""Shows the newest Status to front ends, and knows what each event changes in it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from claude_sync.errors import ClaudeSyncError, StoreOffline
from claude_sync.model import Machine, Result
from claude_sync.service.overview import Overview
from claude_sync.service.status import Event, Status

_KEPT_EVENTS = 20


class StatusPublisher:
    """Holds the newest Status. Changed by the service's thread, and by a click, to be seen at once.

    Args:
        on_status: called with every new one, from the thread that made it; must return at once.
    """

    def __init__(self, on_status: Callable[[Status], None] | None = None) -> None:
        self._listeners: tuple[Callable[[Status], None], ...] = ()
        if on_status is not None:
            self._listeners = (on_status,)
        self._writing = threading.Lock()
        self._status = Status()
        self._numbers = 0

    @property
    def status(self) -> Status:
        """The newest one."""
        return self._status

    def publish(self, **changes: Any) -> None:
        """Change some attributes of the Status."""
        with self._writing:
            new = replace(self._status, **changes)
            if new == self._status:
                return
            self._status = new
        for listener in self._listeners:
            listener(new)

    def listen(self, listener: Callable[[Status], None]) -> Callable[[], None]:
        """Have one more called with every new Status, as `on_status` is; returns what ends it."""
        with self._writing:
            self._listeners = (*self._listeners, listener)

        def end() -> None:
            with self._writing:
                self._listeners = tuple(one for one in self._listeners if one is not listener)

        return end

    def record(
        self,
        kind: str,
        *,
        by_hand: bool = False,
        results: Sequence[Result] = (),
        message: str = "",
    ) -> None:
        """Add an event: something was done, or failed."""
        self._numbers += 1
        event = Event(
            number=self._numbers,
            kind=kind,
            by_hand=by_hand,
            at=time.time(),
            results=tuple(results),
            message=message,
        )
        self.publish(events=(*self._status.events, event)[-_KEPT_EVENTS:])

    def show_overview(
        self, overview: Overview, *, machine: Machine, deferred: Sequence[str], error: str
    ) -> None:
        """Show where everything stands, after the store was looked at.

        Args:
            overview: of all sessions.
            machine: this one.
            deferred: ids whose pull waits until the client closes them.
            error: what failed for one session, a sentence; "" for nothing.
        """
        self.publish(
            machine=machine,
            sessions=overview.sessions,
            to_push=overview.to_push,
            older=overview.older,
            arrivals=overview.arrivals,
            conflicts=overview.conflicts,
            deferred=tuple(deferred),
            last_sync=time.time(),
            error=error,
            started=True,
        )

    def show_outage(self, error: ClaudeSyncError) -> None:
        """Show that the store can't be used, and why: it is out of reach, or something is wrong."""
        message = str(error)
        if isinstance(error, StoreOffline):
            since = self._status.offline_since or time.time()
            self.publish(offline_since=since, offline_message=message, started=True)
            return
        if self._status.error != message:
            self.record("failed", message=message)
        self.publish(offline_since=None, offline_message="", error=message, started=True)

    def show_reachable(self) -> None:
        """Show that the store can be used again."""
        self.publish(offline_since=None, offline_message="")

    def forget_store(self) -> None:
        """Show nothing of a store any more: another one was chosen."""
        self.publish(
            sessions=(),
            to_push=(),
            older=(),
            arrivals=(),
            deferred=(),
            conflicts=(),
            last_sync=None,
            offline_since=None,
            offline_message="",
            unwatched="",
            error="",
        )
