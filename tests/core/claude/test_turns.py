"""A transcript's lines as turns, whatever is in them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claude_sync.claude.turns import (
    MAX_PARTS,
    MAX_SUMMARY_CHARACTERS,
    MAX_TEXT_CHARACTERS,
    Attached,
    TextPart,
    ToolCall,
    ToolResults,
    Turn,
    read_turn,
)
from randomness import examples


def line(kind: str, content: object = None, **more: Any) -> bytes:
    message = {} if content is None else {"message": {"content": content}}
    return json.dumps({"type": kind, **message, **more}).encode()


def read(data: bytes | None) -> Turn | ToolResults | None:
    return read_turn(data, 7, 9)


def parts(data: bytes) -> tuple[object, ...]:
    turn = read(data)
    assert isinstance(turn, Turn)
    return turn.parts


def test_a_turn_says_who_spoke_when_and_where_it_stands() -> None:
    said = line("user", "Where is the bug?", timestamp="2026-01-31T18:00:00Z")
    assert read(said) == Turn(
        "person", (TextPart("Where is the bug?"),), time=1769882400.0, offset=7, end=9
    )
    answer = read(line("assistant", [{"type": "text", "text": "Here."}], isSidechain=True))
    assert isinstance(answer, Turn)
    assert (answer.speaker, answer.text, answer.time) == ("assistant", "Here.", None)
    assert answer.subagent


@pytest.mark.parametrize(
    ("name", "given_input", "call"),
    [
        ("Bash", {"command": "ls\n -l"}, ToolCall("Bash", "ls -l")),
        ("Bash", {"command": "ls", "description": "List"}, ToolCall("Bash", "List")),
        ("Read", {"file_path": "/a b"}, ToolCall("Read", "/a b")),
        ("Task", {"prompt": "Look"}, ToolCall("Task", "Look", subagent=True)),
        ("Odd", {"count": 3}, ToolCall("Odd", "")),
        ("Odd", ["command"], ToolCall("Odd", "")),
        (None, None, ToolCall("tool", "")),
        ("X", {"command": "a " * 900}, ToolCall("X", "a " * 99 + "a…")),
        ("X", {"command": "\ud800!"}, ToolCall("X", "\ufffd!")),
    ],
)
def test_a_tool_call_is_one_line(name: object, given_input: object, call: ToolCall) -> None:
    used = {"type": "tool_use", "id": "t1", "name": name, "input": given_input}
    assert parts(line("assistant", [used])) == (call._replace(call_id="t1"),)
    assert len(call.summary) <= MAX_SUMMARY_CHARACTERS


def test_what_tools_gave_back_is_left_out_but_that_they_failed() -> None:
    result = {"type": "tool_result", "tool_use_id": "t1", "content": "secret", "is_error": True}
    assert read(line("user", [result])) == ToolResults(frozenset({"t1"}))
    assert read(line("user", [{**result, "is_error": False}])) is None
    assert parts(line("user", [result, {"type": "text", "text": "Stop"}])) == (TextPart("Stop"),)


def test_pictures_are_named_and_not_kept() -> None:
    picture = {"type": "image", "source": {"data": "iVBOR"}}
    said = [picture, {"type": "text", "text": "this?"}, {"type": "document"}]
    assert parts(line("user", said)) == (
        Attached("image"),
        TextPart("this?"),
        Attached("document"),
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<command-name>/clear</command-name><command-args></command-args>", "/clear"),
        (
            "<command-message>x</command-message>\n<command-name>/x</command-name>"
            "<command-args>a b</command-args>",
            "/x a b",
        ),
        ("<bash-input>git\nstatus</bash-input>", "! git\nstatus"),
        ("<b>bold</b>", "<b>bold</b>"),
        ("a <system-reminder>", "a <system-reminder>"),
    ],
)
def test_a_command_is_shown_as_it_was_typed(text: str, shown: str) -> None:
    assert parts(line("user", text)) == (TextPart(shown),)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0\0\0",
        b" \r",
        line("user"),
        line("user", ""),
        line("user", " \n"),
        line("user", "hello", isMeta=True),
        line("user", "<system-reminder>Mind</system-reminder>"),
        line("user", "<local-command-stdout>x</local-command-stdout>"),
        line("user", [{"type": "text", "text": "<bash-stdout>x</bash-stdout>"}]),
        line("assistant", [{"type": "thinking", "thinking": "hm"}]),
        line("assistant", 7),
        line("assistant", [None, 3, [], {"type": []}, {"type": "text", "text": 3}]),
        line("cost-state"),
        line("system"),
        line("system", content=["x"]),
        line("attachment", attachment={"type": "file", "filename": "/a"}),
        line("attachment", attachment=3),
        line("attachment", attachment={"type": "queued_command", "prompt": {}}),
        b'{"type":["user"]}',
        b'{"type":"user","message":"hello"}',
    ],
)
def test_what_nobody_said_makes_no_turn(data: bytes) -> None:
    assert read(data) is None


def test_what_was_summed_up_is_told_from_what_was_said() -> None:
    boundary = read(line("system", subtype="compact_boundary"))
    assert isinstance(boundary, Turn)
    assert (boundary.speaker, boundary.compaction) == ("system", True)
    summary = read(line("user", "We spoke of bugs.", isCompactSummary=True))
    assert isinstance(summary, Turn)
    assert (summary.speaker, summary.compaction) == ("system", True)
    news = read(line("user", "done", origin={"kind": "task-notification"}))
    assert isinstance(news, Turn)
    assert (news.speaker, news.compaction) == ("system", False)


def test_what_was_said_meanwhile_is_a_persons() -> None:
    queued = {"type": "queued_command", "prompt": "And the tests?"}
    turn = read(line("attachment", attachment=queued))
    assert isinstance(turn, Turn)
    assert (turn.speaker, turn.text) == ("person", "And the tests?")


@pytest.mark.parametrize(
    "data",
    [
        b"{",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"\xff\xfe{\0}\0",
        b"7",
        b'"user"',
        b"\0{}",
        b'{"type":"user","message":{"content":"x\0y"}}',
    ],
)
def test_a_line_that_cannot_be_read_says_so(data: bytes) -> None:
    turn = read(data)
    assert isinstance(turn, Turn)
    assert (turn.speaker, turn.unreadable) == ("system", True)
    assert turn.text == "A line of 2 bytes can't be read"


def test_a_line_that_is_too_long_says_so() -> None:
    turn = read_turn(None, 0, 100_000_000)
    assert isinstance(turn, Turn)
    assert turn.text == "A line of 100,000,000 bytes isn't shown"


def test_bytes_that_are_no_text_are_replaced() -> None:
    assert parts(b'{"type":"user","message":{"content":"a\xff"}}') == (TextPart("a\ufffd"),)
    assert parts(rb'{"type":"user","message":{"content":"a\ud83d"}}') == (TextPart("a\ufffd"),)


def test_a_turn_has_its_bounds() -> None:
    (text,) = parts(line("user", "x" * (MAX_TEXT_CHARACTERS + 1)))
    assert text == TextPart("x" * MAX_TEXT_CHARACTERS, shortened=True)
    many = [{"type": "text", "text": "x"}] * (MAX_PARTS + 5)
    assert len(parts(line("user", many))) == MAX_PARTS


KEYS = tuple(
    "type message content text name input id timestamp attachment prompt origin kind is_error "  # noqa: SIM905
    "tool_use_id subtype isSidechain isCompactSummary".split()
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner
            | st.sampled_from(["user", "assistant", "system", "text", "tool_use", "tool_result"]),
        )
    ),
    max_leaves=20,
)


@given(values)
@settings(max_examples=examples(300))
def test_whatever_a_line_holds_there_is_an_answer_that_can_be_encoded(value: object) -> None:
    turn = read(json.dumps(value).encode())
    if isinstance(turn, Turn):
        assert turn.parts
        for part in turn.parts:
            assert isinstance(part, (TextPart, ToolCall, Attached))
            repr(part).encode()
