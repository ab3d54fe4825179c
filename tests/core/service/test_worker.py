"""A round with one store: what it does, and what it leaves to the next one."""

from __future__ import annotations

from typing import Any

import pytest

from claude_sync.claude.live_sessions import QUIET_SECONDS
from claude_sync.errors import Stopped
from claude_sync.model import Outcome, Progress, State
from claude_sync.service import schedule
from claude_sync.service import worker as worker_module
from claude_sync.service.worker import NextRound, Worker
from claude_sync.sync.push import push_surveyed
from machines import OTHER, SESSION, Pair, World, agree, said
from waiting import until


def test_a_round_in_which_nothing_has_changed_is_only_a_look(world: World) -> None:
    laptop = world.machine("laptop")
    laptop.write(SESSION, said())
    with laptop.at_work() as context:
        worker = Worker(context)
        worker.changes.rescan()
        worker.round()
        assert [one.state for one in worker.overview.sessions] == [State.CHANGED]
        before = worker.overview
        worker.round()
        assert worker.overview is before
        worker.round(push=[SESSION])
        assert [one.state for one in worker.overview.sessions] == [State.SYNCED]


def test_what_arrives_while_a_round_is_at_work_is_taken_by_the_next(world: World) -> None:
    laptop, desktop = world.machines("laptop", "desktop")
    desktop.write(SESSION, said())
    desktop.push()
    late = [OTHER]

    def meanwhile(progress: Progress) -> None:
        if progress.verb == "Pulling" and late:
            desktop.write(late.pop(), said())
            # The other machine has a lock of its own, so it can push in the middle of our round.
            desktop.push()

    with laptop.at_work() as context:
        context.on_progress = meanwhile
        worker = Worker(context)
        worker.changes.rescan()
        outcome = worker.round(pull=True)
        assert laptop.has(SESSION)
        assert not laptop.has(OTHER)
        assert outcome.next == NextRound(anyway=True, soon=True)
        outcome = worker.round(outcome.next, pull=True)
        assert laptop.has(OTHER)
        assert outcome.next == NextRound()


def test_a_round_that_did_not_get_to_its_end_is_made_again(world: World) -> None:
    laptop, desktop = world.machines("laptop", "desktop")
    laptop.write(SESSION, said())
    with laptop.at_work() as context:
        worker = Worker(context)
        worker.changes.rescan()
        worker.round()
        desktop.write(OTHER, said())
        desktop.push()
        context.should_stop = lambda: True
        with pytest.raises(Stopped):
            worker.round(pull=True)
        context.should_stop = None
        assert not laptop.has(OTHER)
        worker.refresh()
        worker.round(pull=True)
    assert laptop.has(OTHER)


def test_what_arrives_while_a_command_is_at_work_is_taken_by_the_next_round(world: World) -> None:
    laptop, desktop = world.machines("laptop", "desktop")
    with laptop.at_work() as context:
        worker = Worker(context)
        worker.changes.rescan()
        worker.round(pull=True)
        desktop.write(SESSION, said())
        desktop.push()
        worker.refresh()
        worker.round(pull=True)
    assert laptop.has(SESSION)


def test_a_pull_that_failed_is_tried_again_though_nothing_has_changed(world: World) -> None:
    laptop, desktop = world.machines("laptop", "desktop")
    laptop.write(SESSION, said())
    laptop.push()
    desktop.folder.parent.mkdir(parents=True, exist_ok=True)
    desktop.folder.write_bytes(b"a file, though the session's folder has to be here")
    with desktop.at_work() as context:
        worker = Worker(context)
        worker.changes.rescan()
        outcome = worker.round(pull=True)
        assert [one.outcome for one in outcome.pulled] == [Outcome.FAILED]
        assert outcome.next == NextRound(anyway=True)
        desktop.folder.unlink()
        outcome = worker.round(outcome.next, pull=True)
        assert outcome.next == NextRound()
    assert agree(laptop, desktop)


def test_what_waits_to_be_closed_costs_no_more_than_a_look_as_long_as_it_is_open(
    pair: Pair,
) -> None:
    laptop, desktop = pair
    laptop.write(SESSION, said())
    laptop.push()
    desktop.open()
    with desktop.at_work() as context:
        worker = Worker(context)
        worker.changes.rescan()
        worker.round(pull=True)
        assert worker.deferred == {SESSION}
        worker.round()
        before = worker.overview
        worker.round()
        assert worker.overview is before
        desktop.close()
        worker.changes.look_at_live()
        (done,) = worker.round().pulled
    assert done.outcome is Outcome.UPDATED
    assert agree(laptop, desktop)


