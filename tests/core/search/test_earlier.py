"""An earlier version is read page by page, and only as far as it went."""

from __future__ import annotations

import pytest

from claude_sync.errors import UsageError
from claude_sync.model import Version
from claude_sync.search.earlier import read_earlier
from claude_sync.search.export import as_text
from claude_sync.sync.restore import earlier_versions
from machines import SESSION, PlayedMachine, World, said


def texts_of(machine: PlayedMachine, version: Version, before: int | None = None) -> list[str]:
    with machine.at_work() as context, read_earlier(context, SESSION, version) as reader:
        return [turn.text for turn in reader.page(before, 2).turns]


def test_the_vaults_and_the_stores(world: World) -> None:
    laptop, desktop = world.machines("laptop", "desktop")
    laptop.write(SESSION, *(said(f"turn {number}") for number in range(5)))
    laptop.push()
    desktop.pull()
    desktop.begin_anew(SESSION, said("anew"))
    laptop.pull()
    desktop.write(SESSION, said("and on"))
    desktop.push()
    with laptop.at_work() as context:
        found = earlier_versions(context, SESSION)
        (kept,) = [one for one in context.vault.entries(SESSION) if one.version is not None]
    theirs = next(one.version for one in found if one.machine == "desktop")
    assert texts_of(laptop, theirs) == ["anew", "and on"]
    assert kept.version is not None
    with kept.transcript.open("ab") as file:
        file.write(said("in the last moment"))
    assert texts_of(laptop, kept.version) == ["turn 3", "turn 4"]
    with laptop.at_work() as context, read_earlier(context, SESSION, kept.version) as reader:
        last = reader.page(None, 2)
        assert [one.line.text for one in reader.find("turn 1")] == ["turn 1"]
        document = "".join(as_text(reader))
    assert document.startswith("anew\nProject: ")
    assert "Read from: an earlier version, " in document
    assert "in the last moment" not in document
    assert texts_of(laptop, kept.version, last.before) == ["turn 1", "turn 2"]
    with pytest.raises(UsageError):
        texts_of(laptop, Version(1, "0" * 64))
