"""Which notifications are shown when one Status follows another. Pure.

A `Subject` is something to notify of; it stands for as long as it is true. It is shown once, when
it begins to stand, and again only if it didn't stand in between, or "Later" has ended; and never
twice within an hour, unless the session was pulled in between. What a click asked for is always
answered. What there is to say at a start waits until the doctor has looked, and is said in one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from claude_sync.model import Finding, Outcome, Result, SessionState
from claude_sync.service.status import Arrival, Event, Status
from claude_sync.state.preferences import Preferences
from claude_sync_app.finding_names import named_finding
from claude_sync_app.tray.environment import Environment
from claude_sync_app.tray.finding_filter import current_warnings
from claude_sync_app.tray.notices import done as done_texts
from claude_sync_app.tray.notices import failures as failure_texts
from claude_sync_app.tray.notices import texts as notice_texts
from claude_sync_app.tray.notices.history import (
    AGAIN_SECONDS,
    START_SECONDS,
    NoticeHistory,
    Subject,
)
from claude_sync_app.tray.notices.notice import Notice, NoticeContext, without_buttons
from claude_sync_app.tray.offers import held_back, pullable, replacing
from claude_sync_app.tray.status_line import is_paused, tooltip

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
_NEWS_AFTER = {
    "pull": frozenset({"arrival", "close", "replacing"}),
    "resume": frozenset({"arrival", "close", "replacing"}),
    "push": frozenset({"pulled"}),
}
"""What is said again of a session after this was done with it."""

_NOW_OR_NEVER = frozenset({"close"})
"""What says something of this moment: it isn't made up for an hour later."""

_ERROR, _OFFLINE, _WELCOME = Subject("error", ""), Subject("offline", ""), Subject("welcome", "")


@dataclass(frozen=True, slots=True)
class NoticeUpdate:
    """What to show now.

    Attributes:
        history: for the next time.
        show: notices to show.
        withdraw: keys of notifications none of whose subjects stands any more.
        again_at: when to ask again even if nothing changes, in seconds since the epoch, or None.
        considered: whether `after` counts as the Status before the next one; not while a start
            goes on.
    """

    history: NoticeHistory
    show: tuple[Notice, ...] = ()
    withdraw: tuple[str, ...] = ()
    again_at: float | None = None
    considered: bool = True


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
    start_ends = history.awake_since + START_SECONDS
    if not history.settled and now < start_ends and not _is_settled(before, after):
        return NoticeUpdate(history, again_at=start_ends, considered=False)
    context = NoticeContext(after, preferences.show_titles, environment, now)
    transition = _Transition(context, preferences, history)
    transition.add_welcome()
    transition.add_events(before)
    transition.add_failures()
    transition.add_conflicts()
    transition.add_findings()
    transition.add_arrivals()
    return transition.update()


def _is_settled(before: Status, after: Status) -> bool:
    """Whether all is known that a start may have to say, or a click wants its answer."""
    return (after.started and after.examined) or any(one.by_hand for one in _new(before, after))


def _new(before: Status, after: Status) -> list[Event]:
    last = max((one.number for one in before.events), default=0)
    return [one for one in after.events if one.number > last]


