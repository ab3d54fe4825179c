"""Where every session stands: as a push and a pull would judge, and nothing is changed."""

from __future__ import annotations

from pathlib import Path

from claude_sync.model import State
from claude_sync.sync.states import states
from machines import OTHER, SESSION, Pair, PlayedMachine, World, bookkeeping, said


def state(machine: PlayedMachine, session: str = SESSION) -> State:
    return machine.states()[session].state


def snapshot(folder: Path) -> dict[str, tuple[int, int]]:
    return {
        str(path): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_what_was_never_pushed_has_changed(world: World) -> None:
    (laptop,) = world.machines("laptop")
    laptop.write(SESSION, said("Mend the roof"))
    row = laptop.states()[SESSION]
    assert row.state is State.CHANGED
    assert (row.title, row.directory, row.path) == (
        "Mend the roof",
        laptop.project,
        laptop.path(),
    )
    assert row.machines == ()


def test_what_was_pushed_is_synced_on_both(pair: Pair) -> None:
    laptop, desktop = pair
    assert (state(laptop), state(desktop)) == (State.SYNCED, State.SYNCED)
    assert laptop.states()[SESSION].machines == ("laptop",)


def test_what_is_longer_elsewhere_waits(pair: Pair) -> None:
    laptop, desktop = pair
    laptop.write(SESSION, said("second"))
    assert state(laptop) is State.CHANGED
    laptop.push()
    row = desktop.states()[SESSION]
    assert (row.state, row.rivals) == (State.WAITING, ("laptop",))


def test_what_was_pushed_and_not_taken_yet_is_ahead(pair: Pair) -> None:
    laptop, desktop = pair
    desktop.push(SESSION)
    laptop.write(SESSION, said("second"))
    laptop.push()
    assert state(laptop) is State.AHEAD


def test_a_conflict_shows_its_sides(diverged: Pair) -> None:
    laptop, desktop = diverged
    desktop.write(SESSION, bookkeeping())
    row = desktop.states()[SESSION]
    assert (row.state, row.rivals) == (State.CONFLICT, ("laptop",))
    mine, theirs = row.sides
    assert (mine.machine, mine.machine_id, mine.lines, mine.offered) == ("desktop", "", 2, True)
    assert (theirs.machine, theirs.lines, theirs.offered) == ("laptop", 1, True)
    assert theirs.mtime_ns == laptop.path().stat().st_mtime_ns


def test_a_session_that_is_elsewhere_only_waits_or_is_unplaced(pair: Pair, world: World) -> None:
    tablet = world.machine("tablet")
    row = tablet.states()[SESSION]
    assert (row.state, row.path, row.directory) == (State.WAITING, None, tablet.project)
    with tablet.at_work() as context:
        context.registry.remove(tablet.project)
    (tablet.project / ".git" / "config").write_text("[core]\n\tbare = false\n")
    row = tablet.states()[SESSION]
    assert row.state is State.UNPLACED
    assert row.detail
    assert pair[0].has()


def test_a_session_that_is_gone_is_not_waiting(pair: Pair) -> None:
    laptop, desktop = pair
    desktop.path().unlink()
    laptop.write(SESSION, said("second"))
    laptop.push()
    assert state(desktop) is State.GONE


def test_what_is_still_arriving_is_incomplete(pair: Pair, world: World) -> None:
    laptop, _ = pair
    laptop.write(OTHER, said())
    laptop.push()
    laptop.bundle(OTHER).write_bytes(laptop.bundle(OTHER).read_bytes()[:-30])
    tablet = world.machine("tablet")
    assert state(tablet, OTHER) is State.INCOMPLETE


def test_two_copies_that_parted_are_a_conflict_with_words(pair: Pair) -> None:
    laptop, _ = pair
    elsewhere = laptop.claude / "projects" / "-elsewhere"
    elsewhere.mkdir()
    (elsewhere / f"{SESSION}.jsonl").write_bytes(laptop.read() + said("there"))
    laptop.write(SESSION, said("here"))
    row = laptop.states()[SESSION]
    assert row.state is State.CONFLICT
    assert str(elsewhere) in row.detail


def test_open_sessions_say_so(pair: Pair) -> None:
    laptop, desktop = pair
    laptop.open()
    assert laptop.states()[SESSION].open
    assert not desktop.states()[SESSION].open


def test_without_the_store_everything_here_is_listed(pair: Pair, world: World) -> None:
    laptop, _ = pair
    world.store.rename(world.folder / "unplugged")
    with laptop.at_work() as context:
        assert [row.session_id for row in states(context, store=False)] == [SESSION]


def test_the_newest_comes_first(world: World) -> None:
    (laptop,) = world.machines("laptop")
    laptop.write(SESSION, said())
    laptop.write(OTHER, said())
    laptop.grow_old(OTHER)
    assert list(laptop.states()) == [SESSION, OTHER]


def test_looking_changes_neither_store_nor_tree(diverged: Pair, world: World) -> None:
    _, desktop = diverged
    before = snapshot(world.store), snapshot(desktop.claude)
    desktop.states()
    assert (snapshot(world.store), snapshot(desktop.claude)) == before
