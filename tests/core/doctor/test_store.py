from __future__ import annotations

import json
import os
import shutil
import stat
from pathlib import Path

import pytest

from capabilities import require_posix
from claude_sync.doctor import store as store_checks
from claude_sync.model import Level
from claude_sync.state import preferences
from claude_sync.sync.setup import set_up
from conformance.sshd import SshHost
from examined import Patient, commands_of, follow, shown
from faults.disks import SMALL_DISK_BYTES, ordinary_permissions, read_only, small_disk
from machines import OTHER, SESSION, World, said


def test_nothing_was_set_up(newcomer: Patient) -> None:
    found = newcomer.the("not-set-up", Level.WARNING)
    assert "~/claude-sync" in found.detail
    follow(found, fill=[("FOLDER", newcomer.world.store)])
    assert newcomer.is_well("not-set-up")
    assert (
        newcomer.the("store", Level.OK).title
        == f"The shared folder is {shown(newcomer.world.store)}"
    )


def test_sessions_meet_on_this_machine_only(newcomer: Patient) -> None:
    set_up(newcomer.paths, str(newcomer.home / "claude-sync"))
    found = newcomer.the("store-private", Level.INFO)
    follow(found, fill=[("FOLDER", newcomer.world.store)])
    assert newcomer.is_well("store-private")


def test_the_location_cannot_be_read(patient: Patient) -> None:
    file = patient.paths.preferences_file
    written = json.loads(file.read_text())
    file.write_text(json.dumps({**written, "location": "ssh://"}))
    found = patient.findings()
    assert found[0].level is Level.ERROR
    follow(found[0], fill=[("LOCATION", patient.world.store)])
    assert not {one.code for one in patient.findings()} & {found[0].code, "preference-wrong"}


def test_a_kind_of_place_that_nobody_here_knows(patient: Patient) -> None:
    preferences.change(patient.paths, location="bucket://somewhere")
    found = patient.the("location-wrong", Level.ERROR)
    follow(found, fill=[("LOCATION", patient.world.store)])
    assert patient.is_well("location-wrong")


def test_the_store_is_missing(patient: Patient) -> None:
    away = patient.world.store.with_name("away")
    patient.world.store.rename(away)
    found = patient.the("store-missing", Level.ERROR)
    assert shown(patient.world.store) in found.detail
    assert found.fix.startswith("Mount or connect it")
    away.rename(patient.world.store)
    assert patient.is_well("store-missing")


def test_only_the_mount_point_is_there(patient: Patient) -> None:
    store = patient.world.store
    store.rename(store.with_name("disk"))
    store.mkdir()
    found = patient.the("store-not-mounted", Level.ERROR)
    assert found.fix.startswith("Mount its disk")
    follow(found)  # start afresh in it
    assert patient.is_well("store-not-mounted")


@pytest.mark.parametrize("what", [".", ".ccsync-store"])
def test_the_store_may_not_be_read(patient: Patient, what: str) -> None:
    (patient.world.store / what).chmod(0o000)
    with ordinary_permissions():
        found = patient.the("store-denied", Level.ERROR)
        follow(found)
        assert patient.is_well("store-denied")


def test_a_folder_of_the_store_may_not_be_read(patient: Patient) -> None:
    patient.write(SESSION, said())
    patient.push()
    patient.bundle().parent.chmod(0o000)
    with ordinary_permissions():
        follow(patient.the("store-hidden", Level.ERROR))
        assert patient.is_well("store-hidden")


def test_the_store_may_not_be_written_to(patient: Patient) -> None:
    with read_only(patient.world.store):
        found = patient.the("store-unwritable", Level.ERROR)
        follow(found)
        assert patient.is_well("store-unwritable")


def test_a_folder_of_own_bundles_may_not_be_written_to(patient: Patient) -> None:
    patient.write(SESSION, said())
    patient.push()
    with read_only(patient.bundle().parent):
        found = patient.the("store-unwritable", Level.ERROR)
        assert patient.bundle().parent.name in found.detail
        follow(found)
        assert patient.is_well("store-unwritable")


# --- others ------------------------------------------------------------------------------------


def _open_to_others(path: Path) -> None:
    """Let everybody pass through what lies above, as in /srv."""
    require_posix("permission bits that let others in")
    for parent in path.parents:
        mode = stat.S_IMODE(parent.stat().st_mode)
        if parent.stat().st_uid == os.geteuid() and not mode & 0o001:
            parent.chmod(mode | 0o011)


def test_others_may_read_the_store(patient: Patient) -> None:
    patient.write(SESSION, said())
    patient.push()
    _open_to_others(patient.world.store)
    assert patient.is_well("store-readable-by-others")
    for path, mode in (
        (patient.world.store, 0o755),
        (patient.bundle().parent, 0o755),
        (patient.bundle(), 0o644),
    ):
        path.chmod(mode)
    found = patient.the("store-readable-by-others", Level.WARNING)
    assert patient.is_well("store-writable-by-others")
    follow(found)
    assert patient.is_well("store-readable-by-others")


@pytest.mark.parametrize("what", ["root", "folder", "bundle"])
def test_others_may_write_into_the_store(patient: Patient, what: str) -> None:
    patient.write(SESSION, said())
    patient.push()
    _open_to_others(patient.world.store)
    bundle = patient.bundle()
    patient.world.store.chmod(0o711)
    bundle.parent.chmod(0o711)
    opened = {"root": patient.world.store, "folder": bundle.parent, "bundle": bundle}[what]
    opened.chmod(0o733 if what != "bundle" else 0o622)
    found = patient.the("store-writable-by-others", Level.ERROR)
    follow(found)
    assert patient.is_well("store-writable-by-others")


