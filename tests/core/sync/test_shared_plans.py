"""A plan goes by its name, so that a session and its branches share one; and sets of files that
belong to one transcript only."""

from __future__ import annotations

from pathlib import Path

import pytest

from bundles import packed
from claude_sync.model import Outcome, State
from machines import KEY, KEY_FOLDER, OTHER, SESSION, PlayedMachine, World, opened, outcomes, said

TASK = f"tasks/{SESSION}/1.json"
PLAN = "plans/calm-otter.md"
IN_A_BUNDLE = "@plans/calm-otter.md"


def planned(text: str = "hello") -> bytes:
    return said(text, slug="calm-otter")


def plan(machine: PlayedMachine) -> bytes:
    return machine.companions()[PLAN]


@pytest.fixture
def laptop(world: World) -> PlayedMachine:
    """A machine with a session and its branch, which share a plan."""
    laptop = world.machine("laptop")
    for session in (SESSION, OTHER):
        laptop.write(session, planned())
    laptop.write_companion(PLAN, b"v1")
    laptop.push()
    return laptop


@pytest.fixture
def desktop(world: World, laptop: PlayedMachine) -> PlayedMachine:
    """Another one that has pulled both."""
    desktop = world.machine("desktop")
    desktop.pull()
    return desktop


# --- with the transcript that they lie beside ----------------------------------------------------


def test_what_was_written_while_another_machine_went_on_reaches_all(world: World) -> None:
    laptop, desktop, tablet = world.machines("laptop", "desktop", "tablet")
    laptop.write(SESSION, planned())
    laptop.push()
    desktop.pull()
    laptop.write_companion(PLAN, b"the plan")
    laptop.write_companion(TASK, b"to do")
    laptop.push()
    desktop.write(SESSION, planned("on the desktop"))
    desktop.push()
    laptop.pull()
    assert laptop.states()[SESSION].state is State.CHANGED
    assert outcomes(laptop.push()) == {SESSION: Outcome.PUSHED}
    for machine in (desktop, tablet):
        machine.pull()
        assert machine.companions() == {PLAN: b"the plan", TASK: b"to do"}, machine
    assert outcomes(desktop.push() | tablet.push()) == {SESSION: Outcome.UNCHANGED}


# --- a plan that several share -------------------------------------------------------------------


def test_a_newer_plan_reaches_both_in_one_go_and_does_not_give_way_to_the_older(
    world: World, laptop: PlayedMachine, desktop: PlayedMachine
) -> None:
    laptop.write_companion(PLAN, b"v2")
    laptop.push()
    assert set(outcomes(desktop.pull()).values()) == {Outcome.UPDATED, Outcome.UNCHANGED}
    assert plan(desktop) == b"v2"
    assert b"v1" in desktop.kept()
    desktop.write(SESSION, planned("on the desktop"))
    desktop.push()
    laptop.pull()
    assert plan(laptop) == b"v2"
    assert set(outcomes(desktop.pull()).values()) == {Outcome.UNCHANGED, Outcome.AHEAD}


def test_two_that_went_on_with_one_plan_are_pulled_in_one_go(
    laptop: PlayedMachine, desktop: PlayedMachine
) -> None:
    for session in (SESSION, OTHER):
        laptop.write(session, planned("more"))
    laptop.write_companion(PLAN, b"v2")
    laptop.push()
    assert outcomes(desktop.pull()) == {SESSION: Outcome.UPDATED, OTHER: Outcome.UPDATED}
    for session in (SESSION, OTHER):
        laptop.write(session, said("more", slug="new-fox"))
    laptop.push()
    desktop.pull()
    laptop.write_companion("plans/new-fox.md", b"for the first time")
    laptop.push()
    assert set(outcomes(desktop.pull()).values()) == {Outcome.UPDATED, Outcome.UNCHANGED}
    assert desktop.companions()["plans/new-fox.md"] == b"for the first time"
    assert set(outcomes(desktop.pull()).values()) == {Outcome.UNCHANGED}


