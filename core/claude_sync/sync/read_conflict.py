"""What each side of a conflict says after they diverged, for a person who has to choose.

Transcripts are read line by line from where they diverged to their ends, and only the last messages
are kept: memory grows neither with a transcript nor with one of its lines.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO

from claude_sync.claude.compare import Extent, line_start
from claude_sync.claude.message import PERSON, Message, read_message
from claude_sync.disk.snapshot import BLOCK_SIZE, open_regular
from claude_sync.errors import SessionVanished
from claude_sync.model import Side, Version
from claude_sync.sync.conflict import Conflict, ConflictKind, conflict_in, no_conflict
from claude_sync.sync.context import Context
from claude_sync.sync.judge import judge
from claude_sync.sync.survey.comparisons import Comparisons
from claude_sync.sync.survey.look import look
from claude_sync.sync.survey.survey import Survey

EXCERPTS = 40
"""So many of the last messages are kept of each side."""

LINE_BYTES = 1 << 20
"""Of a longer line only this is read: a pasted picture, an endless output."""

_EXCERPTS_BEFORE = 3
_BEFORE_BYTES = 1 << 20
_KINDS = 8


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A message, and the events that followed it until the next.

    Attributes:
        message: None where the first thing here is an event.
        events: one word for each kind of event, and how many there were.
    """

    message: Message | None
    events: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Excerpts:
    """Some messages of a transcript.

    Attributes:
        excerpts: the last ones, oldest first.
        left_out: how many came before these.
        turns: how often a person said something there.
    """

    excerpts: tuple[Excerpt, ...]
    left_out: int
    turns: int


@dataclass(frozen=True, slots=True)
class SideView:
    """One side after they diverged.

    Attributes:
        side: whose, how far it went, when it was last written.
        excerpts: the last messages there, oldest first.
        left_out: how many came before these.
        turns: how often a person said something there.
    """

    side: Side
    excerpts: tuple[Excerpt, ...]
    left_out: int
    turns: int


@dataclass(frozen=True, slots=True)
class ConflictView:
    """A conflict as it can be read.

    Attributes:
        session_id: the session.
        title: other people's text.
        project_key: "" where unknown.
        before: the last messages before they diverged.
        sides: the sides, this machine's first where it has one.
        kind: why a person has to choose.
        detail: what is wrong with a shortened one, a clause; else "".
    """

    session_id: str
    title: str
    project_key: str
    before: tuple[Excerpt, ...]
    sides: tuple[SideView, ...]
    kind: ConflictKind = ConflictKind.DIVERGED
    detail: str = ""

    @property
    def versions(self) -> frozenset[Version]:
        """What was shown."""
        return frozenset(one.side.version for one in self.sides)


def read_conflict(context: Context, session: str) -> ConflictView:
    """Read what the sides of a conflict say after they diverged.

    Args:
        context: what to work with.
        session: its id, or the beginning of it.

    Raises:
        UsageError: there is no conflict.
        SessionError, BundleError, TransportError: a side can't be read.
    """
    with context.working("comparing"):
        survey = look(context)
        session_id = survey.find(session)
        with judge(context, survey, session_id) as judgement:
            conflict = conflict_in(context, session_id, judgement)
            if conflict is None:
                raise no_conflict(session_id)
            try:
                before, sides = _read(context, conflict, judgement.comparisons)
            except OSError as error:
                raise SessionVanished(
                    f"a transcript can't be read ({error.strerror})",
                    where=session_id,
                    todo="look again",
                    passing=True,
                ) from error
        title, key = _name(survey, conflict)
    return ConflictView(
        session_id=session_id,
        kind=conflict.kind,
        detail=conflict.detail,
        title=title,
        project_key=key,
        before=before,
        sides=sides,
    )


def _name(survey: Survey, conflict: Conflict) -> tuple[str, str]:
    title, key = "", ""
    if conflict.local is not None:
        title, project = survey.row(conflict.local).title, survey.project(conflict.local)
        key = project.key if project is not None else ""
    heads = [rival.head for rival in conflict.rivals]
    return (
        title or next((head.title for head in heads), ""),
        next((head.project_key for head in heads), key),
    )


def _read(
    context: Context, conflict: Conflict, comparisons: Comparisons
) -> tuple[tuple[Excerpt, ...], tuple[SideView, ...]]:
    first, *others = [side.version for side in conflict.sides]
    common = min(
        (comparisons.with_lines(first, other).common for other in others), default=first.size
    )
    start = line_start(comparisons.extent(first), common)
    before = read_before(comparisons.extent(first), start, context.check)
    sides = []
    for side in conflict.sides:
        read = read_from(comparisons.extent(side.version), start, context.check)
        sides.append(SideView(side, read.excerpts, read.left_out, read.turns))
    return before.excerpts, tuple(sides)


def read_before(transcript: Extent, end: int, check: Callable[[], None]) -> Excerpts:
    """The last messages of a transcript before a position.

    Args:
        transcript: where it lies.
        end: where a line begins.
        check: called between blocks; raises to stop.

    Raises:
        OSError: it can't be read.
    """
    return _excerpts(_tail(transcript, end, check), _EXCERPTS_BEFORE)


def read_from(transcript: Extent, start: int, check: Callable[[], None]) -> Excerpts:
    """What a transcript says from a position on; see `read_before`."""
    return _excerpts(_lines(transcript, start, check), EXCERPTS)


# --- lines -------------------------------------------------------------------------------------


def _tail(extent: Extent, end: int, check: Callable[[], None]) -> Iterator[bytes]:
    """The last lines before a position, not more than can be read in a moment."""
    start = max(0, end - _BEFORE_BYTES)
    lines = _lines(Extent(extent.path, end), start, check)
    if start:
        # It is cut, unless a line happens to begin there.
        next(lines, None)
    yield from lines


def _lines(extent: Extent, start: int, check: Callable[[], None]) -> Iterator[bytes]:
    """The lines from a position on, each cut to what is read of it."""
    with open_regular(extent.path) as file:
        file.seek(start)
        line = bytearray()
        for block in _blocks(file, extent.size - start):
            check()
            *full, rest = block.split(b"\n")
            for piece in full:
                line += piece[: LINE_BYTES - len(line)]
                yield bytes(line)
                line.clear()
            line += rest[: LINE_BYTES - len(line)]
        if line:
            yield bytes(line)


def _blocks(file: IO[bytes], left: int) -> Iterator[bytes]:
    while left > 0 and (block := file.read(min(BLOCK_SIZE, left))):
        left -= len(block)
        yield block


# --- excerpts ----------------------------------------------------------------------------------


@dataclass(slots=True)
class _Open:
    message: Message | None
    events: dict[str, int] = field(default_factory=dict)

    def add(self, word: str) -> None:
        if word not in self.events and len(self.events) >= _KINDS:
            word = "…"
        self.events[word] = self.events.get(word, 0) + 1


def _excerpts(lines: Iterator[bytes], limit: int) -> Excerpts:
    kept: deque[_Open] = deque(maxlen=limit)
    count = turns = 0
    for line in lines:
        read = read_message(line)
        if read is None:
            continue
        turns += read.speaker == PERSON
        if read.speaker or not kept:
            kept.append(_Open(read if read.speaker else None))
            count += 1
        if not read.speaker:
            kept[-1].add(read.text)
    excerpts = tuple(Excerpt(one.message, tuple(one.events.items())) for one in kept)
    return Excerpts(excerpts, count - len(kept), turns)
