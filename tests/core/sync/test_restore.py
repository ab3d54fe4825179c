"""Bringing back an earlier version: from the vault, from this machine's bundle or another's."""

from __future__ import annotations

import hashlib
import shutil

import pytest

from claude_sync.errors import SessionNotFound, SessionOpen, SessionUnplaced, UsageError
from claude_sync.model import Outcome, Result, Version
from claude_sync.sync.restore import (
    EarlierVersion,
    Restorable,
    bring_back,
    earlier_versions,
    restorable,
    restore,
)
from machines import OTHER, SESSION, Pair, PlayedMachine, World, agree, opened, outcomes, said


def offered(machine: PlayedMachine, session: str = SESSION) -> list[EarlierVersion]:
    with machine.at_work() as context:
        return earlier_versions(context, session)


def brought_back(machine: PlayedMachine, version: Version, session: str = SESSION) -> list[Result]:
    with machine.at_work() as context:
        return restore(context, session, version)


def version_of(data: bytes) -> Version:
    return Version(len(data), hashlib.sha256(data).hexdigest())


def sessions(machine: PlayedMachine) -> list[Restorable]:
    with machine.at_work() as context:
        return restorable(context)


def damaged(machine: PlayedMachine, left: bytes = b"") -> bytes:
    """Leave something else of a transcript, long ago; what it was."""
    whole = machine.read()
    machine.rewrite(SESSION, left)
    machine.grow_old()
    return whole


@pytest.mark.parametrize("left", [b"", b"\0" * 40, said("newest turn only")])
def test_what_was_pushed_comes_back_after_damage_and_is_what_all_have(
    pair: Pair, left: bytes
) -> None:
    laptop, desktop = pair
    whole = damaged(laptop, left)
    [first] = offered(laptop)
    assert (first.machine, first.turns, first.is_here) == ("laptop", 1, False)
    results = brought_back(laptop, first.version)
    assert results[0].outcome is Outcome.REPLACED
    assert laptop.read() == whole
    assert not left or left in laptop.kept()
    desktop.pull()
    assert agree(*pair)
    assert outcomes(laptop.push()) == {SESSION: Outcome.UNCHANGED}
    assert not laptop.states()[SESSION].shortened


def test_what_a_pull_replaced_comes_back_from_the_vault_and_stands_everywhere(pair: Pair) -> None:
    laptop, desktop = pair
    old = laptop.read()
    desktop.begin_anew(SESSION, said("another beginning"))
    laptop.pull()
    laptop.write(SESSION, said("and on"))
    laptop.push()
    assert version_of(old) in [one.version for one in offered(laptop)]
    brought_back(laptop, version_of(old))
    assert laptop.read() == old
    assert outcomes(desktop.pull()) == {SESSION: Outcome.REPLACED}
    assert agree(*pair)
    assert outcomes(laptop.pull()) == {SESSION: Outcome.AHEAD}


def test_another_machines_version_comes_back_though_ours_is_meant_to_stand(pair: Pair) -> None:
    laptop, desktop = pair
    theirs = desktop.write(SESSION, said("on the desktop"))
    desktop.push()
    laptop.write(SESSION, said("on the laptop"))
    laptop.resolve(SESSION, "mine")
    mine = laptop.read()
    [first, *_] = offered(laptop)
    assert first.machine == "desktop"
    brought_back(laptop, first.version)
    assert laptop.read() == theirs
    assert mine in laptop.kept()
    assert opened(laptop.bundle()).transcript == theirs
    desktop.pull()
    assert agree(*pair)


def test_what_isnt_here_any_more_is_offered_first(pair: Pair) -> None:
    laptop, _ = pair
    first = laptop.read()
    laptop.write(SESSION, said("second"))
    laptop.push()
    laptop.begin_anew(SESSION, first + said("another second"))
    found = offered(laptop)
    assert [one.is_here for one in found] == sorted(one.is_here for one in found)
    assert found[0].turns == 2


