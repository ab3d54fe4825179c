"""What one line of a transcript says to a person."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_sync.claude.message import TEXT_CHARACTERS, Message, read_message


def line(**event: Any) -> bytes:
    return json.dumps(event).encode()


def message(kind: str, content: Any, **more: Any) -> bytes:
    return line(type=kind, uuid="u", message={"role": kind, "content": content}, **more)


def part(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, **more}


@pytest.mark.parametrize(
    ("given_line", "speaker", "text"),
    [
        (message("user", "Fix the login bug"), "user", "Fix the login bug"),
        (message("user", "  two\nlines \n"), "user", "two\nlines"),
        (message("assistant", [part("text", text="Done.")]), "assistant", "Done."),
        (
            message("assistant", [part("text", text="a"), part("text", text="b")]),
            "assistant",
            "a\nb",
        ),
        (
            message("assistant", [part("tool_use", name="Bash"), part("text", text="Look:")]),
            "assistant",
            "Look:",
        ),
        (message("user", [{"text": "without a kind"}]), "user", "without a kind"),
    ],
)
def test_what_was_said_is_shown(given_line: bytes, speaker: str, text: str) -> None:
    assert read_message(given_line) == Message(speaker, text)


@pytest.mark.parametrize(
    ("given_line", "word"),
    [
        (line(type="cost-state", number=7), "cost-state"),
        (line(type="system", content="Conversation compacted"), "system"),
        (message("user", [part("tool_result", content="3 files")]), "tool-result"),
        (message("assistant", [part("tool_use", name="Bash")]), "tool-use"),
        (message("assistant", [part("thinking", thinking="Hm.", text=7)]), "thinking"),
        (message("user", "a note of the client", isMeta=True), "user"),
        (message("user", "   "), "user"),
        (message("user", []), "user"),
        (message("assistant", {"text": "no list"}), "assistant"),
        (line(type="two words\nand <b>"), "two-words-and-<b>"),
        (line(type="x" * 1000), "x" * 40),
        (line(type=""), "event"),
        (line(type=["user"]), "event"),
        (line(uuid="u"), "event"),
        (line(type="user"), "user"),
        (line(type="user", message="text"), "user"),
        (b"[1, 2]", "unreadable"),
        (b'{"type": "user", "mess', "unreadable"),
        (b"\xff\xfe\x00", "unreadable"),
        (b"[" * 100_000, "unreadable"),
    ],
)
def test_anything_else_is_one_word(given_line: bytes, word: str) -> None:
    assert read_message(given_line) == Message("", word)


@pytest.mark.parametrize("blank", [b"", b"  ", b"\r", b"\t\r"])
def test_a_blank_line_is_nothing(blank: bytes) -> None:
    assert read_message(blank) is None


@pytest.mark.parametrize(
    ("timestamp", "at"),
    [
        ("2026-01-31T18:00:00.250Z", 1769882400.25),
        ("2026-01-31T19:00:00+01:00", 1769882400.0),
        ("2026-01-31T18:00:00", None),
        ("yesterday", None),
        ("9999-99-99T00:00:00Z", None),
        ("0001-01-01T00:00:00+23:59", None),
        (1769882400, None),
        ("2" * 10_000, None),
        (None, None),
    ],
)
def test_when_it_was_said_is_what_the_line_says_if_that_is_a_moment(
    timestamp: object, at: float | None
) -> None:
    found = read_message(message("user", "hello", timestamp=timestamp))
    assert found == Message("user", "hello", at)


def test_a_long_text_is_cut_to_what_can_be_read() -> None:
    exact, longer = "x" * TEXT_CHARACTERS, "x" * (TEXT_CHARACTERS + 1)
    assert read_message(message("user", exact)) == Message("user", exact)
    assert read_message(message("user", longer)) == Message("user", exact[:-1] + "…")
    many = [part("text", text=longer) for _ in range(100)]
    assert read_message(message("assistant", many)) == Message("assistant", exact[:-1] + "…")


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
KINDS = st.sampled_from(["user", "assistant", "system", 7])
EVENTS = st.fixed_dictionaries(
    {"type": KINDS | JSON},
    optional={
        "timestamp": JSON,
        "message": JSON | st.fixed_dictionaries({"content": JSON}),
        "isMeta": JSON,
    },
)


@given(st.binary() | EVENTS.map(lambda event: json.dumps(event).encode()))
def test_every_line_has_an_answer(given_line: bytes) -> None:
    found = read_message(given_line)
    assert found is None or (found.text and found.speaker in ("", "user", "assistant"))
