"""What an undo does with a session's task list, plan and checkpoints."""

from __future__ import annotations

import pytest

from claude_sync.state import preferences
from equipped import ALL, CHECKPOINT, PLAN, TASK, equip, equipped, planned
from machines import OTHER, SESSION, PlayedMachine, World, said

THIRD = "2b3c4d5e-1111-4222-8333-444455556666"


@pytest.fixture
def laptop(world: World) -> PlayedMachine:
    return equipped(world)


@pytest.fixture
def desktop(world: World) -> PlayedMachine:
    """Another one, with nothing."""
    return world.machine("desktop")


@pytest.mark.parametrize("order", [(SESSION, OTHER, THIRD), (THIRD, OTHER, SESSION)])
def test_a_plan_that_lay_here_before_several_came_that_share_it_is_back_once_all_are_undone(
    laptop: PlayedMachine, desktop: PlayedMachine, order: tuple[str, ...]
) -> None:
    for session in (OTHER, THIRD):
        laptop.write(session, planned(session))
    laptop.push()
    equip(desktop, {PLAN: b"of long ago"})
    desktop.pull()
    assert desktop.companions()[PLAN] == ALL[PLAN]
    for session in order[:2]:
        desktop.undo(session)
        assert desktop.companions()[PLAN] == ALL[PLAN], "another has it still"
    desktop.undo(order[2])
    assert desktop.companions() == {PLAN: b"of long ago"}


def test_checkpoints_that_came_go_though_none_is_to_come_any_more(
    laptop: PlayedMachine, desktop: PlayedMachine
) -> None:
    desktop.pull()
    preferences.change(desktop.paths, checkpoints=False)
    desktop.undo()
    assert desktop.companions() == {}
    assert not (desktop.claude / CHECKPOINT).parent.exists()
    assert ALL[CHECKPOINT] in desktop.kept()


def test_a_plan_that_a_pull_replaced_stays_where_an_open_session_has_it_too(
    laptop: PlayedMachine, desktop: PlayedMachine
) -> None:
    desktop.pull()
    laptop.write(SESSION, planned("more"))
    equip(laptop, {PLAN: b"# Another plan", TASK: b"done"})
    laptop.push()
    desktop.pull()
    desktop.write(OTHER, planned("of another session"))
    desktop.open(OTHER)
    desktop.undo()
    assert desktop.companions() == {**ALL, PLAN: b"# Another plan"}


def test_a_plan_that_a_pull_brought_stays_where_another_session_has_it_too(
    world: World, laptop: PlayedMachine, desktop: PlayedMachine
) -> None:
    desktop.pull()
    laptop.write(SESSION, said("more", slug="new-otter"))
    equip(laptop, {"plans/new-otter.md": b"# A new plan", f"tasks/{SESSION}/2.json": b"new"})
    laptop.push()
    desktop.pull()
    desktop.write(OTHER, said(slug="new-otter"))
    desktop.undo()
    assert desktop.companions() == {**ALL, "plans/new-otter.md": b"# A new plan"}


@pytest.mark.parametrize("before", [{}, {PLAN: b"of long ago"}], ids=["none", "one"])
def test_undoing_both_leaves_no_plan_of_either_side(
    world: World, laptop: PlayedMachine, desktop: PlayedMachine, before: dict[str, bytes]
) -> None:
    desktop.pull()
    tablet = world.machine("tablet")
    equip(tablet, before)
    for machine in (laptop, desktop):
        machine.write(SESSION, planned(f"on {machine.name}"))
        equip(machine, {PLAN: machine.name.encode()})
        machine.push()
    tablet.resolve(keep="both")
    assert tablet.companions()[PLAN] in (b"laptop", b"desktop")
    tablet.undo()
    assert tablet.companions() == before
