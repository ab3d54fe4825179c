"""Open unless proven closed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from claude_sync.claude.live_sessions import LiveSessions, pid_domain, read_live_sessions
from claude_sync.model import LocalSession, Stamp

SESSION = "0f4c1d9e-1111-4222-8333-444455556666"
OLD_MS = int((time.time() - 3600) * 1000)
linux = pytest.mark.skipif(pid_domain() == "", reason="needs a pid domain that is known")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sessions").mkdir()
    return tmp_path / "sessions"


def live(folder: Path, **changes: object) -> None:
    said: dict[str, object] = {
        "pid": os.getpid(),
        "sessionId": SESSION,
        "procStart": start_of(os.getpid()),
        "pidDomain": pid_domain(),
        "status": "idle",
        "updatedAt": OLD_MS,
    }
    said |= changes
    (folder / "1.json").write_text(json.dumps({k: v for k, v in said.items() if v is not None}))


def start_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return "0"


def gone_pid() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    return process.pid


def is_open(folder: Path) -> bool:
    return SESSION in read_live_sessions(folder).open_ids


def session(age_seconds: float = 0) -> LocalSession:
    mtime_ns = time.time_ns() - int(age_seconds * 1e9)
    return LocalSession(SESSION, Path("x"), "p", Stamp(1, mtime_ns, 1))


def test_a_session_of_a_running_client_is_open(folder: Path) -> None:
    live(folder)
    assert is_open(folder)


@linux
def test_a_file_that_a_crashed_client_left_behind_is_stale(folder: Path) -> None:
    live(folder, pid=gone_pid())
    assert not is_open(folder)


@linux
def test_a_client_that_ended_and_was_not_waited_for_is_gone(folder: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        live(folder, pid=process.pid, procStart=start_of(process.pid))
        assert not is_open(folder)


@linux
def test_a_pid_that_another_process_has_by_now_is_stale(folder: Path) -> None:
    live(folder, procStart="1")
    assert not is_open(folder)


@linux
def test_a_start_that_can_not_be_compared_proves_nothing(folder: Path) -> None:
    live(folder, procStart="Tue Nov 24")
    assert is_open(folder)
    live(folder, procStart=None)
    assert is_open(folder)


@linux
@pytest.mark.parametrize(
    "changes",
    [
        {"pidDomain": "linux:another:pid:[1]"},
        {"pidDomain": None},
        {"updatedAt": 4_102_444_800_000},
        {"updatedAt": None},
        {"updatedAt": "now"},
        {"updatedAt": int("9" * 400)},
        {"updatedAt": float("nan")},
        {"pid": "1"},
        {"pid": True},
    ],
    ids=str,
)
def test_in_doubt_it_is_open(folder: Path, changes: dict[str, object]) -> None:
    live(folder, **({"pid": gone_pid()} | changes))
    assert is_open(folder)


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"\xff\xff", b'{"pid": 1}', b'{"pid": 1, "sessionId": 2}']
)
def test_while_a_file_can_not_be_read_every_session_counts_as_open(
    folder: Path, data: bytes
) -> None:
    (folder / "1.json").write_bytes(data)
    found = read_live_sessions(folder)
    assert found.unreadable == ("1.json",)
    assert found.is_open(session(age_seconds=9999))


def test_while_their_folder_can_not_be_read_every_session_counts_as_open(folder: Path) -> None:
    folder.rmdir()
    folder.write_text("no folder")
    assert read_live_sessions(folder).is_open(session(age_seconds=9999))


def test_a_fifo_in_the_folder_does_not_hold_us_up(folder: Path) -> None:
    os.mkfifo(folder / "1.json")
    assert read_live_sessions(folder).unreadable == ("1.json",)


def test_other_files_there_say_nothing(folder: Path) -> None:
    (folder / "notes.txt").write_text("x")
    assert read_live_sessions(folder) == LiveSessions(frozenset(), (), told=True)


def test_with_live_files_a_fresh_transcript_that_none_names_is_closed(folder: Path) -> None:
    assert not read_live_sessions(folder).is_open(session())


def test_without_them_what_changed_in_the_last_minute_is_open(tmp_path: Path) -> None:
    found = read_live_sessions(tmp_path / "none")
    assert not found.told
    assert found.is_open(session(age_seconds=50))
    assert not found.is_open(session(age_seconds=70))
    assert not found.is_open(session(age_seconds=5), lambda local: True)
    assert found.is_open(session(age_seconds=5), lambda local: False)
