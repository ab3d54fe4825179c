"""Which files of a listing have to be read: those that aren't known by their stamps. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from claude_sync.errors import BundleIncomplete, FileUnreadable
from claude_sync.model import Bundle
from claude_sync.state.cache import ProblemRow
from claude_sync.transports.base import Entry, is_same_file
from claude_sync.values import NamedTuple

_AGAIN = 100
"""How many unchanged files that end early are looked into again in one look, both their ends; and
how many that couldn't be read."""
_EMPTY = 1000
"""Of how many empty files it is remembered since when they are there; of more, nothing is."""


class ToRead(NamedTuple):
    """What a listing says against what is known.

    Attributes:
        files: what has to be read.
        changed: names of bundles that are other files by now.
        waiting: files whose bytes are in a cloud.
        forgotten: empty files of which nothing is remembered.
    """

    files: Sequence[Entry]
    changed: Sequence[str]
    waiting: Sequence[Entry]
    forgotten: Sequence[Entry]


def files_to_read(
    entries: Iterable[Entry], bundles: Mapping[str, Bundle], problems: Mapping[str, ProblemRow]
) -> ToRead:
    """Compare a listing with what is known.

    Args:
        entries: the bundles' files that lie there now.
        bundles, problems: what files were when they were looked into last, by name.
    """
    files: list[Entry] = []
    changed: list[str] = []
    incomplete: list[Entry] = []
    unreadable: list[Entry] = []
    waiting: list[Entry] = []
    empty: list[Entry] = []
    for entry in entries:
        known = bundles.get(entry.name)
        if known is not None:
            if is_same_file(known.stamp, entry.stamp):
                continue
            changed.append(entry.name)
        if entry.placeholder:
            waiting.append(entry)
            continue
        if not entry.stamp.size:
            empty.append(entry)
        if len(empty) <= _EMPTY or entry.stamp.size:
            problem = problems.get(entry.name)
            if problem is None or not is_same_file(problem.stamp, entry.stamp):
                files.append(entry)
            elif _may_fill(problem):
                incomplete.append(entry)
            elif problem.kind == FileUnreadable.__name__:
                unreadable.append(entry)
    for some in (incomplete, unreadable):
        some.sort(key=lambda entry: -problems[entry.name].since)
        files += some[:_AGAIN]
    return ToRead(files, changed, waiting, empty[_EMPTY:])


def _may_fill(known: ProblemRow) -> bool:
    """Whether a file may become a bundle without a new stamp: one that ends early, and isn't empty.

    A tool that brings it may have kept its size, and set its time, beforehand.
    """
    return known.kind == BundleIncomplete.__name__ and known.stamp.size > 0
