from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from claude_sync.claude.home import encode_directory
from claude_sync.doctor import examine, open_read_only
from claude_sync.errors import RecordsError, SessionError, Stopped
from claude_sync.model import Finding, Level
from claude_sync.state import machine
from claude_sync.state.database import Database, copy_of
from claude_sync.sync.context import Context, open_context
from examined import Patient, snapshot
from faults.disks import ordinary_permissions
from machines import OTHER, SESSION, World, said
from programs import require
from repositories import repository


@pytest.fixture
def parted(patient: Patient, world: World) -> Patient:
    """This machine with a session in conflict, one to push, and one that was never read."""
    desktop = world.machine("desktop")
    patient.write(SESSION, said())
    patient.push()
    desktop.pull()
    desktop.write(SESSION, said())
    desktop.push()
    patient.write(SESSION, said())
    patient.write(OTHER, said())
    return patient


# --- it changes nothing ------------------------------------------------------------------------


def test_nothing_is_changed(parted: Patient) -> None:
    before = snapshot(parted.home, parted.world.store)
    assert "conflict" in {one.code for one in parted.findings()}
    assert snapshot(parted.home, parted.world.store) == before


def test_a_directory_that_was_never_seen_before_is_not_learnt_by_looking(parted: Patient) -> None:
    other = repository(parted.home / "code" / "other", "https://example.org/you/other")
    folder = parted.claude / "projects" / encode_directory(str(other))
    folder.mkdir()
    (folder / "2b3c4d5e-1111-4222-8333-444455556666.jsonl").write_bytes(said(cwd=str(other)))

    def chosen() -> dict[str, tuple[object, ...]]:
        """The files that people edit; on Windows others lie beside them."""
        seen = snapshot(parted.paths.config)
        return {path: seen[path] for path in seen if path.endswith(".json")}

    before = chosen()
    assert "~/code/other" in parted.the("projects", Level.OK).detail
    with parted.at_work() as context:
        examine(context)
        context.close(save=False)
    assert before
    assert chosen() == before


def test_nothing_is_left_behind_by_looking_deep(parted: Patient) -> None:
    before = snapshot(parted.home).keys() | snapshot(parted.world.store).keys()
    parted.findings(deep=True)
    assert snapshot(parted.home).keys() | snapshot(parted.world.store).keys() == before


def test_nothing_is_made_on_a_fresh_machine(newcomer: Patient) -> None:
    before = snapshot(newcomer.home)
    assert newcomer.findings()
    assert snapshot(newcomer.home) == before


def test_nothing_is_made_where_the_records_were_lost(parted: Patient) -> None:
    parted.lose_records()
    before = snapshot(parted.home)
    assert "conflict" in {one.code for one in parted.findings()}
    assert snapshot(parted.home) == before


def test_damaged_records_are_not_set_aside_by_looking(parted: Patient) -> None:
    parted.records_file().write_bytes(b"no database" * 999)
    before = snapshot(parted.home)
    assert {"records-damaged", "conflict"} <= {one.code for one in parted.findings()}
    assert snapshot(parted.home) == before


def test_what_a_service_works_with_is_not_changed(parted: Patient) -> None:
    with parted.at_work() as context:
        store = context.store
        rows = list(context.database.run("SELECT * FROM local ORDER BY path"))
        bundles = list(context.database.run("SELECT name FROM bundle ORDER BY name"))
        examine(context)
        assert list(context.database.run("SELECT * FROM local ORDER BY path")) == rows
        assert list(context.database.run("SELECT name FROM bundle ORDER BY name")) == bundles
        assert context.store is store
        store.view()  # its connection is open still


def test_records_that_another_process_writes_to_can_be_copied(parted: Patient) -> None:
    path = parted.records_file()
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("INSERT INTO setting VALUES ('half', 'done')")
    beside = sorted(entry.name for entry in path.parent.iterdir())
    copy = copy_of(path)
    assert list(copy.run("SELECT * FROM setting WHERE name = 'half'")) == []
    assert list(copy.run("SELECT count(*) FROM session")) != [(0,)]
    writer.execute("COMMIT")
    assert sorted(entry.name for entry in path.parent.iterdir()) == beside
    again = copy_of(path)
    assert list(again.run("SELECT value FROM setting WHERE name = 'half'")) == [("done",)]
    for database in (copy, again):
        database.close()
    writer.close()


