"""Which of a session's files are its subagents', and what the client notes of them."""

from __future__ import annotations

import json

import pytest

from claude_sync.claude.subagents import (
    Note,
    is_subagent_id,
    note_of_subagent,
    read_note,
    transcript_of_subagent,
)


def test_a_subagents_files_are_known_by_their_paths() -> None:
    assert transcript_of_subagent("subagents/agent-a22eb0f0.jsonl") == "a22eb0f0"
    assert note_of_subagent("subagents/agent-a22eb0f0.meta.json") == "a22eb0f0"
    assert transcript_of_subagent("subagents/workflows/one/agent-b.jsonl") == "b"
    for other in (
        "subagents/agent-a.meta.json",
        "subagents/agent-.jsonl",
        "subagents/agent-a b.jsonl",
        "subagents/a.jsonl",
        "tool-results/agent-a.jsonl",
    ):
        assert transcript_of_subagent(other) == ""
    assert not is_subagent_id("../a")


def test_a_note_says_what_a_subagent_was_set_to_do() -> None:
    noted = {
        "agentType": "general-purpose",
        "description": "Count\n the  files",
        "toolUseId": "toolu_1",
        "spawnDepth": 1,
    }
    assert read_note(json.dumps(noted).encode()) == Note(
        "Count the files", "general-purpose", "toolu_1"
    )
    assert read_note(b'{"agentType":"Explore"}') == Note(kind="Explore")


@pytest.mark.parametrize("data", [b"", b"[1]", b"\xff", b'{"description":3}', b"[" * 100_000])
def test_a_note_that_makes_no_sense_says_nothing(data: bytes) -> None:
    assert read_note(data) == Note()


def test_a_notes_text_can_be_encoded_and_is_short() -> None:
    text = read_note(b'{"description":"\\ud800 ' + b"x" * 5_000 + b'"}').description
    assert text.startswith("\ufffd x")
    assert len(text) == 200
