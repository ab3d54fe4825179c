"""Work beside what makes its pieces: in order, not far ahead, and raised where its turn is."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from claude_sync.disk.beside import done_beside

MAIN = threading.main_thread()


def _thread_of(piece: int) -> tuple[int, bool]:
    return piece, threading.current_thread() is MAIN


def _is_running() -> bool:
    return any(thread.name == "claude-sync beside" for thread in threading.enumerate())


@pytest.mark.parametrize("count", [0, 1, 2, 3, 50])
def test_what_is_made_comes_in_the_pieces_order(count: int) -> None:
    assert list(done_beside(lambda piece: piece * 2, range(count), worth_a_thread_from=2)) == [
        piece * 2 for piece in range(count)
    ]


def test_only_many_pieces_are_worth_a_thread() -> None:
    done = list(done_beside(_thread_of, range(5), worth_a_thread_from=3))
    assert done == [(0, True), (1, True), (2, True), (3, False), (4, False)]


def test_the_pieces_are_made_by_whoever_asks_and_not_far_ahead() -> None:
    made: list[int] = []

    def pieces() -> Iterator[int]:
        for piece in range(100):
            assert threading.current_thread() is MAIN
            made.append(piece)
            yield piece

    done = done_beside(lambda piece: piece, pieces(), worth_a_thread_from=1)
    for taken in done:
        assert len(made) <= taken + 4


def test_what_the_work_raises_is_raised_in_its_turn_and_ends_the_thread() -> None:
    def work(piece: int) -> int:
        if piece == 4:
            raise ValueError("the fifth")
        return piece

    done = done_beside(work, range(100), worth_a_thread_from=2)
    assert [next(done) for _ in range(4)] == [0, 1, 2, 3]
    with pytest.raises(ValueError, match="the fifth"):
        next(done)
    assert not _is_running()


def test_what_making_a_piece_raises_ends_the_thread() -> None:
    def pieces() -> Iterator[int]:
        yield from range(10)
        raise OSError("no more")

    done = done_beside(_thread_of, pieces(), worth_a_thread_from=1)
    with pytest.raises(OSError, match="no more"):
        list(done)
    assert not _is_running()


def test_closed_early_it_ends_the_thread() -> None:
    done = done_beside(_thread_of, range(100), worth_a_thread_from=1)
    assert [next(done), next(done)] == [(0, True), (1, False)]
    assert _is_running()
    done.close()
    assert not _is_running()
