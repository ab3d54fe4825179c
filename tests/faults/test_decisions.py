"""What a person decided stands, whatever becomes of the records; and what if it is lost itself."""

from __future__ import annotations

import json
import os
from collections.abc import Callable

import pytest

from claude_sync.errors import ClaudeSyncError, RecordsError, RecordsTooNew
from claude_sync.model import Outcome, State
from crashes import End, killed_at
from examined import snapshot
from faults import databases
from faults.disks import ordinary_permissions
from machines import OTHER, SESSION, Pair, PlayedMachine, World, agree, opened, outcomes, said

# --- records that are lost ---------------------------------------------------------------------


LOSSES = {**databases.DAMAGES, "newer": databases.be_newer}


@pytest.fixture(params=LOSSES.values(), ids=list(LOSSES))
def lose(request: pytest.FixtureRequest) -> Callable[[PlayedMachine], None]:
    """One way to lose a machine's records."""
    loss: databases.Damage = request.param
    return lambda machine: loss(machine.records_file())


def attempt(work: Callable[[], object]) -> None:
    """Do something twice, as a person does whom an error tells to, or a service."""
    for _ in range(2):
        try:
            work()
        except RecordsError:
            continue


def is_refused(machine: PlayedMachine) -> bool:
    """Whether the records are there and can't be used."""
    try:
        machine.states()
    except RecordsTooNew:
        return True
    return False


def test_a_forgotten_session_stays_out_of_the_store(
    pair: Pair, lose: Callable[[PlayedMachine], None]
) -> None:
    laptop, _ = pair
    laptop.write(OTHER, said())
    laptop.push()
    laptop.forget(SESSION)
    lose(laptop)
    laptop.write(OTHER, said("more"))
    attempt(laptop.push)
    assert not laptop.bundle(SESSION).exists()
    if is_refused(laptop):
        return
    assert laptop.states()[SESSION].forgotten
    assert opened(laptop.bundle(OTHER)).transcript == laptop.read(OTHER)
    assert laptop.push(SESSION)[SESSION].outcome is Outcome.PUSHED
    assert not laptop.states()[SESSION].forgotten


def test_what_was_undone_is_not_taken_again(
    pair: Pair, lose: Callable[[PlayedMachine], None]
) -> None:
    laptop, desktop = pair
    before = desktop.read()
    laptop.write(SESSION, said("unwanted"))
    laptop.push()
    desktop.pull()
    desktop.undo()
    lose(desktop)
    attempt(desktop.pull)
    assert desktop.read() == before
    if is_refused(desktop):
        return
    assert desktop.pull()[SESSION].outcome is Outcome.DECLINED
    assert desktop.pull(SESSION)[SESSION].outcome is Outcome.UPDATED
    assert agree(*pair)


def test_a_settled_conflict_stays_settled(
    pair: Pair, lose: Callable[[PlayedMachine], None]
) -> None:
    """Even where the bundle that says so is gone as well."""
    laptop, desktop = pair
    for machine in pair:
        machine.write(SESSION, said(f"on {machine.name}"))
        machine.push()
    theirs = laptop.read()
    desktop.resolve(SESSION, "mine")
    chosen = desktop.read()
    desktop.bundle().unlink()
    lose(desktop)
    attempt(desktop.pull)
    assert desktop.read() == chosen
    if is_refused(desktop):
        return
    assert desktop.states()[SESSION].state is not State.CONFLICT
    desktop.push()
    head = opened(desktop.bundle()).head
    assert (head.decision, len(head.supersedes)) == (1, 1)
    laptop.pull()
    assert laptop.read() == chosen
    assert theirs in laptop.kept()


def test_newer_records_are_left_as_they_are(pair: Pair) -> None:
    laptop, _ = pair
    databases.be_newer(laptop.records_file())
    laptop.write(SESSION, said("more"))
    before = snapshot(laptop.paths.state, laptop.world.store)
    for work in (laptop.push, laptop.pull, laptop.states):
        with pytest.raises(RecordsTooNew) as caught:
            work()
        assert str(laptop.records_file()) in str(caught.value)
        assert "update" in caught.value.todo
    assert snapshot(laptop.paths.state, laptop.world.store) == before


