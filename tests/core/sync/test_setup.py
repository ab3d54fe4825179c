"""Setting up: a place, a name, and proof that both can be used."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from capabilities import MODES
from claude_sync.errors import MachineNameTaken, StoreOffline, TransportError, UsageError
from claude_sync.model import Outcome
from claude_sync.state import preferences
from claude_sync.sync.setup import rename_machine, set_up
from claude_sync.transports.base import MARKER_NAME
from faults.disks import read_only
from machines import OTHER, SESSION, Pair, PlayedMachine, World, opened, outcomes, said
from repositories import bare_bones


def test_folder_and_marker_are_made_and_chosen(world: World) -> None:
    (laptop,) = world.machines("laptop")
    marker = json.loads((world.store / MARKER_NAME).read_bytes())
    chosen = preferences.load(laptop.paths)
    assert marker["schema"] == 1
    assert (chosen.location, chosen.store_id) == (str(world.store), marker["store_id"])
    assert not MODES or stat.S_IMODE(world.store.stat().st_mode) == 0o700
    assert [path.name for path in world.store.iterdir()] == [MARKER_NAME]


def test_a_second_machine_meets_the_first_ones_store(pair: Pair, world: World) -> None:
    marker = (world.store / MARKER_NAME).read_bytes()
    done = world.machine("tablet")
    assert (world.store / MARKER_NAME).read_bytes() == marker
    assert done.set_up().machines == ("laptop",)
    assert pair[0].has()


def test_a_name_that_another_machine_uses_is_refused_unless_it_is_taken_over(
    pair: Pair, world: World
) -> None:
    tablet = PlayedMachine(world, "tablet")
    with pytest.raises(MachineNameTaken):
        tablet.set_up(name="LAPTOP")
    assert preferences.load(tablet.paths).location is None
    tablet.set_up(name="laptop", take_over=True)
    assert outcomes(tablet.pull()) == {SESSION: Outcome.IMPORTED}
    assert pair[0].bundle().exists()


def test_a_name_may_be_said_again(pair: Pair) -> None:
    laptop, _ = pair
    assert laptop.set_up(name="laptop").machine.name == "laptop"
    assert outcomes(laptop.push()) == {SESSION: Outcome.UNCHANGED}


@pytest.mark.parametrize("name", ["", "a b", "../x", "con", "x" * 65, "trailing.", "mine", "both"])
def test_a_name_that_could_do_harm_is_refused(world: World, name: str) -> None:
    laptop = PlayedMachine(world, "laptop")
    laptop.project.mkdir(parents=True)
    with laptop.here(), pytest.raises(UsageError):
        set_up(laptop.paths, str(world.store), name=name)
    assert not world.store.exists()


def test_what_can_not_be_written_is_not_chosen(world: World) -> None:
    laptop = PlayedMachine(world, "laptop")
    world.store.mkdir(parents=True)
    with read_only(world.store), pytest.raises(TransportError):
        laptop.set_up()
    assert preferences.load(laptop.paths).location is None


@pytest.mark.parametrize(
    "said",
    [
        '{"schema":2,"store":"of tomorrow"}',
        '{"schema":2,"store_id":"5f4dcc3b-5aa7-4659-9c2e-1b9a3d0d7f10"}',
        '{"schema":1,"store_id":"../elsewhere"}',
    ],
)
def test_a_marker_that_can_not_be_read_is_left_alone(world: World, said: str) -> None:
    world.store.mkdir(parents=True)
    marker = world.store / MARKER_NAME
    marker.write_text(said)
    with pytest.raises(StoreOffline):
        PlayedMachine(world, "laptop").set_up()
    assert marker.read_text() == said


def test_moving_to_another_store_brings_everything_there_and_leaves_the_old_one(
    pair: Pair, world: World, tmp_path: Path
) -> None:
    laptop, _ = pair
    laptop.write(OTHER, said())
    laptop.push()
    old = {path: path.read_bytes() for path in world.bundles()}
    world.store = tmp_path / "another store"
    laptop.set_up()
    assert outcomes(laptop.push()) == dict.fromkeys([SESSION, OTHER], Outcome.PUSHED)
    assert len(world.bundles()) == 2
    assert {path: path.read_bytes() for path in old} == old


def test_a_name_that_was_lost_is_found_again_in_the_store(pair: Pair) -> None:
    laptop, _ = pair
    (laptop.paths.state / "machine.json").unlink()
    laptop.write(SESSION, said("second"))
    laptop.push()
    assert opened(laptop.bundle()).head.machine == "laptop"
    assert opened(laptop.bundle()).transcript == laptop.read()


# --- where no store should lie -----------------------------------------------------------------


@pytest.mark.parametrize("below", ["", "projects/-x/sessions", "sessions"])
def test_inside_claudes_own_folder_is_no_place(world: World, below: str) -> None:
    (laptop,) = world.machines("laptop")
    folder = laptop.claude / below
    refused(laptop, folder, "Claude Code's own folder")


@pytest.mark.parametrize("remote", [None, "https://example.org/you/notes"])
@pytest.mark.parametrize("below", ["", "a/b"])
def test_a_repository_that_goes_elsewhere_is_no_place(
    world: World, tmp_path: Path, remote: str | None, below: str
) -> None:
    (laptop,) = world.machines("laptop")
    folder = bare_bones(tmp_path / "notes", remote) / below
    if remote is not None:
        refused(laptop, folder, "git repository with a remote")
    else:
        with laptop.here():
            assert set_up(laptop.paths, str(folder)).location == str(folder)


def test_a_home_that_is_not_there_is_not_made(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (laptop,) = world.machines("laptop")
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path / "unmounted"))
    with pytest.raises(UsageError, match="home directory that isn't there"):
        set_up(laptop.paths, str(tmp_path / "unmounted" / "sessions"))
    assert not (tmp_path / "unmounted").exists()


def refused(machine: PlayedMachine, folder: Path, why: str) -> None:
    before = folder.exists()
    with machine.here():
        with pytest.raises(UsageError, match=why):
            set_up(machine.paths, str(folder))
        assert folder.exists() == before
        assert not (folder / MARKER_NAME).exists()
        assert set_up(machine.paths, str(folder), anyway=True).location == str(folder)


def test_a_machine_is_renamed_and_its_bundles_follow(pair: Pair) -> None:
    laptop, desktop = pair
    desktop.write(OTHER, said("there"))
    desktop.push()
    with laptop.at_work() as context:
        before = context.machine
        renamed = rename_machine(context, "Travel")
        with pytest.raises(MachineNameTaken, match="choose another name"):
            rename_machine(context, "DESKTOP")
        with pytest.raises(UsageError):
            rename_machine(context, "mine")
    assert (renamed.name, renamed.id) == ("Travel", before.id)
    laptop.write(SESSION, said("more"))
    assert laptop.push()[SESSION].machine == "Travel"
    names = {path.name for path in laptop.world.bundles()}
    assert f"{SESSION}-Travel.ccsync" in names
    assert f"{SESSION}-laptop.ccsync" not in names
    assert desktop.pull()[SESSION].machine == "Travel"
