"""Work on one piece after the other, done on a thread beside what makes the pieces.

For work that lets go of Python's lock, as hashing, compressing and encryption do: on a second core
it then costs next to nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from itertools import islice
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from queue import SimpleQueue

Piece = TypeVar("Piece")
Made = TypeVar("Made")

_MOST_AHEAD = 3


def done_beside(
    work: Callable[[Piece], Made], pieces: Iterable[Piece], *, worth_a_thread_from: int
) -> Generator[Made, None, None]:
    """What a function makes of each piece, in their order.

    The pieces are made by whoever asks for what is made of them; at most three are ahead of that,
    so memory doesn't grow. What the function raises is raised where its piece's turn is. To be
    used to its end, or closed.

    Args:
        work: the function; called by one thread at a time.
        pieces: what it is given.
        worth_a_thread_from: how many pieces are worked on before a thread is started.
    """
    pieces = iter(pieces)
    for piece in islice(pieces, worth_a_thread_from):
        yield work(piece)
    beside: _Beside[Piece, Made] | None = None
    try:
        for piece in pieces:
            beside = beside or _Beside(work)
            beside.give(piece)
            if beside.waiting > _MOST_AHEAD:
                yield beside.take()
        while beside is not None and beside.waiting:
            yield beside.take()
    finally:
        if beside is not None:
            beside.end()


class _Beside(Generic[Piece, Made]):
    """A thread that works on what it is given.

    Attributes:
        waiting: how many pieces it was given of which nobody took what it made.
    """

    def __init__(self, work: Callable[[Piece], Made]) -> None:
        # Imported only now: most files are small.
        import threading
        from queue import SimpleQueue

        self._given: SimpleQueue[tuple[Piece] | None] = SimpleQueue()
        self._made: SimpleQueue[Made | _Raised] = SimpleQueue()
        self.waiting = 0
        self._thread = threading.Thread(
            target=_work,
            args=(work, self._given, self._made),
            name="claude-sync beside",
            daemon=True,
        )
        self._thread.start()

    def give(self, piece: Piece) -> None:
        self._given.put((piece,))
        self.waiting += 1

    def take(self) -> Made:
        made = self._made.get()
        self.waiting -= 1
        if isinstance(made, _Raised):
            raise made.error
        return made

    def end(self) -> None:
        self._given.put(None)
        self._thread.join()


class _Raised:
    """What the work raised, in the place of what it would have made."""

    def __init__(self, error: BaseException) -> None:
        self.error = error


def _work(
    work: Callable[[Piece], Made],
    given: SimpleQueue[tuple[Piece] | None],
    made: SimpleQueue[Made | _Raised],
) -> None:
    """What the thread does."""
    while (one := given.get()) is not None:
        try:
            made.put(work(*one))
        except BaseException as error:  # noqa: BLE001 -- raised again where its piece is waited for
            made.put(_Raised(error))
