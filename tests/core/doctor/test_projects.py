from __future__ import annotations

import shutil

import pytest

from claude_sync.claude.home import encode_directory
from claude_sync.model import Level
from examined import Patient, commands_of, follow, shown
from faults.disks import ordinary_permissions
from machines import KEY, SESSION, said
from repositories import repository


def test_no_project_is_known(newcomer: Patient) -> None:
    found = newcomer.the("projects-none", Level.INFO)
    newcomer.project.mkdir(parents=True)
    follow(found, fill=[("DIR", newcomer.project)])
    assert newcomer.is_well("projects-none")


def test_every_project_with_its_directories(patient: Patient) -> None:
    second = patient.home / "code" / "again"
    second.mkdir()
    with patient.at_work() as context:
        context.registry.add(second, KEY)
    found = patient.the("projects", Level.OK)
    assert found.title == "1 project in 2 directories"
    assert "~/code/app" in found.detail
    assert "~/code/again" in found.detail


def test_the_list_of_projects_is_damaged(patient: Patient) -> None:
    file = patient.paths.projects_file
    file.write_text(file.read_text()[:-9])
    found = patient.the("registry-damaged", Level.WARNING)
    assert shown(patient.paths.projects_file) in found.detail
    file.unlink()
    follow(found, fill=[("DIR", patient.project)])
    assert patient.is_well("registry-damaged")


def test_the_list_of_projects_may_not_be_read(patient: Patient) -> None:
    patient.paths.projects_file.chmod(0o000)
    with ordinary_permissions():
        follow(patient.the("registry-damaged", Level.WARNING))
        assert patient.is_well("registry-damaged")


def test_a_projects_only_directory_is_gone(patient: Patient) -> None:
    away = patient.home / "stick"
    patient.project.rename(away)
    found = patient.the("project-directory-missing", Level.WARNING)
    assert "~/code/app" in found.title
    assert "no directory here" in found.detail
    away.rename(patient.project)  # its disk is mounted
    assert patient.is_well("project-directory-missing")


def test_a_projects_directory_has_moved(patient: Patient) -> None:
    moved = patient.home / "src" / "app"
    moved.parent.mkdir()
    patient.project.rename(moved)
    found = patient.the("project-directory-missing", Level.WARNING)
    follow(found, 0, fill=[("DIR", moved)])
    follow(found, 1)
    assert patient.is_well("project-directory-missing")
    assert patient.the("projects", Level.OK).detail.endswith("~/src/app")


def test_one_of_a_projects_directories_is_gone(patient: Patient) -> None:
    second = repository(patient.home / "code" / "again", "https://example.org/you/app")
    with patient.at_work() as context:
        context.registry.learn(second)
        assert context.registry.key_of(second).key == KEY
    assert patient.the("projects", Level.OK).title == "1 project in 2 directories"
    shutil.rmtree(second)
    found = patient.the("project-directory-gone", Level.INFO)
    assert "~/code/again" in found.detail
    follow(found, fill=[("DIR", second)])
    assert patient.is_well("project-directory-gone")


def test_the_only_one_was_found_by_itself_and_is_gone(patient: Patient) -> None:
    other = repository(patient.home / "code" / "other", "https://example.org/you/other")
    with patient.at_work() as context:
        context.registry.learn(other)
        context.registry.key_of(other)
    shutil.rmtree(other)
    found = patient.the("project-directory-missing", Level.WARNING)
    assert "git:example.org/you/other" in found.detail
    follow(found, 1)
    assert patient.is_well("project-directory-missing")


def test_one_that_a_person_added_is_gone(patient: Patient) -> None:
    second = patient.home / "code" / "again"
    second.mkdir()
    with patient.at_work() as context:
        context.registry.add(second, KEY)
    second.rmdir()
    found = patient.the("project-directory-missing", Level.WARNING)
    assert "New sessions of it go to ~/code/app" in found.detail
    follow(found, 1)
    assert patient.is_well("project-directory-missing")


