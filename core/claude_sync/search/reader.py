"""A session that is read, page by page from its end.

Nothing of it is read but what is shown: a page comes as quickly of a big session as of a small one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path

from claude_sync.claude.turns import TextPart, ToolCall, Turn, read_turn
from claude_sync.search.lines import Lines
from claude_sync.search.marked_line import MarkedLine, marked_line
from claude_sync.search.subagents import Subagent, Subagents
from claude_sync.search.turn_lines import Gathering
from claude_sync.values import NamedTuple

PAGE_TURNS = 50
MAX_PAGE_TURNS = 500
PAGE_BYTES = 8 << 20
"""A page ends at so many bytes of lines, if there is a turn in it; at four times as many anyway."""
PAGE_LINES = 20_000
"""And at so many lines: most say nothing, and a stranger's file may have millions."""


class Standing(str, Enum):
    """How a machine's copy of a session stands to the one that is read."""

    SAME = "same"
    AHEAD = "ahead"
    BEHIND = "behind"
    DIVERGED = "diverged"
    UNKNOWN = "unknown"

    def __str__(self) -> str:
        return self.value


class MachineCopy(NamedTuple):
    """A machine's copy of a session.

    Attributes:
        machine: its name; other people's text.
        here: whether it is the transcript that lies here, rather than a bundle in the store.
        size: of the transcript, bytes.
        mtime_ns: when it was last written.
        standing: how it stands to what is read, as far as that is known without reading it.
        is_read: whether it is the very one that is read.
    """

    machine: str
    here: bool
    size: int
    mtime_ns: int
    standing: Standing
    is_read: bool = False


class SessionHeader(NamedTuple):
    """What is known of a session that is read.

    Attributes:
        session_id: the session.
        title: other people's text; escape it for where it is shown.
        project_key: "" where unknown.
        directory: its working directory here, None where unknown.
        machines: the machines that have it, this one first where it has.
        read_from: name of the machine whose copy is read.
        path: the transcript that is read; None where it is read from a bundle in the store.
        size: of the transcript, bytes.
        began: when its first line was written as that says, seconds since the epoch; None where it
            doesn't.
        mtime_ns: when it was last written, 0 where unknown.
        subagent: whose transcript is read in place of the session's own, None for that; size and
            began are of what is read.
    """

    session_id: str
    title: str
    project_key: str
    directory: Path | None
    machines: tuple[MachineCopy, ...]
    read_from: str
    path: Path | None
    size: int
    began: float | None
    mtime_ns: int
    subagent: Subagent | None = None


class TurnPage(NamedTuple):
    """Some turns of a session, one after the other.

    Attributes:
        turns: the earliest first. None at all where so many lines hold none: ask on.
        before: where they begin in the transcript: ask for the page before this.
        after: where they end: ask for the page after this.
        complete: whether nothing comes before them.
        ended: whether nothing comes after them.
    """

    turns: tuple[Turn, ...]
    before: int
    after: int
    complete: bool
    ended: bool


class Found(NamedTuple):
    """Where a text occurs in a session.

    Attributes:
        offset: where the line begins in which it occurs: what the turn there is known by.
        speaker: who said it.
        time: when, seconds since the epoch, None where unknown.
        line: the text around it, on one line.
    """

    offset: int
    speaker: str
    time: float | None
    line: MarkedLine


