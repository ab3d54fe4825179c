"""An earlier version beside what lies here: where they diverge, and what each says after that."""

from __future__ import annotations

import shutil

import pytest

from claude_sync.errors import UsageError
from claude_sync.model import Version
from claude_sync.sync.read_conflict import Excerpts
from claude_sync.sync.read_version import VersionView, read_version
from claude_sync.sync.restore import EarlierVersion, earlier_versions
from machines import SESSION, Pair, PlayedMachine, World, said


def versions(machine: PlayedMachine) -> list[EarlierVersion]:
    with machine.at_work() as context:
        return earlier_versions(context, SESSION)


def read(machine: PlayedMachine, version: Version) -> VersionView:
    with machine.at_work() as context:
        return read_version(context, SESSION, version)


def texts(read: Excerpts | None) -> list[str]:
    assert read is not None
    return [one.message.text for one in read.excerpts if one.message is not None]


@pytest.fixture
def chosen(world: World) -> Pair:
    """The laptop's own words gave way to the desktop's."""
    laptop, desktop = world.machines("laptop", "desktop")
    laptop.write(SESSION, said("the beginning"))
    laptop.push()
    desktop.pull()
    laptop.write(SESSION, said("laptop 1"), said("laptop 2"))
    desktop.write(SESSION, said("desktop 1"))
    desktop.push()
    laptop.resolve(keep="theirs")
    return laptop, desktop


def test_what_the_vault_holds(chosen: Pair) -> None:
    laptop, _ = chosen
    (kept,) = [one for one in versions(laptop) if not one.machine]
    assert kept.kept_ns > kept.at_ns > 0
    view = read(laptop, kept.version)
    assert texts(view.before) == ["the beginning"]
    assert (texts(view.there), view.there.turns) == (["laptop 1", "laptop 2"], 2)
    assert texts(view.here) == ["desktop 1"]
    shutil.move(laptop.world.location, f"{laptop.world.location}-away")
    assert read(laptop, kept.version) == view


def test_what_is_only_in_the_store(chosen: Pair) -> None:
    laptop, desktop = chosen
    desktop.write(SESSION, said("desktop 2"))
    desktop.push()
    (theirs,) = [one for one in versions(laptop) if one.machine == "desktop"]
    assert theirs.kept_ns == 0
    view = read(laptop, theirs.version)
    assert (texts(view.there), texts(view.here)) == (["desktop 2"], [])
    laptop.path().unlink()
    view = read(laptop, theirs.version)
    assert view.here is None
    assert texts(view.there) == ["the beginning", "desktop 1", "desktop 2"]
    assert view.before.excerpts == ()


def test_one_that_is_gone_is_said_to_be(chosen: Pair) -> None:
    laptop, _ = chosen
    with pytest.raises(UsageError, match="can't be had any more"):
        read(laptop, Version(7, "0" * 64))
