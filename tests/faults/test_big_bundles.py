"""What is big, or seems to be, or is many: it is refused for little, and not read twice.

What is counted is bytes that are read from the store.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest

from bundles import packed
from claude_sync.disk.snapshot import blocks_of
from claude_sync.errors import SessionCrowded
from claude_sync.model import Outcome, State
from claude_sync.transports.folder import transport
from faults.strangers import bundle, check_passed_over, pulled, put
from machines import KEY, KEY_FOLDER, OTHER, SESSION, PlayedMachine, World, opened, said


@pytest.fixture
def desktop(world: World) -> PlayedMachine:
    """A machine whose store holds one good bundle of another, of the session `OTHER`."""
    laptop, desktop = world.machines("laptop", "desktop")
    laptop.write(OTHER, said())
    laptop.push()
    return desktop


# --- what is big, or seems to be ---------------------------------------------------------------

MIB = 1 << 20
HUGE = 1 << 30


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of all blocks that are read from bundles in the store."""
    sizes: list[int] = []

    def counted(file: IO[bytes], size: int) -> Iterator[bytes]:
        for block in blocks_of(file, size):
            sizes.append(len(block))
            yield block

    monkeypatch.setattr(transport, "blocks_of", counted)
    return sizes


def bytes_read(machine: PlayedMachine, read: list[int]) -> tuple[int, int]:
    """How many bytes of the store's bundles a listing and a pull read."""
    counts = []
    for look in (machine.states, lambda: pulled(machine)):
        read.clear()
        look()
        counts.append(sum(read))
    return counts[0], counts[1]


def unknown(value: bytes) -> bytes:
    """A good bundle with a member that nobody knows."""
    return bundle()[:-1] + b',"news":' + value + b"}"