class SessionReader:
    """A session that is read. Close it, or use it as a context manager.

    It reads what was there when it was opened; what is appended later isn't seen. Whatever reads
    raises Stopped as soon as the context that it was opened with says so.

    Args:
        header: what is known of the session.
        lines: those that are read.
        subagents: the session's, as far as they were looked for.
        discard: called once nothing more is read.
        needs_context: as the attribute.

    Attributes:
        header: what is known of the session.
        subagents: its subagents. The calls that set them to work name them in `ToolCall.agent`.
        needs_context: whether pages come through the context that it was opened with, so that only
            the thread which uses that may ask for them. Else any may, one at a time.
    """

    def __init__(
        self,
        header: SessionHeader,
        lines: Lines,
        subagents: Subagents | None = None,
        discard: Callable[[], None] = lambda: None,
        *,
        needs_context: bool,
    ) -> None:
        self.header = header
        self.subagents = Subagents() if subagents is None else subagents
        self.needs_context = needs_context
        self._lines = lines
        self._discard = discard
        self._agents = self.subagents.by_call()

    def __enter__(self) -> SessionReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close what is open, and remove what was only unpacked to be read."""
        self._lines.close()
        self._discard()

    def landmark(self, before: int) -> tuple[int, int]:
        """What lets another reader of the same copy find the page before a place at once."""
        return self._lines.near(before)

    def remember_landmark(self, place: int, encoded: int) -> None:
        """Take over what `landmark` told; one that is wrong shows wrong lines, or an error."""
        self._lines.know(place, encoded)

    def page(self, before: int | None = None, limit: int = PAGE_TURNS) -> TurnPage:
        """The turns before a place.

        Args:
            before: `TurnPage.before` of the page that follows, None for the last page of all.
            limit: how many turns at most.

        Raises:
            SessionError, BundleError, TransportError: they can't be read.
        """
        size = self._lines.size
        end = size if before is None else min(max(0, before), size)
        limit = min(max(1, limit), MAX_PAGE_TURNS)
        gathering, begin = Gathering(self._agents, backward=True), end
        for line in self._lines.back(end):
            if _is_full(gathering) or not gathering.take(line, limit):
                break
            begin = line.offset
        return TurnPage(gathering.turns(), begin, end, complete=begin <= 0, ended=end >= size)

    def page_after(self, start: int = 0, limit: int = PAGE_TURNS) -> TurnPage:
        """The turns from a place on.

        Args:
            start: `TurnPage.after` of the page before, or a turn's or a finding's offset.
            limit: how many turns at most.

        Raises:
            SessionError, BundleError, TransportError: they can't be read.
        """
        size = self._lines.size
        begin = min(max(0, start), size)
        limit = min(max(1, limit), MAX_PAGE_TURNS)
        gathering, end = Gathering(self._agents, backward=False), begin
        for line in self._lines.forward(begin):
            if _is_full(gathering) or not gathering.take(line, limit):
                break
            end = line.end
        return TurnPage(gathering.turns(), begin, end, complete=begin <= 0, ended=end >= size)

    def turns(self) -> Iterator[Turn]:
        """Every turn, the earliest first.

        Raises:
            SessionError, BundleError, TransportError: they can't be read.
        """
        gathering = Gathering(self._agents, backward=False)
        for line in self._lines.forward(0):
            if _is_full(gathering) or not gathering.take(line, MAX_PAGE_TURNS):
                yield from gathering.turns()
                gathering = Gathering(self._agents, backward=False)
                gathering.take(line, MAX_PAGE_TURNS)
        yield from gathering.turns()

    def find(self, text: str, before: int | None = None) -> Iterator[Found]:
        """Where a text occurs in what was said and in the lines of tool calls, the last first.

        Capitals don't count, and any blank stands for any other. It is looked for as it is asked
        for: take as many as are wanted.

        Args:
            text: what to look for; a blank text occurs nowhere.
            before: look before this place only, None for everywhere.

        Raises:
            SessionError, BundleError, TransportError: it can't be read.
        """
        words = text.split()
        if not words:
            return
        pattern = re.compile(r"\s+".join(map(re.escape, words)), re.IGNORECASE)
        likely = max(re.findall(r"[a-z0-9]+", text.lower()), key=len, default="").encode()
        size = self._lines.size
        for line in self._lines.back(size if before is None else min(max(0, before), size)):
            if line.data is None or not _may_hold(line.data, likely):
                continue
            turn = read_turn(line.data, line.offset, line.end)
            if not isinstance(turn, Turn) or turn.unreadable:
                continue
            for part in turn.parts:
                said = _words_of(part)
                if match := pattern.search(said):
                    shown = marked_line(said, [match.span()])
                    yield Found(turn.offset, turn.speaker, turn.time, shown)
                    break


def _is_full(gathering: Gathering) -> bool:
    most = PAGE_BYTES if len(gathering) else 4 * PAGE_BYTES
    return gathering.consumed >= most or gathering.lines >= PAGE_LINES


def _may_hold(line: bytes, word: bytes) -> bool:
    """Whether a word of plain letters may stand in a line, which is quicker said than read."""
    return word in line.lower() or b"\\u" in line


def _words_of(part: object) -> str:
    if isinstance(part, TextPart):
        return part.text
    return f"{part.name} {part.summary}" if isinstance(part, ToolCall) else ""
