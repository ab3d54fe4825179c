"""What the sides of a conflict say after they parted, read from real transcripts and bundles."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest

from claude_sync.claude.message import Message
from claude_sync.errors import UsageError
from claude_sync.sync.read_conflict import (
    EXCERPTS,
    LINE_BYTES,
    ConflictView,
    Excerpt,
    read_conflict,
)
from machines import KEY, SESSION, Pair, PlayedMachine, World, bookkeeping, said


def answer(text: str, **more: Any) -> bytes:
    content = [{"type": "text", "text": text}]
    event = {"type": "assistant", "uuid": f"a-{text}", "message": {"content": content}, **more}
    return json.dumps(event).encode() + b"\n"


def parted(
    world: World, mine: list[bytes], theirs: list[bytes], common: tuple[bytes, ...] = ()
) -> Pair:
    """Two machines whose session diverged from the same beginning."""
    laptop, desktop = world.machines("laptop", "desktop")
    laptop.write(SESSION, *(common or (said("Where is the bug?"), answer("In the login."))))
    laptop.push()
    desktop.pull()
    laptop.write(SESSION, *mine)
    desktop.write(SESSION, *theirs)
    desktop.push()
    return laptop, desktop


def read(machine: PlayedMachine, session: str = SESSION) -> ConflictView:
    with machine.at_work() as context:
        return read_conflict(context, session)


def texts(excerpts: tuple[Excerpt, ...]) -> list[str]:
    return [one.message.text if one.message is not None else "" for one in excerpts]


def test_each_side_tells_what_it_said_after_they_parted(world: World) -> None:
    laptop, _ = parted(
        world,
        [said("Try the cookie."), answer("It was the cookie.")],
        [said("Try the session.", timestamp="2026-01-31T18:00:00Z"), bookkeeping()],
    )
    diverged = read(laptop)
    assert (diverged.session_id, diverged.project_key) == (SESSION, KEY)
    assert texts(diverged.before) == ["Where is the bug?", "In the login."]
    mine, theirs = diverged.sides
    assert (mine.side.machine, mine.side.machine_id, mine.side.lines) == ("laptop", "", 2)
    assert texts(mine.excerpts) == ["Try the cookie.", "It was the cookie."]
    assert [one.message and one.message.speaker for one in mine.excerpts] == ["user", "assistant"]
    assert (theirs.side.machine, theirs.side.lines) == ("desktop", 2)
    (only,) = theirs.excerpts
    assert only.message is not None
    assert (only.message.text, only.message.at) == ("Try the session.", 1769882400.0)
    assert only.events == (("cost-state", 1),)
    assert (mine.left_out, theirs.left_out) == (0, 0)


def test_what_was_said_before_is_read_from_the_end_of_it(world: World) -> None:
    beginning = (said("x" * LINE_BYTES), *(said(f"word {number}") for number in range(5)))
    laptop, _ = parted(world, [said("one")], [said("two")], beginning)
    assert read(laptop).before == tuple(
        Excerpt(Message("user", f"word {number}")) for number in (2, 3, 4)
    )
    (world.folder / "again").mkdir()
    short = (said("x" * LINE_BYTES), said("the last word"))
    laptop, _ = parted(World(world.folder / "again"), [said("one")], [said("two")], short)
    assert read(laptop).before == (Excerpt(Message("user", "the last word")),)


def test_where_none_of_it_is_here_each_of_the_others_is_shown(world: World) -> None:
    parted(world, [said("one")], [said("two")])[0].push()
    tablet = world.machine("tablet")
    diverged = read(tablet)
    sides = {one.side.machine: texts(one.excerpts) for one in diverged.sides}
    assert sides == {"desktop": ["two"], "laptop": ["one"]}
    assert texts(diverged.before) == ["Where is the bug?", "In the login."]


def test_three_sides_are_read_from_where_the_first_of_them_left(world: World) -> None:
    laptop, desktop = parted(world, [said("one")], [said("two")])
    tablet = world.machine("tablet")
    laptop.write(SESSION, said("more of one"))
    laptop.push()
    tablet.write(SESSION, said("all anew"))
    tablet.push()
    diverged = read(desktop)
    sides = {one.side.machine: texts(one.excerpts) for one in diverged.sides}
    beginning = ["Where is the bug?", "In the login."]
    assert sides == {
        "desktop": [*beginning, "two"],
        "laptop": [*beginning, "one", "more of one"],
        "tablet": ["all anew"],
    }
    assert diverged.before == ()


def test_only_the_last_of_a_long_side_is_kept(world: World) -> None:
    lines = [line for number in range(100) for line in (said(f"word {number}"), bookkeeping())]
    laptop, _ = parted(world, lines, [said("short")])
    mine = read(laptop).sides[0]
    assert len(mine.excerpts) == EXCERPTS
    assert texts(mine.excerpts)[-1] == "word 99"
    assert texts(mine.excerpts)[0] == f"word {100 - EXCERPTS}"
    assert mine.left_out == 100 - EXCERPTS
    assert all(one.events == (("cost-state", 1),) for one in mine.excerpts)


def test_events_before_anything_was_said_are_counted_by_kind(world: World) -> None:
    kinds = [json.dumps({"type": f"kind-{n % 12}", "uuid": n}).encode() + b"\n" for n in range(24)]
    laptop, _ = parted(world, [*kinds, said("then this")], [said("two")])
    first, then = read(laptop).sides[0].excerpts
    assert first.message is None
    assert first.events == (*((f"kind-{n}", 2) for n in range(8)), ("…", 8))
    assert then.message is not None
    assert then.message.text == "then this"


HOSTILE = [
    b'{"type": "user", "uuid": "x", "mess\n',
    b"\xff\xfe\x00not text\n",
    b"\n",
    b"[" * 50_000 + b"\n",
    b'{"type": {"a": 1}, "message": {"content": [7, null, {"text": []}]}}\n',
]


def test_lines_that_can_not_be_read_are_one_word_each(world: World) -> None:
    laptop, _ = parted(world, [*HOSTILE, said("still here")], [said("two")])
    first, last = read(laptop).sides[0].excerpts
    assert first.events == (("unreadable", 3), ("event", 1))
    assert last.message is not None
    assert last.message.text == "still here"


def test_a_last_line_that_is_being_written_does_no_harm(world: World) -> None:
    laptop, _ = parted(world, [said("whole"), b'{"type": "user", "me'], [said("two")])
    assert texts(read(laptop).sides[0].excerpts)[:1] == ["whole"]


def test_a_huge_line_is_read_in_part_and_memory_stays_small(world: World) -> None:
    huge = said("x" * (24 << 20))
    laptop, _ = parted(world, [huge, said("after it")], [said("two")])
    with laptop.at_work() as context:
        tracemalloc.start()
        try:
            diverged = read_conflict(context, SESSION)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    first, last = diverged.sides[0].excerpts
    assert first.events == (("unreadable", 1),)
    assert last.message is not None
    assert last.message.text == "after it"
    assert peak < 12 * LINE_BYTES


def test_nothing_is_changed_by_reading(world: World) -> None:
    laptop, desktop = parted(world, [said("one")], [said("two")])
    before = (laptop.read(), desktop.bundle().read_bytes(), laptop.kept(), laptop.leftovers())
    read(laptop)
    assert (
        laptop.read(),
        desktop.bundle().read_bytes(),
        laptop.kept(),
        laptop.leftovers(),
    ) == before
    assert not list((laptop.paths.state / "staging").iterdir())
    assert laptop.states()[SESSION].state == "conflict"


def test_without_a_conflict_there_is_nothing_to_compare(world: World) -> None:
    laptop = world.machine("laptop")
    laptop.write(SESSION, said("alone"))
    with pytest.raises(UsageError, match="isn't in conflict"):
        read(laptop)
