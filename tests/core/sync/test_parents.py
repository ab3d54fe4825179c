"""A branch that is pulled by its id brings what it needs of the session that it began as."""

from __future__ import annotations

import pytest

from claude_sync.model import Outcome
from claude_sync.sync.pull import pull
from claude_sync.sync.resume import prepare_resume
from machines import OTHER, SESSION, Pair, PlayedMachine, World, outcomes, said

BRANCH = OTHER
THIRD = "2b3c4d5e-1111-4222-8333-444455556666"
OUTPUT = "tool-results/long.txt"


def branched(machine: PlayedMachine, branch: str, parent: str, output: str = OUTPUT) -> None:
    """A branch that names a file of its parent's."""
    where = machine.folder / parent / output
    machine.write(branch, said(f"saved to {where}", forkedFrom={"sessionId": parent}))


def remove(machine: PlayedMachine, session: str) -> None:
    """Delete a session and its long output."""
    machine.path(session).unlink()
    (machine.folder / session / OUTPUT).unlink()
    (machine.folder / session / "tool-results").rmdir()
    (machine.folder / session).rmdir()


@pytest.fixture
def pair(world: World) -> Pair:
    """A session with a long output and its branch on one machine; nothing on the other."""
    laptop, desktop = world.machines("laptop", "desktop")
    laptop.write(SESSION, said("hello"))
    laptop.write_sidecar(SESSION, OUTPUT, b"long")
    branched(laptop, BRANCH, SESSION)
    laptop.push()
    return laptop, desktop


def test_the_parent_comes_along_with_the_file_that_the_branch_names(pair: Pair) -> None:
    _, desktop = pair
    results = desktop.pull(BRANCH)
    assert outcomes(results) == {BRANCH: Outcome.IMPORTED, SESSION: Outcome.IMPORTED}
    assert [one.message for one in results.values()] == ["", ""]
    assert desktop.sidecar(SESSION) == {OUTPUT: b"long"}
    assert outcomes(desktop.pull(BRANCH)) == {BRANCH: Outcome.UNCHANGED}


def test_a_parent_of_which_it_names_nothing_stays_where_it_is(world: World) -> None:
    laptop, desktop = world.machines("laptop", "desktop")
    laptop.write(SESSION, said())
    laptop.write(BRANCH, said(forkedFrom={"sessionId": SESSION}))
    laptop.push()
    assert outcomes(desktop.pull(BRANCH)) == {BRANCH: Outcome.IMPORTED}


def test_a_parent_that_lies_here_gets_the_file_that_it_lacks(pair: Pair) -> None:
    laptop, desktop = pair
    desktop.pull()
    branched(laptop, BRANCH, SESSION, "tool-results/more.txt")
    laptop.write_sidecar(SESSION, "tool-results/more.txt", b"more")
    laptop.push()
    results = desktop.pull(BRANCH)
    assert outcomes(results) == {BRANCH: Outcome.UPDATED, SESSION: Outcome.UPDATED}
    assert desktop.sidecar(SESSION)["tool-results/more.txt"] == b"more"


def test_a_branch_that_is_resumed_brings_it_whether_it_was_here_or_not(pair: Pair) -> None:
    laptop, desktop = pair
    with desktop.at_work() as context:
        found = prepare_resume(context, BRANCH)
    assert [one.session_id for one in found.results] == [BRANCH, SESSION]
    assert desktop.sidecar(SESSION) == {OUTPUT: b"long"}
    branched(laptop, BRANCH, SESSION, "tool-results/more.txt")
    laptop.write_sidecar(SESSION, "tool-results/more.txt", b"more")
    laptop.push()
    with desktop.at_work() as context:
        found = prepare_resume(context, BRANCH)
    assert found.pulled is not None
    assert (found.pulled.session_id, found.message) == (BRANCH, "")
    assert desktop.sidecar(SESSION)["tool-results/more.txt"] == b"more"


def test_a_parent_that_was_deleted_here_comes_back_for_its_branch(pair: Pair) -> None:
    _, desktop = pair
    desktop.pull()
    remove(desktop, SESSION)
    assert outcomes(desktop.pull())[SESSION] is Outcome.GONE
    assert outcomes(desktop.pull(BRANCH))[SESSION] is Outcome.IMPORTED
    assert desktop.sidecar(SESSION) == {OUTPUT: b"long"}


