"""One store and this machine's sessions: what is known of them, and a round of work with them.

Nothing here waits and nothing here decides who wins. A round looks at both sides; if neither has
changed since the last one, that is all. Otherwise, under one lock: look, see where everything
stands, pull what is to be pulled by itself, push what is due, and look over everything again. A
long push is done in portions, so that the command line gets its turn. A round returns what it did
and what the next one has to do; when that is, the loop decides.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from claude_sync.model import Outcome, Result, Stamp
from claude_sync.service.arrivals import Arrivals
from claude_sync.service.changes import Changes
from claude_sync.service.overview import Overview, make_overview
from claude_sync.service.search_filling import SearchFilling
from claude_sync.sync.context import Context
from claude_sync.sync.pull import pull_surveyed
from claude_sync.sync.push import push_surveyed
from claude_sync.sync.survey.look import look
from claude_sync.sync.survey.survey import Survey
from claude_sync.transports.base import Entry
from claude_sync.values import NamedTuple

_INSTALLED = frozenset({Outcome.IMPORTED, Outcome.UPDATED, Outcome.REPLACED})
_PORTION_SESSIONS = 200
_PORTION_BYTES = 64 << 20
_SMALL_PORTION_BYTES = 4 << 20

_Bundles = frozenset[tuple[str, Stamp]]


@dataclass(frozen=True, slots=True)
class NextRound:
    """What a round has to do besides finding out whether either side has changed.

    Attributes:
        anyway: whether it acts although neither side seems to have changed.
        adopt: whether it counts as changed also what changed while nobody looked: at the start,
            and when what is shared has changed.
        soon: whether it is due at once: the one before had more to do than it did.
    """

    anyway: bool = False
    adopt: bool = False
    soon: bool = False


FIRST_ROUND = NextRound(anyway=True, adopt=True)


@dataclass(frozen=True, slots=True)
class RoundOutcome:
    """What a round did by itself, and what the next one has to do.

    Attributes:
        pushed, pulled: results of all sessions that something came of.
        next: what is left.
    """

    pushed: tuple[Result, ...] = ()
    pulled: tuple[Result, ...] = ()
    next: NextRound = NextRound()


class _Sides(NamedTuple):
    """Enough of both sides to see that one has changed."""

    entries: tuple[Entry, ...]
    revision: int


class Worker:
    """The memory of the service's thread for one store, and its rounds.

    Args:
        context: what to work with.

    Attributes:
        changes: what changed here and is to be pushed.
        overview: where everything stood at the end of the last round.
        deferred: sessions whose pull waits until the client closes them.
        failures: sessions that the last attempt failed for, and a sentence on why.
        search: the index of what was said.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self.changes = Changes(context.home)
        self.overview = Overview()
        self.deferred: set[str] = set()
        self.failures: dict[str, str] = {}
        self.search = SearchFilling(context)
        self._arrivals = Arrivals(context.cache)
        self._broken: dict[str, _Bundles] = {}
        # How the last round left both sides; None if it didn't get to its end.
        self._left: _Sides | None = None

    def round(
        self,
        task: NextRound = NextRound(),
        *,
        push: Sequence[str] = (),
        pull: bool = False,
        paused: bool = False,
    ) -> RoundOutcome:
        """Look at the store, and act on what is due.

        Args:
            task: what the last round left to do.
            push: ids of sessions that are due; as many of them are pushed as go in one portion.
            pull: whether what arrives is pulled by itself.
            paused: whether nothing may be pulled, not even what waited for its session to be
                closed.

        Returns:
            what was done, nothing if neither side had changed; and what is left to do.

        Raises:
            TransportError: the store isn't there.
            LockBusy: another claude-sync is at work.
            ClaudeSyncError: it failed; the next round begins afresh.
        """
        portion = self.portion(push)
        closed = set() if paused else self._closed()
        quiet = self.overview.quiet_at is not None and self.overview.quiet_at <= time.time()
        more = bool(closed or quiet or task.anyway or task.adopt)
        self._context.store.listing()  # before the lock is held: it may be long in answering
        if self._sides() == self._left and not (portion or more):
            return RoundOutcome()
        with self._context.working("watching", by_itself=True):
            left, self._left = self._left, None
            survey = look(self._context)
            # Somebody may wait for a push elsewhere, so it comes before the overview where nothing
            # came from there: what could be pulled was known to the round before.
            only_push = not more and left is not None and left.entries == self._sides().entries
            asked = sorted(self._pullable())
            if not only_push:
                self._look_over(survey, read=portion)
                if task.adopt:
                    self.changes.adopt(self.overview.unsent(_written(survey)))
                asked = self._to_pull(pull=pull and not paused, closed=closed)
            outcome = self._act(survey, portion, [] if only_push else asked)
            done = bool(outcome.pushed) or _any_installed(outcome.pulled)
            arrived = False
            if done or only_push:
                if done:
                    survey = look(self._context)
                self._look_over(survey, read=() if done else portion)
                # What came meanwhile is in the listing that the next round compares with.
                arrived = pull and not paused and not self._pullable() <= set(asked)
            self._note_arrivals(outcome.pulled)
            self._left = self._sides()
        again = NextRound(
            anyway=arrived or outcome.next.anyway, soon=arrived or len(portion) < len(push)
        )
        return replace(outcome, next=again)

    def portion(self, due: Sequence[str]) -> list[str]:
        """As many of the sessions as are pushed in one go, at least one."""
        taken: list[str] = []
        size = 0
        for session_id in due[:_PORTION_SESSIONS]:
            change = self.changes.pending.get(session_id)
            size += change.size if change is not None else 0
            if taken and size > _PORTION_BYTES:
                break
            taken.append(session_id)
        return taken

    def _closed(self) -> set[str]:
        """Sessions whose pull waited, and which count as closed by now."""
        live, now = self.changes.live, time.time()
        if live.unreadable:
            return set()
        return {
            session_id
            for session_id in self.deferred - live.open_ids
            if self.overview.quiet.get(session_id, now) <= now
        }

    def _sides(self) -> _Sides:
        listing = self._context.store.last_listing
        return _Sides(listing.entries if listing is not None else (), self.changes.revision)

    def _act(self, survey: Survey, push: Collection[str], pull: Sequence[str]) -> RoundOutcome:
        pulled: list[Result] = []
        if pull:
            pulled = pull_surveyed(self._context, survey, pull, named=False)
            self.note_pulled(pulled, survey)
            if _any_installed(pulled):
                survey = look(self._context)
        pushed: list[Result] = []
        here = [session_id for session_id in push if session_id in survey.local]
        if here:
            pushed = push_surveyed(self._context, survey, here, named=False)
        self.changes.pushed(push, pushed)
        self._note(pushed)
        return RoundOutcome(
            pushed=tuple(r for r in pushed if r.outcome in (Outcome.PUSHED, Outcome.FAILED)),
            pulled=tuple(r for r in pulled if r.outcome in {*_INSTALLED, Outcome.FAILED}),
            next=NextRound(anyway=to_be_tried_again(pulled)),
        )

    def _to_pull(self, *, pull: bool, closed: Collection[str]) -> list[str]:
        """What is pulled by itself: what arrived, and what waited to be closed."""
        waiting = self._pullable()
        wanted = set(closed) & waiting
        self.deferred -= set(closed) - waiting
        if pull:
            wanted |= waiting
        return sorted(wanted)

    def _pullable(self) -> set[str]:
        """Sessions that may be pulled by themselves: nothing that was said here gives way."""
        return {
            arrival.session_id for arrival in self.overview.arrivals if not arrival.state.replaces
        }

    # -- commands -----------------------------------------------------------------------------

    def push_older(self) -> list[Result]:
        """Push what was last used more than seven days ago.

        Raises:
            TransportError, LockBusy, RecordsError, Stopped
        """
        with self._context.working("pushing"):
            survey = look(self._context)
            older = [session_id for session_id in self.overview.older if session_id in survey.local]
            results = push_surveyed(self._context, survey, older, named=False)
        self.note_pushed(results)
        return results

    def push_all(self) -> Iterator[list[Result]]:
        """Push all that changed, smallest first, in small portions: some may be all there is time
        for.

        Raises:
            TransportError, LockBusy, RecordsError, Stopped
        """
        with self._context.working("pushing", by_itself=True):
            survey = look(self._context)
            for portion in self._small_portions(survey):
                results = push_surveyed(self._context, survey, portion, named=False)
                self.changes.pushed(portion, results)
                self._note(results)
                yield results

    def _small_portions(self, survey: Survey) -> Iterator[list[str]]:
        portion: list[str] = []
        size = 0
        for session_id in self.changes.smallest_first():
            if session_id not in survey.local:
                continue
            portion.append(session_id)
            size += self.changes.pending[session_id].size
            if size >= _SMALL_PORTION_BYTES:
                yield portion
                portion, size = [], 0
        if portion:
            yield portion

    def refresh(self) -> None:
        """Look at both sides once more, after a command changed something.

        Raises:
            TransportError, LockBusy
        """
        before = self._pullable()
        with self._context.working("looking"):
            self._look_over(look(self._context))
            self._note_arrivals()
        arrived = self._pullable() - before
        # What arrived meanwhile is for the next round to pull, so it has to see that it is new.
        if self._left is not None and not arrived:
            self._left = self._left._replace(entries=self._sides().entries)

    # -- taking note --------------------------------------------------------------------------

    def note_pulled(self, results: Iterable[Result], survey: Survey | None = None) -> None:
        """Take note of what was pulled: what is open is pulled when it is closed."""
        results = list(results)
        for result in results:
            session_id = result.session_id
            if result.outcome is Outcome.OPEN:
                self.deferred.add(session_id)
                continue
            self.deferred.discard(session_id)
            if result.outcome in _INSTALLED and result.path is not None:
                self.changes.installed(result.path)
            if result.broken and survey is not None:
                self._broken[session_id] = _bundles_of(survey, session_id)
        self._note(results)

    def note_pushed(self, results: Sequence[Result]) -> None:
        """Take note of what a person had pushed."""
        self.changes.pushed([result.session_id for result in results], results)
        self._note(results)

    def _note_arrivals(self, pulled: Iterable[Result] = ()) -> None:
        """Have written down what another machine was seen to be ahead with, unless it is here."""
        here = {result.session_id for result in pulled if result.outcome in _INSTALLED}
        for arrival in self._arrivals.take_fresh():
            if arrival.session_id not in here:
                waiting = Result(
                    arrival.session_id,
                    Outcome.UNCHANGED,
                    project_key=arrival.state.project_key,
                    machine=arrival.machine,
                )
                self._context.recorder.add_result("arrive", waiting, "waiting")

    def _note_conflicts(self, known: Collection[str]) -> None:
        """Have written down which sessions need a decision now."""
        for state in self.overview.conflicts:
            if state.session_id not in known:
                found = Result(
                    state.session_id,
                    Outcome.SHORTENED if state.shortened else Outcome.CONFLICT,
                    project_key=state.project_key,
                    machine=next(iter(state.rivals), ""),
                )
                self._context.recorder.add_result("pull", found)

    def _note(self, results: Iterable[Result]) -> None:
        for result in results:
            if result.outcome is Outcome.FAILED:
                self.failures[result.session_id or result.bundle] = result.message
            else:
                self.failures.pop(result.session_id, None)

    # -- looking over -------------------------------------------------------------------------

    def _look_over(self, survey: Survey, read: Collection[str] = ()) -> None:
        for session_id, bundles in list(self._broken.items()):
            if _bundles_of(survey, session_id) != bundles:
                del self._broken[session_id]
                self.failures.pop(session_id, None)
        known = {state.session_id for state in self.overview.conflicts}
        self.overview = make_overview(
            self._context,
            survey,
            self.overview,
            self._arrivals,
            broken=self._broken,
            read=read,
        )
        self._note_conflicts(known)
        there = survey.local.keys() | survey.bundles.keys()
        for session_id in [one for one in self.failures if one not in there]:
            del self.failures[session_id]
        self.deferred &= there
        self.search.note(survey)


def to_be_tried_again(pulled: Iterable[Result]) -> bool:
    """Whether the next round has to pull some of these again: nothing shows that it would help."""
    return any(
        not result.broken and result.outcome in (Outcome.FAILED, Outcome.INCOMPLETE)
        for result in pulled
    )


def _any_installed(results: Iterable[Result]) -> bool:
    return any(result.outcome in _INSTALLED for result in results)


def _written(survey: Survey) -> set[str]:
    """Ids of sessions that this machine has pushed before."""
    return {
        session_id for session_id, record in survey.remembered.items() if record.written is not None
    }


def _bundles_of(survey: Survey, session_id: str) -> _Bundles:
    return frozenset((bundle.name, bundle.stamp) for bundle in survey.bundles.get(session_id, ()))
