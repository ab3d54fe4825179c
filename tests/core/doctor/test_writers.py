"""Who wrote what lies in the store: what gives a stranger away, and what is no stranger's."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from bundles import packed
from claude_sync.model import Level
from examined import Patient, follow
from machines import KEY, KEY_FOLDER, OTHER, SESSION, PlayedMachine, World, opened, said

CODES = ("own-bundle-foreign", "bundle-rolled-back", "machine-two-names")


@pytest.fixture
def pushed(patient: Patient) -> Patient:
    """This machine with one session that was pushed."""
    patient.write(SESSION, said())
    patient.push()
    return patient


def _forge(world: World, session: str, machine: str, machine_id: str, revision: int = 9) -> Path:
    path = world.store / KEY_FOLDER / f"{session}-{machine}.ccsync"
    data = packed(
        said("words"),
        session_id=session,
        project_key=KEY,
        machine=machine,
        machine_id=machine_id,
        revision=revision,
    )[0]
    path.write_bytes(data)
    return path


def _id_of(machine: PlayedMachine, session: str = SESSION) -> str:
    return opened(machine.bundle(session)).head.machine_id


def _is_well(patient: Patient) -> bool:
    return all(patient.is_well(code) for code in CODES)


def test_among_honest_machines_nothing_is_said(pushed: Patient, world: World) -> None:
    desktop = world.machine("desktop")
    desktop.pull()
    desktop.write(SESSION, said("there"))
    desktop.push()
    pushed.pull()
    pushed.write(SESSION, said("here"))
    pushed.push()
    assert _is_well(pushed)
    pushed.lose_records()
    assert _is_well(pushed)


@pytest.mark.parametrize("session", [SESSION, OTHER])
def test_a_bundle_in_this_machines_name(pushed: Patient, world: World, session: str) -> None:
    path = _forge(world, session, "laptop", _id_of(pushed))
    found = pushed.the("own-bundle-foreign", Level.ERROR)
    assert path.name in found.detail
    assert "Somebody else wrote in this machine's name" in found.detail
    path.unlink()
    assert _is_well(pushed)


def test_after_a_backup_was_put_back_its_fix_helps(pushed: Patient) -> None:
    old = pushed.read()
    records, before = pushed.records_file(), pushed.records_file().read_bytes()
    pushed.write(SESSION, said("since"))
    pushed.push()
    pushed.rewrite(SESSION, old)
    for extra in records.parent.glob(f"{records.name}-*"):
        extra.unlink()
    records.write_bytes(before)
    found = pushed.the("own-bundle-foreign", Level.ERROR)
    follow(found, 0)
    follow(found, 1)
    assert _is_well(pushed)
    assert pushed.read() == opened(pushed.bundle()).transcript != old


def test_a_push_that_was_not_remembered_is_no_strangers(pushed: Patient) -> None:
    records, before = pushed.records_file(), pushed.records_file().read_bytes()
    pushed.write(SESSION, said("since"))
    pushed.push()
    for extra in records.parent.glob(f"{records.name}-*"):
        extra.unlink()
    records.write_bytes(before)
    assert pushed.is_well("own-bundle-foreign")


def test_another_machines_file_that_went_back(pushed: Patient, world: World) -> None:
    desktop = world.machine("desktop")
    desktop.write(OTHER, said())
    desktop.push()
    old = desktop.bundle(OTHER).read_bytes()
    for _ in range(2):
        desktop.write(OTHER, said())
        desktop.push()
        pushed.states()
    desktop.bundle(OTHER).write_bytes(old)
    os.utime(desktop.bundle(OTHER), ns=(1, 10**18))
    pushed.states()
    found = pushed.the("bundle-rolled-back", Level.ERROR)
    assert desktop.bundle(OTHER).name in found.detail
    assert "on desktop" in found.fix
    desktop.push(OTHER)
    pushed.states()
    assert _is_well(pushed)


def test_this_machines_file_that_went_back(pushed: Patient) -> None:
    old = pushed.bundle().read_bytes()
    pushed.write(SESSION, said())
    pushed.push()
    pushed.bundle().write_bytes(old)
    pushed.the("bundle-rolled-back", Level.ERROR)
    pushed.push(SESSION)
    assert _is_well(pushed)


def test_another_machines_id_under_a_new_name(pushed: Patient, world: World) -> None:
    desktop = world.machine("desktop")
    desktop.write(OTHER, said())
    desktop.push()
    forged = _forge(world, SESSION, "mallory", _id_of(desktop, OTHER))
    found = pushed.the("machine-two-names", Level.ERROR)
    assert found.title == "One machine writes under several names: desktop and mallory"
    forged.unlink()
    assert _is_well(pushed)


def test_a_machine_that_was_renamed_and_pushed(pushed: Patient, world: World) -> None:
    desktop = world.machine("desktop")
    desktop.write(OTHER, said())
    desktop.push()
    desktop.set_up(name="tower")
    desktop.write(SESSION, said())
    desktop.push()
    assert _is_well(pushed)


def test_what_was_remembered_of_revisions_may_be_anything(pushed: Patient) -> None:
    for text in ("{", '{"a":1}', "[1]", '[["a","b","c"]]', json.dumps([[1, 2]])):
        with pushed.at_work() as context:
            context.cache.put_setting("went-back", text)
            assert context.store.greatest_revisions() == {}
