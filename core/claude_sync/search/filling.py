"""Filling the index: what is new since it was last looked at, a little at a time.

A look compares stamps and reads nothing. What it finds to be read is read in steps, each as long as
its caller lets it be; what a step got done is done, also of a session that it didn't finish. A line
that stands in several copies of a session at the same place is kept once.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from claude_sync.claude.turns import Turn
from claude_sync.errors import (
    BundleError,
    FileGone,
    SearchError,
    SessionError,
    StoreOffline,
    TransportError,
)
from claude_sync.model import IndexProgress, LocalSession
from claude_sync.search.index import MOST_COPIES, Copy, Index, Known, Place
from claude_sync.search.lines import PlacedLine
from claude_sync.search.passages import Passage, Passages, TurnCount, check_of, turn_in
from claude_sync.search.sources import (
    Shown,
    Source,
    new_lines,
    place_of,
    searched_sessions,
    shown_of,
    sources_of,
    tail_of,
)
from claude_sync.state.machine import folder_mark
from claude_sync.sync.context import Context
from claude_sync.sync.survey.survey import Survey
from claude_sync.values import NamedTuple

_MOST_AT_ONCE = 200
"""Sessions that a look plans to read: more take memory until they are read."""
_LINES_BETWEEN = 50

Looking = Callable[[], tuple[Survey, bool]]
Until = Callable[[], bool]
"""Whether a step has to end."""


class _Work(NamedTuple):
    """A session that changed: its copies now, none where it is gone."""

    session_id: str
    sources: tuple[Source, ...]
    shown: Shown


class Filling:
    """Keeps an index as it should be. Used by one thread.

    Args:
        context: what to work with.
        looking: looks at everything, where a look isn't given one; and whether it saw the store.
    """

    def __init__(self, context: Context, looking: Looking) -> None:
        self._context = context
        self._looking = looking
        self._path = index_path(context)
        self._index: Index | None = None
        self._left: deque[_Work] = deque()
        self._is_more = False
        self._total = 0

    def close(self) -> None:
        """Close the index."""
        if self._index is not None:
            self._index.close()
            self._index = None

    @property
    def has_work(self) -> bool:
        """Whether something is known to be left to read."""
        return bool(self._left or self._is_more)

    def progress(self) -> IndexProgress:
        """How far it is.

        Raises:
            SearchError: the index can't be used now.
        """
        with self._using() as index:
            read = min(index.read_to_their_end(), self._total)
        return IndexProgress(read, self._total, complete=not self.has_work)

    def look(self, survey: Survey | None = None, *, store_seen: bool = True) -> None:
        """Find out what has to be read.

        Args:
            survey: what was just seen, None to look.
            store_seen: whether it saw the store.

        Raises:
            SearchError: the index can't be used now.
            TransportError: the store can't be listed.
        """
        if survey is None:
            survey, store_seen = self._looking()
        with self._using() as index:
            stamps = index.stamps()
        self._total = searched_sessions(self._context, survey)
        self._left.clear()
        stale = _Stale(self._context, survey, stamps, _Unknown(survey, store_seen))
        for session_id, sources in stale.sessions():
            if len(self._left) == _MOST_AT_ONCE:
                self._is_more = True
                return
            self._left.append(_Work(session_id, sources, shown_of(survey, session_id)))
        self._is_more = False

    def step(self, until: Until) -> None:
        """Read some of what has to be read.

        Args:
            until: asked now and then; true ends the step.

        Raises:
            SearchError: the index can't be used now.
            TransportError: the store went away.
            Stopped: the context said so.
        """
        with self._using() as index:
            while self._left and not until():
                reading = _Reading(self._context, index, self._left[0], until)
                if reading.done():
                    self._left.popleft()
                self._is_more = self._is_more or reading.dropped
            if self._left or not self._is_more:
                return
        self.look()

    def _using(self) -> _Using:
        return _Using(self)

    def opened(self) -> Index:
        """The index.

        Raises:
            SearchError: it can't be used now.
        """
        if self._index is None:
            self._index = Index(self._path)
        return self._index


class _Using:
    """The index while it is used: one that turned out to be damaged is opened anew next time."""

    def __init__(self, filling: Filling) -> None:
        self._filling = filling

    def __enter__(self) -> Index:
        return self._filling.opened()

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, SearchError):
            self._filling.close()


def index_path(context: Context) -> Path:
    """Where the index of what `context` works with is kept."""
    return context.paths.search_file_of(folder_mark(context.paths, context.homes))


class _Unknown:
    """What of the copies can't be taken for gone although a survey didn't see it."""

    def __init__(self, survey: Survey, store_seen: bool) -> None:
        self._store_seen = store_seen
        self._unseen = survey.unseen
        self._hidden = tuple(str(one.path) for one in survey.tree.unseen)

    def holds(self, place: str) -> bool:
        """Whether a copy may be where it was."""
        if os.path.isabs(place):
            return bool(self._hidden) and place.startswith(self._hidden)
        folder = place.split("/")[1]
        return not self._store_seen or "" in self._unseen or folder in self._unseen


class _Stale:
    """Finds the sessions that the index doesn't hold as they are now."""

    def __init__(
        self, context: Context, survey: Survey, known: Mapping[str, Known], unknown: _Unknown
    ) -> None:
        self._context = context
        self._survey = survey
        self._known = known
        self._unknown = unknown

    def sessions(self) -> Iterator[tuple[str, tuple[Source, ...]]]:
        """Those sessions, the one used last first, each with its copies; none where it is gone."""
        maybe = self._maybe()
        places: dict[str, set[str]] = {session_id: set() for session_id in maybe}
        for row in self._known.values() if maybe else ():
            if row[1] in places:
                places[row[1]].add(row[0])
        for session_id in sorted(maybe, key=self._rank):
            sources = sources_of(self._context, self._survey, session_id)
            now = {one.place for one in sources}
            if any(map(self._unknown.holds, places[session_id] - now)):
                continue  # what can't be seen now may be there
            if now != places[session_id] or not all(map(self._is_known, sources)):
                yield session_id, tuple(sources)

    def _maybe(self) -> set[str]:
        """Ids of the sessions that aren't seen at once to be as they were: few."""
        known, found = self._known, set()
        gone = set(known)
        for session_id, copies in self._survey.local.items():
            for local in copies:
                place = str(local.path)
                row = known.get(place)
                gone.discard(place)
                if row is None or row[2:5] != local.stamp or row[5]:
                    found.add(session_id)
        store_id = self._context.preferences.store_id or ""
        for session_id, bundles in self._survey.bundles.items():
            for bundle in bundles:
                place = place_of(store_id, bundle.name)
                row = known.get(place)
                gone.discard(place)
                if row is None or row[2:5] != bundle.stamp:
                    found.add(session_id)
        found.update(known[place][1] for place in gone)
        return found

    def _is_known(self, source: Source) -> bool:
        row = self._known.get(source.place)
        return row is not None and row[2:5] == source.stamp and (source.covered or not row[5])

    def _rank(self, session_id: str) -> tuple[int, str]:
        here = (one.stamp.mtime_ns for one in self._survey.local.get(session_id, ()))
        there = (one.head.mtime_ns for one in self._survey.bundles.get(session_id, ()))
        return -max((*here, *there), default=0), session_id


