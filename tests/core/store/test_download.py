"""What of a bundle is written when it comes, and what lies here already."""

from __future__ import annotations

import os

from claude_sync.store.delta import Request
from claude_sync.store.download import Fetched
from claude_sync.sync.survey.look import look
from equipped import CHECKPOINT, TASK, equip, planned
from machines import SESSION, PlayedMachine, World, said

BIG = f"file-history/{SESSION}/0123456789abcdef@v1"


def fetched(machine: PlayedMachine) -> tuple[list[str], list[str]]:
    """The sidecar files that were staged, and those that weren't."""
    with machine.at_work() as context:
        survey = look(context)
        [local], [bundle] = survey.local[SESSION], survey.bundles[SESSION]
        wanted = Request(bundle, local.path.parent, here=survey.rows.here(local))
        [came] = context.store.fetch([wanted], context.check)
        assert isinstance(came, Fetched)
        try:
            assert came.transcript.path.read_bytes() == machine.read()
            return [file.path for file, _ in came.sidecar], [file.path for file in came.same_here]
        finally:
            came.discard()


def test_what_lies_here_as_it_came_is_not_written_again(world: World) -> None:
    laptop, desktop = world.machines("laptop", "desktop")
    laptop.write(SESSION, planned(), said())
    equip(laptop)
    laptop.push()
    desktop.pull()
    staged, same = fetched(desktop)
    assert staged == ["@plans/calm-otter.md"], "another of the same pull may write over a plan"
    assert len(same) == 3

    desktop.write_companion(TASK, b"as it")
    assert fetched(desktop)[0] == ["@plans/calm-otter.md", "@tasks/1.json"]


def test_a_big_file_is_written_as_it_comes(world: World) -> None:
    laptop, desktop = world.machines("laptop", "desktop")
    laptop.write(SESSION, said())
    laptop.write_companion(BIG, os.urandom(2 << 20))
    laptop.push()
    desktop.pull()
    assert fetched(desktop) == (["@file-history/0123456789abcdef@v1"], [])


def test_a_file_that_was_changed_here_meanwhile_is_looked_at_again(world: World) -> None:
    laptop, desktop = world.machines("laptop", "desktop")
    laptop.write(SESSION, said("first"))
    laptop.write_companion(CHECKPOINT, b"print()")
    laptop.push()
    desktop.pull()
    laptop.write(SESSION, said("more"))
    laptop.push()
    desktop.write_companion(CHECKPOINT, b"mine()!")
    desktop.pull()
    assert desktop.read() == laptop.read()
    assert desktop.companions() == laptop.companions()
    assert b"mine()!" in desktop.kept()
