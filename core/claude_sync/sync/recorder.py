"""Has what the verbs do written down, for a person to look back on (`state/activity.py`).

Every verb hands over what became of its sessions, whichever front end asked for it, and
`Context.working` has it written when the lock is let go. Where nothing was done, nothing is opened
or imported.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from claude_sync.errors import ClaudeSyncError, LockBusy, Stopped, UsageError
from claude_sync.model import Outcome, Result
from claude_sync.names import is_session_id
from claude_sync.state.paths import Paths

if TYPE_CHECKING:
    from claude_sync.state.activity import Activity

_NOTED = frozenset(
    {
        Outcome.PUSHED,
        Outcome.IMPORTED,
        Outcome.UPDATED,
        Outcome.REPLACED,
        Outcome.CONFLICT,
        Outcome.SHORTENED,
        Outcome.FAILED,
    }
)
_WITH_MESSAGE = frozenset({Outcome.CONFLICT, Outcome.SHORTENED, Outcome.FAILED})
_VERBS = {
    "pushing": "push",
    "pulling": "pull",
    "unpacking": "pull",
    "resuming": "resume",
    "resolving": "resolve",
    "restoring": "restore",
    "undoing": "undo",
    "forgetting": "forget",
    "watching": "watch",
}
"""What fails as a whole under these purposes is written down; a mere look isn't."""
_NOT_A_FAILURE = (LockBusy, Stopped, UsageError)
_HELD_SECONDS = 2.0


class Recorder:
    """What is to be written down. Used by one thread.

    Args:
        paths: the activity's file among them.
        machine: this machine's name.

    Attributes:
        by_itself: whether what is done now was asked for by nobody.
    """

    def __init__(self, paths: Paths, machine: str) -> None:
        self._path = paths.activity_file
        self._machine = machine
        self._entries: list[Activity] = []
        self._since = 0.0
        self.by_itself = False

    def add_results(self, verb: str, results: Iterable[Result]) -> None:
        """Take note of what a push or a pull did; what stayed as it was is left out."""
        for result in results:
            if result.outcome in _NOTED:
                message = result.message if result.outcome in _WITH_MESSAGE else ""
                self.add_result(verb, result._replace(message=message))

    def add_result(self, verb: str, result: Result, outcome: str = "") -> None:
        """Take note of what was done with one session.

        Args:
            verb: a word, as `state.activity` has them.
            result: what became of it.
            outcome: what stands for its outcome, "" for that itself.
        """
        self._add(
            verb,
            outcome or result.outcome.value,
            session_id=result.session_id,
            project_key=result.project_key,
            machine=result.machine,
            size=result.bytes,
            code=result.code,
            message=result.message,
        )

    def add_failure(self, purpose: str, error: ClaudeSyncError) -> None:
        """Take note that work failed as a whole; not of what a person asked for in vain.

        Args:
            purpose: what was being done, a participle, as the lock has it.
            error: why it failed.
        """
        verb = _VERBS.get(purpose)
        if verb is None or isinstance(error, _NOT_A_FAILURE):
            return
        self._add(
            verb,
            Outcome.FAILED.value,
            session_id=error.where if is_session_id(error.where) else "",
            code=type(error).__name__,
            message=str(error),
        )

    def add_outage(self, error: ClaudeSyncError) -> None:
        """Have it written down that watching waits for the store, and why."""
        self.by_itself = True
        self.add_failure("watching", error)
        self.flush()

    def add_reachable(self) -> None:
        """Have it written down that the store can be used again."""
        self.by_itself = True
        self._add("watch", "reachable")
        self.flush()

    def _add(
        self,
        verb: str,
        outcome: str,
        *,
        session_id: str = "",
        project_key: str = "",
        machine: str = "",
        size: int = 0,
        code: str = "",
        message: str = "",
    ) -> None:
        from claude_sync.state.activity import Activity

        entry = Activity(
            at_ns=time.time_ns(),
            verb=verb,
            outcome=outcome,
            session_id=session_id,
            project_key=project_key,
            machine=machine or self._machine,
            bytes=size,
            by_itself=self.by_itself,
            code=code,
            message=message,
        )
        if not self._entries:
            self._since = time.monotonic()
        self._entries.append(entry)
        if time.monotonic() - self._since > _HELD_SECONDS:
            self.flush()  # a long push that is killed has said how far it came

    def tidy(self) -> None:
        """Have dropped what was written down more than a month ago."""
        from claude_sync.state.activity import ActivityLog

        ActivityLog(self._path).tidy()

    def flush(self) -> None:
        """Have what was taken note of written down; what can't be is left out."""
        if self._entries:
            from claude_sync.state.activity import ActivityLog

            entries, self._entries = self._entries, []
            ActivityLog(self._path).write(entries)
