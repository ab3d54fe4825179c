"""Which notifications are shown when one Status follows another. Pure.

A `Subject` is something to notify of; it stands for as long as it is true. It is shown once, when
it begins to stand, and again only if it didn't stand in between, or "Later" has ended; and never
twice within an hour. What a click asked for is always answered.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from claude_sync.model import Outcome, Result, SessionState
from claude_sync.service.status import Arrival, Event, Status
from claude_sync.state.preferences import Preferences
from claude_sync_app.tray.environment import Environment
from claude_sync_app.tray.finding_filter import current_warnings
from claude_sync_app.tray.notices import failures as failure_texts
from claude_sync_app.tray.notices import texts as notice_texts
from claude_sync_app.tray.notices.history import AGAIN_SECONDS, NoticeHistory, Subject
from claude_sync_app.tray.notices.notice import Notice, NoticeContext, without_buttons
from claude_sync_app.tray.offers import held_back, pullable, replacing
from claude_sync_app.tray.status_line import is_paused

QUIET_SECONDS = 15.0
"""How long after a start or a wake being offline isn't shown: networks take a while."""

_CONFLICTS_EACH = 3
_DONE = frozenset({Outcome.PUSHED, Outcome.IMPORTED, Outcome.UPDATED, Outcome.REPLACED})
_NOT_DONE = frozenset(
    {
        Outcome.FAILED,
        Outcome.BEHIND,
        Outcome.SHORTENED,
        Outcome.CONFLICT,
        Outcome.OPEN,
        Outcome.UNPLACED,
        Outcome.INCOMPLETE,
        Outcome.HELD,
        Outcome.GONE,
    }
)
_ERROR, _OFFLINE = Subject("error", ""), Subject("offline", "")


@dataclass(frozen=True, slots=True)
class NoticeUpdate:
    """What to show now.

    Attributes:
        history: for the next time.
        show: notices to show.
        withdraw: keys of notifications none of whose subjects stands any more.
        again_at: when to ask again even if nothing changes, in seconds since the epoch, or None.
    """

    history: NoticeHistory
    show: tuple[Notice, ...] = ()
    withdraw: tuple[str, ...] = ()
    again_at: float | None = None


def next_notices(
    before: Status,
    after: Status,
    *,
    preferences: Preferences,
    history: NoticeHistory,
    now: float,
    environment: Environment,
) -> NoticeUpdate:
    """What to show when one Status follows another.

    Args:
        before, after: the same twice when it is asked at `NoticeUpdate.again_at`.
        preferences: which kinds are shown, and whether with titles.
        history: as the last call returned it.
        now: seconds since the epoch.
        environment: whether notifications have buttons, and which folders are synced.
    """
    context = NoticeContext(after, preferences.show_titles, environment, now)
    transition = _Transition(context, preferences, history)
    transition.add_events(before)
    transition.add_failures()
    transition.add_conflicts()
    transition.add_findings()
    transition.add_arrivals()
    return transition.update()