def test_sidecar_files_come_back_with_it(pair: Pair) -> None:
    laptop, desktop = pair
    laptop.write_sidecar(SESSION, "tool-results/one.txt", b"one")
    laptop.push()
    desktop.pull()
    laptop.write_sidecar(SESSION, "tool-results/one.txt", b"another")
    laptop.begin_anew(SESSION, said("another beginning"))
    desktop.pull()
    [version] = [one for one in offered(desktop) if one.reason == "pull"]
    brought_back(desktop, version.version)
    assert desktop.sidecar() == {"tool-results/one.txt": b"one"}
    assert b"another" in desktop.kept()


def test_a_deleted_session_comes_back_where_it_was(pair: Pair) -> None:
    laptop, desktop = pair
    desktop.begin_anew(SESSION, said("another beginning"))
    old = laptop.read()
    laptop.pull()
    laptop.path().unlink()
    assert [(one.session_id, one.gone) for one in sessions(laptop)] == [(SESSION, True)]
    [installed, _] = brought_back(laptop, version_of(old))
    assert (installed.outcome, installed.path) == (Outcome.IMPORTED, laptop.path())
    assert laptop.read() == old


def test_without_the_shared_folder_the_vaults_versions_come_back(pair: Pair) -> None:
    laptop, desktop = pair
    old = laptop.read()
    desktop.begin_anew(SESSION, said("another beginning"))
    laptop.pull()
    away = laptop.world.store.with_name("away")
    laptop.world.store.rename(away)
    [version] = offered(laptop)
    [installed] = brought_back(laptop, version.version)
    assert (installed.outcome, laptop.read()) == (Outcome.REPLACED, old)
    away.rename(laptop.world.store)
    assert outcomes(laptop.push()) == {SESSION: Outcome.PUSHED}
    desktop.pull()
    assert agree(*pair)


def test_it_can_be_undone(pair: Pair) -> None:
    laptop, _ = pair
    left = said("newest turn only")
    damaged(laptop, left)
    [version] = offered(laptop)
    brought_back(laptop, version.version)
    laptop.undo()
    assert laptop.read() == left


def test_an_open_session_is_refused(pair: Pair) -> None:
    laptop, _ = pair
    damaged(laptop, said("newest turn only"))
    [version] = offered(laptop)
    laptop.open()
    with pytest.raises(SessionOpen):
        brought_back(laptop, version.version)


def test_what_can_not_be_had_is_refused_and_nothing_changes(pair: Pair) -> None:
    laptop, _ = pair
    whole = laptop.read()
    with pytest.raises(UsageError, match="can't be had"):
        brought_back(laptop, Version(1, "0" * 64))
    with pytest.raises(SessionNotFound):
        offered(laptop, OTHER)
    assert laptop.read() == whole


def test_where_its_directory_is_gone_nothing_is_installed(pair: Pair) -> None:
    laptop, desktop = pair
    desktop.begin_anew(SESSION, said("another beginning"))
    laptop.pull()
    laptop.path().unlink()
    laptop.bundle().unlink()
    desktop.bundle().unlink()
    shutil.rmtree(laptop.project)
    [version] = offered(laptop)
    with pytest.raises(SessionUnplaced):
        brought_back(laptop, version.version)


def test_of_what_nothing_was_replaced_the_vault_has_nothing(world: World) -> None:
    laptop = world.machine("laptop")
    laptop.write(SESSION, said())
    laptop.push()
    assert sessions(laptop) == []
    assert offered(laptop) == []


def test_what_was_deleted_or_lost_something_is_listed_first_though_the_vault_holds_nothing(
    pair: Pair, world: World
) -> None:
    laptop, desktop = pair
    laptop.write(OTHER, said("the other"))
    laptop.push()
    desktop.begin_anew(SESSION, said("another beginning"))
    laptop.pull()
    laptop.path(OTHER).unlink()
    laptop.grow_old()
    [other, one] = sessions(laptop)
    assert (other.session_id, other.gone, other.kept) == (OTHER, True, 0)
    assert (one.session_id, one.gone, one.shortened) == (SESSION, False, False)
    assert other.title == "the other"
    desktop.pull()
    damaged(desktop, b"\0" * 40)
    first = sessions(desktop)[0]
    assert (first.session_id, first.shortened, first.gone) == (SESSION, True, False)
    assert first.title == "another beginning"


