"""Databases of older layouts, of newer ones, and of none."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from capabilities import MODES
from claude_sync.errors import RecordsTooNew
from claude_sync.model import Version
from claude_sync.state.database import Database, copy_of
from claude_sync.state.decisions import Decisions
from claude_sync.state.decisions_file import UNDECIDED, Decided
from claude_sync.state.layout import LAYOUT
from claude_sync.state.paths import Paths
from claude_sync.state.records import Merged, Records, SessionRecord
from crashes import End, killed_at
from examined import snapshot
from faults import databases

# What the fifth one changed, turned back, and what was remembered then.
LAYOUT_4_FROM_5 = f"""
BEGIN;
ALTER TABLE session DROP COLUMN merging;
ALTER TABLE session DROP COLUMN unplaced_plan;
DROP TABLE merged;
CREATE TABLE merged (session_id TEXT, sidecar_sha256 TEXT, revision INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (session_id, sidecar_sha256)) WITHOUT ROWID;
INSERT INTO session(session_id, intact_size, intact_sha256) VALUES ('a', 1, '{"1" * 64}');
INSERT INTO session(session_id) VALUES ('b');
INSERT INTO merged VALUES ('a', '{"2" * 64}', 7), ('b', '', 0), ('b', '{"2" * 64}', 3);
PRAGMA user_version=4;
COMMIT;
"""
# As the first version laid its database out.
LAYOUT_1 = """
PRAGMA journal_mode=WAL;
BEGIN;
CREATE TABLE session (
    session_id TEXT PRIMARY KEY, size INTEGER, sha256 TEXT, revision INTEGER NOT NULL DEFAULT 0,
    name TEXT NOT NULL DEFAULT '', layout TEXT NOT NULL DEFAULT '',
    decision INTEGER NOT NULL DEFAULT 0, seen INTEGER NOT NULL DEFAULT 0,
    forgotten INTEGER NOT NULL DEFAULT 0, directory TEXT NOT NULL DEFAULT '',
    placed_ns INTEGER NOT NULL DEFAULT 0, undo TEXT NOT NULL DEFAULT '') WITHOUT ROWID;
CREATE TABLE held (session_id TEXT, size INTEGER, sha256 TEXT,
    PRIMARY KEY (session_id, size, sha256)) WITHOUT ROWID;
CREATE TABLE declined (session_id TEXT, size INTEGER, sha256 TEXT,
    PRIMARY KEY (session_id, size, sha256)) WITHOUT ROWID;
CREATE TABLE supersedes (number INTEGER PRIMARY KEY, session_id TEXT, sha256 TEXT,
    UNIQUE (session_id, sha256));
CREATE TABLE merged (session_id TEXT, sidecar_sha256 TEXT,
    PRIMARY KEY (session_id, sidecar_sha256)) WITHOUT ROWID;
CREATE TABLE relation (x TEXT, y TEXT, extends INTEGER, value TEXT,
    PRIMARY KEY (x, y)) WITHOUT ROWID;
CREATE TABLE local (path TEXT PRIMARY KEY, size INTEGER, mtime_ns INTEGER, inode INTEGER,
    sidecar TEXT, whole_sha256 TEXT, cut_size INTEGER, cut_sha256 TEXT, sidecar_sha256 TEXT,
    cwds TEXT, title TEXT) WITHOUT ROWID;
CREATE TABLE bundle (name TEXT PRIMARY KEY, file_size INTEGER, file_mtime_ns INTEGER,
    inode INTEGER, session_id TEXT, project_key TEXT, subpath TEXT, machine TEXT,
    machine_id TEXT, sidecar_sha256 TEXT, size INTEGER, sha256 TEXT, mtime_ns INTEGER,
    revision INTEGER, pushed_at TEXT, title TEXT, open INTEGER, supersedes TEXT,
    decision INTEGER, encoded_size INTEGER, schema INTEGER, start INTEGER) WITHOUT ROWID;
CREATE TABLE problem (name TEXT PRIMARY KEY, file_size INTEGER, file_mtime_ns INTEGER,
    inode INTEGER, kind TEXT, message TEXT, since REAL) WITHOUT ROWID;
CREATE TABLE entry (name TEXT PRIMARY KEY, size INTEGER, mtime_ns INTEGER, inode INTEGER)
    WITHOUT ROWID;
CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
PRAGMA user_version=1;
COMMIT;
"""
ONE = Version(3, "1" * 64)
A, B = "a" * 64, "b" * 64
SESSION = "session"
RECORD = SessionRecord(
    written=ONE,
    revision=4,
    name="p/x.ccsync",
    layout="laid out",
    seen=True,
    directory="/code/app",
    installed_ns=77,
    undo="{}",
)
DECIDED = {
    SESSION: Decided(forgotten=True, supersedes=(B, A), decision=2),
    "undone": Decided(declined=frozenset([ONE])),
}


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(tmp_path / "config", tmp_path / "state", tmp_path / "run")


@pytest.fixture
def path(paths: Paths) -> Path:
    """A database as the first version left it."""
    path = paths.records_directory / "store.sqlite"
    path.parent.mkdir(mode=0o700, parents=True)
    old = sqlite3.connect(path)
    old.executescript(LAYOUT_1)
    old.execute(
        "INSERT INTO session VALUES (?, ?, ?, 4, 'p/x.ccsync', 'laid out', 2, 1, 1, '/code/app',"
        " 77, '{}')",
        (SESSION, *ONE),
    )
    old.execute("INSERT INTO held VALUES (?, ?, ?)", (SESSION, *ONE))
    old.execute("INSERT INTO declined VALUES ('undone', ?, ?)", ONE)
    for sha256 in (B, A):
        old.execute("INSERT INTO supersedes(session_id, sha256) VALUES (?, ?)", (SESSION, sha256))
    old.execute("INSERT INTO setting VALUES ('kept', 'yes')")
    old.executemany("INSERT INTO relation VALUES (?, ?, ?, '{}')", [(A, B, True), (B, A, False)])
    old.commit()
    old.close()
    return path


@contextmanager
def opened(path: Path, paths: Paths) -> Iterator[tuple[Records, Decisions]]:
    decisions = Decisions(paths, "store")
    database = Database(path, decisions)
    assert database.set_aside is None
    try:
        yield Records(database), decisions
    finally:
        database.close()


def is_brought_up_to_date(path: Path, paths: Paths) -> bool:
    with opened(path, paths) as (records, decisions):
        assert records.session(SESSION) == RECORD
        assert records.held(SESSION) == {ONE}
        assert {name: decisions.of(name) for name in DECIDED} == DECIDED
        return True


def layout_in_header(path: Path) -> int:
    return int.from_bytes(path.read_bytes()[60:64], "big")


# --- older -------------------------------------------------------------------------------------


def test_an_older_one_is_brought_up_to_date_and_nothing_in_it_is_lost(
    path: Path, paths: Paths
) -> None:
    assert is_brought_up_to_date(path, paths)
    database = Database(path)
    assert list(database.run("SELECT value FROM setting WHERE name = 'kept'")) == [("yes",)]
    tables = {name for (name,) in database.run("SELECT name FROM sqlite_master")}
    new = Database(None)
    assert tables == {name for (name,) in new.run("SELECT name FROM sqlite_master")}
    for one in (database, new):
        one.close()


def test_what_was_merged_was_so_with_the_transcript_that_lay_here(path: Path, paths: Paths) -> None:
    Database(path, Decisions(paths, "store")).close()
    with closing(sqlite3.connect(path)) as old:
        old.executescript(LAYOUT_4_FROM_5)
    database = Database(path, Decisions(paths, "store"))
    records = Records(database)
    here = Version(1, "1" * 64)
    assert records.merged("a", here, "2" * 64) == Merged(7)
    assert records.merged("a", ONE._replace(sha256="4" * 64), "2" * 64) == Merged()
    assert records.merged("b", here, "2" * 64) == Merged()
    assert [session for session, one in records.sessions().items() if one.merging] == ["b"]
    database.close()


def test_what_was_found_of_versions_that_diverged_is_found_again(path: Path, paths: Paths) -> None:
    # By what rules it was found then, nobody knows: what counts as said has changed since.
    with opened(path, paths) as (records, _):
        assert records.extensions() == {(A, B)}
        assert records.relation(Version(1, B), Version(1, A)) is None


def test_a_copy_of_it_is_kept_beside_it(path: Path, paths: Paths) -> None:
    with opened(path, paths):
        assert layout_in_header(path) == LAYOUT
    copy = path.with_name("store.sqlite.layout-1")
    assert not MODES or stat.S_IMODE(copy.stat().st_mode) == 0o600
    names = {entry.name for entry in path.parent.iterdir()}
    assert names == {path.name, copy.name, "store.sqlite.lock"}
    old = sqlite3.connect(copy)
    assert old.execute("PRAGMA user_version").fetchone() == (1,)
    assert old.execute("SELECT forgotten, decision FROM session").fetchall() == [(1, 2)]
    assert old.execute("SELECT count(*) FROM supersedes").fetchone() == (2,)
    old.close()


def test_the_copy_is_removed_after_a_month(path: Path, paths: Paths) -> None:
    copy = path.with_name("store.sqlite.layout-1")
    for days, is_kept in ((0, True), (29, True), (31, False)):
        with opened(path, paths):
            then = time.time() - days * 86_400
            os.utime(copy, (then, then))
        with opened(path, paths):
            assert copy.exists() is is_kept


def test_one_that_a_process_left_in_the_middle_of_its_work_is_brought_up_to_date(
    path: Path, paths: Paths
) -> None:
    child = os.fork()
    if child == 0:
        old = sqlite3.connect(path)
        old.execute("INSERT INTO declined VALUES ('late', ?, ?)", ONE)
        old.commit()
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    assert path.with_name(f"{path.name}-wal").stat().st_size
    with opened(path, paths) as (_, decisions):
        assert decisions.of("late").declined == {ONE}


def test_killed_at_any_moment_it_is_brought_up_to_date_the_next_time(
    path: Path, paths: Paths, tmp_path: Path
) -> None:
    old = path.read_bytes()

    def work() -> None:
        with opened(path, paths):
            pass

    for step in range(300):
        end = killed_at(step, work)
        decided = paths.decisions_file.exists()
        if layout_in_header(path) == LAYOUT:
            assert decided
        assert is_brought_up_to_date(path, paths)
        assert [one.name for one in path.parent.glob("*.unreadable-*")] == []
        if end is not End.KILLED:
            break
        for left in [*path.parent.iterdir(), *paths.config.glob("*")]:
            left.unlink()
        path.write_bytes(old)
    else:
        raise AssertionError("there are more steps than that")
    assert step > 20


def test_several_processes_at_once_bring_it_up_to_date_once(path: Path, paths: Paths) -> None:
    children = []
    for _ in range(6):
        child = os.fork()
        if child == 0:
            status = 1
            try:
                status = 0 if is_brought_up_to_date(path, paths) else 1
            finally:
                os._exit(status)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 6
    assert [one.name for one in path.parent.glob("*.layout-*")] == ["store.sqlite.layout-1"]
    assert list(path.parent.glob(".ccsync-*")) == []


def test_several_processes_at_once_begin_one(paths: Paths) -> None:
    path = paths.records_directory / "new.sqlite"
    children = []
    for number in range(6):
        child = os.fork()
        if child == 0:
            status = 1
            try:
                with opened(path, paths) as (records, _):
                    records.hold(f"session-{number}", ONE)
                status = 0
            finally:
                os._exit(status)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 6
    with opened(path, paths) as (records, _):
        assert len(records.sessions()) == 6


def test_whoever_only_looks_sees_an_older_one_up_to_date_and_changes_nothing(
    path: Path, paths: Paths
) -> None:
    before = snapshot(paths.state)
    decisions = Decisions(paths, "store", writable=False)
    copy = copy_of(path, decisions)
    assert Records(copy).session(SESSION) == RECORD
    assert {name: decisions.of(name) for name in DECIDED} == DECIDED
    copy.close()
    assert snapshot(paths.state) == before
    assert not paths.config.exists()


def test_where_the_decisions_in_an_older_one_are_damaged_they_count_as_lost(
    path: Path, paths: Paths
) -> None:
    old = sqlite3.connect(path)
    page = old.execute("SELECT rootpage FROM sqlite_master WHERE name = 'declined'").fetchone()[0]
    old.close()
    data = bytearray(path.read_bytes())
    data[(page - 1) * 4096 : page * 4096] = b"\xff" * 4096
    path.write_bytes(data)
    decisions = Decisions(paths, "store")
    database = Database(path, decisions)
    assert database.set_aside is not None
    assert decisions.lost
    database.close()


# --- newer, and of none ------------------------------------------------------------------------


def test_a_newer_one_is_refused_without_a_trace(path: Path, paths: Paths) -> None:
    databases.be_newer(path)
    before = snapshot(paths.state)
    with pytest.raises(RecordsTooNew) as caught:
        Database(path, Decisions(paths, "store"))
    assert str(path) in str(caught.value)
    assert caught.value.todo
    with pytest.raises(RecordsTooNew):
        copy_of(path)
    assert snapshot(paths.state) == before
    assert not paths.config.exists()


def test_a_newer_one_that_a_process_left_in_the_middle_of_its_work_keeps_every_byte(
    path: Path, paths: Paths
) -> None:
    child = os.fork()
    if child == 0:
        new = sqlite3.connect(path)
        new.execute("PRAGMA user_version=99")
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    assert layout_in_header(path) == 1
    files = [path, path.with_name(f"{path.name}-wal")]
    before = [(file.read_bytes(), file.stat().st_mtime_ns) for file in files]
    with pytest.raises(RecordsTooNew):
        Database(path, Decisions(paths, "store"))
    assert [(file.read_bytes(), file.stat().st_mtime_ns) for file in files] == before
    assert not paths.config.exists()


@pytest.mark.parametrize("layout", [0, -1])
def test_one_that_no_version_made_is_set_aside(paths: Paths, layout: int) -> None:
    path = paths.records_directory / "store.sqlite"
    path.parent.mkdir(parents=True)
    foreign = sqlite3.connect(path)
    foreign.execute("CREATE TABLE theirs (x)")
    foreign.execute(f"PRAGMA user_version={layout}")
    foreign.commit()
    foreign.close()
    data = path.read_bytes()
    decisions = Decisions(paths, "store")
    database = Database(path, decisions)
    assert database.set_aside is not None
    assert database.set_aside.read_bytes() == data
    assert Records(database).sessions() == {}
    assert decisions.of(SESSION) == UNDECIDED
    database.close()