def test_a_projects_key_cannot_be_told(patient: Patient) -> None:
    odd = patient.home / "code" / "odd"
    odd.mkdir()
    (odd / ".git").write_text("gitdir: /nowhere/at/all\n")
    with patient.at_work() as context:
        context.registry.learn(odd)
    found = patient.the("project-key-unknown", Level.WARNING)
    assert "~/code/odd" in found.title
    assert "remove the .git file" in found.fix
    folder = patient.claude / "projects" / encode_directory(str(odd))
    folder.mkdir(parents=True)
    (folder / f"{SESSION}.jsonl").write_bytes(said(cwd=str(odd)))
    assert patient.is_well("sessions-without-project")  # it is said once
    (odd / ".git").unlink()
    assert patient.is_well("project-key-unknown")


def test_a_project_is_known_by_its_name_only(patient: Patient) -> None:
    notes = repository(patient.home / "code" / "notes")
    with patient.at_work() as context:
        context.registry.learn(notes)
    found = patient.the("project-name-only", Level.INFO)
    assert "~/code/notes" in found.detail
    assert commands_of(found)[0] == f"git -C {notes} remote add origin URL"
    follow(found, 0, fill=[("URL", "https://example.org/you/notes")])
    assert patient.is_well("project-name-only")


@pytest.mark.parametrize("remote", ["/srv/git/notes.git", "file:///srv/git/notes.git"])
def test_one_whose_remote_names_no_host_is_given_a_key_and_keeps_its_remote(
    patient: Patient, remote: str
) -> None:
    notes = repository(patient.home / "code" / "notes", remote)
    with patient.at_work() as context:
        context.registry.learn(notes)
    found = patient.the("project-name-only", Level.INFO)
    assert len(commands_of(found)) == 1
    follow(found, fill=[("KEY", "git:example.org/you/notes")])
    assert patient.is_well("project-name-only")
    assert f"url = {remote}\n" in (notes / ".git" / "config").read_text()


def test_one_that_is_no_repository_is_given_a_key(patient: Patient) -> None:
    notes = patient.home / "code" / "notes"
    notes.mkdir()
    with patient.at_work() as context:
        context.registry.learn(notes)
    found = patient.the("project-name-only", Level.INFO)
    assert len(commands_of(found)) == 1
    follow(found, fill=[("KEY", "name:my notes")])
    assert patient.is_well("project-name-only")


def test_of_several_known_by_name_each_is_given_a_key(patient: Patient) -> None:
    several = [
        repository(patient.home / "code" / "notes"),
        repository(patient.home / "code" / "local", "/srv/git/local.git"),
    ]
    with patient.at_work() as context:
        for directory in several:
            context.registry.learn(directory)
    found = patient.the("project-name-only", Level.INFO)
    for directory in several:
        assert not patient.is_well("project-name-only")
        key = f"git:example.org/you/{directory.name}"
        follow(found, fill=[("DIR", directory), ("KEY", key)])
    assert patient.is_well("project-name-only")


def test_a_name_that_is_a_projects_key_is_given_another(patient: Patient) -> None:
    notes = repository(patient.home / "code" / "notes")
    with patient.at_work() as context:
        context.registry.learn(notes)
    follow(
        patient.the("project-name-only", Level.INFO),
        1,
        fill=[("KEY", "git:example.org/you/notes")],
    )
    assert patient.is_well("project-name-only")


def test_two_directories_share_a_name(patient: Patient) -> None:
    both = [repository(patient.home / where / "notes") for where in ("code", "work")]
    with patient.at_work() as context:
        for directory in both:
            context.registry.learn(directory)
    found = patient.the("project-name-shared", Level.WARNING)
    assert "~/code/notes" in found.detail
    assert "~/work/notes" in found.detail
    assert patient.is_well("project-name-only")
    follow(found, fill=[("DIR", both[0])])
    assert patient.is_well("project-name-shared")


def test_nothing_is_said_of_sessions_that_were_started_at_home(patient: Patient) -> None:
    folder = patient.claude / "projects" / encode_directory(str(patient.home))
    folder.mkdir(parents=True)
    (folder / f"{SESSION}.jsonl").write_bytes(said(cwd=str(patient.home)))
    assert patient.is_well("project-name-only")
    assert patient.is_well("sessions-without-project")
