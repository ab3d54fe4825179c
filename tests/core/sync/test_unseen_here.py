"""What of Claude's tree can't be seen: it costs itself, and nothing of it is ever called gone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from claude_sync.errors import SessionUnreadable
from claude_sync.model import Outcome, State
from claude_sync.sync.context import Context
from claude_sync.sync.survey.survey import Survey
from faults.disks import ordinary_permissions
from machines import OTHER, SESSION, Pair, PlayedMachine, outcomes, said


@pytest.fixture
def shut(pair: Pair) -> Iterator[PlayedMachine]:
    """A desktop that had a session, whose project's folder it can't read any more."""
    laptop, desktop = pair
    laptop.write(SESSION, said("more"))
    laptop.push()
    desktop.folder.chmod(0)
    with ordinary_permissions():
        yield desktop
    desktop.folder.chmod(0o700)


def test_what_lies_where_nothing_can_be_seen_is_unknown_and_not_gone(shut: PlayedMachine) -> None:
    state = shut.states()[SESSION]
    assert state.state is State.UNKNOWN
    assert str(shut.folder) in state.detail


def test_no_second_copy_is_pulled(shut: PlayedMachine) -> None:
    moved = shut.project.with_name("moved")
    shut.project.rename(moved)
    with shut.at_work() as context:
        context.registry.add(moved)
    for result in (shut.pull()[SESSION], shut.pull(SESSION)[SESSION]):
        assert result.outcome is Outcome.FAILED
        assert "doctor" in result.message
    assert [path.name for path in (shut.claude / "projects").iterdir()] == [shut.folder.name]


def test_the_others_are_pushed_and_what_is_not_is_said(shut: PlayedMachine) -> None:
    folder = shut.claude / "projects" / "-elsewhere"
    with shut.at_work() as context:
        folder = context.home.folder_for(shut.home / "code" / "other")
    (shut.home / "code" / "other").mkdir(parents=True)
    folder.mkdir(parents=True)
    line = said("hello", cwd=str((shut.home / "code" / "other").resolve()))
    (folder / f"{OTHER}.jsonl").write_bytes(line)
    found = shut.push()
    assert found[OTHER].outcome is Outcome.PUSHED
    assert found[""].outcome is Outcome.FAILED
    assert found[""].path == shut.folder


def test_once_it_can_be_seen_again_it_is_what_it_was(shut: PlayedMachine) -> None:
    shut.pull()
    shut.push()
    shut.folder.chmod(0o700)
    assert outcomes(shut.pull()) == {SESSION: Outcome.UPDATED}


def test_a_transcript_that_cannot_be_read_is_said_to_be_that(pair: Pair) -> None:
    laptop, desktop = pair
    laptop.write(OTHER, said("unread"))
    laptop.path(OTHER).chmod(0)
    laptop.write(SESSION, said("more"))
    with ordinary_permissions():
        assert outcomes(laptop.push()) == {SESSION: Outcome.PUSHED, OTHER: Outcome.FAILED}
        state = laptop.states()[OTHER]
        with laptop.at_work() as context, pytest.raises(SessionUnreadable):
            raise_of(context, OTHER)
    assert state.state is State.UNKNOWN
    assert "Permission denied" in state.detail
    assert outcomes(desktop.pull()) == {SESSION: Outcome.UPDATED}


def raise_of(context: Context, session_id: str) -> None:
    survey = Survey(context, None)
    (copy,) = survey.local[session_id]
    survey.directory(copy)


def test_a_link_in_a_transcripts_place_is_neither_pulled_over_nor_gone(pair: Pair) -> None:
    laptop, desktop = pair
    real = desktop.home / "elsewhere.jsonl"
    desktop.path().rename(real)
    desktop.path().symlink_to(real)
    laptop.write(SESSION, said("more"))
    laptop.push()
    before = real.read_bytes()
    assert outcomes(desktop.pull()) == {SESSION: Outcome.FAILED}
    assert desktop.states()[SESSION].state is State.UNKNOWN
    assert desktop.path().is_symlink()
    assert real.read_bytes() == before


def test_a_linked_project_is_pulled_into_and_pushed_from(pair: Pair) -> None:
    laptop, desktop = pair
    dotfiles = desktop.home / "dotfiles"
    desktop.folder.rename(dotfiles)
    desktop.folder.symlink_to(dotfiles)
    laptop.write(SESSION, said("more"))
    laptop.write(OTHER, said("new"))
    laptop.push()
    assert outcomes(desktop.pull()) == {SESSION: Outcome.UPDATED, OTHER: Outcome.IMPORTED}
    assert desktop.read(OTHER) == laptop.read(OTHER)
    desktop.write(OTHER, said("from the desktop"))
    desktop.grow_old(OTHER)
    assert desktop.push()[OTHER].outcome is Outcome.PUSHED
