"""What the service's thread does when it is time: a round of looking, pulling and pushing.

Nothing here waits and nothing here decides who wins. A round looks at both sides; where neither
has changed since, that is all. Else, under one lock: look, judge where everything stands, pull
what is to be pulled by itself, push what is due, and judge again. A long push is done in portions,
so that the command line gets its turn.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from claude_sync.model import Outcome, Result, Stamp
from claude_sync.service.arrivals import Arrivals
from claude_sync.service.changes import Changes
from claude_sync.service.overview import Overview, make_overview
from claude_sync.sync.context import Context
from claude_sync.sync.pull import pull_surveyed
from claude_sync.sync.push import push_surveyed
from claude_sync.sync.survey.survey import Survey, look
from claude_sync.transports.base import Listing

_INSTALLED = frozenset({Outcome.IMPORTED, Outcome.UPDATED, Outcome.REPLACED})
_PORTION_SESSIONS = 200
_PORTION_BYTES = 64 << 20
_SMALL_PORTION_BYTES = 4 << 20

_Bundles = frozenset[tuple[str, Stamp]]


@dataclass(frozen=True, slots=True)
class Done:
    """What a round did by itself: results of all sessions that something came of."""

    pushed: tuple[Result, ...] = ()
    pulled: tuple[Result, ...] = ()


class Worker:
    """The memory of the service's thread for one store, and its rounds.

    Args:
        context: what to work with.

    Attributes:
        changes: what changed here and is to be pushed.
        overview: where everything stood at the end of the last round.
        deferred: sessions whose pull waits until the client closes them.
        failures: sessions that the last attempt failed for, and a sentence on why.
        adopting: whether the next round pushes also what changed while nobody looked: at the
            start, and when what is shared has changed.
        again: whether the next round acts although nothing seems to have changed.
        more: whether that round is to be soon: more arrived while this one was at work.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self.changes = Changes(context.home)
        self.overview = Overview()
        self.deferred: set[str] = set()
        self.failures: dict[str, str] = {}
        self.adopting = True
        self._arrivals = Arrivals(context.cache)
        self._listing: Listing | None = None
        self._broken: dict[str, _Bundles] = {}
        self.again = True
        self.more = False

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

    def round(self, *, push: Collection[str] = (), pull: bool = False, act: bool = True) -> Done:
        """Look at the store, and act on what is due.

        Args:
            push: ids of sessions that are to be pushed now.
            pull: whether what arrives is pulled by itself.
            act: whether anything may be pulled: what waited for its session to be closed, too.

        Returns:
            what was done; nothing if neither side had changed.

        Raises:
            TransportError: the store isn't there.
            LockBusy: another claude-sync is at work.
        """
        listing = self._context.store.peek()
        same = self._listing is not None and listing.entries == self._listing.entries
        closed = self.deferred - self.changes.open_ids if act else set()
        if same and not (push or closed or self.changes.seen or self.adopting or self.again):
            return Done()
        with self._context.working("watching"):
            self.again = self.more = False
            survey = look(self._context)
            self._look_over(survey, read=push)
            tried = self._to_pull(pull=pull and act, closed=closed)
            done = self._act(survey, push, tried)
            if any(result.outcome in _INSTALLED for result in done.pulled) or done.pushed:
                self._look_over(look(self._context))
                # What came meanwhile is in the listing that the next round compares with.
                came = {arrival.session_id for arrival in self.overview.arrivals} - set(tried)
                self.more = bool(pull and act and came)
                self.again |= self.more
            self.changes.seen = False
        self._listing = self._context.store.last_listing
        return done

    def _act(self, survey: Survey, push: Collection[str], pull: Sequence[str]) -> Done:
        pulled: list[Result] = []
        if pull:
            pulled = pull_surveyed(self._context, survey, pull, named=False)
            self.note_pulled(pulled, survey)
            if any(result.outcome in _INSTALLED for result in pulled):
                survey = look(self._context)
        pushed: list[Result] = []
        here = [session_id for session_id in push if session_id in survey.local]
        if here:
            pushed = push_surveyed(self._context, survey, here, named=False)
        self.changes.pushed(push, pushed)
        self._note(pushed)
        return Done(
            tuple(r for r in pushed if r.outcome in (Outcome.PUSHED, Outcome.FAILED)),
            tuple(r for r in pulled if r.outcome in _INSTALLED or r.outcome is Outcome.FAILED),
        )

    def _to_pull(self, *, pull: bool, closed: Collection[str]) -> list[str]:
        """What is pulled by itself: what arrived, and what waited to be closed."""
        waiting = {arrival.session_id for arrival in self.overview.arrivals}
        wanted = set(closed) & waiting
        self.deferred -= set(closed) - waiting
        if pull:
            wanted |= waiting
        return sorted(wanted)

    # -- commands -----------------------------------------------------------------------------

    def push_older(self) -> list[Result]:
        """Push what was last used more than seven days ago.

        Raises: what `round` raises.
        """
        with self._context.working("pushing"):
            survey = look(self._context)
            older = [session_id for session_id in self.overview.older if session_id in survey.local]
            return push_surveyed(self._context, survey, older, named=False)

    def push_all(self) -> Iterator[list[Result]]:
        """Push all that changed, smallest first, in small portions: some may be all there is time
        for.

        Raises: what `round` raises.
        """
        with self._context.working("pushing"):
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
        with self._context.working("looking"):
            self._look_over(look(self._context))
        self._listing = self._context.store.last_listing

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
            if result.broken:
                if survey is not None:
                    self._broken[session_id] = _bundles_of(survey, session_id)
            elif result.outcome in (Outcome.FAILED, Outcome.INCOMPLETE):
                self.again = True
        self._note(results)

    def note_pushed(self, results: Sequence[Result]) -> None:
        """Take note of what a person had pushed."""
        self.changes.pushed([result.session_id for result in results], results)
        self._note(results)

    def _note(self, results: Iterable[Result]) -> None:
        for result in results:
            if result.outcome is Outcome.FAILED:
                self.failures[result.session_id or result.bundle] = result.message
            else:
                self.failures.pop(result.session_id, None)

    # -- judging ------------------------------------------------------------------------------

    def _look_over(self, survey: Survey, read: Collection[str] = ()) -> None:
        for session_id, bundles in list(self._broken.items()):
            if _bundles_of(survey, session_id) != bundles:
                del self._broken[session_id]
                self.failures.pop(session_id, None)
        self.overview = make_overview(
            self._context,
            survey,
            self.overview,
            self._arrivals,
            broken=self._broken,
            read=read,
        )
        there = survey.local.keys() | survey.bundles.keys()
        for session_id in [one for one in self.failures if one not in there]:
            del self.failures[session_id]
        self.deferred &= there
        if self.adopting:
            self.adopting = False
            written = {
                session_id
                for session_id, record in survey.remembered.items()
                if record.written is not None
            }
            self.changes.adopt(self.overview.unsent(written))


def _bundles_of(survey: Survey, session_id: str) -> _Bundles:
    return frozenset((bundle.name, bundle.stamp) for bundle in survey.bundles.get(session_id, ()))