# --- decisions that are lost themselves --------------------------------------------------------


@pytest.fixture
def forgetful(pair: Pair) -> PlayedMachine:
    """A machine with a forgotten session, and one that isn't."""
    laptop, _ = pair
    laptop.write(OTHER, said())
    laptop.push()
    laptop.forget(SESSION)
    return laptop


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[]", b'{"stores": []}', b'{"stores": {"x": 1}}', b"\0" * 99, b"\xff"],
    ids=repr,
)
def test_damaged_decisions_are_set_aside_and_nothing_forgotten_is_pushed(
    forgetful: PlayedMachine, data: bytes
) -> None:
    file = forgetful.paths.decisions_file
    file.write_bytes(data)
    new = "2a2b3c4d-1111-4222-8333-444455556666"
    forgetful.write(OTHER, said("more"))
    results = forgetful.push()
    assert outcomes(results) == {SESSION: Outcome.UNCHANGED, OTHER: Outcome.PUSHED}
    assert "name it" in results[SESSION].message
    assert not forgetful.bundle(SESSION).exists()
    assert [path.read_bytes() for path in file.parent.glob("*.damaged-*")] == [data]
    # What is begun afterwards can't have been forgotten.
    forgetful.write(new, said())
    assert forgetful.push()[new].outcome is Outcome.PUSHED
    assert not forgetful.bundle(SESSION).exists()
    assert forgetful.push(SESSION)[SESSION].outcome is Outcome.PUSHED


def test_where_damaged_decisions_were_set_aside_the_loss_is_remembered_until_the_store_is_seen(
    forgetful: PlayedMachine, world: World
) -> None:
    forgetful.paths.decisions_file.write_bytes(b"no more")
    away = world.store.with_name("away")
    world.store.rename(away)
    for _ in range(2):
        with pytest.raises(ClaudeSyncError):
            forgetful.push()
    away.rename(world.store)
    forgetful.push()
    assert not forgetful.bundle(SESSION).exists()


@pytest.mark.parametrize("hidden", ["a folder of sessions", "the store's"])
def test_where_something_can_not_be_seen_the_loss_is_minded_until_it_can(
    forgetful: PlayedMachine, hidden: str
) -> None:
    """Else what shows up later would be pushed, or need to be named though it wasn't forgotten."""
    here = forgetful.folder if hidden == "a folder of sessions" else forgetful.bundle().parent
    forgetful.paths.decisions_file.write_bytes(b"no more")
    here.chmod(0)
    try:
        with ordinary_permissions():
            attempt(forgetful.push)
    finally:
        here.chmod(0o700)
    forgetful.write(OTHER, said("more"))
    assert outcomes(forgetful.push()) == {SESSION: Outcome.UNCHANGED, OTHER: Outcome.PUSHED}
    assert not forgetful.bundle(SESSION).exists()
    new = forgetful.write("2a2b3c4d-1111-4222-8333-444455556666", said())
    assert Outcome.PUSHED in outcomes(forgetful.push()).values()
    assert new in [opened(path).transcript for path in forgetful.world.bundles()]


def test_decisions_that_are_gone_count_as_lost(forgetful: PlayedMachine) -> None:
    forgetful.paths.decisions_file.unlink()
    forgetful.push()
    assert not forgetful.bundle(SESSION).exists()
    assert forgetful.states()[SESSION].forgotten


def test_where_nothing_was_decided_nothing_can_be_lost(pair: Pair) -> None:
    laptop, _ = pair
    assert not laptop.paths.decisions_file.exists()
    laptop.write(OTHER, said())
    laptop.lose_records()
    assert laptop.push()[OTHER].outcome is Outcome.PUSHED


def test_what_a_resolve_gave_up_is_read_back_where_decisions_were_lost(pair: Pair) -> None:
    laptop, desktop = pair
    for machine in pair:
        machine.write(SESSION, said(f"on {machine.name}"))
        machine.push()
    desktop.resolve(SESSION, "mine")
    desktop.paths.decisions_file.write_bytes(b"no more")
    assert desktop.pull()[SESSION].outcome is not Outcome.CONFLICT
    desktop.write(SESSION, said("further"))
    desktop.push()
    assert opened(desktop.bundle()).head.decision == 1
    laptop.pull()
    assert agree(*pair)