# --- one session -------------------------------------------------------------------------------


class _Reading:
    """Brings one session in the index up to date, as far as a step goes.

    Attributes:
        dropped: whether other sessions have to be read again because of it.
    """

    def __init__(self, context: Context, index: Index, work: _Work, until: Until) -> None:
        self._context = context
        self._index = index
        self._work = work
        self._until = until
        self.dropped = False

    def done(self) -> bool:
        """Whether it is up to date now."""
        with self._index.writing():
            done = self._bring_up()
        if self.dropped:
            self._index.tidy()
        return done

    def _bring_up(self) -> bool:
        index, work = self._index, self._work
        session = index.add_session(work.session_id)
        index.describe(session, *work.shown)
        for source in work.sources[:MOST_COPIES]:
            copy = self._copy_of(session, source)
            if copy is None:
                # It doesn't go on from what was read: all is read again, from its beginning.
                index.drop_shard(session)
                self.dropped = True
                return False
            if not self._read(source, copy):
                return False
        wanted = {one.place for one in work.sources}
        gone = [one for one in index.copies(session) if one.place not in wanted]
        if index.drop_copies(session, gone):
            self.dropped = True
        index.count_turns(session)
        return not (self.dropped and work.sources)

    def _copy_of(self, session: int, source: Source) -> Copy | None:
        """What is known of a copy; None where it isn't a continuation of that."""
        copies = self._index.copies(session)
        known = next((one for one in copies if one.place == source.place), None)
        if known is None:
            taken = sum(one.bit for one in copies)
            bit = next(1 << n for n in range(2 * MOST_COPIES) if not taken >> n & 1)
            return Copy(session, source.place, bit, source.machine, None)
        if known.stamp == source.stamp or not known.read_to:
            return known
        try:
            tail = tail_of(self._context, source, known.read_to, known.encoded_to)
        except (SessionError, BundleError, FileGone):
            return known
        return known if tail == known.tail else None

    def _read(self, source: Source, copy: Copy) -> bool:
        """Read what is new of a copy; whether its end was reached."""
        if copy.stamp == source.stamp and (source.covered or not copy.covered):
            return True
        copy = copy._replace(machine=source.machine, sha256=source.sha256, covered=source.covered)
        if source.covered:
            self._index.put_copy(copy._replace(stamp=source.stamp))
            return True
        copy = self._like_another(source, copy)._replace(stamp=None)
        try:
            lines = _Lines(self._context, self._index, source, copy)
            is_whole = not any(self._until() for _ in lines.keep())
            copy = lines.copy._replace(stamp=source.stamp if is_whole else None)
            tail = tail_of(self._context, source, copy.read_to, copy.encoded_to)
            copy = copy._replace(tail=tail)
        except StoreOffline:
            raise
        except (SessionError, BundleError, TransportError):
            # It is looked at again when it has changed.
            copy = copy._replace(stamp=source.stamp)
        self._index.put_copy(copy)
        return copy.stamp is not None

    def _like_another(self, source: Source, copy: Copy) -> Copy:
        """A copy that wasn't read yet: read as far as another one was which is the same."""
        if copy.read_to or not source.sha256:
            return copy
        for other in self._index.copies(copy.session):
            # Where its lines begin among encoded bytes only a bundle tells.
            fits = isinstance(source.copy, LocalSession) or other.encoded_to > 0
            if fits and other.read_to and other.stamp and other.sha256 == source.sha256:
                self._index.share_all(other, copy.bit)
                return copy._replace(
                    read_to=other.read_to,
                    encoded_to=other.encoded_to,
                    turns=other.turns,
                    answering=other.answering,
                )
        return copy


