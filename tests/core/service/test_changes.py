"""What changed here, by events and rescans."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from claude_sync.claude.home import ClaudeHome
from claude_sync.model import Outcome, Result
from claude_sync.service import schedule
from claude_sync.service.changes import Changes
from claude_sync.service.schedule import Events
from machines import OTHER, SESSION, PlayedMachine, World, said

NOW = 1000.0


def changes_of(machine: PlayedMachine) -> Changes:
    changes = Changes(ClaudeHome(machine.claude), clock=lambda: NOW)
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


def test_a_sessions_pace_is_that_of_all_its_files(world: World) -> None:
    laptop = world.machine("laptop")
    laptop.write(SESSION, said())
    changes = changes_of(laptop)
    laptop.write_companion(f"file-history/{SESSION}/0123456789abcdef@v1", b"x" * 5000)
    laptop.write_sidecar(SESSION, "tool-results/long.txt", b"x" * 4000)
    laptop.write(SESSION, said())
    changes.rescan()
    whole = laptop.path().stat().st_size + 9000
    assert changes.pending[SESSION].size == whole
    changes.pending.clear()
    changes.adopt({SESSION: 1})
    assert changes.pending[SESSION].size == whole


@pytest.mark.parametrize(
    "name", ["memory/notes.md", "../outside.jsonl", ".ccsync-x.jsonl", "a.txt"]
)
def test_what_is_no_session_is_no_change(world: World, name: str) -> None:
    laptop = world.machine("laptop")
    laptop.write(SESSION, said())
    changes = changes_of(laptop)
    path = Path(os.path.normpath(laptop.folder / name))  # as an event names it
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
    assert changes.due(0.0) == {SESSION: NOW + schedule.LATEST_SECONDS}


def test_what_is_at_rest_is_looked_at_though_its_events_are_still_on_the_way(world: World) -> None:
    laptop = world.machine("laptop")
    laptop.open(SESSION)
    changes = changes_of(laptop)
    changes.rest(SESSION, closed=False)
    assert not changes.pending
    laptop.write(SESSION, said())
    changes.rest(SESSION, closed=False)
    assert changes.due(9.0) == {SESSION: NOW}
    changes.look_at(str(laptop.path()))
    assert changes.due(9.0) == {SESSION: NOW}
    laptop.write(SESSION, said())
    changes.look_at(str(laptop.path()))
    assert changes.due(9.0) == {SESSION: NOW + 9.0}


def test_what_was_closed_is_urgent_as_soon_as_the_client_says_so(world: World) -> None:
    laptop = world.machine("laptop")
    laptop.write(SESSION, said())
    laptop.open(SESSION)
    changes = changes_of(laptop)
    laptop.close()
    changes.rest(SESSION, closed=True)
    assert changes.pending[SESSION].urgent
    assert not changes.live.open_ids


def test_what_was_seen_to_be_closed_and_pushed_is_no_change_when_the_client_says_so_too(
    world: World,
) -> None:
    laptop = world.machine("laptop")
    laptop.write(SESSION, said())
    laptop.open(SESSION)
    changes = changes_of(laptop)
    laptop.close()
    assert changes.look_at_live()
    changes.pushed([SESSION], [Result(SESSION, Outcome.PUSHED)])
    before = changes.revision
    changes.rest(SESSION, closed=True)
    assert not changes.pending
    assert changes.revision == before
    laptop.write(SESSION, said("the last word"))
    changes.rest(SESSION, closed=True)
    assert changes.pending[SESSION].urgent
