"""What the service does by itself, in its one thread: what is due, and with what it is done.

`thread` waits and hands on what comes, `worker` does a round; how that went decides here what the
next one has to do, and when it is due.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TypeVar

from claude_sync.errors import ClaudeSyncError, LockBusy, RecordsError, Stopped
from claude_sync.model import Finding, IndexProgress, Level
from claude_sync.service import schedule, search_filling
from claude_sync.service.journal import Journal
from claude_sync.service.mailbox import Hint, Rest
from claude_sync.service.outage import Outage, after_failing
from claude_sync.service.publisher import StatusPublisher
from claude_sync.service.resources import Resources
from claude_sync.service.settings import Settings
from claude_sync.service.store_watch import unwatched_finding
from claude_sync.service.timetable import DOCTOR, HEALTH, INDEX, LOOK, OPEN, RESCAN, TIDY, Timetable
from claude_sync.service.watch import Area, Notify, Watch
from claude_sync.service.worker import FIRST_ROUND, RoundOutcome, Worker
from claude_sync.state import preferences
from claude_sync.state.paths import Paths
from claude_sync.state.preferences import Preferences
from claude_sync.sync.context import Context
from claude_sync.values import NamedTuple

T = TypeVar("T")

Check = Callable[[Context], Iterable[Finding]]
"""A further check for the doctor, from a front end."""

_TIDY_RETRY_SECONDS = 60.0
_ROUND_RETRY_SECONDS = 5.0
_BETWEEN_PORTIONS_SECONDS = 0.2
_FOLDER_SECONDS = 1.0
_IDLE_SECONDS = 60.0
_DOCTOR_WAITS_SECONDS = 1.0
_TOLD = frozenset({Level.WARNING, Level.ERROR})


class _LastRound(NamedTuple):
    """When the last round ended, how long it took, and when the next portion may be pushed.

    A command line that waits for its turn gets it before that. All by the timetable's clock.
    """

    ended: float = -math.inf
    took: float = 0.0
    portion_at: float = -math.inf


class _Trouble(NamedTuple):
    """What the doctor's findings depend on, as far as the service sees it change."""

    offline: bool
    error: str
    unwatched: str
    conflicts: frozenset[str]


