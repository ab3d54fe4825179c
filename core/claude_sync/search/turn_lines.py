"""Lines put together to turns: what one assistant said and called in one go is one turn.

The client writes a line for each part of an answer, and between them lines with what tools gave
back. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from claude_sync.claude.turns import (
    ASSISTANT,
    MAX_PARTS,
    Part,
    ToolCall,
    ToolResults,
    Turn,
    read_turn,
)
from claude_sync.search.lines import Line

_NONE: Mapping[str, str] = MappingProxyType({})


class Gathering:
    """Turns that lines make, read in one direction.

    Args:
        backward: whether each line comes before those that were read already.
        agents: the subagents that are known to have been set to work, by the ids of those calls.

    Attributes:
        consumed: bytes of the lines that were taken.
        lines: how many they were.
    """

    def __init__(self, agents: Mapping[str, str] = _NONE, *, backward: bool) -> None:
        self._backward = backward
        self._turns: list[Turn] = []
        self._failed: set[str] = set()
        self._agents = dict(agents)
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
            if read.agent is not None:
                self._agents.setdefault(*read.agent)
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
        return tuple(map(self._with_results, found))

    def _with_results(self, turn: Turn) -> Turn:
        if not (self._failed or self._agents):
            return turn
        return turn._replace(parts=tuple(map(self._with_result, turn.parts)))

    def _with_result(self, part: Part) -> Part:
        """A tool call with what its result told, where that was read."""
        if not isinstance(part, ToolCall) or not part.call_id:
            return part
        return part._replace(
            failed=part.call_id in self._failed, agent=self._agents.get(part.call_id, "")
        )


def _spelled(line: Line) -> tuple[bytes | None, int, int]:
    return line.data, line.offset, line.end
