"""What the service does by itself, and what commands have it do; all in its one thread.

`runner` says when; here stands what is due, and what the preferences make of it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence

from claude_sync.errors import ClaudeSyncError, LockBusy, RecordsError, Stopped
from claude_sync.model import Finding, Result
from claude_sync.service import schedule
from claude_sync.service.findings_basis import circumstances
from claude_sync.service.journal import Journal
from claude_sync.service.mailbox import Hint
from claude_sync.service.resources import Resources
from claude_sync.service.rounds import Rounds
from claude_sync.service.status import StatusPublisher
from claude_sync.service.timetable import DOCTOR, HEALTH, LOOK, OPEN, RESCAN, TIDY, Timetable
from claude_sync.service.watch import Area, Notify
from claude_sync.service.worker import Done, Worker
from claude_sync.state import preferences
from claude_sync.state.paths import Paths
from claude_sync.state.preferences import Preferences
from claude_sync.sync.context import Context
from claude_sync.sync.push import push

Check = Callable[[Context], Iterable[Finding]]
"""A further check for the doctor, from a front end."""

_LOCK_RETRY_SECONDS = 60.0
_FOLDER_SECONDS = 1.0
_IDLE_SECONDS = 60.0
_DOCTOR_WAITS_SECONDS = 1.0


class ServiceLoop:
    """What is to be done, and with what. Used by one thread.

    Args:
        paths: where claude-sync keeps its things.
        publisher: where Status is put up.
        journal: where is written what was done by itself.
        on_arrival, interval_seconds: in place of the preferences.
        checks: further checks for the doctor.
        should_stop: asked between blocks of work.
        notify: told by the watch what may have changed; from another thread.

    Attributes:
        timetable: when what is due.
        resources: what is open, None where nothing is.
        by_itself: whether what is being done now was asked for by nobody.
        deadline: when what is being done has to end, by a clock that doesn't jump.
    """

    def __init__(
        self,
        paths: Paths,
        publisher: StatusPublisher,
        journal: Journal,
        *,
        on_arrival: str | None,
        interval_seconds: float | None,
        checks: Sequence[Check],
        should_stop: Callable[[], bool],
        notify: Notify,
    ) -> None:
        self._paths = paths
        self._publisher = publisher
        self._journal = journal
        self._on_arrival = on_arrival
        self._interval_seconds = interval_seconds
        self._checks = checks
        self._should_stop = should_stop
        self._notify = notify
        self._preferences = Preferences()
        self._heard = False
        self._unheard = False
        self._examined: object = None
        self.timetable = Timetable()
        self._rounds = Rounds(self.timetable, publisher, journal)
        self.resources: Resources | None = None
        self.by_itself = False
        self.deadline: float | None = None

    def moments(self) -> Iterable[float]:
        """When pushes are due; what can't be reached is tried again when a look is due."""
        return () if self._rounds.offline else self._pushes().values()

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
            for kind in (LOOK, RESCAN, HEALTH, TIDY):
                self.timetable.due_in(kind, _IDLE_SECONDS)
        self.by_itself = True
        try:
            if resources is not None:
                if resources.worker is not None:
                    self._go_round(resources, resources.worker)
                self._let_doctor_look()
        finally:
            self.by_itself = False

    def _go_round(self, resources: Resources, worker: Worker) -> None:
        timetable = self.timetable
        if resources.projects_changed():
            # A session without a directory may have one now.
            worker.adopting = True
            timetable.due_now(LOOK)
        if timetable.is_due(HEALTH):
            timetable.due_in(HEALTH, schedule.HEALTH_SECONDS)
            self._look_after(resources, worker)
        if timetable.is_due(RESCAN):
            self._rescan(resources, worker)
        due = self._due()
        if due or timetable.is_due(LOOK):
            pull = self._arrival == "pull"
            self._rounds.go(
                resources, due, pull=pull, act=not self._paused, interval=self._interval
            )
        if timetable.is_due(TIDY):
            self._tidy(resources)

    def _let_doctor_look(self) -> None:
        # What it found may be mended by now: a place that is back, a conflict that was settled.
        status = self._publisher.status
        if status.findings and self._examined != circumstances(status):
            self.timetable.due_by(DOCTOR, self.timetable.clock() + _DOCTOR_WAITS_SECONDS)
        if not self.timetable.is_due(DOCTOR):
            return
        if not self._publisher.status.started:
            self.timetable.due_in(DOCTOR, _DOCTOR_WAITS_SECONDS)
            return
        try:
            self.run_doctor()
        except (RecordsError, Stopped):
            raise
        except ClaudeSyncError as error:
            self._journal.write(f"doctor: {error}")

    def on_hint(self, hint: Hint) -> None:
        """Look at what an event named, or plan to."""
        worker = self.resources.worker if self.resources is not None else None
        if worker is None:
            return
        if hint.area is Area.SESSION:
            self._heard = True
            self._unheard = False
            if worker.changes.look_at(hint.path):
                self.timetable.due_by(RESCAN, self.timetable.clock() + _FOLDER_SECONDS)
        elif hint.area is Area.LIVE:
            if worker.changes.look_at_live():
                self.timetable.due_now(LOOK)
        elif hint.path.endswith((".ccsync", ".ccsync-store", ".icloud")):
            self._rounds.on_store_hint()

    def refresh(self) -> None:
        """Look where everything stands after a command changed something, and show it."""
        resources = self.resources
        if resources is None or resources.worker is None:
            return
        worker = resources.worker

        def refresh() -> Done:
            worker.refresh()
            return Done()

        if self._rounds.attempt(refresh) is not None:
            self._rounds.show(resources)

    # -- by itself ----------------------------------------------------------------------------

    def _pushes(self) -> dict[str, float]:
        """When each changed session is to be pushed by itself."""
        worker = self.resources.worker if self.resources is not None else None
        if worker is None or self._paused or not self._preferences.push_on_change:
            return {}
        due = worker.changes.due(self._preferences.quiet_seconds)
        rest = self._rounds.resting_until
        return {session_id: max(moment, rest) for session_id, moment in due.items()}

    def _due(self) -> list[str]:
        if self._rounds.offline and not self.timetable.is_due(LOOK):
            return []
        now = self.timetable.clock()
        due = sorted((moment, session_id) for session_id, moment in self._pushes().items())
        return [session_id for moment, session_id in due if moment <= now]

    def _rescan(self, resources: Resources, worker: Worker) -> None:
        watch = resources.watch
        self.timetable.due_in(RESCAN, schedule.POLL_SECONDS)
        if worker.changes.rescan():
            # No event told of it: a network drive, or a watch that has gone blind.
            self._unheard = True
        if watch is not None and not watch.is_blind and not self._unheard:
            proved = self._heard
            wait = schedule.RESCAN_SECONDS if proved else schedule.SILENT_RESCAN_SECONDS
            self.timetable.due_in(RESCAN, wait)

    def _look_after(self, resources: Resources, worker: Worker) -> None:
        watch = resources.watch
        assert watch is not None
        before = watch.problem
        lost = watch.restart_if_dead()
        if watch.problem and watch.problem != before:
            self._journal.write(f"watch: {watch.problem}")
        if lost:
            self._heard = False
            self.timetable.due_now(RESCAN)
            if Area.STORE in lost:
                self.timetable.due_now(LOOK)
        if worker.changes.open_ids and worker.changes.look_at_live():
            # A client that crashed removes no live file, so no event tells of it.
            self.timetable.due_now(LOOK)

    def _tidy(self, resources: Resources) -> None:
        self.timetable.due_in(TIDY, schedule.TIDY_SECONDS)
        try:
            resources.tidy()
        except LockBusy:
            self.timetable.due_in(TIDY, _LOCK_RETRY_SECONDS)
        except ClaudeSyncError as error:
            self._journal.write(f"watch: {error}")

    # -- what commands do ---------------------------------------------------------------------

    def ready(self) -> Context:
        """What to work with.

        Raises:
            ClaudeSyncError: it can't be opened.
        """
        return self._opened().context

    def push_older(self) -> list[Result]:
        """Push what was last used more than seven days ago.

        Raises:
            NotSetUp, TransportError, LockBusy
        """
        worker = self._opened().worker
        if worker is None:
            return push(self.ready(), [])
        return worker.push_older()

    def note_pushed(self, results: Sequence[Result]) -> None:
        """Take note of what a person had pushed."""
        worker = self._opened().worker
        if worker is not None:
            worker.note_pushed(results)

    def note_pulled(self, results: Sequence[Result]) -> None:
        """Take note of what a person had pulled."""
        worker = self._opened().worker
        if worker is not None:
            worker.note_pulled(results)

    def look_now(self) -> None:
        """Look at both sides at once."""
        self.timetable.due_now(OPEN, LOOK, RESCAN, HEALTH)

    def run_doctor(self) -> None:
        """Let the doctor look.

        Raises:
            ClaudeSyncError: what it looks with can't be opened.
        """
        self.timetable.due_in(DOCTOR, schedule.DOCTOR_SECONDS)
        self._examined = circumstances(self._publisher.status)
        from claude_sync.doctor import examine

        self._publisher.publish(findings=tuple(examine(self.ready(), checks=self._checks)))

    def change(self, **changes: object) -> None:
        """Store preferences.

        Raises:
            PreferencesError: they can't be.
        """
        self._take(preferences.change(self._paths, **changes))

    def leave(self, end: float, *, local_only: bool) -> list[str]:
        """Push what changed, smallest first, until then; ids of the sessions that it wasn't enough
        for."""
        resources = self._opened()
        worker = resources.worker
        if worker is None or self._paused or not self._preferences.push_on_change:
            return []
        worker.changes.rescan()
        if not (local_only and resources.context.store.remote):
            self.deadline = end
            try:
                for results in worker.push_all():
                    self._journal.write_results("push", results)
            except RecordsError:
                raise
            except ClaudeSyncError as error:
                self._journal.write(f"push before leaving ended early: {error}")
            finally:
                self.deadline = None
        return worker.changes.smallest_first()

    # -- preferences --------------------------------------------------------------------------

    @property
    def _interval(self) -> float:
        return self._interval_seconds or self._preferences.pull_interval_seconds

    @property
    def _arrival(self) -> str:
        return self._on_arrival or self._preferences.on_arrival

    @property
    def _paused(self) -> bool:
        until = self._preferences.paused_until
        return until is not None and time.time() < until

    def reload(self) -> None:
        """Take what the preferences say now, and open what they name."""
        if preferences.stamp(self._paths) != self._preferences.stamp:
            self._take(preferences.load(self._paths))
        elif self._publisher.status.paused_until is not None and not self._paused:
            self._publisher.publish(paused_until=None)
            if self.resources is not None and self.resources.worker is not None:
                self.resources.worker.again = True
            self.timetable.due_now(LOOK)
        if self.resources is None and self.timetable.is_due(OPEN):
            self._preferences = preferences.load(self._paths)
            self._opened()

    def _take(self, new: Preferences) -> None:
        old, self._preferences = self._preferences, new
        if _store_choice(old) != _store_choice(new):
            self.close()
            self._rounds.begin_anew()
        elif self.resources is not None:
            self.resources.context.preferences = new
            if self.resources.worker is not None:
                self.resources.worker.again = True
                self.resources.worker.adopting |= old.ignore != new.ignore
        self._publisher.publish(
            preferences=new, paused_until=new.paused_until if self._paused else None
        )
        self.look_now()
        self.timetable.due_now(DOCTOR)

    # -- opening and closing ------------------------------------------------------------------

    def _opened(self) -> Resources:
        if self.resources is None:
            self.resources = Resources(
                self._paths,
                self._preferences,
                should_stop=self._should_stop,
                on_progress=lambda progress: self._publisher.publish(activity=progress),
                notify=self._notify,
            )
            self.timetable.due_now(LOOK, RESCAN, HEALTH)
            self.timetable.due_in(OPEN, math.inf)
            self._show_store(self.resources)
        return self.resources

    def _show_store(self, resources: Resources) -> None:
        set_up = resources.worker is not None
        store = resources.context.store if set_up else None
        self._heard = self._unheard = False
        self._publisher.publish(
            machine=resources.context.machine,
            location=self._preferences.location or "" if set_up else "",
            label=store.label if store is not None else "",
            remote=store.remote if store is not None else False,
            preferences=self._preferences,
            paused_until=self._preferences.paused_until if self._paused else None,
            started=self._publisher.status.started or not set_up,
        )
        if resources.watch is not None and resources.watch.problem:
            self._journal.write(f"watch: {resources.watch.problem}")

    def close(self) -> None:
        """Let go of everything; it is opened again when it is needed."""
        resources, self.resources = self.resources, None
        if resources is not None:
            resources.close()


def _store_choice(chosen: Preferences) -> tuple[object, ...]:
    return (chosen.location, chosen.store_id, chosen.ssh_command, chosen.claude_config_dir)
