from __future__ import annotations

import errno
import json
import os
import re
import shutil
import subprocess
import time
import uuid
from pathlib import Path

import pytest

from bundles import crafted, packed
from claude_sync.model import Level
from claude_sync.state import preferences
from claude_sync.sync.setup import set_up
from conformance.sshd import SshHost
from examined import Patient, commands_of, follow
from failing_calls import failing
from faults.disks import ordinary_permissions
from machines import KEY, KEY_FOLDER, OTHER, SESSION, PlayedMachine, World, opened, said

DAY = 86_400


@pytest.fixture
def pushed(patient: Patient) -> Patient:
    """This machine with one session that was pushed."""
    patient.write(SESSION, *(said("x" * 1000) for _ in range(20)))
    patient.push()
    return patient


@pytest.fixture
def desktop(world: World) -> PlayedMachine:
    """Another machine."""
    return world.machine("desktop")


def test_a_damaged_bundle(pushed: Patient) -> None:
    path = pushed.bundle()
    data = bytearray(path.read_bytes())
    data[-20] ^= 1  # in its check, where a listing looks
    path.write_bytes(data)
    found = pushed.the("bundle-corrupt", Level.WARNING)
    assert path.name in found.detail
    follow(found)
    assert pushed.is_well("bundle-corrupt")
    assert opened(path).transcript == pushed.read()


CHECKPOINT = "file-history/{}/0123456789abcdef@v1"


def test_a_bundle_with_checkpoints_that_are_to_stay_here(pushed: Patient) -> None:
    pushed.write_companion(CHECKPOINT.format(SESSION), b"secret = 1\n")
    pushed.push()
    assert pushed.is_well("checkpoints-in-store")
    preferences.change(pushed.paths, checkpoints=False)
    found = pushed.the("checkpoints-in-store", Level.WARNING)
    assert found.title.startswith("1 bundle of this machine still holds checkpoints")
    follow(found)
    assert pushed.is_well("checkpoints-in-store")


@pytest.mark.parametrize("which", ["removed", "pulled and pushed"])
def test_a_bundle_with_checkpoints_of_a_session_that_is_gone(pushed: Patient, which: str) -> None:
    pushed.write_companion(CHECKPOINT.format(SESSION), b"secret = 1\n")
    pushed.push()
    pushed.path().unlink()
    preferences.change(pushed.paths, checkpoints=False)
    found = pushed.the("checkpoints-in-store", Level.WARNING)
    assert SESSION in found.detail
    if which == "removed":
        follow(found, more="--yes")
    else:
        follow(found, 1)
        follow(pushed.the("checkpoints-in-store", Level.WARNING))
    assert pushed.is_well("checkpoints-in-store")


def test_a_bundle_of_a_newer_claude_sync(pushed: Patient) -> None:
    path = pushed.bundle()
    good = path.read_bytes()
    path.write_bytes(good.replace(b'{"schema":1,', b'{"schema":2,', 1))
    found = pushed.the("bundle-too-new", Level.WARNING)
    assert "newest claude-sync" in found.fix
    path.write_bytes(good)  # as this version would read it, once it were the newest
    assert pushed.is_well("bundle-too-new")


def test_a_bundle_that_names_something_it_must_not(pushed: Patient, world: World) -> None:
    bad = world.store / KEY_FOLDER / f"{OTHER}-mallory.ccsync"
    bad.write_bytes(crafted(session_id="../../.bashrc", project_key=KEY))
    found = pushed.the("bundle-unsafe", Level.WARNING)
    assert bad.name in found.detail
    bad.unlink()
    assert pushed.is_well("bundle-unsafe")


def test_a_bundle_that_may_not_be_read(pushed: Patient) -> None:
    pushed.bundle().chmod(0o000)
    os.utime(pushed.bundle(), ns=(0, 10**18))  # else what was read before still holds
    with ordinary_permissions():
        found = pushed.the("bundle-unreadable", Level.WARNING)
        assert found.fix == "Check the owner and mode"
        pushed.bundle().chmod(0o600)
        assert pushed.is_well("bundle-unreadable")


def test_a_bundle_at_which_the_disk_fails(pushed: Patient) -> None:
    os.utime(pushed.bundle(), ns=(0, 10**18))
    with failing(pushed.bundle(), errno.EIO, "open"):
        found = pushed.the("bundle-unreadable", Level.WARNING)
    assert found.fix.startswith("Check that disk")
    assert pushed.is_well("bundle-unreadable")


