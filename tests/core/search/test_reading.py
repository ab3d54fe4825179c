"""Reading a session wherever it is, page by page from its end."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from claude_sync.claude.turns import ASSISTANT, PERSON, ToolCall, Turn
from claude_sync.errors import SessionNotFound, Stopped
from claude_sync.search.reader import MachineCopy, SessionReader, Standing
from claude_sync.search.reading import read_session
from claude_sync.sync.store_key import KeyChoice
from machines import KEY, SESSION, Pair, PlayedMachine, World, bookkeeping, said


def answer(*content: dict[str, Any] | str, **more: Any) -> bytes:
    parts = [{"type": "text", "text": one} if isinstance(one, str) else one for one in content]
    return json.dumps({"type": "assistant", "message": {"content": parts}, **more}).encode() + b"\n"


def result(call: str, *, failed: bool) -> bytes:
    content = [{"type": "tool_result", "tool_use_id": call, "content": "x", "is_error": failed}]
    return json.dumps({"type": "user", "message": {"content": content}}).encode() + b"\n"


def used(call: str) -> dict[str, Any]:
    return {"type": "tool_use", "id": call, "name": "Bash", "input": {"command": call}}


def texts(turns: tuple[Turn, ...]) -> list[str]:
    return [turn.text for turn in turns]


def all_pages(reader: SessionReader, limit: int) -> list[Turn]:
    found: list[Turn] = []
    before = None
    while True:
        page = reader.page(before, limit)
        found = [*page.turns, *found]
        if page.complete:
            return found
        before = page.before


def tree_of(machine: PlayedMachine) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in machine.claude.rglob("*") if path.is_file()}


@pytest.fixture
def ending() -> threading.Event:
    """Set to have whatever reads stop."""
    return threading.Event()


@pytest.fixture(params=["here", "store", "encrypted store", "unusual bundle"])
def reader(request: pytest.FixtureRequest, tmp_path: Path, ending: threading.Event) -> Any:
    """A session of 60 turns, read from wherever it may lie."""
    key = (
        KeyChoice(True, "correct horse battery staple")
        if request.param == "encrypted store"
        else None
    )
    world = World(tmp_path, key=key)
    laptop, desktop = world.machines("laptop", "desktop")
    for number in range(30):
        laptop.write(
            SESSION,
            said(f"question {number}\nÜber <b>", timestamp="2026-01-31T18:00:00Z"),
            bookkeeping(),
            answer(f"answer {number}"),
            answer(used(f"call {number}")),
            result(f"call {number}", failed=number % 2 == 1),
            answer("done"),
        )
    laptop.push()
    if request.param == "unusual bundle":
        bundle = laptop.bundle()
        bundle.write_text(json.dumps(json.loads(bundle.read_bytes()), indent=1))
    reading = laptop if request.param == "here" else desktop
    before = tree_of(reading)
    with reading.at_work(ending.is_set) as context:
        with read_session(context, SESSION[:8]) as opened:
            yield opened
        assert list(context.staging.iterdir()) == []
    assert tree_of(reading) == before


def test_pages_come_from_the_end_and_hold_every_turn_once(reader: SessionReader) -> None:
    header = reader.header
    assert (header.session_id, header.project_key, header.read_from) == (SESSION, KEY, "laptop")
    assert header.title.startswith("question 0")
    assert header.began == 1769882400.0
    last = reader.page(limit=3)
    assert [turn.speaker for turn in last.turns] == [ASSISTANT, PERSON, ASSISTANT]
    assert last.turns[-1].text == "answer 29\ndone"
    assert (last.ended, last.complete) == (True, False)
    turns = list(reader.turns())
    assert len(turns) == 60
    assert turns[0].text == "question 0\nÜber <b>"
    for limit in (1, 7, 100):
        assert all_pages(reader, limit) == turns
    calls = [part for turn in turns for part in turn.parts if isinstance(part, ToolCall)]
    assert [call.failed for call in calls] == [False, True] * 15


def test_whatever_reads_stops_where_that_is_asked_for(
    reader: SessionReader, ending: threading.Event
) -> None:
    place = reader.page(limit=3).before
    ending.set()
    for read in (
        reader.page,
        lambda: reader.page_after(place),
        lambda: next(reader.turns()),
        lambda: next(reader.find("answer")),
    ):
        with pytest.raises(Stopped):
            read()


def test_pages_go_on_from_anywhere(reader: SessionReader) -> None:
    turns = list(reader.turns())
    page = reader.page_after(turns[40].offset, 5)
    assert list(page.turns) == turns[40:45]
    assert list(reader.page_after(page.after, 5).turns) == turns[45:50]
    assert list(reader.page(page.before, 5).turns) == turns[35:40]
    assert reader.page_after(0).complete
    assert reader.page_after(turns[58].offset).ended
    for odd in (-5, 3, 10**15):
        reader.page(odd, 0)
        reader.page_after(odd, 10**9)


def test_what_was_said_is_found_from_the_end(reader: SessionReader) -> None:
    found = list(reader.find("QUESTION  2"))
    assert [one.line.text for one in found][:2] == ["question 29 Über <b>", "question 28 Über <b>"]
    assert len(found) == 11
    assert found[0].line.pieces()[0] == ("question 2", True)
    first = next(reader.find("question 29"))
    assert reader.page_after(first.offset, 1).turns[0].text.startswith("question 29")
    assert next(reader.find("question", before=first.offset)).line.text.startswith("question 28")
    assert len(list(reader.find("über <B>"))) == 30  # written as an escape in the transcript
    assert next(reader.find("bash call 7")).speaker == ASSISTANT
    assert list(reader.find("cost-state")) == list(reader.find(" ")) == []


def test_where_each_machine_stands_is_told_without_reading(pair: Pair) -> None:
    laptop, desktop = pair
    desktop.write(SESSION, said("more"))
    desktop.push()
    laptop.states()
    with laptop.at_work() as context, read_session(context, SESSION) as reader:
        mine, *others = reader.header.machines
        assert mine == MachineCopy(
            "laptop", True, mine.size, mine.mtime_ns, Standing.SAME, is_read=True
        )
        assert {one.machine: one.standing for one in others} == {
            "laptop": Standing.SAME,
            "desktop": Standing.AHEAD,
        }
    with laptop.at_work() as context, read_session(context, SESSION, machine="Desktop") as reader:
        assert texts(reader.page(limit=1).turns) == ["more"]
        assert reader.header.path is None
        standings = [(one.machine, one.standing) for one in reader.header.machines]
        assert standings[0] == ("laptop", Standing.BEHIND)


def test_a_session_that_is_nowhere_is_named(pair: Pair) -> None:
    laptop, _ = pair
    with laptop.at_work() as context:
        with pytest.raises(SessionNotFound):
            read_session(context, "ffff")
        with pytest.raises(SessionNotFound, match="machine tablet has no copy"):
            read_session(context, SESSION, machine="tablet")


def test_what_is_here_is_read_though_the_store_is_away(pair: Pair) -> None:
    laptop, _ = pair
    laptop.world.store.rename(laptop.world.folder / "unplugged")
    with laptop.at_work() as context, read_session(context, SESSION) as reader:
        assert [one.machine for one in reader.header.machines] == ["laptop"]
        assert reader.page().turns


def test_lines_without_a_turn_end_a_page_that_says_where_to_go_on(world: World) -> None:
    laptop = world.machine("laptop")
    laptop.write(SESSION, said("first"), bookkeeping(pad="x" * (1 << 20)) * 40, b"\n" * 30_000)
    with laptop.at_work() as context, read_session(context, SESSION) as reader:
        page = reader.page()
        assert (page.turns, page.complete) == ((), False)
        assert texts(tuple(all_pages(reader, 50))) == ["first"]
