"""What this machine remembers, lost, damaged, doubled or set back; and two processes at once."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from claude_sync.disk.locks import Lock
from claude_sync.errors import ClaudeSyncError, LockBusy, RecordsError, StoreDenied
from claude_sync.model import Machine, Outcome, State
from claude_sync.state.machine import Homes, load_machine
from claude_sync.state.paths import Paths
from claude_sync.store.marker import probe
from claude_sync.sync import context as context_module
from claude_sync.transports import open_transport
from conformance.sshd import SshHost
from faults import databases
from faults.disks import ordinary_permissions, read_only_disk, small_disk
from machines import OTHER, SESSION, Pair, PlayedMachine, World, agree, opened, outcomes, said


@pytest.fixture
def pair(pair: Pair) -> Pair:
    """The two machines; the desktop has pushed the session, too."""
    _, desktop = pair
    desktop.push(SESSION)
    return pair


# --- records lost or damaged -------------------------------------------------------------------


RECORDS_DAMAGED = {**databases.DAMAGES, "no version's": databases.be_of_no_version}


def again(work: Callable[[], object]) -> None:
    """Do something; where the records turn out to be damaged, once more, as the error says."""
    try:
        work()
    except ClaudeSyncError as error:
        if not error.passing:
            raise
        work()


@pytest.mark.parametrize("damage", RECORDS_DAMAGED.values(), ids=list(RECORDS_DAMAGED))
def test_losing_the_records_costs_a_question_and_never_an_overwrite(
    world: World, pair: Pair, damage: Callable[[Path], None]
) -> None:
    laptop, desktop = pair
    for machine in pair:
        machine.write(SESSION, said(f"on {machine.name}"))
    laptop.push()
    mine, theirs = desktop.read(), laptop.read()
    damage(desktop.records_file())
    again(desktop.pull)
    again(desktop.push)
    assert desktop.read() == mine
    assert world.keeps(mine)
    assert world.keeps(theirs)
    assert desktop.states()[SESSION].state is State.CONFLICT
    desktop.resolve(SESSION, "theirs")
    laptop.pull()
    assert agree(*pair)
    assert mine in desktop.kept()


@pytest.mark.parametrize("damage", RECORDS_DAMAGED.values(), ids=list(RECORDS_DAMAGED))
def test_with_the_records_lost_all_that_is_clear_goes_on(
    pair: Pair, damage: Callable[[Path], None]
) -> None:
    laptop, desktop = pair
    laptop.write(SESSION, said("more"))
    laptop.push()
    damage(desktop.records_file())
    again(desktop.pull)
    assert agree(*pair)
    desktop.write(SESSION, said("and more"))
    again(desktop.push)
    laptop.pull()
    assert agree(*pair)


def test_damaged_records_are_set_aside_and_not_removed(pair: Pair) -> None:
    _, desktop = pair
    databases.fill_with_garbage(desktop.records_file())
    garbage = desktop.records_file().read_bytes()
    again(desktop.pull)
    aside = desktop.paths.records_directory.glob("*unreadable*")
    assert [path.read_bytes() for path in aside] == [garbage]


def test_what_a_resolve_gave_up_is_read_back_from_the_own_bundle(pair: Pair) -> None:
    laptop, desktop = pair
    for machine in pair:
        machine.write(SESSION, said(f"on {machine.name}"))
    laptop.push()
    desktop.push()
    desktop.resolve(SESSION, "mine")
    desktop.lose_records()
    assert desktop.pull()[SESSION].outcome is not Outcome.CONFLICT
    desktop.push()
    laptop.pull()
    assert agree(*pair)


# --- homes that were copied or set back --------------------------------------------------------


def test_a_home_set_back_to_last_week_gets_what_it_had_pushed_since(
    world: World, pair: Pair
) -> None:
    laptop, desktop = pair
    backup = laptop.home.with_name("backup")
    shutil.copytree(laptop.home, backup)
    laptop.write(SESSION, said("this week"))
    laptop.write(OTHER, said("new this week"))
    laptop.push()
    week = laptop.read()
    shutil.rmtree(laptop.home)
    backup.rename(laptop.home)
    assert outcomes(laptop.push()) == {SESSION: Outcome.BEHIND}
    assert opened(laptop.bundle()).transcript == week
    assert laptop.pull()[SESSION].outcome is Outcome.UPDATED
    assert laptop.read() == week
    assert laptop.pull(OTHER)[OTHER].outcome in (Outcome.IMPORTED, Outcome.UNCHANGED)
    desktop.pull()
    assert agree(laptop, desktop)
    assert agree(laptop, desktop, session=OTHER)


def test_a_home_set_back_and_gone_on_with_is_a_conflict_with_itself(pair: Pair) -> None:
    laptop, _ = pair
    backup = laptop.home.with_name("backup")
    shutil.copytree(laptop.home, backup)
    laptop.write(SESSION, said("this week"))
    laptop.push()
    week = laptop.read()
    shutil.rmtree(laptop.home)
    backup.rename(laptop.home)
    laptop.write(SESSION, said("again, and differently"))
    mine = laptop.read()
    assert laptop.push()[SESSION].outcome is Outcome.BEHIND
    assert laptop.pull()[SESSION].outcome is Outcome.CONFLICT
    laptop.resolve(SESSION, "mine")
    assert opened(laptop.bundle()).transcript == mine
    assert week in laptop.kept()


@pytest.mark.parametrize("mode", [0o000, 0o400])
def test_records_that_may_not_be_used_are_left_alone(pair: Pair, mode: int) -> None:
    laptop, _ = pair
    laptop.write(SESSION, said("more"))
    file = laptop.records_file()
    before = file.read_bytes()
    file.chmod(mode)
    with ordinary_permissions(), pytest.raises(RecordsError, match="records can't be used"):
        laptop.push()
    file.chmod(0o600)
    assert file.read_bytes() == before
    assert laptop.push()[SESSION].outcome is Outcome.PUSHED


def test_where_the_disk_of_the_records_is_full_that_is_said_and_nothing_lost(
    world: World, tmp_path: Path
) -> None:
    laptop, desktop = PlayedMachine(world, "laptop"), world.machine("desktop")
    with small_disk(laptop.paths.state, 512 << 10):
        laptop.set_up()
        filler = laptop.paths.state / "filler"
        lines = [said("x" * 90) for _ in range(30)]
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
            while file.write(bytes(512)):
                pass
        for number in range(200):
            laptop.write(f"{number:08x}-1111-4222-8333-444455556666", *lines)
        with pytest.raises(ClaudeSyncError, match="its disk is full"):
            laptop.push()
        with pytest.raises(ClaudeSyncError, match="its disk is full"):
            laptop.states()
        filler.unlink()
        laptop.push()
        assert {State.SYNCED} == {one.state for one in laptop.states().values()}
    assert len(desktop.pull()) == 200


def test_a_disk_that_is_read_only_is_called_that(pair: Pair) -> None:
    laptop, desktop = pair
    laptop.write(SESSION, said("more"))
    laptop.push()
    laptop.write(SESSION, said("still more"))
    folder = str(desktop.claude / "projects")
    with read_only_disk(desktop.claude / "projects"):
        result = desktop.pull()[SESSION]
        assert folder in result.message
        assert "its disk is read-only" in result.message
    desktop.paths.vault_directory.mkdir()
    with read_only_disk(desktop.paths.vault_directory):
        result = desktop.pull()[SESSION]
        assert "earlier versions of sessions can't be kept" in result.message
        assert "its disk is read-only" in result.message
    with read_only_disk(desktop.paths.state):
        with pytest.raises(RecordsError, match="its disk is read-only") as caught:
            desktop.pull()
        assert str(desktop.paths.state) in str(caught.value)
    with read_only_disk(laptop.world.store):
        result = laptop.push()[SESSION]
        assert str(laptop.world.store) in result.message
        assert "the disk is read-only" in result.message
    assert desktop.pull()[SESSION].outcome is Outcome.UPDATED
    assert laptop.push()[SESSION].outcome is Outcome.PUSHED


def test_and_so_is_one_of_a_host(ssh_host: SshHost, tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    command = ssh_host.command_alone()
    there = open_transport(ssh_host.location(tmp_path / "store"), command, tmp_path / "r")
    read_only = pytest.raises(StoreDenied, match="the host's disk is read-only")
    with contextlib.closing(there), read_only_disk(tmp_path / "store"), read_only:
        probe(there)


def test_a_cloned_home_is_another_machine(world: World, pair: Pair) -> None:
    laptop, desktop = pair
    clone = cloned(laptop)
    for machine in (laptop, clone):
        machine.write(SESSION, said(f"on {machine.name}"))
    both = {laptop.read(), clone.read()}
    laptop.push()
    clone.push()
    heads = {opened(path).head.machine_id for path in world.bundles()}
    assert len(heads) == 3
    assert desktop.pull()[SESSION].outcome is Outcome.CONFLICT
    assert clone.pull()[SESSION].outcome is Outcome.CONFLICT
    clone.resolve(SESSION, "mine")
    laptop.pull()
    desktop.pull()
    assert agree(laptop, clone, desktop)
    assert all(world.keeps(one) for one in both)


def test_what_a_person_decided_stands_in_a_cloned_home_until_a_session_is_named(
    world: World, pair: Pair
) -> None:
    laptop, desktop = pair
    before = desktop.read()
    laptop.write(SESSION, said("unwanted"))
    laptop.write(OTHER, said("private"))
    laptop.push()
    desktop.pull(SESSION)
    desktop.undo(SESSION)
    laptop.forget(OTHER)
    clones = cloned(laptop, "laptop-2"), cloned(desktop, "desktop-2")
    clones[0].push()
    assert not [path for path in world.bundles() if OTHER in path.name]
    assert clones[1].pull()[SESSION].outcome is Outcome.DECLINED
    assert clones[1].read() == before
    assert clones[0].push(OTHER)[OTHER].outcome is Outcome.PUSHED
    assert clones[1].pull(SESSION)[SESSION].outcome is Outcome.UPDATED


def test_a_clone_that_bears_the_same_id_loses_nothing(
    world: World, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop, _ = pair
    with laptop.at_work() as context:
        one = context.machine.id
    monkeypatch.setattr(context_module, "load_machine", _with_id(one))
    clone = cloned(laptop)
    everything = []
    for turn in range(4):
        for machine in (laptop, clone):
            everything.append(machine.write(SESSION, said(f"{turn} on {machine.name}")))
            machine.push()
            machine.pull()
            machine.push()
        assert all(world.keeps(words) for words in everything)


def cloned(machine: PlayedMachine, name: str = "clone") -> PlayedMachine:
    """A machine whose home is a copy of another's, all that is remembered included."""
    clone = PlayedMachine(machine.world, name)
    shutil.copytree(machine.home, clone.home)
    shutil.copytree(machine.folder, clone.folder)
    clone.set_up(name=name)
    machine.world.known.append(clone)
    return clone