def listed(unit: bytes) -> bytes:
    """Fifteen MiB of one value."""
    return b"[" + (unit + b",") * (15 * MIB // (len(unit) + 1)) + unit + b"]"


FULL = {
    "of objects": lambda: unknown(listed(b'{"a":{}}')),
    "of lists": lambda: unknown(listed(b"[]")),
    "of numbers": lambda: unknown(listed(b"1")),
    "of escaped strings": lambda: unknown(listed(b'"\\u0041"')),
    "of depth": lambda: unknown(listed(b"[" * 60_000 + b"]" * 60_000)),
    "of white space": lambda: unknown(b" " * (15 * MIB) + b"1"),
    "of one string of escapes": lambda: unknown(b'"' + b"\\udc80" * (15 * MIB // 6) + b'"'),
    "of a number": lambda: unknown(b"1" * (15 * MIB)),
    "in a sidecar file": lambda: bundle().replace(
        b'"sidecar":[', b'"sidecar":[{"news":' + listed(b"{}") + b"},"
    ),
    "in the place of a size": lambda: bundle().replace(b'"size":', b'"size":' + listed(b"{}"), 1),
}


@pytest.mark.parametrize("make", FULL.values(), ids=FULL.keys())
def test_fifteen_megabytes_of_anything_are_corrupt_after_one_and_not_read_twice(
    world: World, desktop: PlayedMachine, read: list[int], make: Callable[[], bytes]
) -> None:
    pulled(desktop)
    path = put(world, make())
    assert path.stat().st_size > 15 * MIB
    # Where both ends are as they should be, only a pull finds out.
    assert sum(bytes_read(desktop, read)) < 3 * MIB
    (wrong,) = check_passed_over(world, desktop)
    assert wrong.outcome is Outcome.FAILED
    assert bytes_read(desktop, read) == (0, 0)


def sparse(path: Path, head: bytes, tail: bytes, size: int = HUGE) -> None:
    """A file that takes no room, though it is big."""
    with path.open("wb") as file:
        file.write(head)
        file.seek(size - max(1, len(tail)))
        file.write(tail or b"\0")


ENDS = 20 << 10
EMPTY = {
    # both ends, and the most that each later look reads
    "nothing": (b"", b"", 0),
    "only a beginning": (bundle()[:500], b"", ENDS),
    "only a beginning, spelled otherwise": (b'{ "schema": 1, "session_id": "', b"", ENDS),
    "only an end": (b"", bundle()[-400:], ENDS),
    "garbage and nothing": (b"PK\3\4" * 2000, b"", ENDS),
    "nothing between the ends": (bundle()[:500], bundle()[-400:], 0),
    "nothing in a string": (b'{ "transcript":"', b'" }', 0),
}


@pytest.mark.parametrize(("head", "tail", "again"), EMPTY.values(), ids=EMPTY.keys())
def test_a_gigabyte_of_nothing_is_still_arriving_and_is_not_read_for_that(
    world: World, desktop: PlayedMachine, read: list[int], head: bytes, tail: bytes, again: int
) -> None:
    pulled(desktop)
    path = world.store / KEY_FOLDER / "tablet.ccsync"
    sparse(path, head, tail)
    looked, pulled_too = bytes_read(desktop, read)
    assert looked < 6 * MIB
    assert pulled_too <= again
    (wrong,) = check_passed_over(world, desktop)
    assert wrong.outcome is Outcome.INCOMPLETE
    put(world, bundle())
    pulled(desktop)
    assert desktop.has(SESSION)


def test_a_bundle_that_proves_to_lack_its_middle_is_fetched_once(
    world: World, desktop: PlayedMachine, read: list[int]
) -> None:
    pulled(desktop)
    whole = bundle(transcript="", size=HUGE, encoded_size=HUGE, sha256="0" * 64)
    front, back = whole.split(b'"transcript":"')
    front += b'"transcript":"'
    path = world.store / KEY_FOLDER / "tablet.ccsync"
    sparse(path, front, back, len(whole) + HUGE)
    looked, fetched = bytes_read(desktop, read)
    assert looked == ENDS
    assert 0 < fetched < 6 * MIB
    assert bytes_read(desktop, read) == (0, 0)
    (wrong,) = check_passed_over(world, desktop)
    assert wrong.outcome is Outcome.INCOMPLETE


def test_a_bundle_that_proves_to_be_another_is_corrupt_and_not_fetched_twice(
    world: World, desktop: PlayedMachine, read: list[int]
) -> None:
    pulled(desktop)
    put(world, bundle(sha256="0" * 64))
    looked, fetched = bytes_read(desktop, read)
    assert looked == fetched > 0
    assert bytes_read(desktop, read) == (0, 0)
    put(world, bundle(b'{"uuid":"2"}\n'))
    pulled(desktop)
    assert desktop.read() == b'{"uuid":"2"}\n'


def test_of_many_files_that_end_early_few_are_looked_into_again(
    world: World, desktop: PlayedMachine, read: list[int]
) -> None:
    pulled(desktop)
    data = bundle()[:-3]
    for number in range(300):
        put(world, data, f"cut-{number}.ccsync")
        put(world, b"", f"empty-{number}.ccsync")
    first, later = bytes_read(desktop, read)
    assert first >= 300 * len(data)
    assert later == 100 * len(data)
    wrong = check_passed_over(world, desktop)
    assert len(wrong) == 600
    assert {result.outcome for result in wrong} == {Outcome.INCOMPLETE}


def test_of_thousands_of_empty_files_few_are_remembered_and_all_are_passed_over(
    world: World, desktop: PlayedMachine
) -> None:
    for number in range(1500):
        put(world, b"", f"empty-{number}.ccsync")
    wrong = check_passed_over(world, desktop)
    assert len(wrong) == 1500
    assert {result.outcome for result in wrong} == {Outcome.INCOMPLETE}
    with desktop.at_work() as context:
        assert len(context.cache.problems()) == 1000
    last = max(path.name for path in world.store.glob("*/*.ccsync"))
    put(world, bundle(), last)
    assert desktop.pull()[SESSION].outcome is Outcome.IMPORTED


# --- what is many ------------------------------------------------------------------------------


def put_rivals(world: World, count: int, session: str) -> None:
    """So many versions of one session, each of a machine of its own."""
    for number in range(count):
        machine_id = str(uuid.uuid5(uuid.NAMESPACE_URL, str(number)))
        data, _ = packed(
            b'{"uuid":"%d"}\n' % number,
            project_key=KEY,
            session_id=session,
            machine=f"m{number}",
            machine_id=machine_id,
        )
        put(world, data, f"m{number}.ccsync")


@pytest.mark.parametrize("session", [SESSION, OTHER])
def test_sixty_rivals_are_a_conflict_by_count_and_are_read_once_to_compare_them(
    world: World, desktop: PlayedMachine, read: list[int], session: str
) -> None:
    pulled(desktop)
    put_rivals(world, 60, session)
    ends = sum(path.stat().st_size for path in world.store.glob("*/m*.ccsync"))
    looked, again = bytes_read(desktop, read)
    assert (looked <= 2 * ends, again) == (True, 0)
    assert bytes_read(desktop, read) == (0, 0)
    state = desktop.states()[session]
    assert state.state is State.CONFLICT
    assert state.detail.startswith("60 versions of this session lie in the shared folder")
    before = desktop.read(session) if desktop.has(session) else None
    result = desktop.pull(session)[session]
    assert (result.outcome, result.message) == (Outcome.CONFLICT, state.detail)
    with pytest.raises(SessionCrowded):
        desktop.resolve(session, "theirs")
    assert (desktop.read(session) if desktop.has(session) else None) == before


def test_what_is_here_is_pushed_whoever_else_writes(
    world: World, desktop: PlayedMachine, read: list[int]
) -> None:
    desktop.write(SESSION, said("mine"))
    put_rivals(world, 60, SESSION)
    assert desktop.push()[SESSION].outcome is Outcome.PUSHED
    assert opened(desktop.bundle()).transcript == desktop.read()


def test_once_the_strangers_files_are_gone_all_is_as_before(
    world: World, desktop: PlayedMachine
) -> None:
    put_rivals(world, 60, OTHER)
    assert desktop.pull()[OTHER].outcome is Outcome.CONFLICT
    for path in world.store.glob("*/m*.ccsync"):
        path.unlink()
    assert desktop.pull()[OTHER].outcome is Outcome.IMPORTED
