"""Two folders of Claude Code's on one machine: as far as sessions go, two machines."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from claude_sync.errors import MachineNameTaken
from claude_sync.model import Outcome, State
from claude_sync.state import machine
from machines import OTHER, SESSION, PlayedMachine, World, outcomes, said


@pytest.fixture
def laptop(world: World) -> PlayedMachine:
    """A machine that pushed a session from the folder it has always had."""
    (laptop,) = world.machines("laptop")
    laptop.write(SESSION, said("private"))
    laptop.push()
    return laptop


@contextmanager
def work(at: PlayedMachine) -> Iterator[None]:
    """Be at its second folder, as a shell with CLAUDE_CONFIG_DIR is."""
    before = at.claude
    at.claude = at.home / ".claude-work"
    (at.claude / "projects").mkdir(parents=True, exist_ok=True)
    (at.claude / "sessions").mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLAUDE_CONFIG_DIR", str(at.claude))
        try:
            yield
        finally:
            at.claude = before


def test_what_lies_in_the_other_folder_is_not_gone(laptop: PlayedMachine) -> None:
    with work(laptop):
        assert laptop.states()[SESSION].state is State.WAITING
        laptop.write(OTHER, said("work"))
        laptop.push()
    states = laptop.states()
    assert (states[SESSION].state, states[OTHER].state) == (State.SYNCED, State.WAITING)
    assert states[OTHER].machines == ("laptop-work",)


def test_what_was_forgotten_in_one_stays_so_where_the_system_was_installed_anew(
    laptop: PlayedMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with work(laptop):
        laptop.write(OTHER, said("work"))
        laptop.push()
        laptop.forget(OTHER)
        monkeypatch.setattr(machine, "_system_id", lambda: "0123456789abcdef" * 2)
        laptop.push()
        assert not [path for path in laptop.world.bundles() if OTHER in path.name]
        assert laptop.states()[OTHER].forgotten


def test_the_first_folder_keeps_the_machines_id_whichever_is_set_up_again(
    laptop: PlayedMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def who() -> tuple[str, str]:
        with laptop.at_work() as context:
            return tuple(context.machine[:2])  # type: ignore[return-value]

    first = who()
    with work(laptop):
        second = who()
        with pytest.raises(MachineNameTaken):
            laptop.set_up(name="laptop")
        assert who() == second
        laptop.set_up(name="office")
        assert who() == ("office", second[1])
    # What programs without the shell's variable use is what was set up last.
    assert who() == ("office", second[1])
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(laptop.claude))
    assert who() == first
    assert (first[0], second[0]) == ("laptop", "laptop-work")
    assert first[1] != second[1]


def test_a_folder_named_at_the_first_set_up_is_the_machine_itself(world: World) -> None:
    laptop = world.machine("laptop")
    with work(laptop):
        laptop.set_up()
        with laptop.at_work() as context:
            named = context.machine
    with laptop.at_work() as context:
        assert context.machine == named


def test_a_session_that_went_on_in_both_is_in_conflict(laptop: PlayedMachine) -> None:
    source = laptop.path()
    with work(laptop):
        laptop.folder.mkdir(parents=True)
        shutil.copy2(source, laptop.path())
        laptop.write(SESSION, said("at work"))
    laptop.write(SESSION, said("at home"))
    laptop.push()
    with work(laptop):
        assert outcomes(laptop.pull()) == {SESSION: Outcome.CONFLICT}
        laptop.push()
        assert b"at work" in laptop.read()
    assert outcomes(laptop.pull()) == {SESSION: Outcome.CONFLICT}
    assert b"at home" in laptop.read()
