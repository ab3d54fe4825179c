"""What was done here is written down once, kept a month, bounded, and never in anybody's way."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from claude_sync.errors import RecordsTooNew
from claude_sync.state import activity
from claude_sync.state.activity import ASIDE_MARK, KEEP_DAYS, Activity, ActivityLog

DAY_NS = 86_400 * 10**9
SESSION = "0f4c1d9e-1111-4222-8333-444455556666"
OTHER = "1a2b3c4d-1111-4222-8333-444455556666"


@pytest.fixture
def log(tmp_path: Path) -> ActivityLog:
    return ActivityLog(tmp_path / "state" / "activity.sqlite")


def pushed(session: str = SESSION, at_ns: int = 0, **more: object) -> Activity:
    return Activity(at_ns or time.time_ns(), "push", "pushed", session, **more)  # type: ignore[arg-type]


def failed(message: str = "the disk is full", session: str = SESSION, at_ns: int = 0) -> Activity:
    return Activity(
        at_ns or time.time_ns(), "push", "failed", session, code="StoreFull", message=message
    )


def shown(log: ActivityLog) -> list[tuple[str, str]]:
    return [(entry.verb, entry.outcome) for entry in log.entries()]


def test_it_comes_back_newest_first_as_it_was_written(log: ActivityLog) -> None:
    one = pushed(project_key="git:example.org/you/app", machine="laptop", bytes=12)
    two = Activity(one.at_ns + 1, "pull", "replaced", OTHER, machine="desktop", by_itself=True)
    assert log.write([one, two])
    found = log.entries()
    assert [entry._replace(number=0) for entry in found] == [
        two._replace(since_ns=two.at_ns),
        one._replace(since_ns=one.at_ns),
    ]
    assert log.entries(1) == found[:1]
    assert log.entries(before=found[0].number) == found[1:]
    assert log.entries(session=SESSION) == found[1:]


def test_nothing_makes_no_file(log: ActivityLog) -> None:
    assert log.write([])
    assert log.entries() == []
    assert not log.path.parent.exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_nobody_else_reads_it(log: ActivityLog) -> None:
    log.write([pushed()])
    assert log.path.stat().st_mode & 0o777 == 0o600
    assert log.path.parent.stat().st_mode & 0o777 == 0o700


def test_what_is_older_than_a_month_goes(log: ActivityLog) -> None:
    now = time.time_ns()
    log.write([pushed(at_ns=now - (KEEP_DAYS + 1) * DAY_NS)])
    assert log.entries() == []
    log.write([pushed(OTHER, at_ns=now)])
    with sqlite3.connect(log.path) as db:
        assert db.execute("SELECT session FROM activity").fetchall() == [(OTHER,)]
    db.close()


def test_it_goes_though_nothing_is_written_any_more(log: ActivityLog) -> None:
    log.tidy()
    assert not log.path.exists()
    log.write([pushed(at_ns=time.time_ns() - (KEEP_DAYS + 1) * DAY_NS)])
    log.tidy()
    with sqlite3.connect(log.path) as db:
        assert db.execute("SELECT count(*) FROM activity").fetchone() == (0,)
    db.close()
    log.path.write_bytes(b"no database")
    log.tidy()


def test_only_so_many_entries_stay(log: ActivityLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activity, "MOST_ENTRIES", 10)
    log.write(
        Activity(time.time_ns(), "pull", "updated", f"{number:08x}{SESSION[8:]}")
        for number in range(25)
    )
    assert [int(entry.session_id[:8], 16) for entry in log.entries()] == list(range(24, 14, -1))


def test_a_long_sentence_and_a_strange_name_are_cut(log: ActivityLog) -> None:
    log.write([failed("x" * 10_000)._replace(machine="\ud800" * 1_000)])
    (entry,) = log.entries()
    assert len(entry.message) == len(entry.machine) == 400


def test_pushes_of_one_session_within_an_hour_are_one_entry(log: ActivityLog) -> None:
    start = time.time_ns() - 2 * 3_600 * 10**9
    minutes = [start + minute * 60 * 10**9 for minute in (0, 10, 20, 61)]
    for at_ns in minutes:
        log.write([pushed(at_ns=at_ns, bytes=5, by_itself=True)])
    log.write([pushed(at_ns=minutes[-1] + 1, bytes=5, by_itself=False)])
    found = [(entry.times, entry.bytes, entry.since_ns) for entry in log.entries()]
    assert found == [(1, 5, minutes[-1] + 1), (1, 5, minutes[-1]), (3, 15, start)]


def test_a_failure_that_stands_is_said_once(log: ActivityLog) -> None:
    log.write([failed()])
    log.write([failed(), pushed(OTHER)])
    log.write([failed("it isn't there")])
    log.write([failed("it isn't there"), pushed(), failed("it isn't there")])
    outcomes = [(entry.outcome, entry.message, entry.session_id) for entry in log.entries()]
    assert outcomes == [
        ("failed", "it isn't there", SESSION),
        ("pushed", "", SESSION),
        ("failed", "it isn't there", SESSION),
        ("pushed", "", OTHER),
        ("failed", "the disk is full", SESSION),
    ]


def test_an_outage_is_said_once_and_again_after_the_store_was_there(log: ActivityLog) -> None:
    now = time.time_ns()
    out = Activity(now, "watch", "failed", code="StoreOffline", message="no network")
    back = Activity(now, "watch", "reachable")
    log.write([out])
    log.write([out, pushed()])
    log.write([out, back, out])
    assert shown(log) == [
        ("watch", "failed"),
        ("watch", "reachable"),
        ("push", "pushed"),
        ("watch", "failed"),
    ]


def test_a_conflict_is_said_once_until_it_was_decided(log: ActivityLog) -> None:
    conflict = Activity(time.time_ns(), "pull", "conflict", SESSION, machine="laptop")
    log.write([conflict, pushed(), conflict])
    log.write([Activity(time.time_ns(), "resolve", "mine", SESSION), conflict])
    assert shown(log) == [
        ("pull", "conflict"),
        ("resolve", "mine"),
        ("push", "pushed"),
        ("pull", "conflict"),
    ]


@pytest.mark.parametrize("harm", ["no database", "another's", "a hole"])
def test_a_damaged_file_is_set_aside(log: ActivityLog, harm: str) -> None:
    log.write([pushed() for _ in range(3)])
    if harm == "no database":
        log.path.write_bytes(b"not a database at all" * 100)
    elif harm == "another's":
        log.path.unlink()
        with sqlite3.connect(log.path) as db:
            db.execute("CREATE TABLE theirs (x)")
        db.close()
    else:
        with sqlite3.connect(log.path) as db:
            db.execute("UPDATE activity SET verb = x'ff'")
        db.close()
    damaged = log.path.read_bytes()
    assert log.entries() == []
    (aside,) = log.path.parent.glob(f"*{ASIDE_MARK}*")
    assert aside.read_bytes() == damaged
    assert log.write([pushed(OTHER)])
    assert [entry.session_id for entry in log.entries()] == [OTHER]
    log.path.write_bytes(b"again")
    assert log.write([pushed()])
    assert len(list(log.path.parent.glob(f"*{ASIDE_MARK}*"))) == 1


def test_one_of_a_newer_version_is_left_as_it_is(log: ActivityLog) -> None:
    log.write([pushed()])
    with sqlite3.connect(log.path) as db:
        db.execute("PRAGMA user_version = 2")
    db.close()
    before = log.path.read_bytes()
    assert not log.write([pushed(OTHER)])
    with pytest.raises(RecordsTooNew):
        log.entries()
    assert log.path.read_bytes() == before


def test_what_cant_be_written_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "state").write_bytes(b"a file where the folder should be")
    assert not ActivityLog(tmp_path / "state" / "activity.sqlite").write([pushed()])


_WRITES = """
import sys, time
from pathlib import Path
from claude_sync.state.activity import Activity, ActivityLog
log = ActivityLog(Path(sys.argv[1]))
for number in range(20):
    assert log.write([Activity(time.time_ns(), "pull", "updated", f"{sys.argv[2]}-{number}")])
"""


def test_several_processes_write_at_once(log: ActivityLog) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", _WRITES, str(log.path), name]) for name in "abc"
    ]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    found = {entry.session_id for entry in log.entries()}
    assert found == {f"{name}-{number}" for name in "abc" for number in range(20)}


_DIES = """
import os, sys, time
from pathlib import Path
from claude_sync.state import activity
log = activity.ActivityLog(Path(sys.argv[1]))
log.write([activity.Activity(time.time_ns(), "pull", "updated", "before")])
insert = activity._insert
def dying(db, entry):
    insert(db, entry)
    os._exit(9)
activity._insert = dying
log.write([activity.Activity(time.time_ns(), "pull", "updated", "while")])
"""


def test_a_process_that_dies_leaves_what_was_there(log: ActivityLog) -> None:
    assert subprocess.run([sys.executable, "-c", _DIES, str(log.path)]).returncode == 9
    assert log.write([pushed()])
    assert [entry.session_id for entry in log.entries()] == [SESSION, "before"]
