"""Reading ranges of files, eight at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from email.utils import parsedate_to_datetime
from itertools import islice

from claude_sync.errors import FileGone, FileUnreadable
from claude_sync.transports.base import Ends, Get, Got, Range, is_same_file, no_ends
from claude_sync.transports.rclone.calls import Answer, Request, download
from claude_sync.transports.rclone.listing import File
from claude_sync.transports.rclone.place import Place
from claude_sync.values import NamedTuple


class _Plan(NamedTuple):
    """One file to read from.

    Attributes:
        name: of the file.
        file: what has that name, None if nothing has, or not the one that is wanted.
        pieces: the ranges, as far as the file reaches; none is empty.
    """

    name: str
    file: File | None
    pieces: Sequence[Range]


# --- whole files and ranges ----------------------------------------------------------------------


def read(place: Place, gets: Iterable[Get]) -> Iterator[Got]:
    """`Transport.read` over a place that is there."""
    planned: deque[tuple[Get, _Plan]] = deque()

    def requests() -> Iterator[Request | None]:
        for get in gets:
            plan = _plan(get, place.find(get.name))
            planned.append((get, plan))
            yield from _requests(place, plan)

    answers = _Answers(place.caller.ahead(requests()))
    try:
        while answers.more():
            get, plan = planned.popleft()
            stream = _Stream(place, get, plan, answers)
            yield Got(get.name, stream.blocks())
            stream.leave()
    finally:
        answers.close()


class _Answers:
    """The answers to requests, in their order."""

    def __init__(self, answers: Iterator[Answer | None]) -> None:
        self._answers = answers
        self._next: list[Answer | None] = []

    def more(self) -> bool:
        """Whether there is another one."""
        if not self._next:
            self._next += islice(self._answers, 1)
        return bool(self._next)

    def take(self) -> Answer | None:
        """The next one, which is there."""
        return self._next.pop() if self.more() else None

    def close(self) -> None:
        """Be done with those that are left."""
        for answer in self._next:
            if answer is not None:
                answer.close()
        self._answers.close()  # type: ignore[attr-defined]


class _Stream:
    """The bytes of one get."""

    def __init__(self, place: Place, get: Get, plan: _Plan, answers: _Answers) -> None:
        self._place = place
        self._get = get
        self._plan = plan
        self._answers = answers
        self._due = max(1, len(plan.pieces))
        self._is_left = False

    def blocks(self) -> Iterator[bytes]:
        """The bytes, in their order."""
        begun = False
        try:
            if self._plan.file is None:
                raise self._place.gone(self._get.name)
            for piece in self._plan.pieces:
                for block in _bytes_of(self._place, self._plan.file, piece, self._take()):
                    begun = True
                    yield block
        except FileGone:
            if begun or self._is_left or self._get.stamp is not None:
                raise
            self.leave()
            yield from _read_again(self._place, self._get)

    def _take(self) -> Answer:
        if self._is_left:
            raise self._place.gone(self._get.name)
        self._due -= 1
        answer = self._answers.take()
        assert answer is not None
        return answer

    def leave(self) -> None:
        """Whatever wasn't read of it isn't wanted."""
        self._is_left = True
        while self._due:
            self._due -= 1
            answer = self._answers.take()
            if answer is not None:
                answer.close()


def _read_again(place: Place, get: Get) -> Iterator[bytes]:
    """Read what has a name now: another machine may have replaced what had it."""
    file = place.find_again(get.name)
    if file is None:
        raise place.gone(get.name)
    for piece in _plan(get, file).pieces:
        answer = place.caller.call(download(*place.split(file.path), *piece))
        yield from _bytes_of(place, file, piece, answer)


def _plan(get: Get, file: File | None) -> _Plan:
    if file is None or (get.stamp is not None and not is_same_file(get.stamp, file.stamp)):
        return _Plan(get.name, None, ())
    pieces = []
    for offset, length in get.ranges:
        end = file.stamp.size if length < 0 else min(file.stamp.size, offset + length)
        if offset < end:
            pieces.append(Range(offset, end - offset))
    return _Plan(get.name, file, pieces)


def _requests(place: Place, plan: _Plan) -> Iterator[Request | None]:
    """What to ask for; None where there is nothing to ask for."""
    if plan.file is None or not plan.pieces:
        yield None
        return
    for piece in plan.pieces:
        yield download(*place.split(plan.file.path), *piece)


def _bytes_of(place: Place, file: File, piece: Range, answer: Answer) -> Iterator[bytes]:
    """The bytes of a range, exactly so many, of the file that was listed."""
    with answer:
        if not answer.is_good:
            raise place.unreadable(answer, file.path)
        place.note_readable()
        if not _is_of(answer, file):
            raise place.gone(file.path)
        left = piece.length
        for block in answer.blocks():
            left -= len(block)
            if left < 0:
                break
            yield block
        if left:
            raise place.gone(file.path)


def _is_of(answer: Answer, file: File) -> bool:
    """Whether an answer is of the file that was listed: of its size, and its time if that counts.

    A revision's name is never used again, so what has it is that revision.
    """
    total = answer.header("Content-Range").rpartition("/")[2] or answer.header("Content-Length")
    if total != str(file.stamp.size):
        return False
    if file.number or not file.stamp.mtime_ns:
        return True
    try:
        seconds = int(parsedate_to_datetime(answer.header("Last-Modified")).timestamp())
    except (ValueError, TypeError, OverflowError):
        return True
    return seconds == file.stamp.mtime_ns // 1_000_000_000


# --- both ends -----------------------------------------------------------------------------------


def ends(place: Place, names: Sequence[str], head: int, tail: int) -> Iterator[Ends]:
    """`Transport.ends` over a place that is there."""
    plans = [_plan_of_ends(name, place.find(name), head, tail) for name in names]
    answers = _Answers(
        place.caller.ahead(request for plan in plans for request in _requests(place, plan))
    )
    try:
        for plan in plans:
            taken = [answers.take() for _ in range(max(1, len(plan.pieces)))]
            try:
                yield _ends(place, plan, taken)
            except FileGone:
                yield _ends_again(place, plan.name, head, tail)
            except FileUnreadable as error:
                yield no_ends(plan.name, error)
            finally:
                for answer in taken:
                    if answer is not None:
                        answer.close()
    finally:
        answers.close()


def _plan_of_ends(name: str, file: File | None, head: int, tail: int) -> _Plan:
    size = file.stamp.size if file is not None else 0
    ranges = [Range(0, head), Range(size - tail, tail)] if size > head + tail else [Range(0, size)]
    return _plan(Get(name, ranges), file)


def _ends(place: Place, plan: _Plan, answers: Sequence[Answer | None]) -> Ends:
    if plan.file is None:
        raise place.gone(plan.name)
    parts = [b"", b""]
    for number, (piece, answer) in enumerate(zip(plan.pieces, answers, strict=False)):
        assert answer is not None
        parts[number] = b"".join(_bytes_of(place, plan.file, piece, answer))
    return Ends(plan.name, plan.file.stamp, parts[0], parts[1])


def _ends_again(place: Place, name: str, head: int, tail: int) -> Ends:
    """The ends of what has a name now."""
    plan = _plan_of_ends(name, place.find_again(name), head, tail)
    try:
        answers = place.caller.ahead(_requests(place, plan))
        return _ends(place, plan, list(answers))
    except (FileGone, FileUnreadable) as error:
        return no_ends(name, error)