class ServiceLoop:
    """What is to be done, and with what. Used by one thread.

    Args:
        paths: claude-sync's own folders.
        publisher: shows the newest Status.
        journal: writes down what is done by itself.
        settings: what it is started with in place of the preferences.
        checks: further checks for the doctor.
        is_stopping: asked between blocks of work; true ends any work.
        is_hurried: the same; true ends work that the service does by itself.
        notify: called by the watch with what may have changed; from another thread.

    Attributes:
        journal: the same.
        timetable: when what is due.
        resources: what is open, None where nothing is.
        indexed: how often the index of what was said was brought up to date; any thread may read
            it.
        search_progress: how far that index is, None before it was looked at; any thread may read
            it.
    """

    def __init__(
        self,
        paths: Paths,
        publisher: StatusPublisher,
        journal: Journal,
        *,
        settings: Settings,
        checks: Sequence[Check],
        is_stopping: Callable[[], bool],
        is_hurried: Callable[[], bool],
        notify: Notify,
    ) -> None:
        self._paths = paths
        self._publisher = publisher
        self.journal = journal
        self._settings = settings
        self._checks = checks
        self._is_stopping = is_stopping
        self._is_hurried = is_hurried
        self._ends_early: Callable[[], bool] = _never
        self._notify = notify
        self._next_round = FIRST_ROUND
        self._last_round = _LastRound()
        self._outage: Outage | None = None
        self._examined: _Trouble | None = None
        self._examined_at = -math.inf
        self.timetable = Timetable()
        self.resources: Resources | None = None
        self.indexed = 0
        self.search_progress: IndexProgress | None = None

    def moments(self) -> Iterable[float]:
        """When pushes are due; none while the store can't be used, until a look is due."""
        return () if self._outage is not None else self._pushes().values()

    def do_what_is_due(self) -> None:
        """Do all that is due now.

        Raises:
            RecordsError: everything has to be opened anew.
            Stopped: something else comes first.
        """
        resources = self.resources
        if resources is not None:
            self.timetable.due_in(OPEN, math.inf)
        if resources is None or resources.worker is None:
            for kind in (LOOK, RESCAN, HEALTH, TIDY, INDEX):
                self.timetable.due_in(kind, _IDLE_SECONDS)
        with self.ending_early(self._is_hurried):
            if resources is not None:
                if resources.worker is not None and resources.watch is not None:
                    self._do_for_store(resources, resources.worker, resources.watch)
                self._run_doctor_if_due()

    def _do_for_store(self, resources: Resources, worker: Worker, watch: Watch) -> None:
        timetable = self.timetable
        if resources.projects_changed():
            # A session without a directory may have one now.
            self._next_round = replace(self._next_round, adopt=True)
            timetable.due_now(LOOK)
        if timetable.is_due(HEALTH):
            self._check_watch(worker, watch)
            self._check_store_watch(resources)
        if timetable.is_due(RESCAN):
            worker.changes.rescan()
            wait = schedule.rescan_after(worker.changes.events, blind=watch.is_blind)
            timetable.due_in(RESCAN, wait)
        due = self._due()
        if due or timetable.is_due(LOOK):
            self._go_round(resources, worker, due)
        if timetable.is_due(TIDY):
            self._tidy(resources)
        if timetable.is_due(INDEX):
            wait = worker.search.step()
            timetable.due_in(INDEX, wait)
            self.indexed += wait == math.inf
            self.search_progress = worker.search.progress

    # -- rounds -------------------------------------------------------------------------------

    def _go_round(self, resources: Resources, worker: Worker, due: Sequence[str]) -> None:
        """Do a round, and act on its outcome."""
        began = self.timetable.clock()
        self.timetable.due_in(LOOK, self._settings.look_interval)
        pull, paused = self._settings.pulls_arrivals, self._paused_until is not None
        outcome = self._attempt(
            lambda: worker.round(self._next_round, push=due, pull=pull, paused=paused)
        )
        ended = self.timetable.clock()
        self._last_round = self._last_round._replace(ended=ended, took=ended - began)
        if outcome is None:
            return
        if resources.store_watch is not None:
            resources.store_watch.start()
        quiet_at = worker.overview.quiet_at
        if quiet_at is not None:
            self.timetable.due_by(LOOK, ended + max(0.0, quiet_at - time.time()))
        self._next_round = outcome.next
        if outcome.next.soon:
            portion_at = ended + _BETWEEN_PORTIONS_SECONDS
            self._last_round = self._last_round._replace(portion_at=portion_at)
            self.timetable.due_by(LOOK, portion_at)
        self._report(outcome)
        if outcome.pulled or outcome.pushed:
            resources.save()
            self._doubt_findings(schedule.FIXED_DOCTOR_SECONDS)
        self._show(resources, worker)
        if worker.search.has_work:
            self.timetable.due_by(INDEX, ended + search_filling.SOON_SECONDS)

    def _attempt(self, work: Callable[[], T]) -> T | None:
        """Do some work with the store; None where it couldn't be done, and the reason is shown.

        Raises:
            RecordsError, Stopped
        """
        try:
            done = work()
        except (RecordsError, Stopped):
            raise
        except LockBusy:
            self.timetable.due_in(LOOK, _ROUND_RETRY_SECONDS)
            return None
        except ClaudeSyncError as error:
            self._begin_outage(error)
            return None
        self._end_outage()
        return done

    def _begin_outage(self, error: ClaudeSyncError) -> None:
        jitter = random.random()  # noqa: S311 -- spreads load, guards nothing
        before, outage = self._outage, after_failing(self._outage, error, jitter)
        self._outage = outage
        self.timetable.due_in(LOOK, outage.retry_seconds)
        if before is None or before.message != outage.message:
            self.journal.write(f"watch waits: {outage.message}")
            if self.resources is not None:
                self.resources.context.recorder.add_outage(error)
        self._publisher.show_outage(error)

    def _end_outage(self) -> None:
        if self._outage is not None:
            self._outage = None
            self._watch_store_now()
            self.journal.write("watch continues")
            if self.resources is not None:
                self.resources.context.recorder.add_reachable()
            self._publisher.show_reachable()

    def _report(self, outcome: RoundOutcome) -> None:
        for kind, results in (("pull", outcome.pulled), ("push", outcome.pushed)):
            if results:
                self.journal.write_results(kind, results)
                self._publisher.record(kind, results=results)

    def _show(self, resources: Resources, worker: Worker) -> None:
        self._publisher.show_overview(
            worker.overview,
            machine=resources.context.machine,
            deferred=sorted(worker.deferred),
            error=next(iter(worker.failures.values()), ""),
        )

    def refresh(self) -> None:
        """Look where everything stands after a command changed something, and show it.

        Raises:
            RecordsError, Stopped
        """
        resources, worker = self.resources, self._worker
        if resources is None or worker is None:
            return

        def look_again() -> bool:
            worker.refresh()
            return True

        if self._attempt(look_again):
            self._show(resources, worker)
        self._doubt_findings()

    # -- what changes -------------------------------------------------------------------------

    def on_hint(self, hint: Hint) -> None:
        """Look at what an event named, or plan to."""
        worker = self._worker
        if worker is None:
            return
        now = self.timetable.clock()
        if hint.area is Area.SESSION:
            if worker.changes.look_at(hint.path):
                self.timetable.due_by(RESCAN, now + _FOLDER_SECONDS)
        elif hint.area is Area.COMPANION:
            if worker.changes.look_at_companion(hint.path):
                self.timetable.due_by(RESCAN, now + _FOLDER_SECONDS)
        elif hint.area is Area.LIVE:
            if worker.changes.look_at_live():
                self.timetable.due_now(LOOK)
        else:
            last = self._last_round
            soon = schedule.look_after_event(
                now, last.ended, last.took, remote=self._publisher.status.remote
            )
            self.timetable.due_by(LOOK, soon)

    def on_rest(self, rest: Rest) -> None:
        """Have what the client is done with pushed at once, as far as it is pushed by itself."""
        if self._worker is not None:
            self._worker.changes.rest(rest.session_id, closed=rest.closed)

    def _check_watch(self, worker: Worker, watch: Watch) -> None:
        self.timetable.due_in(HEALTH, schedule.HEALTH_SECONDS)
        before = watch.problem
        lost = watch.restart_if_dead()
        if watch.problem and watch.problem != before:
            self.journal.write(f"watch: {watch.problem}")
        if lost:
            worker.changes.doubt_events()
            self.timetable.due_now(RESCAN)
            if Area.STORE in lost:
                self.timetable.due_now(LOOK)
        if worker.changes.live.open_files and worker.changes.look_at_live():
            # A client that crashed removes no live file, so no event tells of it.
            self.timetable.due_now(LOOK)

    def _check_store_watch(self, resources: Resources) -> None:
        store_watch = resources.store_watch
        # Out of reach it can't be watched either, and that is said already.
        if store_watch is None or self._outage is not None:
            return
        problem = store_watch.problem
        if problem != self._publisher.status.unwatched:
            self._publisher.publish(unwatched=problem)
            if problem:
                self.journal.write(f"watch: changes are looked for by the interval: {problem}")

    def _pushes(self) -> dict[str, float]:
        """When each changed session is to be pushed by itself."""
        worker = self._worker
        if worker is None or not self.pushes_on_change:
            return {}
        due = worker.changes.due(self._settings.preferences.quiet_seconds)
        rest = self._last_round.portion_at
        return {session_id: max(moment, rest) for session_id, moment in due.items()}

    def _due(self) -> list[str]:
        if self._outage is not None and not self.timetable.is_due(LOOK):
            return []
        now = self.timetable.clock()
        due = sorted((moment, session_id) for session_id, moment in self._pushes().items())
        return [session_id for moment, session_id in due if moment <= now]

    # -- now and then -------------------------------------------------------------------------

    def _run_doctor_if_due(self) -> None:
        # What it found may be fixed by now: a store that is back, a conflict that was settled.
        status = self._publisher.status
        is_known = self._examined is None or self._examined.unwatched == status.unwatched
        if (status.findings or not is_known) and self._examined != self._trouble():
            self.timetable.due_by(DOCTOR, self.timetable.clock() + _DOCTOR_WAITS_SECONDS)
        if not self.timetable.is_due(DOCTOR):
            return
        if not status.started:
            self.timetable.due_in(DOCTOR, _DOCTOR_WAITS_SECONDS)
            return
        try:
            self.run_doctor()
        except (RecordsError, Stopped):
            raise
        except ClaudeSyncError as error:
            self.journal.write(f"doctor: {error}")

    def _doubt_findings(self, rest_seconds: float = 0.0) -> None:
        """Have the doctor look again where it found something that may be fixed by now.

        Args:
            rest_seconds: how long it may rest after its last look.
        """
        if any(one.level in _TOLD for one in self._publisher.status.findings):
            now = self.timetable.clock()
            moment = max(now + _DOCTOR_WAITS_SECONDS, self._examined_at + rest_seconds)
            self.timetable.due_by(DOCTOR, moment)

    def _trouble(self) -> _Trouble:
        status = self._publisher.status
        return _Trouble(
            offline=status.offline_since is not None,
            error=status.error,
            unwatched=status.unwatched,
            conflicts=frozenset(one.session_id for one in status.conflicts),
        )

    def _tidy(self, resources: Resources) -> None:
        self.timetable.due_in(TIDY, schedule.TIDY_SECONDS)
        try:
            resources.tidy()
        except LockBusy:
            self.timetable.due_in(TIDY, _TIDY_RETRY_SECONDS)
        except ClaudeSyncError as error:
            self.journal.write(f"watch: {error}")

    # -- for commands, in the same thread -----------------------------------------------------

    def ready(self) -> Context:
        """What to work with.

        Raises:
            ClaudeSyncError: it can't be opened.
        """
        return self.opened().context

    def look_now(self) -> None:
        """Look at both sides at once."""
        self.timetable.due_now(OPEN, LOOK, RESCAN, HEALTH)
        self._watch_store_now()

    def _watch_store_now(self) -> None:
        if self.resources is not None and self.resources.store_watch is not None:
            self.resources.store_watch.try_now()

    def act_next_time(self) -> None:
        """Have the next round act although neither side seems to have changed."""
        self._next_round = replace(self._next_round, anyway=True)

    def run_doctor(self) -> None:
        """Run the doctor, and show what it found.

        Raises:
            ClaudeSyncError: what it looks with can't be opened.
        """
        self.timetable.due_in(DOCTOR, schedule.DOCTOR_SECONDS)
        self._examined = self._trouble()
        from claude_sync.doctor import examine

        checks = (*self._checks, self._find_unwatched)
        findings = tuple(examine(self.ready(), checks=checks))
        self._examined_at = self.timetable.clock()
        if any(one.level in _TOLD for one in findings):
            self.timetable.due_in(DOCTOR, schedule.FOUND_DOCTOR_SECONDS)
        self._publisher.publish(findings=findings, examined=True)

    def _find_unwatched(self, context: Context) -> Iterator[Finding]:
        problem = self._publisher.status.unwatched
        if problem:
            yield unwatched_finding(context.store.label, problem, self._settings.look_interval)

    def change(self, **changes: object) -> None:
        """Store preferences.

        Raises:
            PreferencesError: they can't be.
        """
        self._apply(preferences.change(self._paths, **changes))

    # -- ending early -------------------------------------------------------------------------

    def _should_stop(self) -> bool:
        """Whether the work under way is to end between two blocks."""
        return self._is_stopping() or self._ends_early()

    @contextmanager
    def ending_early(self, when: Callable[[], bool]) -> Iterator[None]:
        """Let work end between two blocks once `when` says so."""
        self._ends_early = when
        try:
            yield
        finally:
            self._ends_early = _never

    # -- preferences --------------------------------------------------------------------------

    @property
    def pushes_on_change(self) -> bool:
        """Whether what changes is pushed by itself now."""
        return self._settings.pushes_at(time.time())

    @property
    def _paused_until(self) -> float | None:
        return self._settings.paused_until(time.time())

    def reload(self) -> None:
        """Read the preferences if they have changed, and open what they name.

        Raises:
            ClaudeSyncError: it can't be opened.
        """
        if preferences.stamp(self._paths) != self._settings.preferences.stamp:
            self._apply(preferences.load(self._paths))
        elif self._publisher.status.paused_until is not None and self._paused_until is None:
            self._publisher.publish(paused_until=None)
            self.act_next_time()
            self.timetable.due_now(LOOK)
        if self.resources is None and self.timetable.is_due(OPEN):
            self._settings = replace(self._settings, preferences=preferences.load(self._paths))
            self.opened()

    def _apply(self, new: Preferences) -> None:
        old, self._settings = self._settings, replace(self._settings, preferences=new)
        if old.store_choice != self._settings.store_choice:
            self.close()
            self._outage = None
            self._publisher.forget_store()
        elif self.resources is not None:
            self.resources.context.use_preferences(new)
            self.act_next_time()
            if old.preferences.ignore != new.ignore:
                self._next_round = replace(self._next_round, adopt=True)
        self._publisher.publish(preferences=new, paused_until=self._paused_until)
        self.look_now()
        self.timetable.due_now(DOCTOR, INDEX)

    # -- opening and closing ------------------------------------------------------------------

    @property
    def _worker(self) -> Worker | None:
        return self.resources.worker if self.resources is not None else None

    def opened(self) -> Resources:
        """What is open; it is opened if it isn't.

        Raises:
            ClaudeSyncError: it can't be.
        """
        if self.resources is None:
            self.resources = Resources(
                self._paths,
                self._settings.preferences,
                should_stop=self._should_stop,
                on_progress=lambda progress: self._publisher.publish(activity=progress),
                notify=self._notify,
            )
            self._next_round = FIRST_ROUND
            self.timetable.due_now(LOOK, RESCAN, HEALTH)
            self.timetable.due_in(OPEN, math.inf)
            self.timetable.due_in(INDEX, search_filling.FIRST_SECONDS)
            self._show_store(self.resources)
        return self.resources

    def _show_store(self, resources: Resources) -> None:
        set_up = resources.worker is not None
        store = resources.context.store if set_up else None
        chosen = self._settings.preferences
        self._publisher.publish(
            machine=resources.context.machine,
            location=chosen.location or "" if set_up else "",
            label=store.label if store is not None else "",
            remote=store.remote if store is not None else False,
            preferences=chosen,
            paused_until=self._paused_until,
            started=self._publisher.status.started or not set_up,
        )
        if resources.watch is not None and resources.watch.problem:
            self.journal.write(f"watch: {resources.watch.problem}")

    def close(self) -> None:
        """Close everything; it is opened again when it is needed."""
        resources, self.resources = self.resources, None
        if resources is not None:
            resources.close()


def _never() -> bool:
    return False
