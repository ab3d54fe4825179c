"""What is due when, asked of the loop itself: real folders, no thread, a clock to turn."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from claude_sync.model import Finding, Level
from claude_sync.service import schedule
from claude_sync.service.journal import Journal
from claude_sync.service.loop import ServiceLoop
from claude_sync.service.publisher import StatusPublisher
from claude_sync.service.settings import Settings
from claude_sync.service.timetable import DOCTOR, LOOK, RESCAN
from claude_sync.service.watch import Area
from machines import SESSION, PlayedMachine, World, said
from programs import require
from services import prepare, serving
from waiting import PATIENCE_SECONDS, until


@pytest.fixture
def laptop(world: World) -> PlayedMachine:
    machine = world.machine("laptop")
    prepare(machine)
    return machine


def _hear_nothing(area: Area, path: str) -> None:
    """As on a network drive, of whose changes elsewhere no system tells."""


@pytest.fixture
def found() -> list[Finding]:
    """What the doctor finds besides."""
    return []


@pytest.fixture
def publisher() -> StatusPublisher:
    """Shows what the loop knows."""
    return StatusPublisher()


@pytest.fixture
def blind_loop(
    laptop: PlayedMachine, found: list[Finding], publisher: StatusPublisher
) -> Iterator[ServiceLoop]:
    """The laptop's loop after its first round, without events, its clock at a standstill."""
    with laptop.here():
        loop = ServiceLoop(
            laptop.paths,
            publisher,
            Journal(laptop.paths),
            settings=Settings(interval_seconds=3600.0),
            checks=(lambda _: list(found),),
            is_stopping=lambda: False,
            is_hurried=lambda: False,
            notify=_hear_nothing,
        )
        begun = loop.timetable.clock()
        loop.timetable.clock = lambda: begun
        try:
            loop.reload()
            loop.do_what_is_due()
            yield loop
        finally:
            loop.close()


def is_due_in(loop: ServiceLoop, kind: str, seconds: float) -> bool:
    timetable, clock = loop.timetable, loop.timetable.clock
    timetable.clock = lambda: clock() + seconds
    try:
        return timetable.is_due(kind)
    finally:
        timetable.clock = clock


def test_where_an_event_should_have_told_it_looks_for_itself_more_often(
    blind_loop: ServiceLoop, laptop: PlayedMachine
) -> None:
    soon = schedule.POLL_SECONDS + 1
    assert not is_due_in(blind_loop, RESCAN, soon)
    laptop.write(SESSION, said())
    laptop.grow_old(seconds=30)
    blind_loop.look_now()
    blind_loop.do_what_is_due()
    assert is_due_in(blind_loop, RESCAN, soon)


def test_a_change_of_this_moment_proves_nothing_of_events(
    blind_loop: ServiceLoop, laptop: PlayedMachine
) -> None:
    laptop.write(SESSION, said())
    laptop.grow_old(seconds=-60)  # of this moment, however slow this is
    blind_loop.look_now()
    blind_loop.do_what_is_due()
    assert not is_due_in(blind_loop, RESCAN, schedule.POLL_SECONDS + 1)


def test_between_two_portions_others_get_their_turn(
    blind_loop: ServiceLoop, laptop: PlayedMachine
) -> None:
    for number in range(201):
        laptop.write(f"{number:08d}{SESSION[8:]}", said())
    blind_loop.look_now()
    blind_loop.do_what_is_due()
    quiet = time.monotonic() + 10
    blind_loop.timetable.clock = lambda: quiet
    blind_loop.do_what_is_due()
    (left,) = blind_loop.moments()
    assert quiet < left < quiet + 1
    # A command line asks for the lock every twentieth of a second.
    assert left - quiet > 2 * 0.05
    blind_loop.timetable.clock = lambda: left
    blind_loop.do_what_is_due()
    assert not list(blind_loop.moments())
    assert len(laptop.world.bundles()) == 201


def test_a_store_that_is_gone_is_left_alone_until_it_is_tried_again(
    blind_loop: ServiceLoop, laptop: PlayedMachine
) -> None:
    away = laptop.world.store.with_name("away")
    laptop.world.store.rename(away)
    blind_loop.look_now()
    blind_loop.do_what_is_due()
    laptop.write(SESSION, said())
    blind_loop.timetable.due_now(RESCAN)
    blind_loop.do_what_is_due()
    assert not list(blind_loop.moments())
    assert not is_due_in(blind_loop, LOOK, schedule.FIRST_RETRY_SECONDS)
    assert is_due_in(blind_loop, LOOK, schedule.LONGEST_RETRY_SECONDS)
    away.rename(laptop.world.store)
    blind_loop.look_now()
    blind_loop.do_what_is_due()
    assert list(blind_loop.moments())


def codes(publisher: StatusPublisher) -> set[str]:
    """The warnings that are shown."""
    findings = publisher.status.findings
    return {one.code for one in findings if one.level is Level.WARNING}


def test_while_it_warns_the_doctor_looks_again_and_again(
    blind_loop: ServiceLoop, found: list[Finding], publisher: StatusPublisher
) -> None:
    require("git")  # the doctor warns where it isn't here
    blind_loop.run_doctor()
    assert publisher.status.examined
    assert not is_due_in(blind_loop, DOCTOR, schedule.FOUND_DOCTOR_SECONDS)
    found.append(Finding("w", Level.INFO, "Worth knowing"))
    blind_loop.run_doctor()
    assert not is_due_in(blind_loop, DOCTOR, schedule.FOUND_DOCTOR_SECONDS)
    found.append(Finding("w", Level.WARNING, "Something is wrong"))
    blind_loop.run_doctor()
    assert codes(publisher) == {"w"}
    assert is_due_in(blind_loop, DOCTOR, schedule.FOUND_DOCTOR_SECONDS)
    assert not is_due_in(blind_loop, DOCTOR, schedule.FIXED_DOCTOR_SECONDS)


def test_a_push_or_a_pull_has_a_warning_looked_at_again(
    blind_loop: ServiceLoop,
    laptop: PlayedMachine,
    found: list[Finding],
    publisher: StatusPublisher,
) -> None:
    require("git")  # the doctor warns where it isn't here
    begun = blind_loop.timetable.clock()
    blind_loop.refresh()
    assert not is_due_in(blind_loop, DOCTOR, 10), "nothing is found that may be fixed by now"
    found.append(Finding("w", Level.WARNING, "Something is wrong"))
    blind_loop.run_doctor()
    # By itself, at most once a minute.
    laptop.write(SESSION, said())
    blind_loop.look_now()
    blind_loop.do_what_is_due()
    quiet = begun + 10
    blind_loop.timetable.clock = lambda: quiet
    blind_loop.do_what_is_due()
    assert laptop.bundle().exists()
    assert not is_due_in(blind_loop, DOCTOR, 40)
    assert is_due_in(blind_loop, DOCTOR, 51)
    # After a click soon, and then what is fixed is shown no longer.
    found.clear()
    blind_loop.refresh()
    blind_loop.timetable.clock = lambda: quiet + 2
    blind_loop.do_what_is_due()
    assert codes(publisher) == set()


def test_what_the_doctor_found_goes_once_it_is_fixed(laptop: PlayedMachine) -> None:
    away = laptop.world.store.with_name("away")
    laptop.world.store.rename(away)
    with serving(laptop) as service:

        def found() -> set[str]:
            return {finding.code for finding in service.status.findings}

        until(lambda: "store-missing" in found())
        away.rename(laptop.world.store)
        service.look_now().result(PATIENCE_SECONDS)
        until(lambda: service.status.offline_since is None)
        until(lambda: "store-missing" not in found())
