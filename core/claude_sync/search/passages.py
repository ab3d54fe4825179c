"""What was said, put together to passages: what the index knows a place by. Pure.

A passage is a few lines of a transcript that follow one another. Only what persons and assistants
said is in it: nothing that tools gave back, and nothing that the client says itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from claude_sync.claude.turns import ASSISTANT, PERSON, Turn, read_turn
from claude_sync.search.lines import Line, PlacedLine
from claude_sync.values import NamedTuple

_ENOUGH_CHARACTERS = 1500
_FARTHEST = 64 << 10
"""Bytes between the beginnings of the first and the last line of a passage."""
_QUICK = (b'"user"', b'"assistant"', b'"attachment"')


class Passage(NamedTuple):
    """A passage of a transcript.

    Attributes:
        offset, end: where it begins and ends there, bytes.
        text: what was said.
        time: when the last of it was said, seconds since the epoch; 0 where unknown.
        check: a number made of all its lines, by which it is known again.
        encoded: where it begins among encoded bytes, None where that isn't known.
    """

    offset: int
    end: int
    text: str
    time: int
    check: int
    encoded: int | None = None


class Passages:
    """Makes passages of lines that follow one another."""

    def __init__(self) -> None:
        self._lines: list[PlacedLine] = []
        self._texts: list[str] = []
        self._last = self._size = self._time = 0

    def add(self, placed: PlacedLine, said: Turn | None) -> Passage | None:
        """Take one more line; the passage before it, where that ends here.

        Call `finish` after the last one.

        Args:
            placed: the line.
            said: what `turn_in` finds in it.
        """
        line = placed.line
        if said is None or not said.text:
            if self._lines:
                self._lines.append(placed)  # it may stand between two that belong together
            return None
        is_far = bool(self._lines) and line.offset - self._lines[0].line.offset > _FARTHEST
        done = self.finish() if is_far or self._size >= _ENOUGH_CHARACTERS else None
        self._lines.append(placed)
        self._texts.append(said.text)
        self._size += len(said.text)
        if said.time is not None:
            self._time = max(self._time, int(said.time))
        self._last = len(self._lines)
        return done

    def finish(self) -> Passage | None:
        """The passage that the lines make which were taken since the last one."""
        lines = [one.line for one in self._lines[: self._last]]
        encoded = self._lines[0].encoded if self._lines else -1
        text, moment = "\n".join(self._texts), self._time
        self._lines, self._texts = [], []
        self._last = self._size = self._time = 0
        if not lines:
            return None
        return Passage(
            offset=lines[0].offset,
            end=lines[-1].end,
            text=text,
            time=moment,
            check=check_of(lines),
            encoded=encoded if encoded >= 0 else None,
        )


class TurnCount(NamedTuple):
    """How many turns lines make that follow one another, as who reads them sees them.

    What an assistant says and calls between two turns of a person's is one; what subagents say, and
    the client itself, is none.

    Attributes:
        number: how many.
        answering: whether the last is the assistant's, so that what it says next is of it.
    """

    number: int = 0
    answering: bool = False

    def after(self, turn: Turn) -> TurnCount:
        """The count with one more line, in which something was said."""
        if turn.subagent:
            return self
        answering = turn.speaker == ASSISTANT
        goes_on = answering and self.answering
        return self if goes_on else TurnCount(self.number + 1, answering)


def said_in(line: Line) -> Turn | None:
    """What a person or an assistant said in a line, None where neither said anything."""
    turn = turn_in(line)
    return turn if turn is not None and turn.text else None


def turn_in(line: Line) -> Turn | None:
    """What a person or an assistant said or did in a line: a call of a tool, a picture, too."""
    data = line.data
    if data is None or not any(word in data for word in _QUICK):
        return None
    turn = read_turn(data, line.offset, line.end)
    if not isinstance(turn, Turn) or turn.speaker not in (PERSON, ASSISTANT):
        return None
    return turn


def check_of(lines: Iterable[Line]) -> int:
    """A number made of lines, the same for the same ones; it fits a database's."""
    digest = hashlib.blake2b(digest_size=8)
    for line in lines:
        digest.update(b"%d\n" % (line.end - line.offset) if line.data is None else line.data)
        digest.update(b"\n")
    return int.from_bytes(digest.digest(), "big", signed=True)
