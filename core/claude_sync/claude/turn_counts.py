"""Counting turns, as people measure a session: each time that a person said something is one."""

from __future__ import annotations

from collections.abc import Callable

from claude_sync.claude.compare import Extent, lines_of
from claude_sync.claude.message import PERSON, read_message
from claude_sync.disk.snapshot import open_regular


def count_turns(transcript: Extent, check: Callable[[], None] = lambda: None) -> int:
    """How many turns a transcript holds.

    Args:
        transcript: where it lies.
        check: called between blocks; raises to stop.

    Raises:
        OSError: it can't be read.
    """
    with open_regular(transcript.path) as file:
        return sum(map(_is_turn, lines_of(file, 0, transcript.size, check)))


def count_missing_turns(
    transcript: Extent, fuller: Extent, start: int, check: Callable[[], None] = lambda: None
) -> int:
    """How many turns of one transcript aren't in another.

    Args:
        transcript: the other.
        fuller: the one whose turns are counted.
        start: where the line begins in which they differ first.
        check: called between blocks; raises to stop.

    Raises:
        OSError: one can't be read.
    """
    with open_regular(transcript.path) as file:
        there = {hash(line) for line in lines_of(file, start, transcript.size, check)}
    with open_regular(fuller.path) as file:
        return sum(
            hash(line) not in there and _is_turn(line)
            for line in lines_of(file, start, fuller.size, check)
        )


def _is_turn(line: bytes) -> bool:
    if b'"user"' not in line:
        return False
    message = read_message(line)
    return message is not None and message.speaker == PERSON
