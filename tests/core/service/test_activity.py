"""What a service does while no one watches is written down, and what it waits for is said once."""

from __future__ import annotations

import shutil
import sqlite3
import time
from contextlib import closing

import pytest

from claude_sync.service import schedule, timetable
from claude_sync.state.activity import KEEP_DAYS, Activity, ActivityLog
from machines import OTHER, SESSION, PlayedMachine, World, said
from services import prepare, serving
from waiting import until


def entries(machine: PlayedMachine) -> list[Activity]:
    return ActivityLog(machine.paths.activity_file).entries()[::-1]


def test_what_it_does_what_it_is_asked_and_what_arrives(world: World) -> None:
    laptop, desktop = world.machines("laptop", "desktop")
    prepare(laptop, on_arrival="ask")
    desktop.write(OTHER, said())
    desktop.push()
    for _ in range(2):
        with serving(laptop) as service:
            until(lambda service=service: service.status.arrivals)  # type: ignore[misc]
    with serving(laptop) as service:
        laptop.write(SESSION, said())
        until(laptop.bundle().exists)
        service.pull([OTHER]).result()
    found = [(one.verb, one.outcome, one.machine, one.by_itself) for one in entries(laptop)]
    assert found == [
        ("arrive", "waiting", "desktop", True),
        ("push", "pushed", "laptop", True),
        ("pull", "imported", "desktop", False),
    ]


def test_what_has_to_be_decided_is_said_once(world: World) -> None:
    laptop, desktop = world.machines("laptop", "desktop")
    prepare(laptop)
    laptop.write(SESSION, said())
    laptop.push()
    desktop.pull()
    for machine in (laptop, desktop):
        machine.write(SESSION, said())
        machine.push()
    whole = laptop.write(OTHER, said(), said())
    laptop.push(OTHER)
    laptop.rewrite(OTHER, whole.splitlines(keepends=True)[0] + said())
    laptop.grow_old(OTHER)
    for _ in range(2):
        with serving(laptop) as service:
            until(lambda service=service: len(service.status.conflicts) == 2)  # type: ignore[misc]
            service.pull().result()
    found = [(one.outcome, one.session_id) for one in entries(laptop) if one.verb == "pull"]
    assert sorted(found) == [("conflict", SESSION), ("shortened", OTHER)]


def test_what_is_pulled_by_itself_is_not_said_to_wait(world: World) -> None:
    laptop, desktop = world.machines("laptop", "desktop")
    prepare(laptop, on_arrival="pull")
    desktop.write(SESSION, said())
    desktop.push()
    with serving(laptop):
        until(lambda: laptop.has(SESSION))
    assert [(one.verb, one.by_itself) for one in entries(laptop)] == [("pull", True)]


def test_what_is_a_month_old_is_dropped_without_anything_being_done(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop = world.machine("laptop")
    prepare(laptop)
    month_ago = time.time_ns() - (KEEP_DAYS + 1) * 86_400 * 10**9
    ActivityLog(laptop.paths.activity_file).write([Activity(month_ago, "push", "pushed", SESSION)])
    monkeypatch.setattr(timetable, "_TIDY_FIRST_SECONDS", 0.0)

    def is_empty() -> bool:
        with closing(sqlite3.connect(laptop.paths.activity_file)) as db:
            return bool(db.execute("SELECT count(*) FROM activity").fetchone() == (0,))

    with serving(laptop):
        until(is_empty)


def test_a_store_that_goes_and_comes_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "FIRST_RETRY_SECONDS", 0.1)
    laptop = world.machine("laptop")
    prepare(laptop)
    laptop.write(SESSION, said())
    with serving(laptop) as service:
        until(lambda: not service.status.to_push and service.status.sessions)
        away = f"{world.location}-away"
        shutil.move(world.location, away)
        service.look_now().result()
        until(lambda: service.status.offline_since is not None)
        shutil.move(away, world.location)
        until(lambda: service.status.offline_since is None)
    found = [(one.verb, one.outcome) for one in entries(laptop)]
    assert found == [("push", "pushed"), ("watch", "failed"), ("watch", "reachable")]
    assert entries(laptop)[1].code.startswith("Store")
