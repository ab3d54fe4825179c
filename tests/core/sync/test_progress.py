"""How far a push or a pull is said to be, while it is under way."""

from __future__ import annotations

import os

import pytest

from claude_sync.model import Progress
from claude_sync.sync import context as contexts
from claude_sync.sync.context import Context
from claude_sync.sync.pull import pull
from claude_sync.sync.push import push
from machines import OTHER, SESSION, PlayedMachine, World, said

LINE = said("x" * 1000)


@pytest.fixture(autouse=True)
def _told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contexts, "_REPORT_SECONDS", 0.0)


def told(machine: PlayedMachine, verb: str) -> list[Progress]:
    """Push or pull all, and collect what is told meanwhile."""
    heard: list[Progress] = []
    with machine.here():
        with contexts.open_context(machine.paths, on_progress=heard.append) as context:
            done = push(context) if verb == "push" else pull(context)
        assert all(result.bytes for result in done)
    return heard


def check(heard: list[Progress], verb: str, total: int) -> None:
    """It begins at nothing, never goes back, is told while one session is under way, and ends."""
    assert {one.verb for one in heard} == {verb}
    assert {one.sessions_total for one in heard} == {2}
    assert {one.total for one in heard} == {total}
    assert heard[0].done == 0
    amounts = [(one.done, one.sessions_done) for one in heard]
    assert amounts == sorted(amounts)
    assert amounts[-1] == (total, 2)
    assert len({one.done for one in heard if one.sessions_done == 0}) > 4


def test_bytes_are_told_of_while_they_travel(world: World) -> None:
    laptop, desktop = world.machines("laptop", "desktop")
    sizes = [len(laptop.write(session, LINE * 2500)) for session in (SESSION, OTHER)]
    check(told(laptop, "push"), "Pushing", sum(sizes))
    bundles = [os.stat(path).st_size for path in laptop.world.bundles()]
    check(told(desktop, "pull"), "Pulling", sum(bundles))
    assert desktop.read() == laptop.read()


def test_with_nobody_to_tell_nothing_is_counted(world: World) -> None:
    laptop = world.machine("laptop")
    with laptop.at_work() as context:
        assert isinstance(context, Context)
        assert type(context.store._transport).__name__ == "FolderTransport"