def test_a_bundle_that_stays_incomplete(pushed: Patient) -> None:
    path = pushed.bundle()
    path.write_bytes(path.read_bytes()[:-5000])
    now = time.time()
    pushed.states()  # sees it for the first time
    assert pushed.is_well("bundle-incomplete", now=now + 3000)
    found = pushed.the("bundle-incomplete", Level.WARNING, now=now + 7500)
    assert "2 hours ago" in found.detail
    assert "sync tool" in found.fix
    follow(found)
    assert pushed.is_well("bundle-incomplete", now=now + 7500)


def test_more_empty_files_than_are_remembered(pushed: Patient, world: World) -> None:
    folder = world.store / "name+x"
    folder.mkdir()
    for number in range(1003):
        (folder / f"{number:04}-laptop.ccsync").touch()
    pushed.states()
    found = pushed.the("bundles-empty", Level.WARNING)
    assert found.title.startswith("3 more files in the store are empty")
    assert "1002-laptop.ccsync" in found.detail
    for path in list(folder.iterdir())[:3]:
        path.unlink()
    assert pushed.is_well("bundles-empty")


def test_bundles_that_are_still_in_the_cloud(pushed: Patient) -> None:
    path = pushed.bundle()
    placeholder = path.with_name(f".{path.name}.icloud")
    kept = path.read_bytes()
    path.unlink()
    placeholder.write_bytes(b"bplist00" + bytes(150))
    found = pushed.the("placeholders", Level.INFO)
    assert path.name in found.detail
    placeholder.unlink()
    path.write_bytes(kept)  # what the tool does where the folder is kept on this machine
    assert pushed.is_well("placeholders")


def test_a_copy_that_a_sync_tool_made(pushed: Patient) -> None:
    copy = pushed.bundle().with_name(f"{SESSION}-laptop (conflicted copy).ccsync")
    shutil.copy(pushed.bundle(), copy)
    follow(pushed.the("bundle-copies", Level.WARNING))
    assert pushed.is_well("bundle-copies")
    assert pushed.bundle().exists()


@pytest.mark.parametrize("name", ["x`touch pwned`", "x\u202e", "x $(touch pwned)"])
def test_a_name_from_elsewhere_never_becomes_a_command(pushed: Patient, name: str) -> None:
    copy = pushed.bundle().with_name(f"{name}.ccsync")
    shutil.copy(pushed.bundle(), copy)
    found = pushed.the("bundle-copies", Level.WARNING)
    commands = commands_of(found)
    assert bool(commands) == ("$" in name)
    for command in commands:
        subprocess.run(command, shell=True, check=True, cwd=pushed.home)
        assert not copy.exists()
    assert not (pushed.home / "pwned").exists()


def test_a_copy_on_a_host(newcomer: Patient, ssh_host: SshHost, tmp_path: Path) -> None:
    store = tmp_path / "store"
    newcomer.set_up()
    preferences.change(newcomer.paths, ssh_command=ssh_host.command_alone())
    set_up(newcomer.paths, ssh_host.location(store), name="laptop")
    newcomer.write(SESSION, said())
    newcomer.push()
    (bundle,) = store.rglob("*.ccsync")
    copy = bundle.with_name(f"{SESSION}-laptop.sync-conflict-20261122.ccsync")
    shutil.copy(bundle, copy)
    found = newcomer.the("bundle-copies", Level.WARNING)
    assert copy.name in found.fix
    copy.unlink()
    assert newcomer.is_well("bundle-copies")


def test_two_machines_with_one_id(pushed: Patient) -> None:
    path = pushed.bundle()
    twin = path.with_name(f"{SESSION}-twin.ccsync")
    first = path.read_bytes()
    pushed.begin_anew(SESSION, said("something else"))
    head = opened(path).head
    data = packed(
        pushed.read(),
        session_id=SESSION,
        project_key=KEY,
        machine="twin",
        machine_id=head.machine_id,
        revision=1,
    )[0]
    path.write_bytes(first)
    twin.write_bytes(data)
    found = pushed.the("machine-cloned", Level.WARNING)
    assert "/etc/machine-id" in found.fix
    # What the last step of its fix comes to: the clone pushes as another, its older files go.
    twin.unlink()
    assert pushed.is_well("machine-cloned")


# --- machines ----------------------------------------------------------------------------------


def test_of_thousands_of_machines_this_one_is_shown(pushed: Patient, world: World) -> None:
    for number in range(150):
        data, _ = packed(
            project_key=KEY,
            session_id=OTHER,
            machine=f"m{number}",
            machine_id=str(uuid.UUID(int=number, version=4)),
            pushed_at="2126-01-01T00:00:00Z",
        )
        (world.store / KEY_FOLDER / f"{OTHER}-m{number}.ccsync").write_bytes(data)
    titles = [one.title for one in pushed.all("peer")]
    assert len(titles) == 101
    assert "51 more machines wrote into the store" in titles
    assert any("(this machine)" in title for title in titles)


