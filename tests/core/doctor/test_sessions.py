from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from claude_sync.claude import listed_files
from claude_sync.claude.home import encode_directory
from claude_sync.model import Level
from claude_sync.sync.setup import set_up
from examined import Patient, commands_of, follow, shown
from faults.disks import ordinary_permissions
from machines import KEY, OTHER, SESSION, World, opened, said
from repositories import bare_bones


@pytest.fixture
def desktop(world: World, patient: Patient) -> Patient:
    """Another machine around the same store."""
    return world.machine("desktop")  # type: ignore[return-value]


def _part(patient: Patient, desktop: Patient, here: int = 2, there: int = 1) -> None:
    """Have a session diverge on two machines."""
    patient.write(SESSION, said())
    patient.push()
    desktop.pull()
    desktop.write(SESSION, *(said() for _ in range(there)))
    desktop.push()
    patient.write(SESSION, *(said() for _ in range(here)))


def test_a_session_that_lost_something_is_named_with_what_puts_it_back(patient: Patient) -> None:
    patient.write(SESSION, said("one"), said("two"))
    patient.push()
    patient.rewrite(SESSION, b"")
    patient.grow_old()
    found = patient.the("session-shortened", Level.WARNING)
    assert "2 turns" in found.detail
    follow(found)
    assert patient.is_well("session-shortened")


def test_where_something_else_was_said_since_a_person_has_to_choose(patient: Patient) -> None:
    patient.write(SESSION, said("one"), said("two"))
    patient.push()
    patient.rewrite(SESSION, said("newest turn only"))
    patient.grow_old()
    found = patient.the("session-shortened", Level.WARNING)
    assert "conflict" not in patient.codes(Level.WARNING)
    follow(found, 1)
    assert patient.is_well("session-shortened")
    assert patient.read() == opened(patient.bundle()).transcript


@pytest.mark.parametrize("which", ["mine", "theirs", "both"])
def test_a_conflict_waits(patient: Patient, desktop: Patient, which: str) -> None:
    _part(patient, desktop)
    found = patient.the("conflict", Level.WARNING)
    assert "2 lines on laptop, 1 line on desktop" in found.detail
    command = commands_of(found)[0]
    if which != "mine":
        assert which in commands_of(found)
        found = found._replace(fix=f"`{command.replace('mine', which)}`")
    follow(found)
    assert patient.is_well("conflict")


def test_a_session_that_may_not_be_read(patient: Patient, desktop: Patient) -> None:
    desktop.write(SESSION, said())
    desktop.push()
    patient.pull()
    desktop.write(SESSION, said())
    desktop.push()
    patient.write(SESSION, said())
    patient.path().chmod(0o000)
    with ordinary_permissions():
        found = patient.the("session-unreadable", Level.WARNING)
        follow(found)
        assert patient.is_well("session-unreadable")
        assert patient.the("conflict", Level.WARNING)


def test_sessions_of_no_project(patient: Patient) -> None:
    directory = patient.home / "tmp" / "experiment"
    folder = patient.claude / "projects" / encode_directory(str(directory))
    folder.mkdir(parents=True)
    for session in (SESSION, OTHER):
        (folder / f"{session}.jsonl").write_bytes(said())
    found = patient.the("sessions-without-project", Level.WARNING)
    assert found.title.startswith("2 sessions")
    assert f"~/.claude/projects/{folder.name}" in found.detail
    directory.mkdir(parents=True)
    follow(found, fill=[("DIR", directory)])
    assert patient.is_well("sessions-without-project")


def test_sessions_from_elsewhere_without_a_directory(newcomer: Patient, world: World) -> None:
    desktop = world.machine("desktop")
    for session in (SESSION, OTHER):
        desktop.write(session, said())
    desktop.push()
    set_up(newcomer.paths, str(world.store), name="laptop")
    found = newcomer.the("sessions-unplaced", Level.INFO)
    assert found.title == f"2 sessions of {KEY} wait for a directory"
    bare_bones(newcomer.project, "https://example.org/you/app")
    follow(found, fill=[("DIR", newcomer.project)])
    assert newcomer.is_well("sessions-unplaced")


def _second_copy(patient: Patient) -> Path:
    folder = patient.claude / "projects" / "-elsewhere"
    folder.mkdir()
    return Path(shutil.copy2(patient.path(), folder))


def test_a_session_lies_here_twice_and_one_copy_is_shorter(patient: Patient) -> None:
    patient.write(SESSION, said())
    copy = _second_copy(patient)
    patient.write(SESSION, said())
    found = patient.the("session-in-two-places", Level.INFO)
    assert shown(copy) in found.fix
    copy.rename(patient.home / "out.jsonl")
    assert patient.is_well("session-in-two-places")


def test_a_session_lies_here_twice_and_each_copy_has_lines_of_its_own(patient: Patient) -> None:
    patient.write(SESSION, said())
    copy = _second_copy(patient)
    patient.write(SESSION, said())
    with copy.open("ab") as file:
        file.write(said())
    found = patient.the("session-in-two-places", Level.WARNING)
    assert "neither is pushed" in found.detail
    copy.rename(patient.home / "out.jsonl")
    assert patient.is_well("session-in-two-places")


def test_a_file_that_can_not_travel(patient: Patient) -> None:
    patient.write(SESSION, said())
    file = patient.write_sidecar(SESSION, "tool-results/nul.txt", b"long output")
    found = patient.the("sidecar-left-out", Level.WARNING)
    assert found.title.startswith("1 file of session")
    assert shown(patient.folder / SESSION) in found.fix
    file.rename(file.with_name("what.txt"))
    assert patient.is_well("sidecar-left-out")


def test_checkpoints_that_stay_here_are_named(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listed_files, "MAX_CHECKPOINT_BYTES", 150)
    patient.write(SESSION, said())
    assert patient.is_well("checkpoints-held-back")
    for number in range(3):
        name = f"file-history/{SESSION}/0123456789abcdef@v{number}"
        patient.write_companion(name, b"x" * 100)
    found = patient.the("checkpoints-held-back", Level.INFO)
    assert found.detail.startswith("2 checkpoints stay on this machine only")


def test_a_folder_of_task_lists_that_cannot_be_seen_is_named(
    patient: Patient, tmp_path: Path
) -> None:
    patient.write(SESSION, said())
    assert patient.is_well("companions-unseen")
    (tmp_path / "plans").mkdir()
    (patient.claude / "plans").symlink_to(tmp_path / "plans")
    found = patient.the("companions-unseen", Level.WARNING)
    assert found.title == "~/.claude/plans isn't pushed"
    (patient.claude / "plans").unlink()
    (patient.claude / "tasks" / SESSION).mkdir(parents=True)
    with ordinary_permissions():
        (patient.claude / "tasks" / SESSION).chmod(0)
        try:
            found = patient.the("companions-unseen", Level.WARNING)
            assert found.fix.startswith("`chmod")
        finally:
            (patient.claude / "tasks" / SESSION).chmod(0o700)


def test_a_session_that_was_undone_here(patient: Patient, desktop: Patient) -> None:
    patient.write(SESSION, said())
    patient.push()
    desktop.pull()
    desktop.write(SESSION, said())
    desktop.push()
    patient.pull()
    patient.undo()
    found = patient.the("sessions-declined", Level.INFO)
    follow(found)
    assert patient.is_well("sessions-declined")
