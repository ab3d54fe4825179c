from __future__ import annotations

import os
import time
from collections.abc import Callable

import pytest

from claude_sync.model import Level
from claude_sync.state.vault import Vault
from crashes import End, killed_at
from examined import Patient, commands_of, follow, shown, snapshot
from faults import databases
from faults.disks import ordinary_permissions
from machines import SESSION, PlayedMachine, World, said

DAY = 86_400


@pytest.fixture
def used(patient: Patient) -> Patient:
    """This machine after its first push."""
    patient.write(SESSION, said())
    patient.push()
    return patient


# --- records -----------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["file", "folder", "name"])
def test_the_records_may_not_be_used(used: Patient, what: str) -> None:
    path = {
        "file": used.records_file(),
        "folder": used.paths.state,
        "name": used.paths.machine_file,
    }[what]
    path.chmod(0o500 if path.is_dir() else 0o000)
    with ordinary_permissions():
        found = used.the("records-unreadable", Level.ERROR)
        assert path.name in found.detail
        follow(found)
        assert used.is_well("records-unreadable")


def test_the_records_are_damaged(used: Patient) -> None:
    path = used.records_file()
    data = bytearray(path.read_bytes())
    data[4096:8192] = os.urandom(4096)
    path.write_bytes(data)
    found = used.the("records-damaged", Level.WARNING)
    follow(found)
    assert used.is_well("records-damaged")
    assert used.push(SESSION)[SESSION].message == ""


def test_records_of_a_newer_version(used: Patient) -> None:
    databases.be_newer(used.records_file())
    before = snapshot(used.paths.state)
    found = used.the("records-too-new", Level.ERROR)
    assert "Update claude-sync" in found.fix
    assert used.is_well("records-damaged")
    assert snapshot(used.paths.state) == before


def test_records_that_were_set_aside(used: Patient) -> None:
    used.records_file().write_bytes(b"not a database at all" * 1000)
    used.states()
    found = used.the("records-set-aside", Level.INFO)
    follow(found)
    assert used.is_well("records-set-aside")


# --- what was decided ---------------------------------------------------------------------------


@pytest.fixture
def decided(used: Patient) -> Patient:
    """This machine after it forgot a session."""
    used.forget()
    return used


def test_decisions_that_may_not_be_read(decided: Patient) -> None:
    assert decided.codes(Level.ERROR) == set()
    file = decided.paths.decisions_file
    file.chmod(0)
    with ordinary_permissions():
        follow(decided.the("decisions-unreadable", Level.ERROR))
        assert decided.is_well("decisions-unreadable")
    file.parent.chmod(0o500)
    with ordinary_permissions():
        follow(decided.the("decisions-unreadable", Level.ERROR))
        assert decided.is_well("decisions-unreadable")


def test_decisions_that_are_linked_into_a_folder_that_is_shut(decided: Patient) -> None:
    file, dotfiles = decided.paths.decisions_file, decided.home / "dotfiles"
    dotfiles.mkdir()
    file.rename(dotfiles / file.name)
    file.symlink_to(dotfiles / file.name)
    dotfiles.chmod(0)
    with ordinary_permissions():
        follow(decided.the("decisions-unreadable", Level.ERROR))
        assert decided.is_well("decisions-unreadable")
        assert decided.states()[SESSION].forgotten


def test_decisions_of_a_newer_version(decided: Patient) -> None:
    decided.paths.decisions_file.write_text('{"schema": 2}')
    before = snapshot(decided.paths.config)
    decided.the("decisions-too-new", Level.ERROR)
    assert snapshot(decided.paths.config) == before


def test_damaged_decisions_are_said_as_long_as_the_file_is_kept(decided: Patient) -> None:
    decided.paths.decisions_file.write_text("forgotten:")
    before = snapshot(decided.paths.config)
    found = decided.the("decisions-damaged", Level.ERROR)
    assert snapshot(decided.paths.config) == before
    follow(found)
    assert decided.is_well("decisions-damaged")
    assert decided.states()[SESSION].forgotten
    found = decided.the("decisions-set-aside", Level.WARNING)
    follow(found, 0, fill=[("SESSION", SESSION)])
    assert decided.bundle().exists()
    follow(found, 1)
    assert decided.is_well("decisions-set-aside")


