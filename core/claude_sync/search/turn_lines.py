"""Lines put together to turns: what one assistant said and called in one go is one turn.

The client writes a line for each part of an answer, and between them lines with what tools gave
back. Pure.
"""

from __future__ import annotations

from claude_sync.claude.turns import (
    ASSISTANT,
    MAX_PARTS,
    ToolCall,
    ToolResults,
    Turn,
    read_turn,
)
from claude_sync.search.lines import Line


class Gathering:
    """Turns that lines make, read in one direction.

    Args:
        backward: whether each line comes before those that were read already.

    Attributes:
        consumed: bytes of the lines that were taken.
        lines: how many they were.
    """

    def __init__(self, *, backward: bool) -> None:
        self._backward = backward
        self._turns: list[Turn] = []
        self._failed: set[str] = set()
        self.consumed = self.lines = 0

    def __len__(self) -> int:
        return len(self._turns)

    def take(self, line: Line, limit: int) -> bool:
        """Take one more line, unless it begins one turn more than there may be.

        Returns:
            whether it was taken.
        """
        read = read_turn(*_spelled(line))
        if isinstance(read, Turn):
            together = self._joined(read)
            if together is not None:
                self._turns[-1] = together
            elif len(self._turns) >= limit:
                return False
            else:
                self._turns.append(read)
        elif isinstance(read, ToolResults):
            self._failed |= read.failed
        self.consumed += line.end - line.offset
        self.lines += 1
        return True

    def _joined(self, read: Turn) -> Turn | None:
        if not self._turns:
            return None
        earlier, later = self._turns[-1], read
        if self._backward:
            earlier, later = later, earlier
        fits = len(earlier.parts) + len(later.parts) <= MAX_PARTS
        alike = earlier.speaker == later.speaker == ASSISTANT
        if not (fits and alike and earlier.subagent == later.subagent):
            return None
        time = later.time if earlier.time is None else earlier.time
        return earlier._replace(parts=earlier.parts + later.parts, end=later.end, time=time)

    def turns(self) -> tuple[Turn, ...]:
        """The turns that were read, the earliest first."""
        found = reversed(self._turns) if self._backward else self._turns
        return tuple(map(self._with_failures, found))

    def _with_failures(self, turn: Turn) -> Turn:
        if not self._failed:
            return turn
        parts = tuple(
            part._replace(failed=True)
            if isinstance(part, ToolCall) and part.call_id and part.call_id in self._failed
            else part
            for part in turn.parts
        )
        return turn._replace(parts=parts)


def _spelled(line: Line) -> tuple[bytes | None, int, int]:
    return line.data, line.offset, line.end