def test_a_big_push_is_done_in_portions(world: World) -> None:
    laptop = world.machine("laptop")
    with laptop.at_work() as context:
        worker = Worker(context)
        ids = [f"{number:08d}" for number in range(500)]
        worker.changes.adopt(dict.fromkeys(ids, 1000))
        assert worker.portion(ids) == ids[:200]
        worker.changes.pending.clear()
        worker.changes.adopt(dict.fromkeys(ids, 50 << 20))
        assert worker.portion(ids) == ids[:1]
        worker.changes.pending.clear()
        worker.changes.adopt(dict.fromkeys(ids, 500 << 20))
        assert worker.portion(ids) == ids[:1]


def test_a_big_session_that_grows_is_not_read_to_say_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop = world.machine("laptop")
    monkeypatch.setattr(schedule, "FREE_BYTES", 1000)
    laptop.write(SESSION, said("x" * 2000))
    laptop.write(OTHER, said())
    laptop.push()
    with laptop.at_work() as context:
        worker = Worker(context)
        worker.changes.rescan()
        worker.round()
        laptop.write(SESSION, said())
        laptop.write(OTHER, said())
        worker.changes.rescan()
        worker.round()
        states = {one.session_id: one for one in worker.overview.sessions}
        assert states[SESSION].state is states[OTHER].state is State.CHANGED
        assert states[SESSION].size == len(laptop.read())
        row = context.cache.local_rows()[str(laptop.path())]
        assert row.whole.size < len(laptop.read())
        worker.round(push=[SESSION, OTHER])
        assert {one.state for one in worker.overview.sessions} == {State.SYNCED}


def test_what_counts_as_open_only_for_its_time_is_pulled_when_that_is_up(world: World) -> None:
    laptop, desktop = world.machines("laptop", "desktop")
    for machine in (laptop, desktop):
        machine.pull()
        machine.write(SESSION, said("from a client that writes no live files", version="2.1.2"))
        machine.grow_old()
        machine.push()
    laptop.grow_old(seconds=QUIET_SECONDS / 2)
    with laptop.at_work() as context:
        worker = Worker(context)
        outcome = worker.round(pull=True)
        assert not outcome.pulled
        assert worker.deferred == {SESSION}
        assert worker.overview.quiet_at is not None
        laptop.grow_old(seconds=QUIET_SECONDS)
        until(lambda: bool(worker.round(outcome.next, pull=True).pulled))
        assert worker.overview.quiet_at is None
    assert agree(laptop, desktop)


def test_a_push_waits_for_no_overview_where_nothing_came_from_elsewhere(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop, desktop = pair
    done: list[str] = []
    for name in ("make_overview", "push_surveyed", "pull_surveyed"):
        real = getattr(worker_module, name)

        def noted(*given: Any, name: str = name, real: Any = real, **named: Any) -> Any:
            done.append(name)
            return real(*given, **named)

        monkeypatch.setattr(worker_module, name, noted)
    with laptop.at_work() as context:
        worker = Worker(context)
        worker.changes.rescan()
        worker.round(pull=True)
        laptop.write(SESSION, said())
        worker.changes.rescan()
        done.clear()
        assert worker.round(push=[SESSION], pull=True).pushed
        assert done == ["push_surveyed", "make_overview"]
        laptop.write(SESSION, said())
        desktop.write(OTHER, said())
        desktop.push(OTHER)
        worker.changes.rescan()
        done.clear()
        outcome = worker.round(push=[SESSION], pull=True)
        assert (len(outcome.pushed), len(outcome.pulled)) == (1, 1)
        assert done == ["make_overview", "pull_surveyed", "push_surveyed", "make_overview"]


def test_what_comes_while_a_push_is_at_work_is_pulled_by_the_next_round(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop, desktop = pair
    with laptop.at_work() as context:
        worker = Worker(context)
        worker.changes.rescan()
        worker.round(pull=True)
        laptop.write(SESSION, said())
        desktop.write(OTHER, said())
        real = push_surveyed

        def late(*given: Any, **named: Any) -> Any:
            monkeypatch.setattr(worker_module, "push_surveyed", real)
            results = real(*given, **named)
            desktop.push(OTHER)
            return results

        monkeypatch.setattr(worker_module, "push_surveyed", late)
        worker.changes.rescan()
        outcome = worker.round(push=[SESSION], pull=True)
        assert outcome.next == NextRound(anyway=True, soon=True)
        assert worker.round(outcome.next, pull=True).pulled
    assert laptop.has(OTHER)
