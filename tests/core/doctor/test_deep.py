from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from claude_sync.doctor import examine, open_read_only
from claude_sync.model import Level, Progress
from claude_sync.state import preferences
from claude_sync.sync.setup import set_up
from conformance.sshd import SshHost
from examined import Patient, follow, snapshot
from faults.disks import SMALL_DISK_BYTES, read_only, small_disk
from machines import KEY_FOLDER, OTHER, SESSION, opened, said


@pytest.fixture
def pushed(patient: Patient) -> Patient:
    """This machine with two sessions that were pushed."""
    for session in (SESSION, OTHER):
        patient.write(session, *(said("x" * 5000) for _ in range(20)))
    patient.push()
    return patient


def test_a_probe_is_written_read_back_and_removed(pushed: Patient) -> None:
    before = sorted(pushed.world.store.rglob("*"))
    pushed.the("probe", Level.OK, deep=True)
    assert sorted(pushed.world.store.rglob("*")) == before


def test_without_being_asked_nothing_is_written(pushed: Patient) -> None:
    before = snapshot(pushed.world.store)
    assert pushed.is_well("probe")
    assert snapshot(pushed.world.store) == before


def test_nothing_can_be_written(pushed: Patient) -> None:
    with read_only(pushed.world.store):
        found = pushed.the("probe-failed", Level.ERROR, deep=True)
        assert found.fix
        follow(pushed.the("store-unwritable", Level.ERROR))
        assert pushed.is_well("probe-failed", deep=True)


def test_no_room_is_left(newcomer: Patient, tmp_path: Path) -> None:
    with small_disk(tmp_path / "stick") as stick:
        if shutil.disk_usage(stick).total > SMALL_DISK_BYTES:
            return  # this system doesn't let us mount a small one
        newcomer.world.store = stick / "sessions"
        newcomer.set_up()
        filler = stick / "holiday.mov"
        with filler.open("wb", buffering=0) as file:
            try:
                while file.write(bytes(4096)):
                    pass
            except OSError:
                pass
        found = newcomer.the("probe-failed", Level.ERROR, deep=True)
        assert "space" in found.fix
        filler.unlink()
        assert newcomer.is_well("probe-failed", deep=True)


def test_every_own_bundle_is_read_through(pushed: Patient) -> None:
    found = pushed.the("own-bundles", Level.OK, deep=True)
    assert found.title == "2 bundles of this machine checked"


def test_how_far_the_reading_is(pushed: Patient) -> None:
    told: list[Progress] = []
    with open_read_only(pushed.paths, on_progress=told.append) as context:
        examine(context, deep=True)
    assert [(one.verb, one.sessions_done, one.sessions_total) for one in told] == [
        ("Reading", 1, 2),
        ("Reading", 2, 2),
    ]


def _rot(path: Path) -> None:
    """Flip one bit of what was said, which no listing reads."""
    status = path.stat()
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    import os

    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_a_bit_of_an_own_bundle_has_flipped(pushed: Patient) -> None:
    path = pushed.bundle()
    _rot(path)
    assert not pushed.codes(Level.ERROR)
    found = pushed.the("own-bundle-damaged", Level.ERROR, deep=True)
    assert path.name in found.detail
    assert pushed.the("own-bundles", Level.OK, deep=True).title.startswith("1 bundle ")
    follow(found, 0, more="--yes")
    follow(found, 1)
    assert pushed.is_well("own-bundle-damaged", deep=True)
    assert opened(path).transcript == pushed.read()


def test_bundles_of_others_are_theirs_to_read(pushed: Patient) -> None:
    desktop = pushed.world.machine("desktop")
    desktop.pull()
    desktop.write(SESSION, said())
    desktop.push()
    _rot(desktop.bundle())
    assert pushed.is_well("own-bundle-damaged", deep=True)


def test_a_bundle_on_a_host_has_rotted(
    newcomer: Patient, ssh_host: SshHost, tmp_path: Path
) -> None:
    store = tmp_path / "store"
    newcomer.set_up()
    preferences.change(newcomer.paths, ssh_command=ssh_host.command_alone())
    set_up(newcomer.paths, ssh_host.location(store), name="laptop")
    newcomer.write(SESSION, *(said("x" * 5000) for _ in range(20)))
    newcomer.push()
    path = store / KEY_FOLDER / f"{SESSION}-laptop.ccsync"
    _rot(path)
    found = newcomer.the("own-bundle-damaged", Level.ERROR, deep=True)
    follow(found, 0, more="--yes")
    follow(found, 1)
    assert newcomer.is_well("own-bundle-damaged", deep=True)
    newcomer.the("probe", Level.OK, deep=True)
    assert opened(path).transcript == newcomer.read()