def test_what_cannot_be_had_of_it_is_said(pair: Pair) -> None:
    laptop, desktop = pair
    laptop.forget(SESSION)
    results = desktop.pull(BRANCH)
    assert outcomes(results) == {BRANCH: Outcome.IMPORTED}
    wanted = f"1 file of session {SESSION}, which it branched from, is missing here"
    assert results[BRANCH].message == wanted


def test_nothing_is_written_into_a_folder_without_its_transcript(pair: Pair) -> None:
    _, desktop = pair
    desktop.write_sidecar(SESSION, "tool-results/mine.txt", b"mine")
    results = desktop.pull(BRANCH)
    assert outcomes(results) == {BRANCH: Outcome.IMPORTED, SESSION: Outcome.FAILED}
    assert "is missing here" in results[BRANCH].message
    assert desktop.sidecar(SESSION) == {"tool-results/mine.txt": b"mine"}


def test_a_branch_of_a_branch_brings_both_and_circles_end(pair: Pair) -> None:
    laptop, desktop = pair
    laptop.write_sidecar(BRANCH, OUTPUT, b"of the branch")
    branched(laptop, THIRD, BRANCH)
    laptop.write(SESSION, said(f"{THIRD}/{OUTPUT}", forkedFrom={"sessionId": THIRD}))
    laptop.push()
    results = desktop.pull(THIRD)
    assert set(results) == {THIRD, BRANCH, SESSION}
    assert set(outcomes(results).values()) == {Outcome.IMPORTED}
    assert desktop.sidecar(BRANCH) == {OUTPUT: b"of the branch"}


def test_a_branch_of_a_branch_brings_the_first_where_it_names_files_of_that_one_only(
    pair: Pair,
) -> None:
    laptop, desktop = pair
    where = laptop.folder / SESSION / OUTPUT
    laptop.write(THIRD, said(f"saved to {where}", forkedFrom={"sessionId": BRANCH}))
    laptop.push()
    assert outcomes(desktop.pull(THIRD)) == {THIRD: Outcome.IMPORTED, SESSION: Outcome.IMPORTED}
    assert desktop.sidecar(SESSION) == {OUTPUT: b"long"}


def test_what_cannot_be_had_of_the_first_is_said_too(pair: Pair) -> None:
    laptop, desktop = pair
    where = laptop.folder / SESSION / OUTPUT
    laptop.write(THIRD, said(f"saved to {where}", forkedFrom={"sessionId": BRANCH}))
    laptop.push()
    laptop.forget(SESSION)
    message = desktop.pull(THIRD)[THIRD].message
    assert message == f"1 file of session {SESSION}, which it names, is missing here"


def test_of_a_text_that_names_ever_so_many_sessions_a_few_come(world: World) -> None:
    laptop, desktop = world.machines("laptop", "desktop")
    named = [f"{number:08x}-1111-4222-8333-444455556666" for number in range(20)]
    for session in named:
        laptop.write(session, said())
        laptop.write_sidecar(session, OUTPUT, b"long")
        branched(laptop, BRANCH, session)
    laptop.push()
    assert {*desktop.pull(BRANCH)} == {BRANCH, *named[:10]}


def test_a_branch_that_is_resumed_as_it_is_brings_what_it_lacks_as_well(pair: Pair) -> None:
    laptop, desktop = pair
    desktop.pull()
    for brought in (True, False):
        remove(desktop, SESSION)
        if not brought:
            laptop.forget(SESSION)
        with desktop.at_work() as context:
            found = prepare_resume(context, BRANCH)
        assert (found.pulled, found.question) == (None, None)
        assert desktop.has(SESSION) == brought
        assert ("is missing here" in found.message) != brought
    assert [one.outcome for one in found.results] == [Outcome.UNCHANGED]


def test_a_dry_run_brings_nothing(pair: Pair) -> None:
    _, desktop = pair
    with desktop.at_work() as context:
        pull(context, [BRANCH], dry_run=True)
    assert desktop.sessions() == []
