from __future__ import annotations

import json
import math
import time
from pathlib import Path

import pytest

from claude_sync.model import Level
from claude_sync.state import preferences
from claude_sync.state.machine import name_machine
from examined import Patient, follow, shown
from faults.disks import ordinary_permissions
from machines import OTHER, SESSION, World, said


def _edit(patient: Patient, **changes: object) -> None:
    """Change preferences.json as a person does: by hand, unchecked."""
    file = patient.paths.preferences_file
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def test_preferences_that_are_no_json(patient: Patient) -> None:
    file = patient.paths.preferences_file
    good = file.read_text()
    file.write_text(good[:-2])
    found = patient.the("preferences-unreadable", Level.ERROR)
    assert str(patient.home) not in found.detail
    assert found.detail.startswith(shown(patient.paths.preferences_file))
    assert f"Correct {shown(patient.paths.preferences_file)}" in found.fix
    file.write_text(good)
    assert patient.is_well("preferences-unreadable")


def test_preferences_that_are_removed_and_made_again(patient: Patient) -> None:
    patient.paths.preferences_file.write_text("[]")
    found = patient.the("preferences-unreadable", Level.ERROR)
    patient.paths.preferences_file.unlink()
    follow(found, fill=[("LOCATION", patient.world.store)])
    assert patient.is_well("preferences-unreadable")
    assert not patient.codes(Level.ERROR)


def test_preferences_of_a_newer_claude_sync(patient: Patient) -> None:
    _edit(patient, schema=2)
    found = patient.the("preferences-unreadable", Level.ERROR)
    assert "schema" in found.detail
    _edit(patient, schema=1)
    assert patient.is_well("preferences-unreadable")


def test_preferences_that_may_not_be_read(patient: Patient) -> None:
    patient.paths.preferences_file.chmod(0o000)
    with ordinary_permissions():
        follow(patient.the("preferences-unreadable", Level.ERROR))
        assert patient.is_well("preferences-unreadable")
        assert not patient.codes(Level.ERROR)


@pytest.mark.parametrize("key", ["location", "store_id"])
def test_where_sessions_meet_cannot_be_told(patient: Patient, key: str) -> None:
    _edit(patient, **{key: 7})
    found = patient.the("preference-wrong", Level.ERROR)
    assert patient.is_well("not-set-up")
    follow(found, fill=[("LOCATION", patient.world.store)] if key == "location" else ())
    assert patient.is_well("preference-wrong")
    assert not patient.codes(Level.ERROR)


@pytest.mark.parametrize(
    ("key", "wrong", "good"),
    [
        ("quiet_seconds", "soon", "5"),
        ("on_arrival", "perhaps", "pull"),
        ("left_click", 7, "menu"),
    ],
)
def test_a_wrong_value_is_named_with_its_reason(
    patient: Patient, key: str, wrong: object, good: str
) -> None:
    _edit(patient, **{key: wrong})
    found = patient.the("preference-wrong", Level.WARNING)
    assert key in found.title
    assert "must be" in found.detail
    follow(found, fill=[("VALUE", good)])
    assert patient.is_well("preference-wrong")


def test_a_wrong_kind_of_notification_is_named(patient: Patient) -> None:
    _edit(patient, notifications={"pulled": "yes"})
    found = patient.the("preference-wrong", Level.WARNING)
    assert "notifications.pulled" in found.title
    follow(found, fill=[("VALUE", "off")])
    assert patient.is_well("preference-wrong")


def test_a_misspelled_preference(patient: Patient) -> None:
    _edit(patient, quiet_secondz=4)
    found = patient.the("preference-unknown", Level.INFO)
    assert "quiet_secondz" in found.detail
    file = patient.paths.preferences_file
    file.write_text(file.read_text().replace("quiet_secondz", "quiet_seconds"))
    assert patient.is_well("preference-unknown")


def test_a_folder_to_look_for_projects_in_is_gone(patient: Patient) -> None:
    root = patient.home / "work"
    root.mkdir()
    preferences.change(patient.paths, projects_roots=[str(root)])
    assert patient.is_well("projects-root-missing")
    root.rmdir()
    found = patient.the("projects-root-missing", Level.WARNING)
    assert "~/work" in found.detail
    follow(found, fill=[("DIR", patient.home / "code")])
    assert patient.is_well("projects-root-missing")