def test_every_machine_with_its_sessions_and_when_it_pushed(
    pushed: Patient, desktop: PlayedMachine
) -> None:
    desktop.write(OTHER, said())
    desktop.push()
    desktop.pull()
    desktop.push(SESSION)
    titles = {one.title for one in pushed.all("peer")}
    assert titles == {
        "laptop (this machine): 1 session, pushed just now",
        "desktop: 2 sessions, pushed just now",
    }


def test_a_machine_that_has_not_pushed_for_months(pushed: Patient, desktop: PlayedMachine) -> None:
    desktop.write(OTHER, said())
    desktop.push()
    later = time.time() + 91 * DAY
    found = [one for one in pushed.all("peer", now=later) if one.level is Level.INFO]
    (title,) = [one.title for one in found]
    assert re.fullmatch(r"desktop: 1 session, pushed \d{4}-\d\d-\d\d", title)
    follow(found[0], more="--yes")
    assert [one.title[:6] for one in pushed.all("peer", now=later)] == ["laptop"]


# --- clocks ------------------------------------------------------------------------------------


def _bundle_of(
    world: World, name: str, pushed_at: float, mtime: float, session: str = OTHER
) -> Path:
    """A bundle that says when it was pushed, in a file that says when it was written."""
    said_at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(pushed_at))
    path = world.store / KEY_FOLDER / f"{session}-{name}.ccsync"
    path.parent.mkdir(exist_ok=True)
    data = packed(
        said(), session_id=session, project_key=KEY, machine=name, pushed_at=said_at, revision=1
    )[0]
    path.write_bytes(data)
    os.utime(path, (mtime, mtime))
    return path


@pytest.mark.parametrize(("seconds", "words"), [(600, "10 minutes"), (7300, "2 hours")])
def test_another_machines_clock_is_ahead(
    patient: Patient, world: World, seconds: float, words: str
) -> None:
    now = time.time()
    _bundle_of(world, "desktop", now + seconds, now)
    found = patient.the("clock-skew", Level.WARNING, now=now)
    assert "desktop" in found.title
    assert words in found.title
    _bundle_of(world, "desktop", now, now)  # its clock was set, and it has pushed since
    assert patient.is_well("clock-skew", now=now)


def test_a_file_from_the_future_gives_a_clock_away_once(patient: Patient, world: World) -> None:
    now = time.time()
    path = _bundle_of(world, "desktop", now, now + 3600)
    found = patient.the("clock-skew", Level.WARNING, now=now)
    assert found.title == "The clock of this machine or of the shared folder is off by 60 minutes"
    os.utime(path, (now, now))
    assert patient.is_well("clock-skew", now=now)
    _bundle_of(world, "desktop", now + 3600, now + 3600)
    assert "desktop" in patient.the("clock-skew", Level.WARNING, now=now).title


def test_five_minutes_are_no_matter(patient: Patient, world: World) -> None:
    now = time.time()
    _bundle_of(world, "desktop", now + 290, now)
    assert patient.is_well("clock-skew", now=now)


def test_a_hosts_clock_tells_of_a_machine_that_is_behind(
    newcomer: Patient, ssh_host: SshHost, tmp_path: Path
) -> None:
    newcomer.claude.mkdir()
    newcomer.world.store = tmp_path / "store"
    preferences.change(newcomer.paths, ssh_command=ssh_host.command_alone())
    set_up(newcomer.paths, ssh_host.location(newcomer.world.store), name="laptop")
    now = time.time()
    _bundle_of(newcomer.world, "desktop", now - 4000, now - 100)
    found = newcomer.the("clock-skew", Level.WARNING)
    assert "desktop" in found.title
    assert "65 minutes" in found.title
    _bundle_of(newcomer.world, "desktop", now - 7000, now - 3100, SESSION)
    newcomer.the("clock-skew", Level.WARNING)
    _bundle_of(newcomer.world, "desktop", now - 110, now - 100)  # its clock was set
    assert newcomer.is_well("clock-skew")


def test_what_a_bundle_says_of_itself_is_shown_as_it_is_read(patient: Patient) -> None:
    now = time.time()
    _bundle_of(patient.world, "desktop", now, now)
    document = [(one.code, one.title) for one in patient.findings(now=now)]
    assert ("peer", "desktop: 1 session, pushed just now") in document
    assert json.dumps(document)