class _Transition:
    """The step from one Status to the next: collects what to show and what to remember."""

    def __init__(
        self, context: NoticeContext, preferences: Preferences, history: NoticeHistory
    ) -> None:
        self._context = context
        self._status, self._now = context.status, context.now
        self._preferences = preferences
        self._history = history
        self._welcomes = history.welcomes
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
        self._current: set[Subject] = {_WELCOME}
        self._standing: set[Subject] = set()
        self._answers: list[Notice] = []
        self._news: list[tuple[Notice, tuple[Subject, ...]]] = []
        self._again: list[float] = []

    # -- what was done ------------------------------------------------------------------------

    def add_events(self, before: Status) -> None:
        new = _new(before, self._status)
        for event in new:
            self._forget_what_moved(event)
            if event.by_hand:
                self._answer(event, before)
            elif event.kind == "pull":
                self._add_pulled(event)
        if before.error and not self._status.error:
            self._failing.clear()
            self._failed_click = ""
        self._add_failing(new)
        self._keep_pulled_notice(new)

    def _forget_what_moved(self, event: Event) -> None:
        """A session that was pulled is news when it comes again, and one pushed when it is pulled.

        Going back and forth between machines is the main use.
        """
        kinds = _NEWS_AFTER.get(event.kind, frozenset())
        moved = {one.session_id for one in event.results if one.outcome in _DONE}

        def is_news(subject: Subject) -> bool:
            return subject.kind in kinds and subject.what in moved

        self._was = frozenset(one for one in self._was if not is_news(one))
        for known in (self._shown_at, self._later):
            for subject in [one for one in known if is_news(one)]:
                del known[subject]

    def _answer(self, event: Event, before: Status) -> None:
        """Show what became of a click."""
        if event.kind == "resume":
            return  # who resumes the session says what stands in the way
        results = event.results
        done = [one for one in results if one.outcome in _DONE]
        bad = [one for one in results if one.outcome in _NOT_DONE]
        if event.kind == "undo":
            done, bad = list(results), []
        failed = [one for one in bad if one.outcome is Outcome.FAILED]
        if event.kind == "failed" or failed or (bad and not done):
            self._answer_failure(event, failed or bad, some_was=bool(done))
        elif event.kind == "pull":
            self._answer_pull(done, bad)
        if event.kind == "push" and (done or not bad):
            self._show_if_on("pushed", done_texts.pushed_notice(len(done), self._context))
        elif event.kind == "resolve" and not failed:
            now = {one.session_id for one in self._status.conflicts}
            ids = {one.session_id for one in results}
            settled = [one for one in before.conflicts if one.session_id in ids - now]
            notice = done_texts.kept_notice(next(iter(settled), None), results, self._context)
            self._show_if_on("conflict", notice)
        elif event.kind == "undo" and done:
            self._show_if_on("pulled", done_texts.undone_notice(done, self._context))

    def _answer_failure(self, event: Event, why: Sequence[Result], *, some_was: bool) -> None:
        self._failed_click = event.message
        if event.kind == "pull" and why and all(one.outcome is Outcome.OPEN for one in why):
            self._show_if_on("pulled", done_texts.pulled_later_notice(why, self._context))
            return
        notice = failure_texts.not_done_notice(event, why, some_was=some_was)
        self._show_if_on("failed", notice)

    def _answer_pull(self, done: Sequence[Result], bad: Sequence[Result]) -> None:
        if not done:
            self._show_if_on("pulled", done_texts.nothing_pulled_notice())
            return
        left = failure_texts.left_lines(bad)
        subjects = [Subject("pulled", one.session_id, one.machine) for one in done]
        notice = done_texts.pulled_notice(done, self._context, left)
        if self._show_if_on("pulled", notice):
            self._shown[done_texts.PULLED_KEY] = tuple(subjects)
            self._shown_at.update(dict.fromkeys(subjects, self._now))

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
            notice = done_texts.pulled_notice(list(pulled.values()), self._context)
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
        pulled = {
            subject
            for about in self._shown.values()
            for subject in about
            if subject.kind == "pulled"
        }
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

    def add_welcome(self) -> None:
        if self._welcomes and self._status.location:
            self._welcomes = False
            notice = notice_texts.welcome_notice(self._context)
            self._news.append((notice, (_WELCOME,)))
            self._shown[notice.notification.key] = (_WELCOME,)

    def add_failures(self) -> None:
        status = self._status
        known = status.error in (self._failed_click, *self._failing.values())
        if status.error and not known and self._new_subjects([_ERROR]):
            self._show_about("failed", failure_texts.error_notice(status.error), [_ERROR])
        if status.offline_since is None:
            return
        quiet_until = self._history.awake_since + QUIET_SECONDS
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
        named = [self._named(subjects[one]) for one in new]
        if len(named) == 1:
            self._show_about("doctor", notice_texts.finding_notice(named[0]), new)
        elif named:
            self._show_about("doctor", notice_texts.findings_notice(named), new)

    def _named(self, finding: Finding) -> Finding:
        show_titles = self._preferences.show_titles
        return named_finding(finding, self._status.sessions, show_titles=show_titles)

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
            elif subject in self._shown_at and subject.kind in _NOW_OR_NEVER:
                self._standing.add(subject)
            elif subject in self._shown_at:
                self._again.append(self._shown_at[subject] + AGAIN_SECONDS)
            else:
                self._standing.add(subject)
                new.append(subject)
        return new

    def _show_about(self, kind: str, notice: Notice, subjects: Sequence[Subject]) -> None:
        """Show a notice about subjects, which is withdrawn when none of them stands any more."""
        if self._is_on(kind):
            self._news.append((notice, tuple(subjects)))
            self._shown[notice.notification.key] = tuple(subjects)
            self._shown_at.update(dict.fromkeys(subjects, self._now))

    def _show_if_on(self, kind: str, notice: Notice) -> bool:
        """Show the answer to a click."""
        if self._is_on(kind):
            self._answers.append(notice)
        return self._is_on(kind)

    def _is_on(self, kind: str) -> bool:
        return bool(getattr(self._preferences.notifications, kind))

    def _at_start(self) -> None:
        """Say in one what there is to say at a start."""
        if self._history.settled or len(self._news) < 2:
            return
        preferences, environment = self._preferences, self._context.environment
        sentence = tooltip(self._status, int(self._now // 60), preferences, environment)
        notices = [notice for notice, _ in self._news]
        for notice in notices:
            del self._shown[notice.notification.key]
        one = notice_texts.start_notice(notices, sentence)
        subjects = tuple(subject for _, about in self._news for subject in about)
        self._shown[one.notification.key] = subjects
        self._news = [(one, subjects)]

    def update(self) -> NoticeUpdate:
        self._at_start()
        moot = [key for key, about in self._shown.items() if not self._current & set(about)]
        show = [*self._answers, *(notice for notice, _ in self._news)]
        if not self._context.environment.has_buttons:
            show = [without_buttons(notice) for notice in show]
        history = NoticeHistory(
            awake_since=self._history.awake_since,
            welcomes=self._welcomes,
            settled=True,
            standing=frozenset(self._standing),
            shown_at=self._shown_at,
            later={subject: at for subject, at in self._later.items() if subject in self._current},
            failing=self._failing,
            failed_click=self._failed_click,
            shown={key: about for key, about in self._shown.items() if key not in moot},
        )
        again = [moment for moment in self._again if moment > self._now]
        return NoticeUpdate(history, tuple(show), tuple(moot), min(again, default=None))


def _subject(kind: str, arrival: Arrival) -> Subject:
    return Subject(kind, arrival.session_id, arrival.machine)
