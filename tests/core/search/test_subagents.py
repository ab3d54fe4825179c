"""The subagents of a session that is read, and what they were told and said."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from claude_sync.claude.turns import ToolCall
from claude_sync.errors import UsageError
from claude_sync.search.export import as_html, as_json, as_markdown, as_text, speaker_of
from claude_sync.search.reader import SessionReader
from claude_sync.search.reading import read_session
from claude_sync.sync.store_key import KeyChoice
from distant import Distant
from machines import SESSION, PlayedMachine, World, said

FIRST, SECOND, DEEP = "a22eb0f041f4ed98e", "b7d63de6514bdc9cf", "c0ffee"
Opening = Callable[..., AbstractContextManager[SessionReader]]


def line(kind: str, *content: object, **more: object) -> bytes:
    return json.dumps({"type": kind, "message": {"content": content}, **more}).encode() + b"\n"


def text(words: str) -> dict[str, str]:
    return {"type": "text", "text": words}


def called(call: str, description: str) -> dict[str, object]:
    given = {"description": description, "prompt": "Please"}
    return {"type": "tool_use", "id": call, "name": "Task", "input": given}


def launched(call: str, agent: str) -> bytes:
    """The line with a call's result, as the client writes it."""
    result = {"type": "tool_result", "tool_use_id": call, "content": "Async agent launched"}
    return line("user", result, toolUseResult={"isAsync": True, "agentId": agent})


def transcript(turns: int, at: str) -> bytes:
    """A subagent's transcript."""
    own = {"isSidechain": True, "timestamp": at}
    lines = [line("user", text("Count the files"), **own)]
    for number in range(turns - 1):
        lines.append(line("assistant", text(f"file {number} of <b>ü</b>"), **own))
        lines.append(line("user", {"type": "tool_result", "tool_use_id": "x"}, **own))
        lines.append(line("user", text("Go on"), **own))
    return b"".join(lines)


def note(call: str = "", description: str = "", **more: object) -> bytes:
    told = {"agentType": "general-purpose", "description": description, "toolUseId": call, **more}
    return json.dumps(told).encode()


def with_subagents(laptop: PlayedMachine) -> None:
    """Write a session whose assistant set two subagents to work, and one of these another."""
    laptop.write(
        SESSION,
        said("How many files?"),
        line("assistant", text("I ask."), called("toolu_1", "Count the files")),
        launched("toolu_1", FIRST),
        line("assistant", called("toolu_2", "An older client's")),
        launched("toolu_2", SECOND),
        line("assistant", text("Done.")),
    )
    files = {
        f"agent-{FIRST}.jsonl": transcript(40, "2026-01-31T18:00:00Z"),
        f"agent-{FIRST}.meta.json": note("toolu_1", "Count the files"),
        f"agent-{SECOND}.jsonl": transcript(2, "2026-01-31T17:00:00Z"),
        f"agent-{DEEP}.jsonl": line("assistant", text("Deep"), called("toolu_1", "x")),
        f"agent-{DEEP}.meta.json": note("toolu_9", "Look deeper", spawnDepth=2),
    }
    for name, data in files.items():
        laptop.write_sidecar(SESSION, f"subagents/{name}", data)
    laptop.write_sidecar(SESSION, "tool-results/x.txt", b"an output")