def _with_id(machine_id: str) -> Callable[[Paths, Homes], Machine]:
    return lambda paths, homes: load_machine(paths, homes)._replace(id=machine_id)


# --- two processes at once ---------------------------------------------------------------------


def test_while_one_works_another_waits_and_then_says_who_is_at_work(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop, _ = pair
    monkeypatch.setattr(context_module, "LOCK_PATIENCE_SECONDS", 0.05)
    with Lock(laptop.paths.lock_file, "pulling"), pytest.raises(LockBusy, match="pulling"):
        laptop.push()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are made by fork()")
def test_many_processes_at_once_do_what_one_would(world: World, pair: Pair) -> None:
    laptop, desktop = pair
    sessions = [f"{number}{SESSION[1:]}" for number in range(1, 7)]
    children = []
    for number, session in enumerate(sessions):
        child = os.fork()
        if child == 0:
            status = 1
            try:
                for turn in range(3):
                    laptop.write(session, said(f"{number}.{turn}"))
                    laptop.push(session)
                    laptop.pull()
                status = 0
            finally:
                os._exit(status)
        children.append(child)
    endings = [os.waitpid(child, 0)[1] for child in children]
    assert endings == [0] * len(sessions)
    for session in sessions:
        assert opened(laptop.bundle(session)).transcript == laptop.read(session)
    desktop.pull()
    assert all(agree(laptop, desktop, session=session) for session in sessions)
    assert outcomes(laptop.push()) == dict.fromkeys([SESSION, *sessions], Outcome.UNCHANGED)
