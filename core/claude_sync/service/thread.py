"""The service's thread: waits for a message or for what is due next, and has it done.

Only this thread touches sync, records and transports. It has one mailbox, and turns exceptions
into Status and log at one point.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any

from claude_sync.disk.locks import Lock
from claude_sync.errors import ClaudeSyncError, RecordsError, Stopped
from claude_sync.service.inlet import Inlet
from claude_sync.service.journal import Journal
from claude_sync.service.loop import Check, ServiceLoop
from claude_sync.service.mailbox import Command, Hint, Mailbox, Rest
from claude_sync.service.publisher import StatusPublisher
from claude_sync.service.settings import Settings
from claude_sync.service.timetable import LOOK, OPEN
from claude_sync.service.watch import Area
from claude_sync.state.paths import Paths

_FAILURE_RETRY_SECONDS = 60.0
_PASSING_RETRY_SECONDS = 1.0
_TICK_SECONDS = 0.05
_CHANGING = frozenset({"push", "pull", "resolve", "restore", "undo", "forget", "resume"})
_HURRIED = frozenset({"pause", "leave"})


class ServiceThread:
    """The thread, its mailbox, and the loop that it runs.

    Args:
        paths: claude-sync's own folders.
        publisher: shows the newest Status.
        lock: held already; released at the end.
        settings: what it is started with in place of the preferences.
        checks: further checks for the doctor.
        inlet: opened with the thread, closed at its end.

    Attributes:
        loop: what is done in the thread; for that thread alone.
    """

    def __init__(
        self,
        paths: Paths,
        publisher: StatusPublisher,
        lock: Lock,
        *,
        settings: Settings,
        checks: Sequence[Check],
        inlet: Inlet,
    ) -> None:
        self._inlet = inlet
        self._paths = paths
        self._publisher = publisher
        self._lock = lock
        self._journal = Journal(paths)
        self._mailbox = Mailbox()
        self._inbox: deque[Command | Rest | Hint] = deque()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="claude-sync service", daemon=True)
        self.loop = ServiceLoop(
            paths,
            publisher,
            self._journal,
            settings=settings,
            checks=checks,
            is_stopping=self._stopping.is_set,
            is_hurried=lambda: self._mailbox.holds(_HURRIED),
            notify=self._notify,
        )

    # -- from any thread ----------------------------------------------------------------------

    def start(self) -> None:
        """Begin."""
        try:
            self._inlet.open()
        except OSError as error:
            self._journal.write(f"watch can't be told by the client when to push: {error.strerror}")
        self._thread.start()

    def submit(self, kind: str, do: Callable[[], Any]) -> Future[Any]:
        """Have the thread do something; after the end, the future is cancelled."""
        command = Command(kind, do, Future())
        if not self._mailbox.put(command):
            command.outcome.cancel()
        return command.outcome

    def tell(self, rest: Rest) -> None:
        """Have the thread act on what the client says of a session."""
        self._mailbox.put(rest)

    def stop(self, timeout_seconds: float) -> bool:
        """End; returns whether the thread has ended by then. A call that hangs is abandoned."""
        self._stopping.set()
        self._mailbox.wake()
        end = time.monotonic() + timeout_seconds
        while self._thread.is_alive() and time.monotonic() < end:
            resources = self.loop.resources
            if resources is not None:
                # Again and again, because the connection may be opened only now.
                resources.context.interrupt()
            self._thread.join(_TICK_SECONDS)
        if self._thread.is_alive():
            _cancel(self._mailbox.close())
        return not self._thread.is_alive()

    def _notify(self, area: Area, path: str) -> None:
        self._mailbox.put(Hint(area, path))

    # -- the thread ------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                try:
                    self._go_once()
                except Stopped:
                    self.loop.timetable.due_now(LOOK)
                except ClaudeSyncError as error:
                    self._fail(error)
                except Exception as error:  # noqa: BLE001 -- the one of this thread
                    self._journal.write_bug(error)
                    self._fail(
                        ClaudeSyncError(
                            "watching stopped because of a bug in claude-sync, "
                            f"{type(error).__name__}",
                            todo=f"it starts again in a minute; the log has the details "
                            f"({self._paths.log_file})",
                        )
                    )
        finally:
            self._end()

    def _end(self) -> None:
        self._inlet.close()
        try:
            self.loop.close()
        finally:
            self._lock.release()
            _cancel(self._mailbox.close())
            _cancel(message for message in self._inbox if isinstance(message, Command))
            self._publisher.publish(stopped=True, activity=None)

    def _go_once(self) -> None:
        """Wait for what comes next, and do it."""
        loop = self.loop
        wait = loop.timetable.begin_wait(loop.moments())
        self._inbox.extend(self._mailbox.receive(0.0 if self._inbox else wait))
        if self._stopping.is_set():
            return
        if loop.timetable.slept():
            self._journal.write("watch looks again after a sleep")
            loop.look_now()
        loop.reload()
        while self._inbox and not self._stopping.is_set():
            self._handle(self._inbox.popleft())
        if not self._stopping.is_set():
            loop.do_what_is_due()
        if self._publisher.status.activity is not None and not self._mailbox.holds():
            self._publisher.publish(activity=None)

    # -- messages -----------------------------------------------------------------------------

    def _handle(self, message: Command | Rest | Hint) -> None:
        if isinstance(message, Hint):
            self.loop.on_hint(message)
        elif isinstance(message, Rest):
            self.loop.on_rest(message)
        elif message.outcome.set_running_or_notify_cancel():
            self._carry_out(message)

    def _carry_out(self, command: Command) -> None:
        """Do what was asked for; its future gets the outcome last, when Status shows it."""
        try:
            outcome = command.do()
        except BaseException as error:
            if isinstance(error, RecordsError) or not isinstance(error, ClaudeSyncError):
                command.outcome.set_exception(error)
                raise
            if command.kind in _CHANGING and not isinstance(error, Stopped):
                self._journal.write(f"{command.kind} failed: {error}")
                self._publisher.record("failed", by_hand=True, message=str(error))
                self._refresh(partial(command.outcome.set_exception, error))
            else:
                command.outcome.set_exception(error)
            return
        if command.kind not in _CHANGING:
            command.outcome.set_result(outcome)
            return
        results = outcome if isinstance(outcome, list) else getattr(outcome, "results", ())
        self._journal.write_results(command.kind, results)
        self._publisher.record(command.kind, by_hand=True, results=results)
        self._refresh(partial(command.outcome.set_result, outcome))

    def _refresh(self, answer: Callable[[], object]) -> None:
        try:
            self.loop.refresh()
            if not self._mailbox.holds():
                self._publisher.publish(activity=None)
        finally:
            answer()

    def _fail(self, error: ClaudeSyncError) -> None:
        """Show an error that a round can't handle, and open everything anew a little later."""
        message = str(error)
        if self._publisher.status.error != message:
            self._journal.write(f"watch failed: {message}")
            self._publisher.record("failed", message=message)
        self._publisher.publish(error=message, activity=None, started=True)
        retry = _PASSING_RETRY_SECONDS if error.passing else _FAILURE_RETRY_SECONDS
        self.loop.timetable.due_in(OPEN, retry)
        self.loop.close()


def _cancel(commands: Iterable[Command]) -> None:
    for command in commands:
        command.outcome.cancel()
