"""Finding what was said, in whatever session and on whatever machine."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path

from claude_sync.bundle.codec import Decoder
from claude_sync.claude.turns import Turn
from claude_sync.errors import BundleError, SearchError, SessionError, TransportError
from claude_sync.model import IndexProgress
from claude_sync.search.filling import Filling, index_path
from claude_sync.search.index import Copy, Index, KnownSession, Place
from claude_sync.search.lines import FileLines, Line, split_lines
from claude_sync.search.marked_line import MarkedLine, marked_line
from claude_sync.search.passages import check_of, said_in
from claude_sync.search.reading import look_without_waiting
from claude_sync.search.words import Asked, holds_phrases, read_asked, score, spans_of
from claude_sync.sync.context import Context
from claude_sync.values import NamedTuple

LIMIT = 20
MOST_HITS = 500
_MOST_READ = 500
"""So many passages are read at most to see whether they hold a phrase."""
_BIGGEST_PASSAGE = 9 << 20


class SearchHit(NamedTuple):
    """A session in which all that was asked for was said in one place. Texts are other people's.

    Attributes:
        session_id, title: the session.
        project_key: "" where unknown.
        directory: its working directory here, None where unknown.
        machines: names of the machines that have it.
        mtime_ns: when it was last written.
        time: when it was said, seconds since the epoch.
        speaker: who said it, "person" or "assistant"; "" where the place can't be read now.
        offset: where it stands in the transcript, for `SessionReader.page_after`.
        line: the line with the words marked; nothing where the place can't be read now.
        places: in how many places of the session it was said, at least.
    """

    session_id: str
    title: str
    project_key: str
    directory: Path | None
    machines: tuple[str, ...]
    mtime_ns: int
    time: int
    speaker: str
    offset: int
    line: MarkedLine
    places: int


class SearchAnswer(NamedTuple):
    """What was found.

    Attributes:
        hits: the newest first, one a session.
        more: whether there are more than were asked for.
    """

    hits: tuple[SearchHit, ...]
    more: bool = False


def update_index(context: Context, *, seconds: float = 60.0) -> IndexProgress:
    """Read what is new into the index, for as long as that may take.

    Args:
        context: what to work with; one for reading only is enough.
        seconds: how long at most, about.

    Returns:
        how far it is now.

    Raises:
        SearchError: the index can't be used now, or isn't wanted.
        ClaudeHomeError: Claude Code's folder can't be read.
        Stopped: `context` said so.
    """
    check_wanted(context)
    end = time.monotonic() + seconds
    with closing(Filling(context, lambda: look_without_waiting(context))) as filling:
        filling.look()
        while filling.has_work and time.monotonic() < end:
            context.check()
            try:
                filling.step(lambda: time.monotonic() >= end)
            except TransportError:
                break  # what could be read is in it
        return filling.progress()


def search_sessions(
    context: Context,
    text: str,
    *,
    project: str | None = None,
    machine: str | None = None,
    limit: int = LIMIT,
) -> SearchAnswer:
    """Find the sessions in which something was said.

    What is new since the index was filled last isn't found: see `update_index`.

    Args:
        context: what to work with; one for reading only is enough.
        text: words that must all occur, the last one perhaps as a beginning; "words between
            quotation marks" must follow one another.
        project: a project's key; None for all.
        machine: a machine that has the session; None for any.
        limit: how many sessions at most.

    Raises:
        SearchError: the index can't be used now, or isn't wanted.
        Stopped: `context` said so.
    """
    check_wanted(context)
    limit = min(max(1, limit), MOST_HITS)
    with closing(Index(index_path(context))) as index:
        asked = read_asked(text, index.terms)
        if not asked.query:
            return SearchAnswer(())
        condition, values = _condition(project, machine)
        each = bool(asked.phrases)
        places = index.find(
            asked.query,
            condition,
            values,
            each=each,
            limit=_MOST_READ if each else limit + 1,
        )
        reading = _Passages(context, index)
        found: dict[int, SearchHit] = {}
        for place, count in places:
            context.check()
            known = found.get(place.session)
            if known is None and len(found) > limit:
                continue
            turns = reading.turns(place) if known is None or each else []
            if each and not holds_phrases(asked, "\n".join(turn.text for turn in turns)):
                continue
            if known is not None:
                found[place.session] = known._replace(places=known.places + 1)
            else:
                found[place.session] = _hit(index, place, count, turns, asked)
    hits = tuple(found.values())
    return SearchAnswer(hits[:limit], more=len(hits) > limit)


def check_wanted(context: Context) -> None:
    """Whether there is to be an index.

    Raises:
        SearchError: the person doesn't want one.
    """
    if not context.preferences.search:
        raise SearchError(
            "what was said can't be searched, for that is turned off",
            todo="turn it on with `claude-sync config set search true`",
        )


def _condition(project: str | None, machine: str | None) -> tuple[str, list[str]]:
    conditions, values = ["1"], []
    if project is not None:
        conditions.append("session.project_key = ?")
        values.append(project)
    if machine is not None:
        conditions.append(
            "EXISTS (SELECT 1 FROM copy WHERE copy.session = session.no"
            " AND lower(copy.machine) = lower(?))"
        )
        values.append(machine)
    return " AND ".join(conditions), values


def _hit(index: Index, place: Place, count: int, turns: Sequence[Turn], asked: Asked) -> SearchHit:
    session: KnownSession = index.session(place.session)
    machines = sorted({copy.machine for copy in index.copies(place.session)})
    best = max(turns, key=lambda one: score(asked, one.text), default=None)
    line = MarkedLine("")
    if best is not None:
        line = marked_line(best.text, spans_of(asked, best.text))
    return SearchHit(
        session_id=session.id,
        title=session.title,
        project_key=session.project_key,
        directory=Path(session.directory) if session.directory is not None else None,
        machines=tuple(machines),
        mtime_ns=session.mtime_ns,
        time=place.time,
        speaker=best.speaker if best is not None else "",
        offset=best.offset if best is not None else place.start,
        line=line,
        places=count,
    )


# --- the text at a place -----------------------------------------------------------------------


class _Passages:
    """Reads what was said at a place, out of whatever copy of the session can be read."""

    def __init__(self, context: Context, index: Index) -> None:
        self._context = context
        self._index = index

    def turns(self, place: Place) -> list[Turn]:
        """What was said there; nothing where it can't be read now, or isn't there any more."""
        if place.length > _BIGGEST_PASSAGE:
            return []
        copies = self._index.copies(place.session)
        copies.sort(key=lambda one: not os.path.isabs(one.place))
        for copy in copies:
            read = self._of_file if os.path.isabs(copy.place) else self._of_bundle
            with suppress(SessionError, BundleError, TransportError, OSError):
                lines = list(split_lines([read(copy, place)], place.start))
                if check_of(lines) == place.sum:
                    return list(_said(lines))
        return []

    def _of_file(self, copy: Copy, place: Place) -> bytes:
        with FileLines(Path(copy.place)) as lines:
            return lines.read(place.start, place.length)

    def _of_bundle(self, copy: Copy, place: Place) -> bytes:
        store_id, _, name = copy.place.partition("/")
        if place.encoded is None or not copy.bit & place.copies:
            return b""
        if store_id != self._context.preferences.store_id:
            return b""
        store = self._context.store
        bundle = store.remembered(name)
        if bundle is None or not bundle.head.start:
            return b""
        decoder, found, at = Decoder(), b"", place.encoded
        while len(found) < place.length and at < bundle.head.encoded_size:
            size = min(place.length + (4 << 10), bundle.head.encoded_size - at)
            for block in store.encoded(bundle, at, size):
                found += decoder.feed(block)
            at += size
        return found[: place.length]


def _said(lines: Sequence[Line]) -> Iterator[Turn]:
    for line in lines:
        turn = said_in(line)
        if turn is not None:
            yield turn