@pytest.mark.parametrize("newer", [True, False])
def test_decisions_that_can_not_be_known_are_left_alone_and_nothing_is_done(
    forgetful: PlayedMachine, newer: bool
) -> None:
    file = forgetful.paths.decisions_file
    if newer:
        file.write_text(json.dumps({"schema": 2, **json.loads(file.read_text())} | {"schema": 2}))
    else:
        file.chmod(0)
    before = snapshot(file)
    with ordinary_permissions():
        for work in (forgetful.push, forgetful.pull, forgetful.states):
            with pytest.raises(RecordsError) as caught:
                work()
            assert str(file) in str(caught.value)
            assert isinstance(caught.value, RecordsTooNew) is newer
    assert snapshot(file) == before
    assert not forgetful.bundle(SESSION).exists()


def test_where_the_folder_of_decisions_is_shut_nothing_is_done(
    forgetful: PlayedMachine, world: World
) -> None:
    """They may be a link to a folder of dotfiles, with permissions of its own."""
    file, dotfiles = forgetful.paths.decisions_file, world.folder / "dotfiles"
    dotfiles.mkdir()
    file.rename(dotfiles / file.name)
    file.symlink_to(dotfiles / file.name)
    forgetful.write(OTHER, said("more"))
    before = snapshot(forgetful.paths.state, world.store)
    dotfiles.chmod(0)
    with ordinary_permissions():
        for work in (forgetful.push, forgetful.pull, forgetful.states):
            with pytest.raises(RecordsError, match="can't be read") as caught:
                work()
            assert str(dotfiles / file.name) in str(caught.value)
    dotfiles.chmod(0o700)
    assert snapshot(forgetful.paths.state, world.store) == before
    assert outcomes(forgetful.push()) == {SESSION: Outcome.UNCHANGED, OTHER: Outcome.PUSHED}


# --- dying in between --------------------------------------------------------------------------


def test_however_far_forgetting_came_what_is_gone_from_the_store_stays_gone(pair: Pair) -> None:
    """It is decided first: no push finds a session that was forgotten without knowing so."""
    laptop, _ = pair
    laptop.forget(SESSION)
    laptop.push(SESSION)
    for step in range(200):
        end = killed_at(step, lambda: laptop.forget(SESSION))
        was_there = laptop.bundle(SESSION).exists()
        laptop.push()
        assert laptop.bundle(SESSION).exists() is was_there
        if end is not End.KILLED:
            break
        laptop.push(SESSION)
    else:
        raise AssertionError("there are more steps than that")
    assert not was_there
    assert laptop.states()[SESSION].forgotten


def test_killed_while_damaged_decisions_are_set_aside_nothing_forgotten_is_pushed(
    forgetful: PlayedMachine,
) -> None:
    file = forgetful.paths.decisions_file
    for step in range(200):
        file.write_bytes(b"no more")
        end = killed_at(step, forgetful.push)
        assert file.exists()
        forgetful.push()
        assert not forgetful.bundle(SESSION).exists()
        if end is not End.KILLED:
            break
    else:
        raise AssertionError("there are more steps than that")


# --- many at once ------------------------------------------------------------------------------


def test_what_a_thousand_bundles_say_is_written_down_once(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted in writes of the file: a write for each session would be quadratic."""
    laptop, desktop = pair
    ids = [f"{number:08x}-1111-4222-8333-444455556666" for number in range(40)]
    for machine in pair:
        for session in ids:
            machine.write(session, said(f"on {machine.name}"))
        machine.push()
    for session in ids:
        desktop.resolve(session, "mine")
    written = []
    replace = os.replace

    def count(source: str, target: str) -> None:
        written.append(os.path.basename(target))
        replace(source, target)

    monkeypatch.setattr(os, "replace", count)
    assert set(outcomes(laptop.pull(*ids)).values()) == {Outcome.REPLACED}
    assert written.count("decisions.json") == 1
    laptop.lose_records()
    laptop.paths.decisions_file.unlink()
    written.clear()
    laptop.push()
    assert written.count("decisions.json") <= 2
