"""What the engine's parts do by themselves: rounds, changes, the mailbox."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future

import pytest

from claude_sync.claude.home import ClaudeHome
from claude_sync.errors import Stopped
from claude_sync.model import Outcome, Progress, Result, State
from claude_sync.service import schedule
from claude_sync.service.changes import Changes
from claude_sync.service.mailbox import Command, Hint, Mailbox
from claude_sync.service.schedule import Events
from claude_sync.service.timetable import LOOK, Timetable
from claude_sync.service.watch import Area
from claude_sync.service.worker import NextRound, Worker
from machines import OTHER, SESSION, Pair, PlayedMachine, World, agree, said
from services import until

FOR_EVER = 100_000.0
"""Seconds that no test is given: one that waits so long is stopped, and fails."""

# --- rounds ------------------------------------------------------------------------------------


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


# --- changes -----------------------------------------------------------------------------------


def changes_of(machine: PlayedMachine) -> Changes:
    changes = Changes(ClaudeHome(machine.claude))
    changes.rescan()
    return changes


def test_an_event_is_believed_only_after_a_look(world: World) -> None:
    laptop = world.machine("laptop")
    laptop.write(SESSION, said())
    changes = changes_of(laptop)
    before = changes.revision
    changes.look_at(str(laptop.path()))
    assert not changes.pending
    assert changes.revision == before
    laptop.write(SESSION, said())
    changes.look_at(str(laptop.path()))
    assert list(changes.pending) == [SESSION]
    changes.pending.clear()
    changes.look_at(str(laptop.write_sidecar(SESSION, "subagents/agent-1.jsonl", b"{}\n")))
    assert list(changes.pending) == [SESSION]


@pytest.mark.parametrize(
    "name", ["memory/notes.md", "../outside.jsonl", ".ccsync-x.jsonl", "a.txt"]
)
def test_what_is_no_session_is_no_change(world: World, name: str) -> None:
    laptop = world.machine("laptop")
    laptop.write(SESSION, said())
    changes = changes_of(laptop)
    path = laptop.folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(said())
    changes.look_at(str(path))
    assert not changes.pending


def test_a_change_that_no_event_told_of_is_noticed_as_such(world: World) -> None:
    laptop = world.machine("laptop")
    laptop.write(SESSION, said())
    changes = changes_of(laptop)
    laptop.write(SESSION, said())
    laptop.grow_old(SESSION, -60)  # its event may still be on the way, however slow this is
    changes.rescan()
    found = [changes.events]
    laptop.write(SESSION, said())
    laptop.grow_old(SESSION, 60)
    changes.rescan()
    found.append(changes.events)
    changes.look_at(str(laptop.path()))
    found.append(changes.events)
    changes.doubt_events()
    found.append(changes.events)
    assert found == [Events.UNPROVED, Events.MISSING, Events.COMING, Events.UNPROVED]


def test_what_the_client_closed_is_urgent_though_its_events_are_still_on_the_way(
    world: World,
) -> None:
    laptop = world.machine("laptop")
    laptop.open(SESSION)
    changes = changes_of(laptop)
    laptop.write(SESSION, said())
    assert not changes.look_at_live()
    laptop.close()
    assert changes.look_at_live()
    assert changes.pending[SESSION].urgent
    assert not changes.look_at_live()


def test_a_session_that_is_gone_is_seen_and_pushes_nothing(world: World) -> None:
    laptop = world.machine("laptop")
    laptop.write(SESSION, said())
    changes = changes_of(laptop)
    before = changes.revision
    laptop.path().unlink()
    changes.look_at(str(laptop.path()))
    assert changes.revision != before
    assert not changes.pending


def test_what_failed_stays_a_change_and_what_was_pushed_does_not(world: World) -> None:
    laptop = world.machine("laptop")
    changes = changes_of(laptop)
    changes.adopt({SESSION: 10, OTHER: 20})
    results = [Result(SESSION, Outcome.FAILED), Result(OTHER, Outcome.PUSHED)]
    changes.pushed([SESSION, OTHER], results)
    assert list(changes.pending) == [SESSION]
    assert changes.due(0.0)[SESSION] > time.monotonic() + 20


# --- the timetable -----------------------------------------------------------------------------


def test_a_sleep_of_the_machine_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    now, wall = 1000.0, 5000.0
    monkeypatch.setattr("claude_sync.service.timetable.time.time", lambda: wall)
    timetable = Timetable(lambda: now)
    assert timetable.is_due(LOOK)
    timetable.due_in(LOOK, 60.0)
    assert not timetable.is_due(LOOK)
    timetable.begin_wait([])
    now, wall = now + 3, wall + 3
    assert not timetable.slept()
    timetable.begin_wait([])
    now, wall = now + 3, wall + 3600
    assert timetable.slept()
    timetable.due_now(LOOK)
    assert timetable.is_due(LOOK)


# --- the mailbox -------------------------------------------------------------------------------


def test_the_same_event_twice_is_one_message() -> None:
    mailbox = Mailbox()
    for _ in range(1000):
        mailbox.put(Hint(Area.SESSION, "/a"))
    mailbox.put(Hint(Area.SESSION, "/b"))
    assert mailbox.receive(1.0) == [Hint(Area.SESSION, "/a"), Hint(Area.SESSION, "/b")]


def test_a_command_does_not_wait_for_events_to_gather(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("claude_sync.service.mailbox._GATHER_SECONDS", FOR_EVER)
    mailbox = Mailbox()
    command = Command("push", lambda: None, Future())
    mailbox.put(Hint(Area.SESSION, "/a"))
    mailbox.put(command)
    assert mailbox.receive(FOR_EVER)[0] is command


def test_whoever_waits_is_woken_and_after_the_end_nothing_is_taken() -> None:
    mailbox = Mailbox()
    received: list[object] = []
    waiting = threading.Thread(target=lambda: received.append(mailbox.receive(60.0)))
    waiting.start()
    mailbox.wake()
    waiting.join(5)
    assert received == [[]]
    command = Command("push", lambda: None, Future())
    mailbox.put(command)
    assert mailbox.holds()
    assert mailbox.holds({"push"})
    assert not mailbox.holds({"pause"})
    assert mailbox.close() == [command]
    assert not mailbox.put(command)
    until(lambda: not mailbox.holds())