# --- the vault ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("share", "code", "level"),
    [(0.85, "vault-nearly-full", Level.WARNING), (1.0, "vault-full", Level.ERROR)],
)
def test_the_vault_fills_up(used: Patient, share: float, code: str, level: Level) -> None:
    vault = Vault(used.paths.vault_directory)
    old = vault.folder / SESSION / "000001-0123456789abcdef" / "transcript.jsonl"
    old.parent.mkdir(parents=True)
    with old.open("wb") as file:
        file.truncate(int(vault.limit() * share) + 1)  # takes no room
    found = used.the(code, level)
    assert "Remove the folders in it of sessions" in found.fix
    assert shown(vault.folder) in found.detail
    old.unlink()
    assert used.is_well(code)


# --- what was left behind ----------------------------------------------------------------------


def _broken_off(work: Callable[[], object], is_so: Callable[[], bool]) -> None:
    """Kill some work at one step after another, until what it left is as wanted."""
    for step in range(200):
        if killed_at(step, work) is not End.KILLED:
            break
        if is_so():
            return
    raise AssertionError("no crash left this behind")


def _clear_away(machine: Patient, now: float) -> None:
    """Do what the doctor says of what was left behind, as often as he says it."""
    while found := machine.all("leftovers", now=now):
        left = len(machine.leftovers())
        follow(found[0])
        assert len(machine.leftovers()) < left


@pytest.fixture
def desktop(world: World, used: Patient) -> PlayedMachine:
    """Another machine, which has a version of the session with a sidecar file."""
    desktop = world.machine("desktop")
    desktop.pull()
    desktop.write(SESSION, said())
    desktop.write_sidecar(SESSION, "tool-results/1.txt", b"long output\n" * 100)
    desktop.push()
    return desktop


def test_files_of_a_pull_that_was_killed(used: Patient, desktop: PlayedMachine) -> None:
    _broken_off(used.pull, lambda: bool(used.leftovers()))
    assert used.is_well("leftovers")  # it may be at work still
    later = time.time() + 1.1 * DAY
    found = used.the("leftovers", Level.INFO, now=later)
    assert all(str(path) in commands_of(found)[0] for path in used.leftovers())
    follow(found)
    assert used.is_well("leftovers", now=later)
    assert used.leftovers() == []
    used.pull()
    assert used.read() == desktop.read()


def test_files_of_a_push_that_was_killed(used: Patient, world: World) -> None:
    used.write(SESSION, said())
    _broken_off(used.push, lambda: bool(list(world.store.rglob(".ccsync-*.tmp"))))
    later = time.time() + 1.1 * DAY
    follow(used.the("leftovers", Level.INFO, now=later))
    assert used.is_well("leftovers", now=later)
    assert list(world.store.rglob(".ccsync-*.tmp")) == []
    assert used.bundle().exists()


def test_a_session_of_which_only_the_files_beside_it_arrived(
    patient: Patient, world: World
) -> None:
    desktop = world.machine("desktop")
    desktop.write(SESSION, said())
    desktop.write_sidecar(SESSION, "tool-results/1.txt", b"long output\n" * 100)
    desktop.push()
    sidecar = patient.folder / SESSION
    _broken_off(patient.pull, lambda: (sidecar / "tool-results").exists() and not patient.has())
    found = patient.the("pull-broken-off", Level.WARNING)
    follow(found)
    assert patient.is_well("pull-broken-off")
    assert patient.read() == desktop.read()
    later = time.time() + 1.1 * DAY
    _clear_away(patient, later)
    assert patient.sidecar() == desktop.sidecar()


def test_a_mark_that_is_done_with(patient: Patient, world: World) -> None:
    desktop = world.machine("desktop")
    desktop.write(SESSION, said())
    desktop.write_sidecar(SESSION, "tool-results/1.txt", b"long output\n" * 100)
    desktop.push()
    mark = patient.folder / SESSION / ".ccsync-placing"
    _broken_off(patient.pull, lambda: mark.exists() and patient.has())
    later = time.time() + 1.1 * DAY
    found = patient.the("leftovers", Level.INFO, now=later)
    assert str(mark) in commands_of(found)[0]
    _clear_away(patient, later)
    assert not mark.exists()
    assert patient.sidecar() == desktop.sidecar()


def test_files_of_others_are_not_called_ours(used: Patient) -> None:
    theirs = used.folder / "notes.tmp"
    theirs.write_text("mine")
    before = snapshot(used.folder)
    assert used.is_well("leftovers", now=time.time() + 9 * DAY)
    assert snapshot(used.folder) == before