def test_without_the_shared_folder_what_the_vault_holds_is_listed_with_its_title(
    pair: Pair,
) -> None:
    laptop, desktop = pair
    desktop.begin_anew(SESSION, said("another beginning"))
    laptop.pull()
    laptop.path().unlink()
    laptop.world.store.rename(laptop.world.store.with_name("away"))
    [one] = sessions(laptop)
    assert (one.gone, one.title) == (True, "first")


def test_damage_that_the_vault_keeps_is_offered_after_what_says_something(pair: Pair) -> None:
    laptop, desktop = pair
    damaged(laptop, b"\0" * 40)
    laptop.pull()
    desktop.begin_anew(SESSION, said("another beginning"))
    laptop.pull()
    found = offered(laptop)
    assert [bool(one.turns) for one in found] == [True, False]


def test_what_a_restore_replaced_is_kept_as_that(pair: Pair) -> None:
    laptop, _ = pair
    damaged(laptop, said("newest turn only"))
    [version] = offered(laptop)
    brought_back(laptop, version.version)
    assert [one.reason for one in offered(laptop)] == ["restore"]


def test_what_the_store_holds_of_others_is_kept_before_they_are_given_up(diverged: Pair) -> None:
    laptop, desktop = diverged
    earlier = desktop.read()
    laptop.resolve(SESSION, "mine")
    theirs = desktop.write(SESSION, said("and on"))
    desktop.push()
    brought_back(laptop, version_of(earlier))
    assert theirs in laptop.kept()


def test_one_bundle_that_can_not_be_read_costs_itself(diverged: Pair) -> None:
    laptop, desktop = diverged
    text = desktop.bundle().read_bytes()
    at = text.index(b"content")
    spoiled = text[:at] + b"CONTENT" + text[at + 7 :]
    desktop.bundle().write_bytes(spoiled)
    damaged(laptop, said("newest turn only"))
    assert [one.machine for one in offered(laptop)] == ["laptop"]


def test_it_has_the_time_at_which_it_was_last_written(pair: Pair) -> None:
    laptop, desktop = pair
    then = laptop.grow_old(seconds=86_400)
    desktop.begin_anew(SESSION, said("another beginning"))
    old = laptop.read()
    laptop.pull()
    laptop.bundle().unlink()
    brought_back(laptop, version_of(old))
    assert laptop.path().stat().st_mtime_ns == then


def test_a_deleted_session_that_came_from_elsewhere_comes_back_where_it_was_here(
    pair: Pair,
) -> None:
    laptop, desktop = pair
    old = desktop.read()
    laptop.begin_anew(SESSION, said("another beginning"))
    desktop.pull()
    desktop.path().unlink()
    [installed, *_] = brought_back(desktop, version_of(old))
    assert (installed.path, desktop.read()) == (desktop.path(), old)


def test_what_was_brought_back_without_the_store_is_what_counts_from_then_on(pair: Pair) -> None:
    laptop, desktop = pair
    old = laptop.read()
    desktop.begin_anew(SESSION, said("another beginning"))
    laptop.pull()
    laptop.write(SESSION, said("seen, and never pushed"))
    laptop.pull()
    damaged(laptop, said("newest turn only"))
    away = laptop.world.store.with_name("away")
    laptop.world.store.rename(away)
    brought_back(laptop, version_of(old))
    away.rename(laptop.world.store)
    assert not laptop.states()[SESSION].shortened


def test_what_is_gone_comes_back_as_the_store_has_it_else_as_the_vault_does(pair: Pair) -> None:
    laptop, desktop = pair
    old = desktop.read()
    newest = laptop.write(SESSION, said("and on"))
    laptop.push()
    desktop.path().unlink()
    with desktop.at_work() as context:
        (taken,) = bring_back(context, SESSION)
    assert (taken.outcome, desktop.read()) == (Outcome.IMPORTED, newest)
    laptop.begin_anew(SESSION, said("another beginning"))
    desktop.pull()
    desktop.path().unlink()
    laptop.bundle().unlink()
    with desktop.at_work() as context:
        restored, *_ = bring_back(context, SESSION)
    assert (restored.outcome, desktop.read()) == (Outcome.IMPORTED, newest)
    assert newest.startswith(old)
    with desktop.at_work() as context, pytest.raises(SessionNotFound):
        bring_back(context, OTHER)