def test_a_private_folder_above_keeps_others_out(patient: Patient) -> None:
    patient.write(SESSION, said())
    patient.push()
    for path in (patient.world.store, patient.bundle().parent, patient.bundle()):
        path.chmod(0o777)
    _open_to_others(patient.world.store)
    patient.world.folder.chmod(0o700)
    assert not patient.codes(Level.ERROR, Level.WARNING)


# --- room --------------------------------------------------------------------------------------


def _fill(folder: Path) -> Path:
    """Leave a hundredth of the disk free: what was written to do so."""
    filler = folder / "holiday.mov"
    free = shutil.disk_usage(folder).free
    filler.write_bytes(b"\0" * (free - SMALL_DISK_BYTES // 100))
    return filler


def test_the_disk_of_the_store_is_nearly_full(newcomer: Patient, tmp_path: Path) -> None:
    with small_disk(tmp_path / "stick") as stick:
        if shutil.disk_usage(stick).total > SMALL_DISK_BYTES:
            return  # this system doesn't let us mount a small one
        newcomer.world.store = stick / "sessions"
        newcomer.set_up()
        assert newcomer.is_well("store-nearly-full")
        filler = _fill(stick)
        found = newcomer.the("store-nearly-full", Level.WARNING)
        assert "Make room" in found.fix
        assert commands_of(found) == ["claude-sync forget --older-than 90"]
        filler.unlink()
        assert newcomer.is_well("store-nearly-full")


def test_the_disk_of_claudes_folder_is_nearly_full(patient: Patient, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        if shutil.disk_usage(disk).total > SMALL_DISK_BYTES:
            return  # this system doesn't let us mount a small one
        preferences.change(patient.paths, claude_config_dir=str(disk))
        filler = _fill(disk)
        assert "Make room" in patient.the("disk-nearly-full", Level.WARNING).fix
        filler.unlink()
        assert patient.is_well("disk-nearly-full")


# --- a host ------------------------------------------------------------------------------------


@pytest.fixture
def guest(newcomer: Patient, ssh_host: SshHost, tmp_path: Path) -> Patient:
    """This machine, with sessions meeting on a host."""
    newcomer.claude.mkdir()
    alone = ssh_host.command_alone()
    preferences.change(newcomer.paths, ssh_command=alone)
    set_up(newcomer.paths, ssh_host.location(tmp_path / "store"), name="laptop")
    return newcomer


def test_a_host_answers(guest: Patient) -> None:
    found = guest.the("store", Level.OK)
    assert "answers in" in found.title
    assert found.title.endswith(" ms")
    assert not guest.codes(Level.ERROR)


def test_a_host_answers_slowly(guest: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    # A millisecond is less than any ssh takes, so this host is one that takes longer than allowed.
    with monkeypatch.context() as patch:
        patch.setattr(store_checks, "SLOW_SECONDS", 0.001)
        found = guest.the("store-slow", Level.WARNING)
    assert "connection" in found.fix
    assert guest.is_well("store-slow")
    assert guest.the("store", Level.OK)


def test_a_host_is_down(guest: Patient) -> None:
    before = preferences.load(guest.paths).ssh_command
    preferences.change(guest.paths, ssh_command=[*before, "-oPort=1"])
    found = guest.the("store-offline", Level.ERROR)
    assert "box" in found.detail
    assert found.fix
    preferences.change(guest.paths, ssh_command=list(before))
    assert guest.is_well("store-offline")


def test_a_host_does_not_let_us_in(guest: Patient, tmp_path: Path) -> None:
    before = preferences.load(guest.paths).ssh_command
    preferences.change(guest.paths, ssh_command=[*before, "-oUser=nobody-of-this-name"])
    found = guest.the("store-offline", Level.ERROR)
    assert "keys" in found.detail
    assert "`ssh box`" in found.fix
    preferences.change(guest.paths, ssh_command=list(before))
    assert guest.is_well("store-offline")


def test_a_hosts_key_is_not_the_one_that_is_known(guest: Patient, tmp_path: Path) -> None:
    before = preferences.load(guest.paths).ssh_command
    preferences.change(guest.paths, ssh_command=[*before, "-oHostKeyAlias=impostor"])
    found = guest.the("store-denied", Level.ERROR)
    assert found.fix == "Log in once with `ssh box` and confirm it"
    preferences.change(guest.paths, ssh_command=list(before))
    assert guest.is_well("store-denied")


def test_another_store_lies_there(patient: Patient, world: World) -> None:
    shutil.rmtree(world.store)
    set_up(World(world.folder / "another").machine("desktop").paths, str(world.store))
    found = patient.the("store-not-mounted", Level.ERROR)
    follow(found)
    assert patient.is_well("store-not-mounted")


def test_a_folder_that_can_not_be_listed_is_named(patient: Patient) -> None:
    patient.write(OTHER, said())
    patient.push()
    (folder,) = (path for path in patient.world.store.iterdir() if path.is_dir())
    folder.chmod(0o300)
    try:
        with ordinary_permissions():
            found = patient.the("store-unseen", Level.ERROR)
    finally:
        folder.chmod(0o700)
    assert folder.name in found.detail
