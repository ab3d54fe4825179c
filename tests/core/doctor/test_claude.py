from __future__ import annotations

import json
import shutil

import pytest

from claude_sync.model import Level
from claude_sync.state import preferences
from examined import Patient, commands_of, follow
from faults.disks import ordinary_permissions
from machines import OTHER, SESSION, said

DAY = 86_400


def test_there_is_no_folder_of_claude_code(patient: Patient) -> None:
    shutil.rmtree(patient.claude)
    elsewhere = patient.home / "claude"
    elsewhere.mkdir()
    found = patient.the("claude-missing", Level.WARNING)
    assert "~/.claude" in found.detail
    follow(found, fill=[("DIR", elsewhere)])
    assert patient.is_well("claude-missing")


def test_there_are_no_sessions_yet(patient: Patient) -> None:
    found = patient.the("claude-empty", Level.INFO)
    assert commands_of(found) == ["claude-sync config set claude_config_dir DIR"]
    patient.write(SESSION, said())
    assert patient.is_well("claude-empty")
    assert patient.the("claude", Level.OK).title == "1 session in ~/.claude"


@pytest.mark.parametrize("above", [0, 1, 2])
def test_claudes_sessions_may_not_be_read(patient: Patient, above: int) -> None:
    patient.write(SESSION, said())
    [patient.folder, *patient.folder.parents][above].chmod(0o000)
    with ordinary_permissions():
        code = "claude-unreadable" if above else "claude-part-unreadable"
        follow(patient.the(code, Level.ERROR if above else Level.WARNING))
        assert patient.is_well(code)


def test_claudes_folder_may_not_be_written_to(patient: Patient) -> None:
    patient.write(SESSION, said())
    patient.folder.chmod(0o500)
    with ordinary_permissions():
        follow(patient.the("claude-unwritable", Level.ERROR))
        assert patient.is_well("claude-unwritable")


@pytest.mark.parametrize("relative", [False, True])
def test_a_login_would_look_into_another_folder(
    patient: Patient, monkeypatch: pytest.MonkeyPatch, relative: bool
) -> None:
    work = patient.home / "work claude"
    work.mkdir()
    monkeypatch.chdir(patient.home)
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", work.name if relative else str(work))
    found = patient.the("claude-config-dir-differs", Level.WARNING)
    follow(found)
    assert patient.is_well("claude-config-dir-differs")
    assert preferences.load(patient.paths).claude_config_dir == work


def test_a_file_about_an_open_session_cannot_be_read(patient: Patient) -> None:
    (patient.claude / "sessions" / "77.json").write_text('{"pid": 77, "sess')
    follow(patient.the("live-unreadable", Level.WARNING))
    assert patient.is_well("live-unreadable")


def test_the_files_about_open_sessions_may_not_be_listed(patient: Patient) -> None:
    (patient.claude / "sessions").chmod(0o000)
    with ordinary_permissions():
        follow(patient.the("live-unreadable", Level.WARNING))
        assert patient.is_well("live-unreadable")


# --- clean-up ----------------------------------------------------------------------------------


def test_a_session_that_is_about_to_be_deleted_and_is_nowhere_else(patient: Patient) -> None:
    patient.write(SESSION, said())
    patient.write(OTHER, said())
    patient.grow_old(SESSION, 28 * DAY)
    found = patient.the("cleanup-soon", Level.WARNING)
    assert "1 session that is nowhere else" in found.title
    follow(found)
    assert patient.is_well("cleanup-soon")
    assert not patient.bundle(OTHER).exists()


def test_how_many_days_it_has_is_the_clients_own_setting(patient: Patient) -> None:
    patient.write(SESSION, said())
    patient.grow_old(SESSION, 5 * DAY)
    settings = patient.claude / "settings.json"
    settings.write_text(json.dumps({"cleanupPeriodDays": 7}))
    found = patient.the("cleanup-soon", Level.WARNING)
    assert "7 days" in found.detail
    assert "`cleanupPeriodDays` in ~/.claude/settings.json" in found.fix
    settings.write_text(json.dumps({"cleanupPeriodDays": 365}))
    assert patient.is_well("cleanup-soon")


def test_what_another_machine_holds_is_not_lost(patient: Patient) -> None:
    patient.write(SESSION, said())
    patient.push()
    desktop = patient.world.machine("desktop")
    desktop.pull()
    desktop.push(SESSION)
    patient.bundle().unlink()
    patient.grow_old(SESSION, 29 * DAY)
    assert patient.is_well("cleanup-soon")


def test_lost_records_are_no_reason_to_fear_for_what_was_pushed(patient: Patient) -> None:
    patient.write(SESSION, said())
    patient.write(OTHER, said())
    patient.push()
    patient.write(OTHER, said())
    for session in (SESSION, OTHER):
        patient.grow_old(session, 40 * DAY)
    patient.lose_records()
    found = patient.the("cleanup-soon", Level.WARNING)
    assert commands_of(found)[0] == f"claude-sync push {OTHER}"


def test_a_time_that_was_set_back_does_not_hide_that_it_was_pushed(patient: Patient) -> None:
    patient.write(SESSION, said())
    patient.push()
    patient.grow_old(SESSION, 40 * DAY)
    assert patient.is_well("cleanup-soon")
    size = len(patient.read())
    patient.rewrite(SESSION, said()[:size].ljust(size, b" "))
    patient.grow_old(SESSION, 40 * DAY)
    patient.the("cleanup-soon", Level.WARNING)


