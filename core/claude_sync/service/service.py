"""The engine that runs by itself, for front ends: commands in, one immutable Status out.

Nothing here reads or writes: a command is a message to the one thread that does (`thread`), and
returns a Future at once. What it does there stands in `commands`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future
from typing import Any

from claude_sync.disk.locks import Lock
from claude_sync.errors import LockBusy
from claude_sync.model import IndexProgress, Machine, Progress, Result, Version
from claude_sync.service import commands
from claude_sync.service.inlet import Inlet
from claude_sync.service.loop import Check, ServiceLoop
from claude_sync.service.mailbox import Rest
from claude_sync.service.messages import CLOSED, Answer, Request
from claude_sync.service.news import news_of
from claude_sync.service.publisher import StatusPublisher
from claude_sync.service.settings import Settings
from claude_sync.service.status import Status
from claude_sync.service.thread import ServiceThread
from claude_sync.state import preferences
from claude_sync.state.machine import folder_mark
from claude_sync.state.paths import Paths
from claude_sync.state.paths import paths as own_paths
from claude_sync.sync.context import Context, claude_homes
from claude_sync.sync.resolve import resolve
from claude_sync.sync.resume import Resumption
from claude_sync.sync.undo import undo

STOP_SECONDS = 1.0


class Service:
    """Pushes on change and pulls on interval, until it is stopped.

    There is one for each of the user's folders of Claude Code's: it holds a lock.

    Args:
        paths: claude-sync's own folders, None for the user's.
        on_status: called with every new Status, from the service's thread; must return at once.
        on_open: called with the page that another program wants opened, from the inlet's thread;
            returns where the window is, "" where it can't be had now, and must return at once. None
            where there is no window.
        on_arrival: "pull", "ask" or "nothing", in place of the preference.
        interval_seconds: how often to look at the store, in place of the preference.
        checks: further checks for the doctor, from a front end.

    `start` it, read `status`, submit commands: each returns a Future at once, which ends as the
    function of that name does (and with NotSetUp where no store was chosen). `stop` it.

    Raises:
        RecordsError: which of those folders it is can't be told.
    """

    def __init__(
        self,
        paths: Paths | None = None,
        *,
        on_status: Callable[[Status], None] | None = None,
        on_open: Callable[[str], str] | None = None,
        on_arrival: str | None = None,
        interval_seconds: float | None = None,
        checks: Sequence[Check] = (),
    ) -> None:
        self.paths = paths or own_paths()
        self._publisher = StatusPublisher(on_status)
        homes = claude_homes(preferences.load(self.paths))
        mark = folder_mark(self.paths, homes)
        self._lock = Lock(self.paths.service_lock_file_of(mark), "watching")
        self._thread = ServiceThread(
            self.paths,
            self._publisher,
            self._lock,
            settings=Settings(on_arrival, interval_seconds),
            checks=tuple(checks),
            inlet=Inlet(
                self.paths, homes.used, tell=self._hear, ask=self._news, open_window=on_open
            ),
        )

    # -- for front ends, from any thread ------------------------------------------------------

    @property
    def status(self) -> Status:
        """The newest Status."""
        return self._publisher.status

    @property
    def indexed(self) -> int:
        """How often the index of what was said was brought up to date since the start."""
        return self._loop.indexed

    @property
    def search_progress(self) -> IndexProgress | None:
        """How far that index is, None before it was looked at, and where none is wanted."""
        return self._loop.search_progress

    def listen(self, on_status: Callable[[Status], None]) -> Callable[[], None]:
        """Have one more called with every new Status, as `on_status` is; returns what ends it."""
        return self._publisher.listen(on_status)

    def start(self) -> None:
        """Begin.

        Raises:
            LockBusy: a service of this user runs already for this folder; says who.
            RecordsError: whether one does can't be found out.
        """
        try:
            self._lock.acquire()
        except LockBusy as error:
            raise LockBusy(
                error.what, todo="one is enough; end that one to start another"
            ) from None
        self._thread.start()

    def stop(self, timeout_seconds: float = STOP_SECONDS) -> bool:
        """End: work stops between blocks, a connection is cut, a call that hangs is abandoned.

        Returns:
            whether the thread has ended.
        """
        return self._thread.stop(timeout_seconds)

    def push(self, sessions: Sequence[str] | None = None) -> Future[list[Result]]:
        """Push sessions by id, or all that changed; see `sync.push`."""

        return self._submit("push", "Pushing", lambda: commands.push_sessions(self._loop, sessions))

    def push_older(self) -> Future[list[Result]]:
        """Push also what was last used more than seven days ago: `Status.older`."""
        return self._submit("push", "Pushing", lambda: commands.push_older(self._loop))

    def pull(
        self, sessions: Sequence[str] | None = None, *, replace: bool = False
    ) -> Future[list[Result]]:
        """Pull sessions by id, or all that wait; see `sync.pull`.

        What is open here is pulled when the client closes it.
        """

        def work() -> list[Result]:
            return commands.pull_sessions(self._loop, sessions, replace=replace)

        return self._submit("pull", "Pulling", work)

    def prepare_resume(self, session: str, *, as_it_is: bool = False) -> Future[Resumption]:
        """Have the newest version of a session here, to resume it; see `sync.resume`."""

        def work() -> Resumption:
            return commands.prepare_session(self._loop, session, as_it_is=as_it_is)

        return self._submit("resume", "Pulling", work)

    def resolve(
        self, session: str, keep: str | Version, shown: Collection[Version] | None = None
    ) -> Future[list[Result]]:
        """Settle a conflict; see `sync.resolve`."""
        return self._submit(
            "resolve",
            "Resolving",
            lambda: resolve(self._loop.ready(), session, keep, shown=shown),
        )

    def restore(self, session: str, version: Version) -> Future[list[Result]]:
        """Bring back a version of a session; see `sync.restore`."""

        def work() -> list[Result]:
            from claude_sync.sync.restore import restore

            return restore(self._loop.ready(), session, version)

        return self._submit("restore", "Restoring", work)

    def restore_gone(self, sessions: Sequence[str]) -> Future[list[Result]]:
        """Bring back sessions that are gone here; a result for each, also where it failed.

        See `sync.restore.bring_back`.
        """
        return self._submit(
            "restore", "Restoring", lambda: commands.restore_gone(self._loop, sessions)
        )

    def undo(self, session: str) -> Future[list[Result]]:
        """Bring back what the last pull or resolve replaced; see `sync.undo`."""
        return self._submit("undo", "Undoing", lambda: [undo(self._loop.ready(), session)])

    def forget(self, choose: Callable[[Context], Sequence[Any]]) -> Future[int]:
        """Remove the bundles that `choose` gives; how many were. See `sync.forget`."""
        return self._submit(
            "forget", "Forgetting", lambda: commands.forget_bundles(self._loop, choose)
        )

    def rename_machine(self, name: str) -> Future[Machine]:
        """Give this machine another name; see `sync.setup.rename_machine`."""
        return self._submit("call", "", lambda: commands.rename(self._loop, name))

    def call(self, do: Callable[[Context], Any]) -> Future[Any]:
        """Do something else in the service's thread, such as reading what a conflict holds."""
        return self._submit("call", "", lambda: do(self._loop.ready()))

    def look_now(self) -> Future[None]:
        """Look at both sides at once: on a wake, an unlock, a network that came back, a click."""
        return self._submit("look", "", self._loop.look_now)

    def run_doctor(self) -> Future[None]:
        """Run the doctor; what it finds is in the Status."""
        return self._submit("doctor", "", self._loop.run_doctor)

    def pause(self, until: float | None = None) -> Future[None]:
        """Stop pushing and pulling by itself until then; None for until `resume`.

        Args:
            until: seconds since the epoch.

        Clicks still work. It survives a restart.
        """
        moment = float("inf") if until is None else until
        return self._submit("pause", "", lambda: self._loop.change(paused_until=moment))

    def resume(self) -> Future[None]:
        """End a pause."""
        return self._submit("unpause", "", lambda: self._loop.change(paused_until=None))

    def change(self, **changes: object) -> Future[None]:
        """Store preferences; see `preferences.change`."""
        return self._submit("preferences", "", lambda: self._loop.change(**changes))

    def push_before_leaving(self, seconds: float, *, local_only: bool = False) -> Future[list[str]]:
        """Push what changed, smallest first, for that long: before a sleep, a log-out, a shutdown.

        Args:
            seconds: how long there is.
            local_only: not over a connection.

        Returns:
            ids of the sessions that it wasn't enough for.
        """
        end = time.monotonic() + seconds
        return self._submit(
            "leave",
            "",
            lambda: commands.push_before_leaving(self._loop, end, local_only=local_only),
        )

    # -- for the client, from the inlet's thread ----------------------------------------------

    def _hear(self, request: Request) -> None:
        self._thread.tell(Rest(request.session_id, closed=request.kind == CLOSED))

    def _news(self, project: str) -> Answer:
        status = self.status
        arrivals = {
            one.session_id: (one.machine, int(one.pushed_at * 1e9)) for one in status.arrivals
        }
        return news_of(project, status.sessions, arrivals)

    @property
    def _loop(self) -> ServiceLoop:
        return self._thread.loop

    def _submit(self, kind: str, verb: str, do: Callable[[], Any]) -> Future[Any]:
        if verb:
            # A click's change is seen at once, before the thread gets to it.
            self._publisher.publish(activity=Progress(verb))
        return self._thread.submit(kind, do)