@pytest.fixture(params=["here", "store", "encrypted store", "unusual bundle", "host"])
def read(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Opening:
    """Opens a session with subagents, wherever it may lie."""
    key = KeyChoice(True, "correct horse battery staple") if "encr" in request.param else None
    laptop, desktop = World(tmp_path, key=key).machines("laptop", "desktop")
    with_subagents(laptop)
    laptop.push()
    if request.param == "unusual bundle":
        bundle = laptop.bundle()
        bundle.write_text(json.dumps(json.loads(bundle.read_bytes()), indent=1))
    if request.param == "host":
        Distant(monkeypatch)

    @contextmanager
    def read(**more: Any) -> Iterator[SessionReader]:
        reading = laptop if request.param == "here" else desktop
        with reading.at_work() as context:
            with read_session(context, SESSION, **more) as reader:
                yield reader
            assert list(context.staging.iterdir()) == []

    return read


def test_a_sessions_subagents_are_told_with_what_set_them_to_work(read: Opening) -> None:
    with read() as reader:
        found = list(reader.subagents)
        assert [one.id for one in found] == [SECOND, FIRST, DEEP]  # as they began
        assert reader.subagents.complete
        assert [one.turns for one in found] == [3, 79, 1]
        assert [one.description for one in found] == ["", "Count the files", "Look deeper"]
        assert found[1].kind == "general-purpose"
        assert found[1].size == len(transcript(40, "2026-01-31T18:00:00Z"))
        for turns in (reader.page().turns, reader.page_after().turns, tuple(reader.turns())):
            calls = [part for turn in turns for part in turn.parts if isinstance(part, ToolCall)]
            # By its note, and where there is none by the call's result.
            assert [call.agent for call in calls] == [FIRST, SECOND]


def test_a_subagents_transcript_is_read_page_by_page_as_a_sessions(read: Opening) -> None:
    with read(agent=FIRST[:4]) as reader:
        assert reader.header.subagent is not None
        assert reader.header.subagent.id == FIRST
        assert reader.header.began == 1769882400.0
        page = reader.page(limit=10)
        assert (page.ended, page.complete, len(page.turns)) == (True, False, 10)
        assert page.turns[-2].text == "file 38 of <b>ü</b>"
        earlier = reader.page(page.before, 100)
        assert earlier.complete
        assert (*earlier.turns, *page.turns) == tuple(reader.turns())
        assert [speaker_of(turn) for turn in page.turns[:2]] == ["Subagent", "Task"]
        assert next(reader.find("file 7")).line.text == "file 7 of <b>ü</b>"


def test_a_subagents_own_call_names_the_subagent_that_it_set_to_work(read: Opening) -> None:
    with read(agent=DEEP) as reader:
        [turn] = reader.page().turns
        assert [part.agent for part in turn.parts if isinstance(part, ToolCall)] == [FIRST]


def test_a_subagent_that_is_not_there_is_named(read: Opening) -> None:
    for wrong in ("0", ""):
        with pytest.raises(UsageError, match="subagent's id begins"), read(agent=wrong):
            raise AssertionError("it was read")


def test_documents_name_the_subagents_and_how_to_read_them(read: Opening) -> None:
    with read() as reader:
        for write in (as_text, as_markdown, as_html):
            document = "".join(write(reader)).replace("\\", "")
            assert (
                "Task: Count the files (subagent a22eb0f0: general-purpose, 79 turns)" in document
            )
            assert "Look deeper (general-purpose, 1 turn)" in document
            assert f"claude-sync show {SESSION[:8]} --agent ID" in document
            assert "file 7" not in document
        told = json.loads("".join(as_json(reader)))
        assert [one["id"] for one in told["subagents"]] == [SECOND, FIRST, DEEP]
        assert told["turns"][1]["parts"][1]["agent"] == FIRST
    with read(agent=FIRST) as reader:
        document = "".join(as_text(reader))
        assert document.startswith(
            f"Count the files\nSubagent: {FIRST} (general-purpose, 79 turns)"
        )
        assert f"Session: {SESSION}, How many files?" in document
        assert "--agent" not in document
        assert json.loads("".join(as_json(reader)))["subagent"] == FIRST


def test_a_host_is_not_asked_for_much_to_find_subagents(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop, desktop = world.machines("laptop", "desktop")
    with_subagents(laptop)
    laptop.write_companion(f"file-history/{SESSION}/0123456789abcdef@v1", b"x" * (5 << 20))
    laptop.push()
    with desktop.at_work() as context, read_session(context, SESSION) as reader:
        assert len(reader.subagents) == 3
    Distant(monkeypatch)
    with desktop.at_work() as context, read_session(context, SESSION) as reader:
        assert len(reader.subagents) == 0
        assert not reader.subagents.complete
        assert reader.page().turns
        document = "".join(as_text(reader))
        assert "Subagents: whether there are any is seen once it was pulled\n" in document
        with pytest.raises(UsageError, match="pull the session"):
            reader.subagents.find(FIRST)


def test_of_very_long_transcripts_the_turns_are_not_counted(world: World) -> None:
    laptop = world.machine("laptop")
    laptop.write(SESSION, said("hello"))
    long = transcript(2, "2026-01-31T18:00:00Z") + b"\n" * (4 << 20)
    laptop.write_sidecar(SESSION, f"subagents/agent-{FIRST}.jsonl", long)
    laptop.push()
    desktop = world.machine("desktop")
    for machine in (laptop, desktop):
        with machine.at_work() as context, read_session(context, SESSION) as reader:
            [one] = reader.subagents
            assert (one.turns, one.size, one.began) == (None, len(long), 1769882400.0)
            assert "a22eb0f0  Subagent a22eb0f0 (4.2 MB)" in "".join(as_text(reader))
