"""Whatever a transcript holds and whatever happens to it: what arrives is what it was."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator

import pytest

from bundles import TRANSCRIPTS
from claude_sync.disk.snapshot import BLOCK_SIZE
from claude_sync.model import Outcome
from claude_sync.sync.push import push
from machines import OTHER, SESSION, PlayedMachine, World, opened, said

CASES = TRANSCRIPTS | {
    "a line of 3 MB": said("x" * 3_000_000),
    "a character split at a read boundary": b"a" * (BLOCK_SIZE - 1) + "😀\n".encode() * 3,
    "invalid bytes at a read boundary": b"a" * (BLOCK_SIZE - 2) + b"\xf0\x9f\x98" + b"b\n",
    "NUL at a read boundary": b"a" * (BLOCK_SIZE - 1) + bytes(3) + b"\n",
}
UNBEGUN = {name: data for name, data in CASES.items() if b"\n" not in data}
CASES = {name: data for name, data in CASES.items() if name not in UNBEGUN}
MOST_MOMENTS = 60


@pytest.mark.parametrize("data", CASES.values(), ids=CASES.keys())
def test_any_transcript_arrives_byte_for_byte(world: World, data: bytes) -> None:
    laptop, desktop = world.machines("laptop", "desktop")
    laptop.rewrite(SESSION, data)
    written = laptop.grow_old(seconds=7200)
    laptop.write_sidecar(SESSION, "tool-results/one.txt", data)
    assert laptop.push()[SESSION].outcome is Outcome.PUSHED
    assert desktop.pull()[SESSION].outcome is Outcome.IMPORTED
    assert desktop.read() == data
    assert desktop.sidecar() == {"tool-results/one.txt": data}
    status = desktop.path().stat()
    assert status.st_mtime_ns == written
    if os.name == "posix":
        assert stat.S_IMODE(status.st_mode) == 0o600
    assert laptop.push()[SESSION].outcome is Outcome.UNCHANGED
    assert desktop.pull()[SESSION].outcome is Outcome.UNCHANGED


@pytest.mark.parametrize("data", CASES.values(), ids=CASES.keys())
def test_any_transcript_that_grew_arrives_too(world: World, data: bytes) -> None:
    laptop, desktop = world.machines("laptop", "desktop")
    laptop.rewrite(SESSION, data)
    laptop.grow_old()
    laptop.push()
    desktop.pull()
    whole = laptop.write(SESSION, b"\n", said("more"))
    laptop.push()
    assert desktop.pull()[SESSION].outcome is Outcome.UPDATED
    assert desktop.read() == whole


@pytest.mark.parametrize("data", UNBEGUN.values(), ids=UNBEGUN.keys())
def test_of_what_not_one_line_is_whole_nothing_is_pushed_until_one_is(
    world: World, data: bytes
) -> None:
    laptop, desktop = world.machines("laptop", "desktop")
    laptop.rewrite(SESSION, data)
    laptop.grow_old()
    assert laptop.push(SESSION)[SESSION].outcome is Outcome.UNCHANGED
    assert laptop.states() == {}
    assert world.bundles() == []
    whole = laptop.write(SESSION, b"\n", said("more"))
    laptop.push()
    assert desktop.pull()[SESSION].outcome is Outcome.IMPORTED
    assert desktop.read() == whole


def test_an_empty_transcript_is_no_session(world: World) -> None:
    laptop, _ = world.machines("laptop", "desktop")
    laptop.write(SESSION, b"")
    laptop.grow_old()
    assert laptop.push() == {}
    assert laptop.states() == {}
    assert not laptop.world.bundles()


def test_an_empty_transcript_gives_way_to_one_that_is_not(world: World) -> None:
    laptop, desktop = world.machines("laptop", "desktop")
    desktop.write(SESSION, b"")
    desktop.grow_old()
    desktop.push()
    whole = laptop.write(SESSION, said())
    laptop.push()
    assert desktop.pull()[SESSION].outcome is Outcome.UPDATED
    assert desktop.read() == whole


# --- while it is packed ------------------------------------------------------------------------


def moments(
    machine: PlayedMachine, what: Callable[[], object]
) -> Iterator[tuple[dict[str, Outcome], int]]:
    """Push, and let something happen at each moment at which the work could be stopped."""
    for moment in range(MOST_MOMENTS):
        asked = 0

        def should_stop(moment: int = moment) -> bool:
            nonlocal asked
            if asked == moment:
                what()
            asked += 1
            return False

        with machine.at_work(should_stop) as context:
            results = {result.session_id: result.outcome for result in push(context)}
        if asked <= moment:
            return
        yield results, moment
    raise AssertionError("so many moments were not meant")


def test_a_session_that_grows_while_it_is_packed_is_pushed_as_it_was_at_some_moment(
    world: World,
) -> None:
    (laptop,) = world.machines("laptop")
    laptop.write(SESSION, said("x" * 700_000))

    def grow() -> None:
        laptop.write(SESSION, said("more"))

    before = b""
    seen = 0
    for results, _ in moments(laptop, grow):
        assert results[SESSION] in (Outcome.PUSHED, Outcome.UNCHANGED)
        bundle = opened(laptop.bundle()).transcript
        assert laptop.read().startswith(bundle)
        assert bundle.endswith(b"\n")
        assert bundle.startswith(before)
        before = bundle
        seen += 1
    assert seen > 3
    laptop.push()
    assert opened(laptop.bundle()).transcript == laptop.read()


def test_a_session_that_vanishes_while_it_is_packed_costs_only_itself(world: World) -> None:
    (laptop,) = world.machines("laptop")
    whole = laptop.write(SESSION, said("x" * 700_000))
    other = laptop.write(OTHER, said("y" * 700_000))
    outcomes = set()

    def vanish() -> None:
        laptop.path().unlink(missing_ok=True)

    for results, _ in moments(laptop, vanish):
        outcomes.add(results.get(SESSION))
        if laptop.bundle().exists():
            assert opened(laptop.bundle()).transcript == whole
        assert opened(laptop.bundle(OTHER)).transcript == other
        for bundle in world.bundles():
            bundle.unlink()
        laptop.lose_records()
        laptop.rewrite(SESSION, whole)
    assert outcomes == {Outcome.PUSHED, Outcome.FAILED}


def test_a_session_that_is_rewritten_while_it_is_packed_is_never_a_mixture(world: World) -> None:
    (laptop,) = world.machines("laptop")
    old, new = said("x" * 700_000), said("y" * 700_000)
    laptop.rewrite(SESSION, old)
    outcomes = set()
    for results, _ in moments(laptop, lambda: laptop.rewrite(SESSION, new)):
        outcomes.add(results[SESSION])
        if laptop.bundle().exists():
            assert opened(laptop.bundle()).transcript in (old, new)
            laptop.bundle().unlink()
        laptop.lose_records()
        laptop.rewrite(SESSION, old)
    assert outcomes == {Outcome.PUSHED, Outcome.FAILED}


def test_an_open_session_is_pushed_to_its_last_full_line(world: World) -> None:
    (laptop,) = world.machines("laptop")
    whole = laptop.write(SESSION, said(), said())
    laptop.write(SESSION, b'{"type":"user","uu')
    laptop.open()
    laptop.push()
    assert opened(laptop.bundle()).transcript == whole
    assert opened(laptop.bundle()).head.open
