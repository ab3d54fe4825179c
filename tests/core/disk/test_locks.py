from __future__ import annotations

import errno
import itertools
import math
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from claude_sync.disk import locks
from claude_sync.disk.locks import Holder, Lock
from claude_sync.errors import LockBusy, RecordsError, Stopped
from failing_calls import failing

HOLDER = """
import sys
from pathlib import Path
from claude_sync.disk.locks import Lock
with Lock(Path(sys.argv[1]), sys.argv[2]):
    print("held", flush=True)
    sys.stdin.read()
"""
COUNTER = """
import sys
from pathlib import Path
from claude_sync.disk.locks import Lock
import itertools
lock, counter = Path(sys.argv[1]), Path(sys.argv[2])
for _ in range(50):
    with Lock(lock, "counting", patience_seconds=60):
        counter.write_text(str(int(counter.read_text()) + 1))
"""

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "lock"


@pytest.fixture
def hold(path: Path) -> Iterator[Start]:
    """Starts processes that hold the lock until they are ended."""
    started: list[subprocess.Popen[str]] = []

    def start(purpose: str = "pushing") -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(path), purpose],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        return process

    yield start
    for process in started:
        process.kill()
        with process:
            pass


def test_a_busy_lock_says_who_holds_it(path: Path, hold: Start) -> None:
    process = hold("pushing")
    with pytest.raises(LockBusy) as caught:
        Lock(path, "pulling").acquire()
    assert f"another claude-sync (pid {process.pid}, pushing) is at work" in str(caught.value)
    assert caught.value.passing


def test_a_lock_is_gone_with_a_holder_that_was_killed(path: Path, hold: Start) -> None:
    process = hold()
    process.kill()
    process.wait()
    lock = Lock(path, "pulling")
    lock.acquire()
    assert lock.holder() == Holder(os.getpid(), "pulling")
    lock.release()


def test_a_waiting_opener_gets_the_lock_when_the_holder_ends(path: Path, hold: Start) -> None:
    process = hold()
    lock = Lock(path, "pulling")
    got = threading.Event()

    def wait_for_it() -> None:
        lock.acquire(math.inf)
        got.set()
        lock.release()

    waiter = threading.Thread(target=wait_for_it)
    waiter.start()
    assert not got.wait(0.1)
    assert process.stdin is not None
    process.stdin.close()
    assert got.wait(60)
    waiter.join()


def test_waiting_ends_when_it_is_asked_to(path: Path, hold: Start) -> None:
    hold()
    asked = iter([False, False, True])
    with pytest.raises(Stopped):
        Lock(path, "pulling").acquire(60, stop=lambda: next(asked))


def test_waiting_ends_with_its_time(path: Path, hold: Start) -> None:
    hold()
    asked = itertools.count()

    def look() -> bool:
        next(asked)
        return False

    with pytest.raises(LockBusy):
        Lock(path, "pulling").acquire(0.2, stop=look)
    assert next(asked) > 1


def test_two_processes_never_hold_it_together(path: Path, tmp_path: Path) -> None:
    counter = tmp_path / "counter"
    counter.write_text("0")
    processes = [
        subprocess.Popen([sys.executable, "-c", COUNTER, str(path), str(counter)]) for _ in range(4)
    ]
    assert [process.wait(60) for process in processes] == [0] * 4
    assert counter.read_text() == "200"


def test_a_second_opener_leaves_the_holders_words_alone(path: Path, hold: Start) -> None:
    process = hold("watching")
    for _ in range(3):
        with pytest.raises(LockBusy):
            Lock(path, "x" * 100).acquire()
    assert Lock(path, "").holder() == Holder(process.pid, "watching")


def test_two_threads_with_a_lock_each_exclude_each_other(path: Path) -> None:
    with Lock(path, "pushing"), pytest.raises(LockBusy):
        Lock(path, "pulling").acquire()


def test_within_one_object_the_lock_nests(path: Path) -> None:
    lock = Lock(path, "resolving")
    with lock:
        with lock:
            assert lock.held
        assert lock.held
        with pytest.raises(LockBusy):
            Lock(path, "pulling").acquire()
    assert not lock.held
    Lock(path, "pulling").acquire()


def test_letting_go_twice_is_no_error(path: Path) -> None:
    lock = Lock(path, "pushing")
    lock.acquire()
    lock.release()
    lock.release()
    assert lock.holder() is None


