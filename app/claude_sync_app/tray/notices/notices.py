"""Which notifications are shown when one Status follows another. Pure.

What can be told of is a `Subject`; it stands as long as it is so. A subject is told of when it
begins to stand, once, and again only when it stood no longer in between, or Later has ended; and
never twice within an hour. What a person asked for is always answered.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from claude_sync.model import Outcome, Result, SessionState
from claude_sync.service.status import Arrival, Event, Status
from claude_sync.state.preferences import Preferences
from claude_sync_app.tray.environment import Environment
from claude_sync_app.tray.finding_filter import warned_of
from claude_sync_app.tray.notices import failures as failure_texts
from claude_sync_app.tray.notices import texts as notice_texts
from claude_sync_app.tray.notices.history import (
    AGAIN_SECONDS,
    Memory,
    Subject,
    answered,
    started,
    woke,
)
from claude_sync_app.tray.notices.notice import Notice, NoticeContext, without_buttons
from claude_sync_app.tray.notices.texts import welcome
from claude_sync_app.tray.offers import held_back, pullable
from claude_sync_app.tray.status_line import is_paused

__all__ = [
    "Memory",
    "Notice",
    "Noticed",
    "Subject",
    "answered",
    "notices",
    "started",
    "welcome",
    "woke",
]

QUIET_SECONDS = 15.0
"""How long after a start or a wake nothing is said of being offline: networks take a while."""

_CONFLICTS_EACH = 3
_DONE = frozenset({Outcome.PUSHED, Outcome.IMPORTED, Outcome.UPDATED, Outcome.REPLACED})
_NOT_DONE = frozenset(
    {
        Outcome.FAILED,
        Outcome.BEHIND,
        Outcome.CONFLICT,
        Outcome.OPEN,
        Outcome.UNPLACED,
        Outcome.INCOMPLETE,
        Outcome.GONE,
    }
)
_ERROR, _OFFLINE = Subject("error", ""), Subject("offline", "")


@dataclass(frozen=True, slots=True)
class Noticed:
    """What there is to tell now.

    Attributes:
        memory: for the next time.
        show: notices to show.
        withdraw: keys of notifications that there is nothing left to answer of.
        again_at: when to ask again though nothing changes, seconds since the epoch; None for never.
    """

    memory: Memory
    show: tuple[Notice, ...] = ()
    withdraw: tuple[str, ...] = ()
    again_at: float | None = None


def notices(
    before: Status,
    after: Status,
    preferences: Preferences,
    memory: Memory,
    now: float,
    environment: Environment,
) -> Noticed:
    """What there is to tell when one Status follows another.

    Args:
        before, after: the same twice when it is asked at `Noticed.again_at`.
        preferences: which kinds are shown, and whether with titles.
        memory: as the last call returned it.
        now: seconds since the epoch.
        environment: whether notifications have buttons, and which folders are synced.
    """
    step = _Step(after, preferences, memory, now, environment)
    step.tell_what_happened(before)
    step.tell_what_fails()
    step.tell_conflicts()
    step.tell_findings()
    step.tell_arrivals()
    return step.noticed()


class _Step:
    """One step from a Status to the next: collects what is to be shown and remembered."""

    def __init__(
        self,
        status: Status,
        preferences: Preferences,
        memory: Memory,
        now: float,
        environment: Environment,
    ) -> None:
        self._status = status
        self._preferences = preferences
        self._awake_since = memory.awake_since
        self._now = now
        self._context = NoticeContext(status, preferences.show_titles, environment, now)
        self._was = memory.standing
        self._failing = dict(memory.failing)
        self._answered = memory.answered
        self._told = {
            subject: at for subject, at in memory.told.items() if 0 <= now - at < AGAIN_SECONDS
        }
        self._later = {subject: at for subject, at in memory.later.items() if now < at}
        self._shown = dict(memory.shown)
        self._current: set[Subject] = set()
        self._standing: set[Subject] = set()
        self._show: list[Notice] = []
        self._again: list[float] = []

    # -- what was done ------------------------------------------------------------------------

    def tell_what_happened(self, before: Status) -> None:
        last = max((one.number for one in before.events), default=0)
        new = [one for one in self._status.events if one.number > last]
        for event in new:
            if event.by_hand:
                self._answer(event)
            elif event.kind == "pull":
                self._tell_pulled(event)
        if before.error and not self._status.error:
            self._failing.clear()
            self._answered = ""
        self._tell_failing(new)
        self._keep_pulled(new)

    def _answer(self, event: Event) -> None:
        """Say what became of a click, where that can't be seen anyway."""
        results = event.results
        done = [one for one in results if one.outcome in _DONE]
        bad = [one for one in results if one.outcome in _NOT_DONE]
        failed = [one for one in bad if one.outcome is Outcome.FAILED]
        if event.kind == "failed" or failed or (bad and not done):
            wrong = failed or bad
            self._say("failed", failure_texts.not_done(event, wrong, some_was=bool(done)))
            self._answered = event.message
        if event.kind == "push" and (done or not bad):
            self._say("pushed", notice_texts.pushed(len(done), self._context))

    def _tell_pulled(self, event: Event) -> None:
        """A session that goes on elsewhere is pulled again and again, and told of once an hour."""
        placed = {
            subject: result
            for result in event.results
            if result.outcome in _DONE
            and (subject := Subject("pulled", result.session_id, result.machine)) not in self._told
        }
        if placed:
            notice = notice_texts.pulled(list(placed.values()), self._context)
            self._put("pulled", notice, list(placed))

    def _keep_pulled(self, new: Iterable[Event]) -> None:
        """Once one of them was undone, the button would undo more than is left."""
        undone = {
            result.session_id
            for event in new
            if event.kind == "undo"
            for result in event.results
            if result.outcome is not Outcome.FAILED
        }
        pulled = self._shown.get(notice_texts.PULLED_KEY, ())
        if not undone & {subject.what for subject in pulled}:
            self._current.update(pulled)

    def _tell_failing(self, new: Iterable[Event]) -> None:
        """Sessions that fail: each is told of once, until it works again."""
        untold: dict[Subject, Result] = {}
        for event in new:
            if event.kind not in ("push", "pull"):
                continue
            for result in event.results:
                subject = Subject("failing", result.session_id or result.bundle)
                if result.outcome is not Outcome.FAILED:
                    self._failing.pop(subject, None)
                    untold.pop(subject, None)
                    continue
                if subject not in self._failing and not event.by_hand:
                    untold[subject] = result
                self._failing[subject] = result.message
        begin = [subject for subject in self._begins(self._failing) if subject in untold]
        if begin:
            results = [untold[subject] for subject in begin]
            self._put("failed", failure_texts.failed_by_itself(results, self._context), begin)

    # -- what stands --------------------------------------------------------------------------

    def tell_what_fails(self) -> None:
        status = self._status
        known = status.error in (self._answered, *self._failing.values())
        if status.error and not known and self._begins([_ERROR]):
            self._put("failed", failure_texts.failed(status.error), [_ERROR])
        if status.offline_since is None:
            return
        quiet_until = self._awake_since + QUIET_SECONDS
        if self._now < quiet_until and _OFFLINE not in self._was:
            self._again.append(quiet_until)
        elif self._begins([_OFFLINE]):
            self._put("failed", failure_texts.offline(self._context), [_OFFLINE])

    def tell_conflicts(self) -> None:
        if not self._status.started:
            return
        new: list[tuple[SessionState, Subject]] = []
        for state in self._status.conflicts:
            subject = Subject("conflict", state.session_id, ",".join(state.rivals))
            if self._begins([subject]):
                new.append((state, subject))
        if len(new) > _CONFLICTS_EACH:
            states = [state for state, _ in new]
            subjects = [subject for _, subject in new]
            self._put("conflict", notice_texts.conflicts(states, self._context), subjects)
            return
        for state, subject in new:
            self._put("conflict", notice_texts.conflict(state, self._context), [subject])

    def tell_findings(self) -> None:
        found = {one.code: one for one in reversed(warned_of(self._status, self._preferences))}
        subjects = {Subject("doctor", code): found[code] for code in reversed(found)}
        new = self._begins(subjects)
        if len(new) == 1:
            self._put("doctor", notice_texts.finding(subjects[new[0]]), new)
        elif new:
            self._put("doctor", notice_texts.findings([subjects[one] for one in new]), new)

    def tell_arrivals(self) -> None:
        asks = self._preferences.on_arrival == "ask" or (
            # It isn't pulled by itself as long as that pauses.
            self._preferences.on_arrival == "pull" and is_paused(self._status, self._now)
        )
        if not self._status.started or self._preferences.on_arrival == "nothing":
            return
        for arrival in held_back(self._status):
            subject = _subject("close", arrival)
            if self._begins([subject]):
                self._put("arrival", notice_texts.close(arrival, self._context), [subject])
        if asks:
            self._tell_pullable()

    def _tell_pullable(self) -> None:
        waiting = {_subject("arrival", arrival): arrival for arrival in pullable(self._status)}
        new = self._begins(waiting)
        if not new:
            return
        # One notification shows all that nobody answered yet: the new one takes its place.
        unanswered = [
            subject
            for subject in self._shown.get(notice_texts.ARRIVAL_KEY, ())
            if subject in waiting and subject not in new
        ]
        subjects = [*new, *unanswered]
        arrivals = [waiting[subject] for subject in subjects]
        self._put("arrival", notice_texts.arrived(arrivals, self._context), subjects)

    # -- remembering --------------------------------------------------------------------------

    def _begins(self, subjects: Iterable[Subject]) -> list[Subject]:
        """Those of what stands now that are to be told of; the others are remembered."""
        new = []
        for subject in subjects:
            self._current.add(subject)
            if subject in self._was or subject in self._standing:
                self._standing.add(subject)
            elif subject in self._later:
                self._again.append(self._later[subject])
            elif subject in self._told:
                self._again.append(self._told[subject] + AGAIN_SECONDS)
            else:
                self._standing.add(subject)
                new.append(subject)
        return new

    def _put(self, kind: str, notice: Notice, subjects: Sequence[Subject]) -> None:
        """Show what is about subjects: it is withdrawn when none of them stands any more."""
        if self._say(kind, notice):
            self._shown[notice.notification.key] = tuple(subjects)
            self._told.update(dict.fromkeys(subjects, self._now))

    def _say(self, kind: str, notice: Notice) -> bool:
        is_on = bool(getattr(self._preferences.notifications, kind))
        if is_on:
            bare = not self._context.environment.has_buttons
            self._show.append(without_buttons(notice) if bare else notice)
        return is_on

    def noticed(self) -> Noticed:
        moot = [key for key, about in self._shown.items() if not self._current & set(about)]
        memory = Memory(
            self._awake_since,
            frozenset(self._standing),
            self._told,
            {subject: at for subject, at in self._later.items() if subject in self._current},
            self._failing,
            self._answered,
            {key: about for key, about in self._shown.items() if key not in moot},
        )
        again = [moment for moment in self._again if moment > self._now]
        return Noticed(memory, tuple(self._show), tuple(moot), min(again, default=None))


def _subject(kind: str, arrival: Arrival) -> Subject:
    return Subject(kind, arrival.session_id, arrival.machine)