class _Lines:
    """Keeps the lines of a copy that are new; those that another copy has are found there.

    Attributes:
        copy: the copy, as far as its lines are kept.
    """

    def __init__(self, context: Context, index: Index, source: Source, copy: Copy) -> None:
        self._index = index
        self.copy = copy
        self._shard = index.session(copy.session).shard
        self._lines = new_lines(context, source, copy.read_to, copy.encoded_to)
        self._places: dict[int, list[Place]] = {}
        for place in index.places(copy.session, copy.read_to):
            self._places.setdefault(place.start, []).append(place)
        self._passages = Passages()
        self._turns = TurnCount(copy.turns, copy.answering)
        self._otherwise = source.mtime_ns // 1_000_000_000
        # Lines that may be those of a passage which is known, and of which.
        self._held: list[PlacedLine] = []
        self._alike: list[Place] = []

    def keep(self) -> Iterator[None]:
        """Keep line after line; it may be ended now and then, and `copy` tells how far it is."""
        reached = self.copy
        for number, placed in enumerate(self._lines, 1):
            self._take(placed)
            reached = self.copy._replace(
                read_to=placed.line.end,
                encoded_to=placed.encoded_end,
                turns=self._turns.number,
                answering=self._turns.answering,
            )
            if number % _LINES_BETWEEN == 0 and not self._held:
                self._finish()
                self.copy = reached
                yield
        self._release()
        self._finish()
        self.copy = reached

    def _take(self, placed: PlacedLine) -> None:
        start, end = placed.line.offset, placed.line.end
        turn = turn_in(placed.line)
        if turn is not None:
            self._turns = self._turns.after(turn)
        if not self._held and start in self._places:
            self._finish()
            self._alike = self._places[start]
        if not self._alike:
            self._gather(placed, turn)
            return
        self._held.append(placed)
        for place in self._alike:
            if place.start + place.length == end and place.sum == self._sum():
                encoded = self._held[0].encoded
                self._index.share_passage(place, self.copy.bit, encoded if encoded >= 0 else None)
                self._held, self._alike = [], []
                return
        self._alike = [one for one in self._alike if one.start + one.length > end]
        if not self._alike:
            self._release()

    def _sum(self) -> int:
        return check_of(one.line for one in self._held)

    def _release(self) -> None:
        """Keep the lines that were held: they are none that are known."""
        held, self._held, self._alike = self._held, [], []
        for placed in held:
            self._gather(placed, turn_in(placed.line))

    def _gather(self, placed: PlacedLine, turn: Turn | None) -> None:
        self._keep(self._passages.add(placed, turn))

    def _finish(self) -> None:
        self._keep(self._passages.finish())

    def _keep(self, passage: Passage | None) -> None:
        if passage is not None:
            passage = passage._replace(time=passage.time or self._otherwise)
            self._index.add_passage(self.copy, passage, self._shard)
