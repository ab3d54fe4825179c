"""The machines that were seen in the store, by what their bundles say."""

from __future__ import annotations

import pytest

from bundles import crafted
from claude_sync.errors import NotSetUp
from claude_sync.sync.context import open_context
from claude_sync.sync.survey.machines import SeenMachine, seen_machines
from machines import OTHER, SESSION, PlayedMachine, World, said


def seen(machine: PlayedMachine) -> list[SeenMachine]:
    with machine.at_work() as context:
        return seen_machines(context)


def test_each_machine_and_this_one_first(world: World) -> None:
    laptop, desktop = world.machines("laptop", "desktop")
    assert [(one.name, one.is_this, one.sessions) for one in seen(laptop)] == [("laptop", True, 0)]
    for session in (SESSION, OTHER):
        desktop.write(session, said())
    desktop.push()
    laptop.pull()
    laptop.write(SESSION, said())
    laptop.push()
    mine, theirs = seen(laptop)
    assert (mine.name, mine.is_this, mine.sessions, mine.projects) == ("laptop", True, 1, 1)
    assert (theirs.name, theirs.is_this, theirs.sessions) == ("desktop", False, 2)
    assert theirs.bytes == sum(desktop.bundle(one).stat().st_size for one in (SESSION, OTHER))
    assert 0 < theirs.pushed_ns <= mine.pushed_ns
    assert [one.name for one in seen(desktop)] == ["desktop", "laptop"]


def test_this_machine_has_its_new_name_at_once_and_others_their_last(world: World) -> None:
    laptop, desktop = world.machines("laptop", "desktop")
    for machine in (laptop, desktop):
        machine.write(SESSION, said())
        machine.push()
        machine.set_up(name=f"new-{machine.name}")
    assert [one.name for one in seen(laptop)] == ["new-laptop", "desktop"]
    desktop.write(OTHER, said())
    desktop.push(OTHER)
    assert [one.name for one in seen(laptop)] == ["new-laptop", "new-desktop"]


@pytest.mark.parametrize("pushed_at", ["2026-02-31T25:61:61Z", "0001-01-01T00:00:00Z"])
def test_a_strangers_clock_spoils_nothing(world: World, pushed_at: str) -> None:
    laptop, desktop = world.machines("laptop", "desktop")
    desktop.write(SESSION, said())
    desktop.push()
    path = desktop.bundle()
    path.write_bytes(crafted(path.read_bytes(), pushed_at=pushed_at))
    _, odd = seen(laptop)
    assert (odd.name, odd.sessions, odd.pushed_ns) == ("desktop", 1, 0)


def test_without_a_store_it_says_so(world: World) -> None:
    laptop = PlayedMachine(world, "laptop")
    laptop.home.mkdir(parents=True)
    with laptop.here(), open_context(laptop.paths) as context, pytest.raises(NotSetUp):
        seen_machines(context)