class _Transition:
    """The step from one Status to the next: collects what to show and what to remember."""

    def __init__(
        self, context: NoticeContext, preferences: Preferences, history: NoticeHistory
    ) -> None:
        self._context = context
        self._status, self._now = context.status, context.now
        self._preferences = preferences
        self._awake_since = history.awake_since
        self._was = history.standing
        self._failing = dict(history.failing)
        self._failed_click = history.failed_click
        self._shown_at = {
            subject: at
            for subject, at in history.shown_at.items()
            if 0 <= self._now - at < AGAIN_SECONDS
        }
        self._later = {subject: at for subject, at in history.later.items() if self._now < at}
        self._shown = dict(history.shown)
        self._current: set[Subject] = set()
        self._standing: set[Subject] = set()
        self._show: list[Notice] = []
        self._again: list[float] = []

    # -- what was done ------------------------------------------------------------------------

    def add_events(self, before: Status) -> None:
        last = max((one.number for one in before.events), default=0)
        new = [one for one in self._status.events if one.number > last]
        for event in new:
            if event.by_hand:
                self._answer(event)
            elif event.kind == "pull":
                self._add_pulled(event)
        if before.error and not self._status.error:
            self._failing.clear()
            self._failed_click = ""
        self._add_failing(new)
        self._keep_pulled_notice(new)

    def _answer(self, event: Event) -> None:
        """Show what became of a click, unless that can be seen anyway."""
        if event.kind == "resume":
            return  # who resumes the session says what stands in the way
        results = event.results
        done = [one for one in results if one.outcome in _DONE]
        bad = [one for one in results if one.outcome in _NOT_DONE]
        failed = [one for one in bad if one.outcome is Outcome.FAILED]
        if event.kind == "failed" or failed or (bad and not done):
            reasons = failed or bad
            self._show_if_on(
                "failed", failure_texts.not_done_notice(event, reasons, some_was=bool(done))
            )
            self._failed_click = event.message
        if event.kind == "push" and (done or not bad):
            self._show_if_on("pushed", notice_texts.pushed_notice(len(done), self._context))

    def _add_pulled(self, event: Event) -> None:
        """A session that is in use elsewhere is pulled again and again, and shown once an hour."""
        pulled = {
            subject: result
            for result in event.results
            if result.outcome in _DONE
            and (subject := Subject("pulled", result.session_id, result.machine))
            not in self._shown_at
        }
        if pulled:
            notice = notice_texts.pulled_notice(list(pulled.values()), self._context)
            self._show_about("pulled", notice, list(pulled))

    def _keep_pulled_notice(self, new: Iterable[Event]) -> None:
        """Keep the notice of what was pulled, unless its button would undo too much by now."""
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

    def _add_failing(self, new: Iterable[Event]) -> None:
        """Show sessions that fail: each once, until it works again."""
        unshown: dict[Subject, Result] = {}
        for event in new:
            if event.kind not in ("push", "pull"):
                continue
            for result in event.results:
                subject = Subject("failing", result.session_id or result.bundle)
                if result.outcome is not Outcome.FAILED:
                    self._failing.pop(subject, None)
                    unshown.pop(subject, None)
                    continue
                if subject not in self._failing and not event.by_hand:
                    unshown[subject] = result
                self._failing[subject] = result.message
        begin = [subject for subject in self._new_subjects(self._failing) if subject in unshown]
        if begin:
            results = [unshown[subject] for subject in begin]
            self._show_about("failed", failure_texts.failing_notice(results, self._context), begin)

    # -- what stands --------------------------------------------------------------------------

    def add_failures(self) -> None:
        status = self._status
        known = status.error in (self._failed_click, *self._failing.values())
        if status.error and not known and self._new_subjects([_ERROR]):
            self._show_about("failed", failure_texts.error_notice(status.error), [_ERROR])
        if status.offline_since is None:
            return
        quiet_until = self._awake_since + QUIET_SECONDS
        if self._now < quiet_until and _OFFLINE not in self._was:
            self._again.append(quiet_until)
        elif self._new_subjects([_OFFLINE]):
            self._show_about("failed", failure_texts.offline_notice(self._context), [_OFFLINE])

    def add_conflicts(self) -> None:
        if not self._status.started:
            return
        new: list[tuple[SessionState, Subject]] = []
        for state in self._status.conflicts:
            about = "shortened" if state.shortened else ",".join(state.rivals)
            subject = Subject("conflict", state.session_id, about)
            if self._new_subjects([subject]):
                new.append((state, subject))
        if len(new) > _CONFLICTS_EACH:
            states = [state for state, _ in new]
            subjects = [subject for _, subject in new]
            self._show_about(
                "conflict", notice_texts.conflicts_notice(states, self._context), subjects
            )
            return
        for state, subject in new:
            self._show_about(
                "conflict", notice_texts.conflict_notice(state, self._context), [subject]
            )

    def add_findings(self) -> None:
        found = {
            one.code: one for one in reversed(current_warnings(self._status, self._preferences))
        }
        subjects = {Subject("doctor", code): found[code] for code in reversed(found)}
        new = self._new_subjects(subjects)
        if len(new) == 1:
            self._show_about("doctor", notice_texts.finding_notice(subjects[new[0]]), new)
        elif new:
            self._show_about(
                "doctor", notice_texts.findings_notice([subjects[one] for one in new]), new
            )

    def add_arrivals(self) -> None:
        asks = self._preferences.on_arrival == "ask" or (
            # While syncing is paused it isn't pulled by itself.
            self._preferences.on_arrival == "pull" and is_paused(self._status, self._now)
        )
        if not self._status.started or self._preferences.on_arrival == "nothing":
            return
        for arrival in held_back(self._status):
            subject = _subject("close", arrival)
            if self._new_subjects([subject]):
                self._show_about(
                    "arrival", notice_texts.close_notice(arrival, self._context), [subject]
                )
        for arrival in replacing(self._status):
            subject = _subject("replacing", arrival)
            if self._new_subjects([subject]):
                notice = notice_texts.replacing_notice(arrival, self._context)
                self._show_about("arrival", notice, [subject])
        if asks:
            self._add_pullable()

    def _add_pullable(self) -> None:
        waiting = {_subject("arrival", arrival): arrival for arrival in pullable(self._status)}
        new = self._new_subjects(waiting)
        if not new:
            return
        # One notification shows all that wait for an answer: the new one replaces the old.
        unanswered = [
            subject
            for subject in self._shown.get(notice_texts.ARRIVAL_KEY, ())
            if subject in waiting and subject not in new
        ]
        subjects = [*new, *unanswered]
        arrivals = [waiting[subject] for subject in subjects]
        self._show_about("arrival", notice_texts.arrival_notice(arrivals, self._context), subjects)

    # -- remembering --------------------------------------------------------------------------

    def _new_subjects(self, subjects: Iterable[Subject]) -> list[Subject]:
        """Those of what stands now that have to be shown; the others are remembered."""
        new = []
        for subject in subjects:
            self._current.add(subject)
            if subject in self._was or subject in self._standing:
                self._standing.add(subject)
            elif subject in self._later:
                self._again.append(self._later[subject])
            elif subject in self._shown_at:
                self._again.append(self._shown_at[subject] + AGAIN_SECONDS)
            else:
                self._standing.add(subject)
                new.append(subject)
        return new

    def _show_about(self, kind: str, notice: Notice, subjects: Sequence[Subject]) -> None:
        """Show a notice about subjects, which is withdrawn when none of them stands any more."""
        if self._show_if_on(kind, notice):
            self._shown[notice.notification.key] = tuple(subjects)
            self._shown_at.update(dict.fromkeys(subjects, self._now))

    def _show_if_on(self, kind: str, notice: Notice) -> bool:
        is_on = bool(getattr(self._preferences.notifications, kind))
        if is_on:
            bare = not self._context.environment.has_buttons
            self._show.append(without_buttons(notice) if bare else notice)
        return is_on

    def update(self) -> NoticeUpdate:
        moot = [key for key, about in self._shown.items() if not self._current & set(about)]
        history = NoticeHistory(
            awake_since=self._awake_since,
            standing=frozenset(self._standing),
            shown_at=self._shown_at,
            later={subject: at for subject, at in self._later.items() if subject in self._current},
            failing=self._failing,
            failed_click=self._failed_click,
            shown={key: about for key, about in self._shown.items() if key not in moot},
        )
        again = [moment for moment in self._again if moment > self._now]
        return NoticeUpdate(history, tuple(self._show), tuple(moot), min(again, default=None))


def _subject(kind: str, arrival: Arrival) -> Subject:
    return Subject(kind, arrival.session_id, arrival.machine)
