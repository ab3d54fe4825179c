"""Resolving: a person's word settles a conflict, on every machine, and loses nothing."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import uuid
from collections.abc import Callable

import pytest

from claude_sync.disk import files
from claude_sync.errors import ClaudeHomeError, SessionChanging, SessionOpen, UsageError
from claude_sync.model import Outcome, State, Version
from claude_sync.sync.conflict import show_conflict
from claude_sync.sync.resolve import resolve
from machines import SESSION, Pair, World, agree, opened, outcomes, said


def test_keeping_mine_makes_the_others_follow(diverged: Pair) -> None:
    laptop, desktop = diverged
    mine, theirs = desktop.read(), laptop.read()
    desktop.resolve(SESSION, "mine")
    assert desktop.read() == mine
    assert theirs in desktop.kept()
    head = opened(desktop.bundle()).head
    assert (head.decision, len(head.supersedes)) == (1, 1)
    assert outcomes(laptop.pull()) == {SESSION: Outcome.REPLACED}
    assert agree(laptop, desktop)
    assert theirs in laptop.kept()


@pytest.mark.parametrize("word", ["theirs", "laptop", "LAPTOP"])
def test_keeping_theirs_takes_it_and_keeps_mine_in_the_vault(diverged: Pair, word: str) -> None:
    laptop, desktop = diverged
    mine = desktop.read()
    results = desktop.resolve(SESSION, word)
    assert [result.outcome for result in results] == [Outcome.REPLACED, Outcome.PUSHED]
    assert agree(laptop, desktop)
    assert mine in desktop.kept()
    assert opened(desktop.bundle()).transcript == laptop.read()
    assert outcomes(laptop.pull()) == {SESSION: Outcome.UNCHANGED}


@pytest.mark.parametrize("which", [0, 1], ids=["mine", "theirs"])
def test_a_side_can_be_named_by_its_version(diverged: Pair, which: int) -> None:
    laptop, desktop = diverged
    with desktop.at_work() as context:
        side = show_conflict(context, SESSION).sides[which]
        resolve(context, SESSION, side.version)
    laptop.pull()
    assert agree(laptop, desktop)
    assert Version(len(desktop.read()), hashlib.sha256(desktop.read()).hexdigest()) == side.version
    with desktop.at_work() as context, pytest.raises(UsageError):
        resolve(context, SESSION, side.version)


def test_keeping_both_makes_a_session_of_each_rival_the_same_everywhere(diverged: Pair) -> None:
    laptop, desktop = diverged
    mine, theirs = desktop.read(), laptop.read()
    version = opened(laptop.bundle()).head.version
    copy = str(uuid.uuid5(uuid.NAMESPACE_URL, SESSION + version.sha256))
    desktop.resolve(SESSION, "both")
    assert (desktop.read(), desktop.read(copy)) == (mine, theirs)
    laptop.pull()
    assert agree(laptop, desktop)
    assert agree(laptop, desktop, session=copy)
    for machine in (laptop, desktop):
        titles = {key: state.title for key, state in machine.states().items()}
        assert titles[copy].endswith(f" (copy {copy[:4]})")
        assert titles[SESSION] != titles[copy]


def test_keeping_both_takes_sidecar_files_along(pair: Pair) -> None:
    _, desktop = pair
    for machine in pair:
        machine.write(SESSION, said(machine.name))
        machine.write_sidecar(SESSION, "tool-results/one.txt", machine.name.encode())
        machine.push()
    desktop.resolve(SESSION, "both")
    (copy,) = set(desktop.sessions()) - {SESSION}
    assert desktop.sidecar() == {"tool-results/one.txt": b"desktop"}
    assert desktop.sidecar(copy) == {"tool-results/one.txt": b"laptop"}


def test_both_said_on_both_machines_at_once_makes_the_same_sessions(
    diverged: Pair, world: World
) -> None:
    laptop, desktop = diverged
    texts = {laptop.read(), desktop.read()}
    # Neither sees the other's decision.
    store = world.folder / "as it was"
    shutil.copytree(world.store, store)
    desktop.resolve(SESSION, "both")
    decided = {path: path.read_bytes() for path in world.bundles()}
    shutil.rmtree(world.store)
    store.rename(world.store)
    laptop.resolve(SESSION, "both")
    for path, data in decided.items():
        if "desktop" in path.name:
            path.write_bytes(data)
    for _ in range(2):
        for machine in diverged:
            machine.pull()
            machine.push()
    for machine in diverged:
        if machine.states()[SESSION].state is State.CONFLICT:
            machine.resolve(SESSION, "mine")
            break
    for machine in diverged:
        machine.pull()
    assert laptop.sessions() == desktop.sessions()
    assert len(laptop.sessions()) == 3
    assert all(agree(*diverged, session=session) for session in laptop.sessions())
    assert {laptop.read(session) for session in laptop.sessions()} == texts


def test_the_later_of_two_decisions_stands(diverged: Pair) -> None:
    laptop, desktop = diverged
    desktop.resolve(SESSION, "mine")
    first = desktop.read()
    laptop.pull()
    laptop.rewrite(SESSION, laptop.kept()[0])
    assert laptop.pull()[SESSION].outcome is not Outcome.FAILED
    laptop.push()
    desktop.pull()
    assert desktop.read() in (first, laptop.read())
    assert desktop.world.keeps(first)


def test_where_nothing_is_here_a_side_can_be_chosen(diverged: Pair, world: World) -> None:
    laptop, desktop = diverged
    tablet = world.machine("tablet")
    with pytest.raises(UsageError):
        tablet.resolve(SESSION, "mine")
    with pytest.raises(UsageError, match="laptop"):
        tablet.resolve(SESSION, "theirs")
    theirs = laptop.read()
    tablet.resolve(SESSION, "laptop")
    assert tablet.read() == theirs
    for machine in diverged:
        machine.pull()
    assert agree(laptop, desktop, tablet)


def test_where_nothing_is_here_both_keeps_every_side(diverged: Pair, world: World) -> None:
    tablet = world.machine("tablet")
    texts = {machine.read() for machine in diverged}
    tablet.resolve(SESSION, "both")
    assert {tablet.read(session) for session in tablet.sessions()} == texts


def test_a_side_that_another_holds_whole_is_not_offered(pair: Pair) -> None:
    laptop, desktop = pair
    first = laptop.read()
    laptop.write(SESSION, said("second"))
    laptop.push()
    # Cut short and decided for, here; continued from the longer one, there.
    desktop.pull()
    desktop.push(SESSION)
    desktop.lose_records()
    desktop.rewrite(SESSION, first)
    assert desktop.states()[SESSION].state is not State.CONFLICT
    with pytest.raises(UsageError):
        desktop.resolve(SESSION, "mine")


def test_only_what_was_shown_is_settled(diverged: Pair) -> None:
    laptop, desktop = diverged
    shown = [side.version for side in desktop.states()[SESSION].sides]
    laptop.write(SESSION, said("and more"))
    laptop.push()
    before = desktop.read()
    with desktop.at_work() as context:
        with pytest.raises(SessionChanging):
            resolve(context, SESSION, "theirs", shown=shown)
        assert desktop.read() == before
        shown = [Version(*side.version) for side in desktop.states()[SESSION].sides]
        resolve(context, SESSION, "theirs", shown=shown)
    assert agree(laptop, desktop)


def test_an_open_session_is_not_settled(diverged: Pair) -> None:
    _, desktop = diverged
    desktop.open()
    before = desktop.read()
    for word in ("mine", "theirs", "both"):
        with pytest.raises(SessionOpen):
            desktop.resolve(SESSION, word)
    assert desktop.read() == before


def test_what_is_no_conflict_and_what_is_no_side_is_refused(diverged: Pair, world: World) -> None:
    laptop, desktop = diverged
    with pytest.raises(UsageError):
        desktop.resolve(SESSION, "tablet")
    desktop.resolve(SESSION, "mine")
    with pytest.raises(UsageError, match="isn't in conflict"):
        desktop.resolve(SESSION, "mine")
    laptop.pull()


@pytest.mark.parametrize("choose", [lambda pair: "mine", lambda pair: "theirs"])
def test_work_after_a_resolve_goes_to_the_others(
    diverged: Pair, choose: Callable[[Pair], str]
) -> None:
    laptop, desktop = diverged
    desktop.resolve(SESSION, choose(diverged))
    laptop.pull()
    laptop.write(SESSION, said("after"))
    laptop.push()
    assert outcomes(desktop.pull()) == {SESSION: Outcome.UPDATED}
    desktop.write(SESSION, said("after that"))
    desktop.push()
    assert outcomes(laptop.pull()) == {SESSION: Outcome.UPDATED}
    assert agree(*diverged)


def test_where_the_disk_fills_up_nothing_of_theirs_is_left(
    diverged: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, desktop = diverged
    before = desktop.read()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files, "sync", full)
    with pytest.raises(ClaudeHomeError, match="can't be written"):
        desktop.resolve(SESSION, "theirs")
    assert desktop.read() == before
    assert desktop.leftovers() == []


CUT = said("its first line")[:20]
"""A transcript of which no line is whole: no version at all."""


def test_both_leaves_nothing_of_a_side_of_which_no_line_is_whole(
    diverged: Pair, world: World
) -> None:
    laptop, desktop = diverged
    [third] = world.machines("third")
    third.rewrite(SESSION, CUT)
    third.grow_old()
    third.resolve(SESSION, "both")
    assert third.read() in (laptop.read(), desktop.read())
    assert CUT in third.kept()
    for machine in (laptop, desktop):
        machine.pull()
    assert agree(third, *diverged)
    assert third.sessions() == laptop.sessions() == desktop.sessions()


def test_any_version_beats_one_of_which_no_line_is_whole_whatever_was_decided_here(
    diverged: Pair,
) -> None:
    laptop, desktop = diverged
    laptop.resolve(SESSION, "mine")
    laptop.bundle().unlink()
    laptop.rewrite(SESSION, CUT)
    laptop.grow_old()
    assert outcomes(laptop.pull()) == {SESSION: Outcome.UPDATED}
    assert agree(laptop, desktop)


def test_who_holds_an_earlier_part_of_what_was_given_up_follows_too(
    pair: Pair, world: World
) -> None:
    laptop, desktop = pair
    [third] = world.machines("third")
    laptop.write(SESSION, said("on the laptop"))
    laptop.push()
    third.pull()
    laptop.write(SESSION, said("and on"))
    laptop.push()
    desktop.write(SESSION, said("on the desktop"))
    desktop.push()
    laptop.resolve(SESSION, "theirs")
    assert outcomes(third.pull()) == {SESSION: Outcome.REPLACED}
    assert agree(third, laptop, desktop)
