"""What is remembered comes back, all of it or nothing, and damage costs no more than a question."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from capabilities import require_posix
from claude_sync.errors import RecordsError
from claude_sync.model import Stamp, Version
from claude_sync.state.cache import Cache, LocalRow
from claude_sync.state.database import Database
from claude_sync.state.records import NOTHING, Records
from faults.disks import ordinary_permissions

SESSION = "some-session"
ONE, TWO = Version(1, "1" * 64), Version(2, "2" * 64)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "records" / "store.sqlite"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    database = Database(path)
    yield database
    database.close()


@pytest.fixture
def records(database: Database) -> Records:
    return Records(database)


def test_of_an_unknown_session_nothing_is_remembered(records: Records) -> None:
    assert records.session(SESSION) == NOTHING
    assert records.sessions() == {}
    assert records.held(SESSION) == frozenset()


def test_what_is_remembered_is_there_at_the_next_start(path: Path) -> None:
    first = Database(path)
    Records(first).remember(SESSION, written=ONE, revision=3, name="p/x", undo="{}")
    Records(first).hold(SESSION, TWO)
    first.close()
    second = Database(path)
    records = Records(second)
    found = records.session(SESSION)
    assert (found.written, found.revision, found.name, found.undo) == (ONE, 3, "p/x", "{}")
    assert found.seen
    assert records.held(SESSION) == {TWO}
    second.close()


def test_a_change_leaves_all_else_as_it_was(records: Records) -> None:
    records.remember(SESSION, written=ONE, revision=3)
    records.remember(SESSION, installed_ns=1)
    records.hold(SESSION, ONE)
    records.remember(SESSION, written=None)
    found = records.session(SESSION)
    assert (found.written, found.revision, found.installed_ns, found.seen) == (None, 3, 1, True)


def test_what_was_here_when_nothing_was_missing_is_remembered(records: Records) -> None:
    records.hold(SESSION, TWO)
    records.hold(SESSION, ONE, intact=False)
    assert records.session(SESSION).intact == TWO
    assert records.held(SESSION) == {ONE, TWO}
    records.hold(SESSION, ONE)
    assert records.session(SESSION).intact == ONE


def test_a_transaction_is_all_or_nothing(path: Path, database: Database) -> None:
    records = Records(database)

    def fail() -> None:
        with database.transaction():
            records.hold(SESSION, ONE)
            with database.transaction():
                records.hold(SESSION, TWO)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert records.held(SESSION) == frozenset()
    with database.transaction():
        records.hold(SESSION, ONE)
    other = Database(path)
    assert Records(other).held(SESSION) == {ONE}
    other.close()


def test_the_records_are_private(path: Path, database: Database) -> None:
    require_posix("permission bits")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_what_can_not_be_opened_is_said(path: Path) -> None:
    path.parent.mkdir()
    path.mkdir()
    with pytest.raises(RecordsError):
        Database(path)
    path.rmdir()
    path.parent.chmod(0o500)
    try:
        with ordinary_permissions(), pytest.raises(RecordsError):
            Database(path)
    finally:
        path.parent.chmod(0o700)


def test_what_is_no_database_is_set_aside(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"not a database at all, but long enough to be looked at" * 20)
    database = Database(path)
    assert database.set_aside is not None
    assert database.set_aside.read_bytes().startswith(b"not a database")
    assert Records(database).sessions() == {}
    database.close()


def test_damage_that_shows_later_is_set_aside_and_said_to_be_passing(path: Path) -> None:
    database = Database(path)
    records = Records(database)
    for number in range(300):
        records.hold(f"session-{number}", ONE)
    database.close()
    data = bytearray(path.read_bytes())
    for start in range(4096, len(data), 4096):
        data[start : start + 4096] = bytes(4096)
    path.write_bytes(data)
    damaged = Database(path)
    with pytest.raises(RecordsError) as caught:
        Records(damaged).sessions()
    assert caught.value.passing
    damaged.close()
    again = Database(path)
    assert Records(again).sessions() == {}
    again.close()


def test_one_that_another_program_keeps_locked_is_not_set_aside(
    path: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = Records(database)
    records.hold(SESSION, ONE)
    database.run("PRAGMA busy_timeout = 10")
    with sqlite3.connect(path) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(RecordsError):
            records.hold(SESSION, TWO)
        other.rollback()
    other.close()
    assert records.held(SESSION) == {ONE}


def test_how_two_versions_relate_is_kept(records: Records) -> None:
    assert records.relation(ONE, TWO) is None
    records.put_relation(ONE, TWO, {"extends": True, "common": 5})
    records.put_relation(TWO, ONE, {"extends": False, "common": 5})
    assert records.relation(ONE, TWO) == {"extends": True, "common": 5}
    assert records.extensions() == {(ONE.sha256, TWO.sha256)}


def test_what_transcripts_were_found_to_be_is_kept(database: Database) -> None:
    cache = Cache(database)
    row = LocalRow(Stamp(2, 3, 4), "sig", TWO, ONE, "s" * 64, ("/a", "/b"), "a title")
    cache.put_local({"/x": row, "/y": row._replace(cwds=())})
    assert cache.local_rows() == {"/x": row, "/y": row._replace(cwds=())}
    cache.drop_local(["/x"])
    assert list(cache.local_rows()) == ["/y"]


def test_how_long_a_file_has_been_unreadable_counts_from_the_first_time(database: Database) -> None:
    cache, name = Cache(database), "p/x.ccsync"
    cache.put_problems([(name, Stamp(1, 1, 1), "BundleCut", "it is still arriving")])
    first = cache.problems()[name]
    database.run("UPDATE problem SET since = since - 3600")
    cache.put_problems([(name, Stamp(2, 2, 2), "BundleCut", "it is still arriving")])
    assert cache.problems()[name] == first._replace(stamp=Stamp(2, 2, 2), since=first.since - 3600)
    cache.drop_problems([name])
    assert cache.problems() == {}