@pytest.mark.parametrize(
    ("seconds", "words"), [(1800, "30 more minutes"), (math.inf, "until you resume it")]
)
def test_syncing_is_paused(patient: Patient, seconds: float, words: str) -> None:
    now = time.time()
    preferences.change(patient.paths, paused_until=now + seconds)
    found = patient.the("paused", Level.INFO, now=now)
    assert words in found.detail
    follow(found)
    assert patient.is_well("paused", now=now)


def test_a_pause_that_is_over_is_none(patient: Patient) -> None:
    now = time.time()
    preferences.change(patient.paths, paused_until=now + 60)
    assert patient.is_well("paused", now=now + 61)


# --- names -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["localhost", "MacBook-Pro", "raspberrypi"])
def test_a_name_that_many_machines_have(patient: Patient, name: str) -> None:
    name_machine(patient.paths, name)
    found = patient.the("machine-name-default", Level.WARNING)
    assert name in found.title
    follow(found, fill=[("NAME", "laptop")])
    assert patient.is_well("machine-name-default")


def test_the_machines_own_word_of_its_name_is_damaged(patient: Patient) -> None:
    patient.write(SESSION, said())
    patient.push()
    patient.paths.machine_file.write_text('{"schema": 1, "name": ')
    found = patient.the("machine-name-lost", Level.WARNING)
    assert found.fix.endswith("--name laptop`")  # as the store has it
    follow(found)
    assert patient.is_well("machine-name-lost")
    assert json.loads(patient.paths.machine_file.read_text())["name"] == "laptop"


def _other(world: World, name: str) -> Patient:
    """Another machine of some name, with a bundle in the store."""
    other = world.machine("elsewhere")
    name_machine(other.paths, name)
    other.write(OTHER, said())
    other.push()
    return other  # type: ignore[return-value]


def test_every_bundle_is_by_another_machine_of_this_ones_name(
    patient: Patient, world: World
) -> None:
    """What makes a pull look like a no-op: all that is there seems to be one's own."""
    _other(world, "laptop")
    found = patient.the("machine-name-taken", Level.WARNING)
    follow(found, fill=[("NAME", "notebook")])
    assert patient.is_well("machine-name-taken")
    assert patient.pull(OTHER)


def test_it_was_this_machine_before_it_was_installed_anew(patient: Patient, world: World) -> None:
    _other(world, "laptop")
    found = patient.the("machine-name-taken", Level.WARNING)
    patient.pull()
    patient.push(OTHER)
    follow(found, 1, more="--yes")
    assert patient.is_well("machine-name-taken")
    assert patient.is_well("machine-name-shared")


def test_two_machines_of_one_name(patient: Patient, world: World) -> None:
    patient.write(SESSION, said())
    patient.push()
    _other(world, "LAPTOP")
    found = patient.the("machine-name-shared", Level.WARNING)
    follow(found, fill=[("NAME", "notebook")])
    assert patient.is_well("machine-name-shared")


def test_two_other_machines_of_one_name(patient: Patient, world: World) -> None:
    first, second = world.machine("desktop"), world.machine("workshop")
    for machine, session in ((first, SESSION), (second, OTHER)):
        name_machine(machine.paths, "desktop")
        machine.write(session, said())
        machine.push()
    found = patient.the("machine-name-shared", Level.INFO)
    assert found.title == "2 machines are called desktop"
    name_machine(second.paths, "workshop")
    second.push(OTHER)
    assert patient.is_well("machine-name-shared")


def test_a_home_that_was_copied_from_another_machine(world: World, tmp_path: Path) -> None:
    import shutil

    original = world.machine("desktop")
    original.write(SESSION, said())
    original.push()
    patient = Patient(world)
    # Where this system's machines have their things.
    for theirs, ours in (
        (original.paths.config, patient.paths.config),
        (original.paths.state, patient.paths.state),
        (original.claude, patient.claude),
        (original.project, patient.project),
    ):
        shutil.copytree(theirs, ours, dirs_exist_ok=True)  # on Windows two of them are one
    found = patient.the("home-cloned", Level.WARNING)
    assert "desktop" in found.detail
    follow(found, fill=[("NAME", "laptop")])
    assert patient.is_well("home-cloned")
    assert patient.the("peer", Level.OK).title.startswith("desktop: 1 session")