def test_many_old_sessions_are_pushed_together(patient: Patient) -> None:
    ids = [f"{number}-1111-4222-8333-444455556666" for number in range(10000001, 10000008)]
    for session in ids:
        patient.write(session, said())
        patient.grow_old(session, 40 * DAY)
    found = patient.the("cleanup-soon", Level.WARNING)
    assert "7 sessions that are nowhere else" in found.title
    follow(found)
    assert patient.is_well("cleanup-soon")


def test_what_nobody_wants_pushed_is_not_spoken_of(patient: Patient) -> None:
    patient.write(SESSION, said())
    patient.grow_old(SESSION, 40 * DAY)
    preferences.change(patient.paths, ignore=["git:example.org/*"])
    assert patient.is_well("cleanup-soon")
    preferences.change(patient.paths, ignore=None)
    patient.the("cleanup-soon", Level.WARNING)
    patient.push()
    patient.forget()
    assert patient.is_well("cleanup-soon")


def test_an_open_session_is_not_about_to_be_deleted(patient: Patient) -> None:
    patient.write(SESSION, said())
    patient.grow_old(SESSION, 40 * DAY)
    patient.open()
    assert patient.is_well("cleanup-soon")


def test_while_the_store_is_away_what_was_pushed_counts(patient: Patient) -> None:
    patient.write(SESSION, said())
    patient.push()
    patient.write(OTHER, said())
    for session in (SESSION, OTHER):
        patient.grow_old(session, 29 * DAY)
        patient.states()  # the states were looked at since
    patient.world.store.rename(patient.world.store.with_name("away"))
    found = patient.the("cleanup-soon", Level.WARNING)
    assert OTHER in found.detail
    assert SESSION not in found.detail


# --- one bad item ------------------------------------------------------------------------------


def test_a_sync_tool_left_conflict_copies(patient: Patient) -> None:
    patient.write(SESSION, said())
    copy = patient.folder / f"{SESSION}.sync-conflict-20261128-101112-ABCDEFG.jsonl"
    copy.write_bytes(said())
    follow(patient.the("claude-conflict-copies", Level.WARNING))
    assert patient.is_well("claude-conflict-copies")
    assert len(patient.sessions()) == 2, "it is a session of its own now"


def test_the_desktop_app_mirrors_what_runs_on_other_hosts(patient: Patient) -> None:
    mirror = patient.folder.with_name("ssh-0a1b2c")
    mirror.mkdir(parents=True)
    (mirror / f"{SESSION}.jsonl").write_bytes(said())
    found = patient.the("claude-mirrors", Level.INFO)
    assert "ssh-0a1b2c" in found.detail
    assert "on the hosts themselves" in found.fix
    assert not patient.states()


def test_a_transcript_may_not_be_read_and_belongs_to_another(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient.write(SESSION, said())
    patient.path().chmod(0)
    with ordinary_permissions():
        follow(patient.the("session-unreadable", Level.WARNING))
        assert patient.is_well("session-unreadable")
        patient.path().chmod(0)
        monkeypatch.setattr("claude_sync.doctor.fixes.os.geteuid", lambda: 12345)
        assert "sudo chown -R" in patient.the("session-unreadable", Level.WARNING).fix


def test_a_projects_link_leads_nowhere(patient: Patient) -> None:
    patient.write(SESSION, said())
    link = patient.folder.with_name("-unmounted")
    link.symlink_to(patient.home / "unmounted")
    follow(patient.the("claude-part-unreadable", Level.WARNING))
    assert patient.is_well("claude-part-unreadable")


# --- a client newer than the list of its types of lines ------------------------------------------


def line(**event: object) -> bytes:
    return json.dumps(event).encode() + b"\n"


def test_a_newer_client_writes_lines_of_types_that_are_not_known_yet(patient: Patient) -> None:
    patient.write(
        SESSION, line(type="user", uuid="1", version="9.0.1", message={"content": "a secret"})
    )
    assert patient.is_well("claude-newer")
    patient.write(SESSION, line(type="brand-new", secret="a secret"))
    patient.write(SESSION, line(type="A Secret\x1b") + line(type=["a secret"]) + b"a secret\n")
    found = patient.the("claude-newer", Level.INFO)
    assert found.title.startswith("Claude Code 9.0.1 writes lines")
    assert "(brand-new)" in found.detail
    assert "ecret" not in f"{found}"


@pytest.mark.parametrize("version", ["2.1.330", "2.1.332", "9.x", 9, None])
def test_of_a_client_that_is_not_newer_nothing_is_said(patient: Patient, version: object) -> None:
    patient.write(SESSION, line(type="brand-new") + line(type="user", uuid="1", version=version))
    assert patient.is_well("claude-newer")


def test_only_what_the_client_wrote_last_tells(patient: Patient) -> None:
    patient.write(SESSION, line(type="brand-new", version="9.0.1"))
    patient.write(SESSION, line(type="user", uuid="1", version="9.0.1", text="x" * 99) * 999)
    assert patient.is_well("claude-newer")
