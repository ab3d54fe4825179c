"""Checkpoints hold whole source files: which of them travel, and where they are to stay."""

from __future__ import annotations

import os
import time

import pytest

from claude_sync.claude import listed_files
from claude_sync.model import Outcome, State
from claude_sync.state import preferences
from equipped import ALL, CHECKPOINT, HASH, equip, equipped, planned, settle
from machines import SESSION, PlayedMachine, World, opened, outcomes, said


@pytest.fixture
def laptop(world: World) -> PlayedMachine:
    return equipped(world)


@pytest.fixture
def desktop(world: World, laptop: PlayedMachine) -> PlayedMachine:
    """Another one that has pulled it."""
    desktop = world.machine("desktop")
    desktop.pull()
    return desktop


def test_checkpoints_stay_where_the_preference_says_so(world: World, laptop: PlayedMachine) -> None:
    desktop, tablet = world.machines("desktop", "tablet")
    preferences.change(desktop.paths, checkpoints=False)
    without = {path: data for path, data in ALL.items() if path != CHECKPOINT}
    desktop.pull()
    assert desktop.companions() == without
    assert outcomes(desktop.push()) == {SESSION: Outcome.UNCHANGED}
    equip(desktop, {CHECKPOINT: b"secret = 1\n"})
    desktop.write(SESSION, planned())
    desktop.push()
    assert f"@file-history/{HASH}@v1" not in opened(desktop.bundle()).sidecar
    tablet.pull()
    assert tablet.companions() == without
    assert settle(desktop, laptop, tablet) <= 2


def test_those_that_were_pushed_leave_the_store_though_another_machine_has_the_session_too(
    laptop: PlayedMachine, desktop: PlayedMachine
) -> None:
    name = f"@file-history/{HASH}@v1"
    desktop.push(SESSION)
    for machine in (laptop, desktop):
        assert name in opened(machine.bundle()).sidecar
        preferences.change(machine.paths, checkpoints=False)
        assert machine.states()[SESSION].state is State.CHANGED
        assert outcomes(machine.push()) == {SESSION: Outcome.PUSHED}
        assert name not in opened(machine.bundle()).sidecar
        assert machine.companions() == ALL
    assert settle(laptop, desktop) == 0


@pytest.mark.parametrize("remembered", [True, False])
def test_they_leave_an_older_bundle_of_ours_though_nobody_remembers_it(
    laptop: PlayedMachine, desktop: PlayedMachine, remembered: bool
) -> None:
    desktop.push(SESSION)
    laptop.write(SESSION, planned("more"))
    preferences.change(laptop.paths, checkpoints=False)
    laptop.push()
    preferences.change(desktop.paths, checkpoints=False)
    desktop.pull()
    if not remembered:
        desktop.lose_records()
    assert outcomes(desktop.push()) == {SESSION: Outcome.PUSHED}
    assert f"@file-history/{HASH}@v1" not in opened(desktop.bundle()).sidecar
    assert settle(laptop, desktop) == 0


def test_one_that_lies_nowhere_but_in_our_bundle_goes_into_the_vault_first(
    laptop: PlayedMachine,
) -> None:
    (laptop.claude / CHECKPOINT).unlink()
    preferences.change(laptop.paths, checkpoints=False)
    assert outcomes(laptop.push()) == {SESSION: Outcome.PUSHED}
    assert ALL[CHECKPOINT] in laptop.kept()


def test_what_stays_behind_of_them_is_said_and_is_not_lost(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listed_files, "MAX_CHECKPOINT_BYTES", 250)
    laptop, desktop = world.machines("laptop", "desktop")
    laptop.write(SESSION, said())
    for number in range(1, 5):
        path = laptop.write_companion(
            f"file-history/{SESSION}/{HASH}@v{number}", b"%d" % number * 100
        )
        os.utime(path, ns=(number * 10**9, number * 10**9))
    assert "2 checkpoints stay on this machine" in laptop.push()[SESSION].message
    desktop.pull()
    assert sorted(desktop.companions()) == [
        f"file-history/{SESSION}/{HASH}@v{number}" for number in (3, 4)
    ]
    laptop.write_companion(f"file-history/{SESSION}/{HASH}@v5", b"5" * 100)
    laptop.write(SESSION, said())
    laptop.push()
    assert laptop.kept() == []
    desktop.pull()
    assert len(desktop.companions()) == 3
    assert settle(laptop, desktop) <= 3


def checkpoint(name: str, machine: PlayedMachine, age: float) -> str:
    """Write a checkpoint of 100 bytes that is so many seconds old; its path."""
    path = machine.write_companion(f"file-history/{SESSION}/{name}", b"x" * 100)
    then = time.time() - age
    os.utime(path, (then, then))
    return f"@file-history/{name}"


@pytest.mark.parametrize(("one", "another"), [("0" * 16, "f" * 16), ("f" * 16, "0" * 16)])
def test_the_newest_of_them_are_the_newest_on_a_machine_that_they_came_to_as_well(
    world: World, monkeypatch: pytest.MonkeyPatch, one: str, another: str
) -> None:
    monkeypatch.setattr(listed_files, "MAX_CHECKPOINT_BYTES", 250)
    laptop, desktop = world.machines("laptop", "desktop")
    laptop.write(SESSION, said())
    laptop.grow_old()
    oldest = checkpoint(f"{one}@v1", laptop, 5000)
    middle = checkpoint(f"{another}@v9", laptop, 4000)
    laptop.push()
    newest = checkpoint("8888888888888888@v1", desktop, 60)
    desktop.pull()
    desktop.push(SESSION)
    assert {*opened(laptop.bundle()).sidecar} == {oldest, middle}
    assert {*opened(desktop.bundle()).sidecar} == {middle, newest}
