"""Asking the script for ends, ranges and digests of files: batches, each in one answer.

An answer has the stamps of its files, their bytes one after the other, and their stamps again. If
the two differ, something wrote into a file meanwhile: nothing in the batch can be separated then,
and each of its files is asked for alone.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from claude_sync.model import Stamp
from claude_sync.transports.base import Ends, Get, Range, is_same_file
from claude_sync.transports.ssh.answers import stamp_from
from claude_sync.transports.ssh.errors import store_refused
from claude_sync.transports.ssh.script import spelled
from claude_sync.transports.ssh.session import Session
from claude_sync.values import NamedTuple

NAMES_AT_ONCE = 100
BYTES_AT_ONCE = 1 << 20
_STAMP_BYTES = 256
_ANY_SIZE = (1 << 63) - 1
_REQUESTS_AHEAD = 4
UNREADABLE = "!"
"""What marks a file that is there and may not be read."""
_WITHOUT_STAMP = "-" + UNREADABLE

_Batch = TypeVar("_Batch")


class Files(NamedTuple):
    """What the script says of a batch's files before it gives their bytes.

    Attributes:
        marks: for each file ``+``, ``~`` where its size isn't the expected one, ``-`` where it
            is no plain file, ``!`` where it may not be read.
        lines: the stamps of the first two kinds, as they came.
        total: bytes that follow.
    """

    marks: str
    lines: list[bytes]
    total: int

    @property
    def stamps(self) -> list[Stamp | None]:
        """Of each file; None where there is none."""
        lines = iter(self.lines)
        return [
            None if mark in _WITHOUT_STAMP else stamp_from(next(lines, b"")) for mark in self.marks
        ]

    def is_settled(self, after: list[bytes]) -> bool:
        """Whether the files were the same before and after."""
        there = sum(mark not in _WITHOUT_STAMP for mark in self.marks)
        return self.lines == after and len(after) == there


def answer_words(session: Session, where: str) -> list[str]:
    """The words of an answer, unless they say that the store can't be used.

    Raises:
        StoreOffline, StoreDenied: it can't.
    """
    words = session.words()
    check_store(words, where)
    if not words:
        raise session.nonsense()
    return words


def check_store(words: Sequence[str], where: str) -> None:
    """Make sure that these words don't say that the store can't be used.

    Raises:
        StoreOffline, StoreDenied: they do.
    """
    error = store_refused(words[1], where) if len(words) > 1 and words[0] == "no" else None
    if error is not None:
        raise error


def ahead(
    session: Session, batches: Iterable[_Batch], request: Callable[[_Batch], bytes]
) -> Iterator[_Batch]:
    """Send requests ahead; each batch in its turn, when its answer is the next to come."""
    waiting: deque[_Batch] = deque()
    for batch in batches:
        session.send(request(batch))
        waiting.append(batch)
        if len(waiting) >= _REQUESTS_AHEAD:
            yield waiting.popleft()
    while waiting:
        yield waiting.popleft()


def read_files(session: Session, kind: str, count: int, where: str, most: int) -> Files:
    """The first part of an answer about so many files.

    Args:
        session: nothing else uses it meanwhile.
        kind: the answer's first word.
        count: how many files were asked for.
        where: for errors.
        most: how many bytes of them were asked for.

    Raises:
        TransportError: the store can't be used, or the answer makes no sense.
    """
    words = answer_words(session, where)
    if len(words) != 3 or words[0] != kind or not re.fullmatch(r"=[-+~!]*", words[1]):
        raise session.nonsense()
    if len(words[1]) != count + 1 or not re.fullmatch(r"[0-9]{1,18}", words[2]):
        raise session.nonsense()
    files = Files(words[1][1:], read_stamps(session, count), int(words[2]))
    if files.total > most:
        raise session.nonsense()
    return files


def read_stamps(session: Session, count: int) -> list[bytes]:
    """The lines up to the dot, without empty ones; of so many files there are no more of them."""
    most = count + 1  # an empty one where there is no file
    return [line for line in session.lines(most, most * _STAMP_BYTES) if line]


def bytes_asked(gets: Sequence[Get]) -> int:
    """How many bytes gets can bring; of a file of unknown size, as many as it has."""
    return sum(
        length_of(get.ranges, _ANY_SIZE if get.stamp is None else get.stamp.size) for get in gets
    )


# --- ends --------------------------------------------------------------------------------------


def ends_request(names: Sequence[str], head: int, tail: int) -> bytes:
    """Ask for both ends of files whose names are usable."""
    lines = [f"F {head} {tail} {len(names)}", *map(spelled, names)]
    return "".join(f"{line}\n" for line in lines).encode()


def cut_ends(
    names: Sequence[str], files: Files, data: bytes, head: int, tail: int
) -> dict[str, Ends]:
    """Cut all heads and then all tails of settled files apart."""
    there = [(n, s) for n, s in zip(names, files.stamps, strict=True) if s is not None]
    heads: dict[str, bytes] = {}
    at = 0
    for name, stamp in there:
        heads[name] = data[at : at + min(head, stamp.size)]
        at += min(head, stamp.size)
    found: dict[str, Ends] = {}
    for name, stamp in there:
        end = data[at : at + min(tail, stamp.size)]
        at += len(end)
        if stamp.size <= head + tail:
            twice = len(heads[name]) + len(end) - stamp.size
            found[name] = Ends(name, stamp, heads[name] + end[twice:], b"")
        else:
            found[name] = Ends(name, stamp, heads[name], end)
    return found


# --- ranges ------------------------------------------------------------------------------------


def gets_request(letter: str, gets: Sequence[Get]) -> bytes:
    """Ask for ranges (``G``) or digests (``K``) of files whose names are usable."""
    lines = [f"{letter} {len(gets)}"]
    for get in gets:
        size = -1 if get.stamp is None else get.stamp.size
        lines.append(spelled(get.name))
        lines.append(" ".join(map(str, [size, *(n for piece in get.ranges for n in piece)])))
    return "".join(f"{line}\n" for line in lines).encode()


class Stream:
    """The answer to one get, waited for only once something of it is wanted.

    Every method raises TransportError if the store can't be used, the answer makes no sense or the
    connection is lost.

    Args:
        session: nothing else uses it meanwhile.
        asked: the get, or none where its name isn't usable.
        where: for errors.
    """

    def __init__(self, session: Session, asked: Sequence[Get], where: str) -> None:
        self._session = session
        self._asked = asked
        self._where = where
        self._files: Files | None = None
        self._pieces: Iterator[bytes] = iter(())
        self._settled: bool | None = None
        self._lost = False

    def is_wanted(self) -> bool:
        """Whether the file that the script found is the one that was asked for."""
        files = self._begin()
        return any(is_wanted(get, files.marks, files.stamps[0]) for get in self._asked)

    @property
    def mark(self) -> str:
        """What the script says of the file."""
        return self._begin().marks

    def pieces(self) -> Iterator[bytes]:
        """Its bytes; those that aren't taken are skipped at the end."""
        self._begin()
        return self._pieces

    def finish(self) -> bool:
        """Skip what is left of it; whether all of it was taken, and the file the same meanwhile."""
        if self._settled is None and not self._lost:
            files = self._begin()
            taken = not any(self._pieces)
            for _ in self._pieces:
                pass
            self._settled = files.is_settled(read_stamps(self._session, len(self._asked))) and taken
        return bool(self._settled)

    def _begin(self) -> Files:
        if self._files is None:
            # What comes instead of an answer leaves nothing to be skipped.
            self._lost = True
            count = len(self._asked)
            asked = bytes_asked(self._asked)
            self._files = read_files(self._session, "gets", count, self._where, asked)
            self._pieces = self._session.counted(self._files.total)
            self._lost = False
        return self._files


def expected(get: Get) -> int:
    """About how many bytes a get will bring; more than a batch if unknown."""
    size = BYTES_AT_ONCE if get.stamp is None else get.stamp.size
    return sum(size - piece.offset if piece.length < 0 else piece.length for piece in get.ranges)


def gathered(gets: Iterable[Get]) -> Iterator[list[Get]]:
    """Gets in batches: many small ones, or a single big one."""
    batch: list[Get] = []
    total = 0
    for get in gets:
        size = expected(get)
        if batch and (len(batch) >= NAMES_AT_ONCE or total + size > BYTES_AT_ONCE):
            yield batch
            batch, total = [], 0
        batch.append(get)
        total += size
    if batch:
        yield batch


def length_of(ranges: Sequence[Range], size: int) -> int:
    """Bytes that ranges have in a file of that size."""
    total = 0
    for offset, length in ranges:
        left = max(0, size - offset)
        total += left if length < 0 else min(length, left)
    return total


def is_wanted(get: Get, mark: str, stamp: Stamp | None) -> bool:
    """Whether the file that the script found is the one that was asked for."""
    return (
        mark == "+" and stamp is not None and (get.stamp is None or is_same_file(get.stamp, stamp))
    )
