"""A transcript that lost something is damaged until a person says otherwise: nothing follows it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from claude_sync.model import Outcome, State
from claude_sync.sync.conflict import ConflictKind
from claude_sync.sync.pull import pull
from claude_sync.sync.read_conflict import read_conflict
from machines import SESSION, Pair, PlayedMachine, World, agree, bookkeeping, outcomes, said

TURNS = 10
GARBAGE = b"\xff" * 99

Damage = Callable[[bytes], bytes]


def without_last(whole: bytes, lines: int) -> bytes:
    return b"".join(whole.splitlines(keepends=True)[:-lines])


REFORMED: dict[str, Damage] = {
    "only its newest turn is left": lambda whole: said("turn 11"),
    "a line in the middle is gone": lambda whole: whole.replace(whole.splitlines(True)[4], b""),
    "a line was changed": lambda whole: whole.replace(b"turn 3", b"turn x"),
    "it went on after it was cut": lambda whole: without_last(whole, 2) + said("turn 9 again"),
    "garbage took the place of its end": lambda whole: without_last(whole, 2) + GARBAGE + b"\n",
}
"""Damage after which the transcript says something that nobody has elsewhere, or may."""
CUT: dict[str, Damage] = {
    "nothing is left": lambda whole: b"",
    "its last turns are gone": lambda whole: without_last(whole, 3),
    "it was cut in the middle of a line": lambda whole: whole[:-30],
    "not one line of it is whole": lambda whole: whole[:30],
    "it ends in an unfinished line of garbage": lambda whole: without_last(whole, 2) + GARBAGE,
    "it is all NULs": lambda whole: b"\0" * len(whole),
    "it ends in NULs": lambda whole: whole[: len(whole) // 2].ljust(len(whole), b"\0"),
    "only bookkeeping is left": lambda whole: bookkeeping() + bookkeeping(),
    "bookkeeping took the place of its end": lambda whole: without_last(whole, 1) + bookkeeping(),
}
"""Damage that left nothing but what the fuller version holds, or what nobody said."""
ALL = [pytest.param(damage, id=name) for name, damage in (REFORMED | CUT).items()]


@pytest.fixture
def whole(pair: Pair) -> bytes:
    """Ten turns that the laptop pushed and the desktop pulled."""
    laptop, desktop = pair
    laptop.rewrite(SESSION, b"".join(said(f"turn {number}") for number in range(TURNS)))
    laptop.resolve(SESSION, "mine")
    desktop.pull()
    assert agree(*pair)
    return laptop.read()


def damage_of(machine: PlayedMachine, damage: Damage, whole: bytes) -> bytes:
    """Damage a transcript, long ago: what its client was may be gone from it, so its time tells."""
    machine.rewrite(SESSION, damage(whole))
    machine.grow_old()
    return machine.read()


def store_of(machine: PlayedMachine) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in machine.world.bundles()}


@pytest.mark.parametrize("damage", ALL)
@pytest.mark.parametrize("by_name", [False, True])
def test_nothing_of_it_leaves_the_machine_that_pushed_it(
    pair: Pair, whole: bytes, damage: Damage, by_name: bool
) -> None:
    laptop, desktop = pair
    damage_of(laptop, damage, whole)
    before = store_of(laptop)
    pushed = laptop.push(SESSION) if by_name else laptop.push()
    assert outcomes(pushed) == {SESSION: Outcome.SHORTENED}
    assert "no longer in its file" in pushed[SESSION].message
    assert store_of(laptop) == before
    desktop.pull()
    assert desktop.read() == whole
    assert laptop.states()[SESSION].shortened


@pytest.mark.parametrize("damage", ALL)
def test_nor_a_machine_that_only_pulled_it(pair: Pair, whole: bytes, damage: Damage) -> None:
    laptop, desktop = pair
    damage_of(desktop, damage, whole)
    before = store_of(desktop)
    assert outcomes(desktop.push()) == {SESSION: Outcome.SHORTENED}
    assert outcomes(desktop.push(SESSION)) == {SESSION: Outcome.SHORTENED}
    assert store_of(desktop) == before
    assert desktop.states()[SESSION].shortened
    assert outcomes(laptop.pull()) == {SESSION: Outcome.UNCHANGED}


@pytest.mark.parametrize("damage", [pytest.param(one, id=name) for name, one in CUT.items()])
@pytest.mark.parametrize("which", [0, 1], ids=["pushed it", "pulled it"])
def test_what_lost_only_what_others_have_is_put_back_by_a_pull_that_nobody_watches(
    pair: Pair, whole: bytes, damage: Damage, which: int
) -> None:
    machine = pair[which]
    damaged = damage_of(machine, damage, whole)
    machine.push()
    taken = outcomes(machine.pull(replace=False))[SESSION]
    assert taken in (Outcome.UPDATED, Outcome.REPLACED)
    assert machine.read() == whole
    assert whole.startswith(damaged) or damaged in machine.kept()
    assert not machine.states()[SESSION].shortened
    assert outcomes(machine.push()) == {SESSION: Outcome.UNCHANGED}


@pytest.mark.parametrize("damage", [pytest.param(one, id=name) for name, one in REFORMED.items()])
@pytest.mark.parametrize("which", [0, 1], ids=["pushed it", "pulled it"])
@pytest.mark.parametrize("keep", ["mine", "theirs", "both"])
def test_what_says_something_else_is_a_conflict_until_a_person_chooses(
    pair: Pair, whole: bytes, damage: Damage, which: int, keep: str
) -> None:
    machine, other = pair[which], pair[1 - which]
    damaged = damage_of(machine, damage, whole)
    assert outcomes(machine.pull()) == {SESSION: Outcome.CONFLICT}
    assert (machine.read(), machine.states()[SESSION].state) == (damaged, State.CONFLICT)
    machine.resolve(SESSION, keep)
    assert machine.read() == (whole if keep == "theirs" else damaged)
    assert whole in [*machine.kept(), *map(machine.read, machine.sessions())]
    assert not machine.states()[SESSION].shortened
    machine.push()
    other.pull()
    assert agree(*pair)
    assert outcomes(machine.push())[SESSION] in (Outcome.UNCHANGED, Outcome.PUSHED)


@pytest.mark.parametrize("damage", [pytest.param(one, id=name) for name, one in REFORMED.items()])
@pytest.mark.parametrize("which", [0, 1], ids=["pushed it", "pulled it"])
@pytest.mark.parametrize("keep", ["mine", "theirs", "both"])
def test_a_person_chooses_too_where_others_went_on_meanwhile(
    pair: Pair, whole: bytes, damage: Damage, which: int, keep: str
) -> None:
    machine, other = pair[which], pair[1 - which]
    other.write(SESSION, said("turn 11"))
    other.push()
    damage_of(machine, damage, whole)
    assert outcomes(machine.pull()) == {SESSION: Outcome.CONFLICT}
    resolved = machine.resolve(SESSION, keep)
    assert Outcome.SHORTENED not in [result.outcome for result in resolved]
    assert not machine.states()[SESSION].shortened
    other.pull()
    assert agree(*pair)


def test_what_was_seen_here_and_never_pushed_is_missed_too(pair: Pair, whole: bytes) -> None:
    laptop, _ = pair
    laptop.write(SESSION, said("turn 11"))
    laptop.pull()
    laptop.rewrite(SESSION, whole)
    assert outcomes(laptop.push()) == {SESSION: Outcome.SHORTENED}
    assert outcomes(laptop.pull()) == {SESSION: Outcome.CONFLICT}
    state = laptop.states()[SESSION]
    assert (state.state, state.shortened) == (State.CONFLICT, True)
    laptop.resolve(SESSION, "mine")
    assert outcomes(laptop.push()) == {SESSION: Outcome.UNCHANGED}
    assert not laptop.states()[SESSION].shortened


def test_bookkeeping_that_is_gone_is_no_damage(pair: Pair, whole: bytes) -> None:
    laptop, _ = pair
    looked_at = laptop.write(SESSION, bookkeeping())
    laptop.push()
    laptop.rewrite(SESSION, whole + said("turn 11"))
    assert outcomes(laptop.push()) == {SESSION: Outcome.PUSHED}
    assert looked_at in laptop.kept()


def test_how_much_is_missing_is_counted_in_turns(pair: Pair, whole: bytes) -> None:
    laptop, _ = pair
    laptop.rewrite(SESSION, without_last(whole, 3))
    assert laptop.push()[SESSION].message.startswith("3 turns that were here")
    laptop.rewrite(SESSION, without_last(whole, 1))
    assert laptop.push()[SESSION].message.startswith("a turn that was here")


def test_what_lost_something_while_others_went_on_takes_what_they_have(
    pair: Pair, whole: bytes
) -> None:
    laptop, desktop = pair
    desktop.write(SESSION, said("turn 11"))
    desktop.push()
    laptop.rewrite(SESSION, without_last(whole, 3))
    assert outcomes(laptop.push()) == {SESSION: Outcome.SHORTENED}
    assert outcomes(laptop.pull()) == {SESSION: Outcome.UPDATED}
    assert agree(*pair)


def test_an_empty_transcript_is_neither_pushed_nor_pulled(world: World) -> None:
    laptop, desktop = world.machines("laptop", "desktop")
    laptop.rewrite(SESSION, b"")
    laptop.grow_old()
    assert outcomes(laptop.push(SESSION)) == {SESSION: Outcome.UNCHANGED}
    assert world.bundles() == []
    desktop.write(SESSION, said())
    desktop.push()
    assert outcomes(laptop.push(SESSION)) == {SESSION: Outcome.UNCHANGED}
    assert len(world.bundles()) == 1
    assert outcomes(laptop.pull()) == {SESSION: Outcome.UPDATED}
    assert agree(laptop, desktop)


def test_both_of_what_holds_nothing_and_two_others_keeps_the_two(world: World) -> None:
    laptop, desktop, tablet = world.machines("laptop", "desktop", "tablet")
    for machine in (desktop, tablet):
        machine.write(SESSION, said(machine.name))
        machine.push()
    laptop.rewrite(SESSION, b"")
    laptop.grow_old()
    assert outcomes(laptop.pull()) == {SESSION: Outcome.CONFLICT}
    assert [side.machine for side in laptop.states()[SESSION].sides] == ["desktop", "tablet"]
    laptop.resolve(SESSION, "both")
    texts = {laptop.read(session) for session in laptop.sessions()}
    assert texts == {desktop.read(), tablet.read()}


def test_nobodys_word_but_a_persons_lets_damage_pass(pair: Pair, whole: bytes) -> None:
    laptop, desktop = pair
    less = without_last(whole, 3)
    desktop.rewrite(SESSION, less + said("another end"))
    desktop.grow_old()
    desktop.resolve(SESSION, "mine")  # so it says that what the laptop holds is given up
    laptop.rewrite(SESSION, desktop.read())
    assert outcomes(laptop.push()) == {SESSION: Outcome.SHORTENED}
    assert outcomes(laptop.pull(replace=False)) == {SESSION: Outcome.CONFLICT}


def test_an_open_session_that_lost_something_waits(pair: Pair, whole: bytes) -> None:
    laptop, _ = pair
    laptop.rewrite(SESSION, without_last(whole, 3))
    laptop.open()
    assert outcomes(laptop.push()) == {SESSION: Outcome.SHORTENED}
    assert outcomes(laptop.pull()) == {SESSION: Outcome.OPEN}
    laptop.close()
    assert outcomes(laptop.pull()) == {SESSION: Outcome.UPDATED}
    assert laptop.read() == whole


def test_a_pull_says_what_is_missing_and_what_brings_it_back(pair: Pair, whole: bytes) -> None:
    laptop, _ = pair
    laptop.rewrite(SESSION, said("turn 11"))
    message = laptop.pull()[SESSION].message
    assert message == (
        "10 turns that were here are no longer in its file: "
        f"`claude-sync restore {SESSION}` shows what can be brought back"
    )
    assert laptop.push()[SESSION].message == message


def test_a_push_names_the_pull_that_puts_it_back(pair: Pair, whole: bytes) -> None:
    laptop, _ = pair
    laptop.rewrite(SESSION, without_last(whole, 3))
    assert f"`claude-sync pull {SESSION}` puts it back" in laptop.push()[SESSION].message


def test_what_can_not_be_had_any_more_is_said_to_be_so(pair: Pair, whole: bytes) -> None:
    laptop, desktop = pair
    laptop.write(SESSION, said("turn 11"))
    laptop.pull()
    laptop.rewrite(SESSION, whole + said("turn 11 anew"))
    for result in (laptop.push()[SESSION], laptop.pull()[SESSION]):
        assert "can't be had any more" in result.message
        assert f"`claude-sync resolve {SESSION} --keep mine`" in result.message
    desktop.write(SESSION, said("on the desktop"))
    desktop.push()
    assert f"`claude-sync resolve {SESSION}` settles" in laptop.pull()[SESSION].message


def test_it_is_noticed_though_what_holds_the_rest_can_not_be_read(pair: Pair, whole: bytes) -> None:
    laptop, desktop = pair
    desktop.write(SESSION, said("turn 11"))
    desktop.push()
    spoiled = desktop.bundle().read_bytes().replace(b"turn 3", b"turn x")
    desktop.bundle().write_bytes(spoiled)
    laptop.bundle().unlink()
    laptop.rewrite(SESSION, said("turn 12"))
    assert outcomes(laptop.push()) == {SESSION: Outcome.SHORTENED}


def test_an_unfinished_line_that_was_seen_is_not_missed_while_the_session_is_open(
    pair: Pair, whole: bytes
) -> None:
    laptop, _ = pair
    laptop.write(SESSION, said("turn 11")[:40])
    laptop.grow_old()
    laptop.pull()
    laptop.open()
    assert outcomes(laptop.push()) == {SESSION: Outcome.UNCHANGED}
    assert not laptop.states()[SESSION].shortened


@pytest.mark.parametrize("where", ["in the vault", "in another bundle"])
def test_what_is_missing_is_counted_wherever_it_can_still_be_had(
    pair: Pair, whole: bytes, where: str
) -> None:
    laptop, desktop = pair
    if where == "in the vault":
        desktop.begin_anew(SESSION, said("another beginning"))
        laptop.pull()
        laptop.undo()
    else:
        desktop.write(SESSION, said("turn 11"))
        desktop.push()
    laptop.bundle().unlink()
    laptop.rewrite(SESSION, said("something else"))
    assert laptop.push()[SESSION].message.startswith("10 turns that were here")


@pytest.mark.parametrize("which", [0, 1], ids=["pushed it", "pulled it"])
def test_what_was_seen_before_it_went_back_to_what_is_pushed_is_missed(
    pair: Pair, which: int
) -> None:
    machine = pair[which]
    before = machine.read()
    machine.write(SESSION, said("and on"))
    machine.pull()
    machine.rewrite(SESSION, before)
    for _ in range(2):  # read, and then known without reading
        assert outcomes(machine.push()) == {SESSION: Outcome.SHORTENED}
        assert outcomes(machine.pull()) == {SESSION: Outcome.CONFLICT}


def test_a_pull_that_only_shows_what_it_would_do_remembers_nothing(pair: Pair) -> None:
    laptop, _ = pair
    before = laptop.read()
    laptop.write(SESSION, said("and on"))
    with laptop.at_work() as context:
        pull(context, [SESSION], dry_run=True)
    laptop.rewrite(SESSION, before)
    assert outcomes(laptop.push()) == {SESSION: Outcome.UNCHANGED}


def test_what_was_forgotten_and_then_lost_something_is_not_pushed_though_it_is_named(
    world: World,
) -> None:
    laptop = world.machine("laptop")
    whole = laptop.write(SESSION, said("one") + said("two"))
    laptop.push()
    laptop.forget()
    laptop.rewrite(SESSION, without_last(whole, 1))
    assert outcomes(laptop.push(SESSION)) == {SESSION: Outcome.SHORTENED}
    assert world.bundles() == []


def test_what_an_undo_brought_back_is_missed_when_it_is_damaged(pair: Pair) -> None:
    laptop, desktop = pair
    laptop.begin_anew(SESSION, said("another beginning"))
    desktop.pull()
    desktop.undo()
    desktop.rewrite(SESSION, said("the newest turn only"))
    assert outcomes(desktop.push()) == {SESSION: Outcome.SHORTENED}


def test_what_a_pull_puts_back_waits_for_one(pair: Pair, whole: bytes) -> None:
    laptop, _ = pair
    damage_of(laptop, CUT["its last turns are gone"], whole)
    assert laptop.states()[SESSION].state is State.WAITING


def test_a_person_can_read_what_is_missing_before_it_is_put_back(pair: Pair, whole: bytes) -> None:
    laptop, _ = pair
    damage_of(laptop, CUT["its last turns are gone"], whole)
    with laptop.at_work() as context:
        view = read_conflict(context, SESSION)
    assert (view.kind, view.detail) == (
        ConflictKind.SHORTENED,
        "3 turns that were here are no longer in its file",
    )
    mine, theirs = view.sides
    assert (mine.turns, mine.side.offered) == (0, False)  # the fuller one holds all of it
    assert (theirs.turns, theirs.side.offered) == (3, True)
    laptop.resolve(SESSION, theirs.side.machine)
    assert laptop.read() == whole
    assert not laptop.states()[SESSION].shortened


def test_where_nothing_fuller_is_in_the_store_its_own_side_alone_is_shown(
    pair: Pair, whole: bytes
) -> None:
    laptop, _ = pair
    laptop.write(SESSION, said("turn 11"))
    laptop.pull()
    laptop.rewrite(SESSION, whole)
    with laptop.at_work() as context:
        view = read_conflict(context, SESSION)
    assert view.kind is ConflictKind.SHORTENED
    assert [one.side.machine for one in view.sides] == ["laptop"]
