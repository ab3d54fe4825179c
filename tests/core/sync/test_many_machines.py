"""A fleet of many machines, each of which has pushed another version of one session."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from typing import IO

import pytest

from bundles import packed
from claude_sync.disk.snapshot import blocks_of
from claude_sync.errors import SessionCrowded
from claude_sync.model import Outcome, State
from claude_sync.transports.folder import transport
from machines import KEY, KEY_FOLDER, SESSION, PlayedMachine, World, bookkeeping, said

LINES = [said(f"line {number}") for number in range(100)]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of all blocks that are read from the store, its marker's apart."""
    sizes: list[int] = []

    def counted(file: IO[bytes], size: int) -> Iterator[bytes]:
        for block in blocks_of(file, size):
            if b'"store_id"' not in block:
                sizes.append(len(block))
            yield block

    monkeypatch.setattr(transport, "blocks_of", counted)
    return sizes


@pytest.fixture
def laptop(world: World) -> PlayedMachine:
    [laptop] = world.machines("laptop")
    return laptop


def beginnings(*lines: bytes) -> list[bytes]:
    return [b"".join(lines[: end + 1]) for end in range(len(lines))]


def put_fleet(world: World, transcripts: Sequence[bytes]) -> None:
    """Have each of so many machines have pushed one version."""
    folder = world.store / KEY_FOLDER
    folder.mkdir(exist_ok=True)
    for number, transcript in enumerate(transcripts):
        data, _ = packed(
            transcript,
            project_key=KEY,
            session_id=SESSION,
            machine=f"m{number}",
            machine_id=str(uuid.UUID(int=number, version=4)),
        )
        (folder / f"{SESSION}-m{number}.ccsync").write_bytes(data)


def longest_of(world: World) -> int:
    return max(path.stat().st_size for path in world.store.glob("*/*.ccsync"))


@pytest.mark.parametrize("mine", [None, LINES[:1], LINES[:50], LINES[:99]])
def test_of_a_hundred_machines_that_are_behind_one_another_the_last_one_is_followed(
    world: World, laptop: PlayedMachine, read: list[int], mine: list[bytes] | None
) -> None:
    if mine is not None:
        laptop.write(SESSION, *mine)
        laptop.push()
    put_fleet(world, beginnings(*LINES))
    assert laptop.states()[SESSION].state is State.WAITING
    read.clear()
    result = laptop.pull()[SESSION]
    assert result.outcome is (Outcome.UPDATED if mine else Outcome.IMPORTED)
    assert laptop.read() == b"".join(LINES)
    assert sum(read) <= 2 * longest_of(world)


def test_who_is_ahead_of_a_hundred_machines_stays_so_and_reads_none(
    world: World, laptop: PlayedMachine, read: list[int]
) -> None:
    laptop.write(SESSION, *LINES)
    put_fleet(world, beginnings(*LINES[:-1]))
    assert laptop.push()[SESSION].outcome is Outcome.PUSHED
    laptop.states()
    read.clear()
    assert laptop.states()[SESSION].state is State.AHEAD
    assert laptop.pull()[SESSION].outcome is Outcome.AHEAD
    assert read == []


def test_two_ends_among_a_hundred_machines_are_a_conflict_of_two(
    world: World, laptop: PlayedMachine, read: list[int]
) -> None:
    other = [*LINES[:40], said("elsewhere")]
    put_fleet(world, [*beginnings(*LINES), b"".join(other)])
    state = laptop.states()[SESSION]
    assert (state.state, len(state.sides)) == (State.CONFLICT, 2)
    read.clear()
    assert laptop.states()[SESSION].state is State.CONFLICT
    assert read == []
    laptop.resolve(SESSION, state.sides[0].machine)
    assert laptop.read() in (b"".join(LINES), b"".join(other))
    assert laptop.states()[SESSION].state is State.AHEAD


def test_many_machines_that_only_looked_are_no_conflict(
    world: World, laptop: PlayedMachine, read: list[int]
) -> None:
    laptop.write(SESSION, *LINES[:9], bookkeeping())
    looked = [b"".join(LINES[: end + 1]) + bookkeeping() for end in range(30)]
    put_fleet(world, [*looked, b"".join(LINES)])
    laptop.push()
    laptop.grow_old()
    assert laptop.pull(SESSION)[SESSION].outcome is Outcome.REPLACED
    assert laptop.read() == b"".join(LINES)
    laptop.states()
    read.clear()
    assert laptop.states()[SESSION].state in (State.AHEAD, State.CHANGED)
    assert read == []


def test_many_that_have_nothing_in_common_are_a_conflict_by_count_and_are_read_once(
    world: World, laptop: PlayedMachine, read: list[int]
) -> None:
    put_fleet(world, [said("x" * number) for number in range(60)])
    ends = sum(path.stat().st_size for path in world.store.glob("*/*.ccsync"))
    assert laptop.states()[SESSION].state is State.CONFLICT
    assert 0 < sum(read) - ends <= ends
    read.clear()
    state = laptop.states()[SESSION]
    assert (state.state, read) == (State.CONFLICT, [])
    assert state.detail.startswith("60 versions of this session lie in the shared folder")
    assert laptop.pull(SESSION)[SESSION].message == state.detail
    with pytest.raises(SessionCrowded):
        laptop.resolve(SESSION, "m1")
    assert not laptop.has(SESSION)


def test_a_conflict_by_count_ends_where_one_machine_holds_all_the_others_had(
    world: World, laptop: PlayedMachine
) -> None:
    many = [said("x" * number) for number in range(60)]
    put_fleet(world, many)
    assert laptop.states()[SESSION].state is State.CONFLICT
    put_fleet(world, beginnings(*many))
    assert laptop.pull()[SESSION].outcome is Outcome.IMPORTED
    assert laptop.read() == b"".join(many)