def test_a_copy_of_records_that_are_not_there_or_not_begun(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        copy_of(tmp_path / "none.sqlite")
    (tmp_path / "empty.sqlite").touch()
    with pytest.raises(FileNotFoundError):
        copy_of(tmp_path / "empty.sqlite")
    (tmp_path / "other.sqlite").write_bytes(b"x" * 5000)
    with pytest.raises(RecordsError):
        copy_of(tmp_path / "other.sqlite")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty.sqlite", "other.sqlite"]


def test_a_copy_goes_its_own_way(tmp_path: Path) -> None:
    original = Database(tmp_path / "records.sqlite")
    original.run("INSERT INTO setting VALUES ('a', '1')")
    copy = copy_of(original)
    copy.run("INSERT INTO setting VALUES ('b', '2')")
    assert list(original.run("SELECT name FROM setting")) == [("a",)]
    assert list(copy.run("SELECT name FROM setting ORDER BY name")) == [("a",), ("b",)]
    copy.close()
    original.close()


# --- it says all there is to say ---------------------------------------------------------------


def test_a_healthy_machine_has_nothing_to_mend(patient: Patient, world: World) -> None:
    require("git", "ssh")
    desktop = world.machine("desktop")
    desktop.write(SESSION, said())
    desktop.push()
    patient.pull()
    patient.write(OTHER, said())
    patient.push()
    assert [one.code for one in patient.findings() if one.fix] == []
    assert {"store", "claude", "programs", "projects", "peer"} == {
        one.code for one in patient.findings()
    }


def test_the_worst_comes_first(parted: Patient) -> None:
    file = parted.paths.preferences_file
    file.write_text(file.read_text().replace("{", '{"odd": 1, "quiet_seconds": "x",', 1))
    parted.paths.machine_file.chmod(0o000)
    order = [Level.ERROR, Level.WARNING, Level.INFO, Level.OK]
    with ordinary_permissions():
        levels = [order.index(one.level) for one in parted.findings()]
    assert levels == sorted(levels)
    assert set(levels) == {0, 1, 2, 3}


def test_codes_are_fit_for_scripts_and_nothing_is_quoted_that_should_not_be(
    parted: Patient,
) -> None:
    parted.write(SESSION, b'{"type":"summary","summary":"a very private title"}\n')
    for one in parted.findings(deep=True):
        assert one.code.replace("-", "").isalpha()
        assert one.code.islower()
        assert "private title" not in f"{one}"
        assert "\n" not in f"{one.title}{one.detail}{one.fix}"


def test_on_a_machine_with_much_that_is_wrong_all_of_it_is_said(parted: Patient) -> None:
    parted.paths.machine_file.write_text("{")
    parted.paths.projects_file.write_text("[")
    parted.records_file().write_bytes(b"no database" * 999)
    parted.claude.joinpath("sessions", "1.json").write_text("{")
    parted.world.store.rename(parted.world.folder / "away")
    assert {
        "store-missing",
        "machine-name-lost",
        "registry-damaged",
        "records-damaged",
        "live-unreadable",
    } <= parted.codes(Level.ERROR, Level.WARNING)


def test_of_many_things_of_a_kind_only_some_are_named(patient: Patient) -> None:
    folder = patient.world.store / "name+x"
    folder.mkdir()
    for number in range(13):
        (folder / f"{number}-laptop.ccsync").write_bytes(b"not a bundle")
    found = patient.all("bundle-corrupt")
    assert len(found) == 11
    assert found[-1].title.startswith("3 more like it: ")
    assert found[-1].level is Level.WARNING
    for path in list(folder.iterdir())[:4]:
        path.unlink()
    assert len(patient.all("bundle-corrupt")) == 9


# --- checks that can't be made -----------------------------------------------------------------


def _fails(_: Context) -> Iterator[Finding]:
    yield Finding("first", Level.INFO, "This much was found")
    raise SessionError("something broke", where="somewhere")


def _refused(_: Context) -> Iterator[Finding]:
    raise PermissionError(13, "Permission denied", "/secret")
    yield


def _works(context: Context) -> Iterator[Finding]:
    yield Finding("last", Level.ERROR, context.machine.name)


def test_a_front_end_adds_checks_and_one_that_fails_stops_no_other(patient: Patient) -> None:
    with open_read_only(patient.paths) as context:
        found = examine(context, checks=[_fails, _refused, _works])
    assert found[0] == Finding("last", Level.ERROR, "laptop")
    failed = [one.detail for one in found if one.code == "check-failed"]
    assert failed == ["Something broke (somewhere).", "Permission denied."]
    assert "first" in {one.code for one in found}
    assert "peer" not in {one.code for one in found}
    assert "projects" in {one.code for one in found}


def test_a_bug_in_a_check_is_not_hidden(patient: Patient) -> None:
    def broken(_: Context) -> Iterator[Finding]:
        raise ZeroDivisionError
        yield

    with open_read_only(patient.paths) as context, pytest.raises(ZeroDivisionError):
        examine(context, checks=[broken])


def test_it_can_be_stopped(patient: Patient) -> None:
    asked = threading.Event()

    def stops(_: Context) -> Iterator[Finding]:
        asked.set()
        yield Finding("x", Level.OK, "x")

    with (
        open_context(patient.paths, should_stop=asked.is_set) as context,
        pytest.raises(Stopped),
    ):
        examine(context, checks=[stops, _works])


def test_a_context_opens_aside_whatever_is_wrong(patient: Patient) -> None:
    patient.paths.machine_file.chmod(0o000)
    patient.paths.state.chmod(0o000)
    with ordinary_permissions():
        assert "records-unreadable" in patient.codes(Level.ERROR)
    patient.paths.state.chmod(0o700)


def test_a_machine_without_an_id_of_its_own_is_not_given_one_by_looking(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "_LINUX_FILES", ())
    before = snapshot(patient.home)
    with open_read_only(patient.paths) as context:
        assert context.machine.name == "laptop"
        assert len(context.machine.id) == 36
        examine(context)
    assert snapshot(patient.home) == before


def test_importing_it_starts_nothing_heavy() -> None:
    program = (
        "import sys, claude_sync.doctor\n"
        "heavy = {'subprocess', 'shutil', 'asyncio', 'logging', 'psutil', 'watchdog', 'rich'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == "[]"