def test_a_file_that_was_removed_meanwhile_locks_nobody_out(path: Path, hold: Start) -> None:
    hold()
    if os.name == "nt":  # keeps an open file from being removed
        with pytest.raises(PermissionError):
            path.unlink()
        return
    path.unlink()
    first = Lock(path, "pulling")
    first.acquire()
    with pytest.raises(LockBusy) as caught:
        Lock(path, "pushing").acquire()
    assert str(os.getpid()) in str(caught.value)
    path.unlink()
    first.release()
    with Lock(path, "pushing"):
        assert path.exists()


def test_a_file_that_is_removed_between_opening_and_locking_is_opened_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock_it = locks._lock
    descriptors: list[int] = []

    def remove_then_lock(descriptor: int, place: Path) -> bool:
        if not descriptors and os.name == "posix":
            place.unlink()
        descriptors.append(descriptor)
        return lock_it(descriptor, place)

    monkeypatch.setattr(locks, "_lock", remove_then_lock)
    with Lock(path, "pushing"), pytest.raises(LockBusy):
        Lock(path, "pulling").acquire()
    assert len(descriptors) == (3 if os.name == "posix" else 2)


def test_a_program_that_is_started_meanwhile_does_not_keep_the_lock(path: Path) -> None:
    sleeper = [sys.executable, "-c", "import sys; print('up', flush=True); sys.stdin.read()"]
    with Lock(path, "pushing"):
        # close_fds=False: only close-on-exec stands between the child and the lock.
        process = subprocess.Popen(
            sleeper, stdin=subprocess.PIPE, stdout=subprocess.PIPE, close_fds=False
        )
        assert process.stdout is not None
        process.stdout.readline()
    Lock(path, "pulling").acquire()
    process.communicate()


def test_the_lock_file_is_private_and_stays(path: Path) -> None:
    with Lock(path, "pushing"):
        pass
    assert path.read_bytes() == b""
    if os.name == "posix":
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    "words",
    [
        b"",
        b"{",
        b"[]",
        b"7",
        b'{"pid": 1}',
        b'{"pid": "1", "purpose": "x"}',
        b'{"pid": 1, "purpose": "\\u001b[2J"}',
        b"[" * 600,
        b"\xff" * 600,
    ],
)
def test_words_that_make_no_sense_are_not_repeated(path: Path, words: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(words)
    assert Lock(path, "pulling").holder() is None
    with Lock(path, "pushing") as lock:
        assert lock.holder() == Holder(os.getpid(), "pushing")


@pytest.mark.parametrize("kind", ["directory", "link", "below a file"])
def test_a_place_where_no_lock_can_be_is_named(path: Path, kind: str) -> None:
    if kind == "below a file":
        path.parent.write_text("")
    else:
        path.parent.mkdir()
    if kind == "directory":
        path.mkdir()
    if kind == "link":
        path.symlink_to("elsewhere")
    with pytest.raises(RecordsError, match="lock file can't be opened"):
        Lock(path, "pushing").acquire()
    assert not (path.parent / "elsewhere").exists()


def test_a_lock_ends_with_a_holder_that_is_interrupted(path: Path, hold: Start) -> None:
    process = hold()
    process.send_signal(signal.SIGTERM)
    process.wait()
    with Lock(path, "pulling"):
        pass


@pytest.mark.parametrize("code", [errno.EIO, errno.EACCES, errno.ESTALE])
def test_a_lock_whose_file_can_not_be_looked_at_is_said_and_not_held(path: Path, code: int) -> None:
    with Lock(path, "pushing"):
        pass
    lock = Lock(path, "pulling")
    with failing(path, code, "stat"), pytest.raises(RecordsError, match="can't be read"):
        lock.acquire()
    assert not lock.held
    with lock:
        assert lock.held


@pytest.mark.skipif(os.name == "nt", reason="Windows locks otherwise")
def test_what_can_not_be_written_of_a_lock_does_not_keep_it_from_being_let_go(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    def fails(*_: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    lock = Lock(path, "pushing")
    lock.acquire()
    with monkeypatch.context() as patch:
        patch.setattr(fcntl, "flock", fails)
        patch.setattr(os, "write", fails)
        lock.release()
    with Lock(path, "pulling"):
        pass
