"""Open unless proven closed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from claude_sync.claude.live_sessions import (
    LiveSessions,
    System,
    is_stale,
    pid_domain,
    read_live_sessions,
    writes_live_files,
)
from claude_sync.model import LocalSession, Stamp

SESSION = "0f4c1d9e-1111-4222-8333-444455556666"
OLD_MS = int((time.time() - 3600) * 1000)
OTHER_CONTAINER = ":".join([*pid_domain().split(":")[:2], "pid:[1]"])
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


@pytest.fixture
def _stopped_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """No time passes between a session's last change and the look at it, however busy it is."""
    now_ns = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now_ns)
    monkeypatch.setattr(time, "time", lambda: now_ns / 1e9)


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
def test_a_start_that_can_not_be_compared_is_told_by_the_files_time(folder: Path) -> None:
    for start in ("Tue Nov 24", None):
        live(folder, procStart=start)
        assert is_open(folder)
        os.utime(folder / "1.json", (1e9, 1e9))
        assert not is_open(folder)


@linux
@pytest.mark.parametrize("version", ["2.1.100", "2.1.200", "2.1.332"])
def test_what_a_crash_left_behind_is_told_for_every_version_of_the_client(
    folder: Path, version: str
) -> None:
    older: dict[str, object] = {"updatedAt": None, "pidDomain": None, "status": None}
    missing: dict[str, dict[str, object]] = {
        "2.1.100": {**older, "procStart": None},
        "2.1.200": older,
        "2.1.332": {},
    }
    live(folder, pid=gone_pid(), **missing[version])
    found = read_live_sessions(folder)
    assert found.open_ids == frozenset()
    assert [one.session_id for one in found.stale] == [SESSION]
    live(folder, **missing[version])
    assert is_open(folder)


@linux
def test_a_container_that_ran_before_the_machine_was_started_is_gone(folder: Path) -> None:
    live(folder, pidDomain=OTHER_CONTAINER)
    assert is_open(folder)
    os.utime(folder / "1.json", (1e9, 1e9))
    assert not is_open(folder)
    live(folder, pidDomain="linux:another:pid:[1]")
    os.utime(folder / "1.json", (1e9, 1e9))
    assert is_open(folder)


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_off_linux_a_process_is_asked_for_whatever_domain_the_file_names(platform: str) -> None:
    system = System(platform)
    alive = {"pid": os.getpid(), "pidDomain": "x", "procStart": "1", "written": time.time()}
    assert not is_stale(alive, system)
    assert is_stale({**alive, "pid": gone_pid()}, system)
    assert is_stale({**alive, "written": 1e9}, system)


@linux
@pytest.mark.parametrize(
    "changes",
    [
        {"pidDomain": "linux:another:pid:[1]"},
        {"pidDomain": f"{OTHER_CONTAINER}"},
        {"pidDomain": 7},
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
    assert read_live_sessions(folder) == LiveSessions(told=True)


@pytest.mark.parametrize(
    ("lines", "open_now"),
    [
        ('{"type":"user","version":"2.1.332"}', False),
        ('{"type":"user","version":"2.1.100"}\n{"type":"last-prompt"}', False),
        ('{"type":"user","version":"2.1.332"}\n{"type":"user","version":"2.1.50"}', True),
        ('{"type":"user","version":"2.1.2"}', True),
        ('{"type":"user"}', True),
        ('{"type":"user","version":"next"}', True),
        ("", True),
    ],
)
def test_with_live_files_a_fresh_transcript_that_none_names_is_closed_if_its_client_writes_them(
    folder: Path, tmp_path: Path, lines: str, open_now: bool
) -> None:
    transcript = tmp_path / "t.jsonl"
    transcript.write_text(lines)
    assert writes_live_files(transcript) is not open_now
    fresh = session()._replace(path=transcript)
    assert read_live_sessions(folder).is_open(fresh) is open_now
    assert not read_live_sessions(folder).is_open(session(70)._replace(path=transcript))


@pytest.mark.usefixtures("_stopped_clock")
def test_why_a_session_counts_as_open_is_said_with_what_can_be_done(folder: Path) -> None:
    live(folder)
    assert "close it first" in read_live_sessions(folder).explain(session(99))
    live(folder, kind="bg")
    assert "`claude stop 0f4c1d9e`" in read_live_sessions(folder).explain(session(99))
    (folder / "1.json").unlink()
    why = read_live_sessions(folder).explain(session(12))
    assert re.search(r"written 12 s ago.*again in 48 s", why)
    (folder / "2.json").write_text("{")
    assert "2.json" in read_live_sessions(folder).explain(session(99))
    (folder / "2.json").unlink()
    folder.rmdir()
    folder.write_text("no folder")
    assert "can't be read" in read_live_sessions(folder).explain(session(99))


@pytest.mark.usefixtures("_stopped_clock")
def test_without_them_what_changed_in_the_last_minute_is_open(tmp_path: Path) -> None:
    found = read_live_sessions(tmp_path / "none")
    assert not found.told
    assert found.is_open(session(age_seconds=50))
    assert not found.is_open(session(age_seconds=70))
    assert not found.is_open(session(age_seconds=5), lambda local: True)
    assert found.is_open(session(age_seconds=5), lambda local: False)