def test_a_plan_that_waited_for_an_open_session_comes_when_that_is_closed(
    laptop: PlayedMachine, desktop: PlayedMachine
) -> None:
    desktop.open(OTHER)
    laptop.write(SESSION, planned("more"))
    laptop.write_companion(PLAN, b"v2")
    laptop.push(SESSION)
    result = desktop.pull()[SESSION]
    assert (result.outcome, plan(desktop)) == (Outcome.UPDATED, b"v1")
    assert f"its plan comes when {OTHER}, which has it open here, is closed" in result.message
    assert desktop.states()[SESSION].state is State.SYNCED
    assert desktop.pull()[SESSION].outcome is Outcome.UNCHANGED
    desktop.close()
    assert desktop.states()[SESSION].state is State.WAITING
    assert desktop.push()[SESSION].outcome is Outcome.UNCHANGED, "what is here is the older one"
    desktop.pull()
    assert plan(desktop) == b"v2"
    assert desktop.states()[SESSION].state is State.SYNCED
    laptop.pull()
    assert plan(laptop) == b"v2"


def test_a_plan_that_was_written_here_while_the_newer_one_waited_stays(
    laptop: PlayedMachine, desktop: PlayedMachine
) -> None:
    desktop.open(OTHER)
    laptop.write(SESSION, planned("more"))
    laptop.write_companion(PLAN, b"v2")
    laptop.push()
    desktop.pull()
    desktop.write_companion(PLAN, b"by whoever had it open")
    desktop.close()
    desktop.push()
    desktop.pull()
    laptop.pull()
    assert plan(desktop) == plan(laptop) == b"by whoever had it open"


def test_a_session_of_which_another_ones_plan_kept_its_own_out_never_replaces_that(
    world: World, tmp_path: Path
) -> None:
    laptop = world.machine("laptop")
    laptop.write(SESSION, planned())
    laptop.write_companion(PLAN, b"mine")
    laptop.push()
    lines = planned("a stranger's")

    def strange(revision: int, transcript: bytes) -> None:
        data, _ = packed(
            transcript,
            {IN_A_BUNDLE: b"a stranger's plan"},
            session_id=OTHER,
            project_key=KEY,
            machine="stranger",
            revision=revision,
        )
        (world.store / KEY_FOLDER / f"{OTHER}-stranger.ccsync").write_bytes(data)

    strange(1, lines)
    assert "another one of that name" in laptop.pull()[OTHER].message
    for revision in range(2, 6):
        laptop.push()
        lines += planned("more")
        strange(10 * revision, lines)
        result = laptop.pull()[OTHER]
        assert (result.outcome, plan(laptop)) == (Outcome.UPDATED, b"mine")
        assert f"since {SESSION} has another one of that name" in result.message
    laptop.path(SESSION).unlink()
    strange(100, lines + planned("more"))
    laptop.pull()
    assert plan(laptop) == b"a stranger's plan"


# --- what changes nothing ------------------------------------------------------------------------


def test_a_merge_that_writes_nothing_leaves_the_undo_of_the_last_pull(
    laptop: PlayedMachine, desktop: PlayedMachine
) -> None:
    laptop.write_companion(TASK, b"to do")
    laptop.push()
    desktop.pull()
    before = desktop.read()
    laptop.write(SESSION, planned("more"))
    laptop.push()
    desktop.pull()
    (laptop.claude / TASK).unlink()
    laptop.push()
    assert "@tasks/1.json" not in opened(laptop.bundle()).sidecar
    assert desktop.pull()[SESSION].outcome is Outcome.UNCHANGED
    assert desktop.companions()[TASK] == b"to do", "what was deleted elsewhere stays"
    assert desktop.states()[SESSION].state is State.SYNCED
    desktop.undo()
    assert desktop.read() == before
