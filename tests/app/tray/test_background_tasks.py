"""Short-lived threads: one of a name at a time, failures told, ended with the program."""

from __future__ import annotations

import threading
from concurrent.futures import Future

import pytest

from claude_sync.errors import ClaudeSyncError, Stopped
from claude_sync_app.tray.background_tasks import BackgroundTasks


@pytest.fixture
def failures() -> list[str]:
    return []


@pytest.fixture
def background_tasks(failures: list[str]) -> BackgroundTasks:
    return BackgroundTasks(lambda error: failures.append(str(error)))


def test_a_second_click_on_the_same_is_no_second_task(background_tasks: BackgroundTasks) -> None:
    go = threading.Event()
    done: list[int] = []

    def ask() -> None:
        go.wait(60)
        done.append(1)

    assert background_tasks.run("ask", ask)
    assert not background_tasks.run("ask", lambda: done.append(2))
    assert background_tasks.run("ask something else", lambda: done.append(3))
    go.set()
    background_tasks.end(10)
    assert sorted(done) == [1, 3]


def test_the_name_is_free_again_when_the_task_is_over(background_tasks: BackgroundTasks) -> None:
    done = threading.Semaphore(0)
    for _ in range(20):
        while not background_tasks.run("x", done.release):
            pass
        assert done.acquire(timeout=60)
    background_tasks.end(10)


def test_an_error_is_told_once_and_a_bug_without_its_words(
    background_tasks: BackgroundTasks, failures: list[str]
) -> None:
    def fail(error: Exception) -> None:
        raise error

    background_tasks.run(
        "a", lambda: fail(ClaudeSyncError("no terminal was found", todo="install one"))
    )
    background_tasks.run("b", lambda: fail(KeyError("a title that nobody should see")))
    background_tasks.run("c", lambda: fail(Stopped("stopped")))
    background_tasks.end(10)
    assert sorted(failures) == [
        "no terminal was found: install one",
        "something went wrong that should not have (KeyError): please report it",
    ]


def test_waiting_for_the_service_ends_with_the_program(
    background_tasks: BackgroundTasks, failures: list[str]
) -> None:
    never: Future[int] = Future()
    ended = threading.Event()

    def wait() -> None:
        try:
            background_tasks.result_of(never)
        finally:
            ended.set()

    background_tasks.run("wait", wait)
    background_tasks.end(10)
    assert ended.is_set()
    assert failures == []
    assert not background_tasks.run("late", lambda: None)


def test_a_result_and_a_failure_of_the_service_come_through(
    background_tasks: BackgroundTasks,
) -> None:
    good: Future[int] = Future()
    good.set_result(7)
    assert background_tasks.result_of(good) == 7
    bad: Future[int] = Future()
    bad.set_exception(ClaudeSyncError("no"))
    with pytest.raises(ClaudeSyncError):
        background_tasks.result_of(bad)
    timed_out: Future[int] = Future()
    timed_out.set_exception(TimeoutError())
    with pytest.raises(TimeoutError):
        background_tasks.result_of(timed_out)
    cancelled: Future[int] = Future()
    cancelled.cancel()
    with pytest.raises(Stopped):
        background_tasks.result_of(cancelled)
