"""What was said, and what tools were called with, is text on every page: never markup."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest

from claude_sync.claude.turns import Attached, Part, TextPart, ToolCall, Turn
from claude_sync_app.window.rendering import environment
from claude_sync_app.window.session_view import turns

HOSTILE = "</p></div><script>alert(1)</script><img src=x onerror=alert(2)> & \u202eevil"
OWN = frozenset("p div span".split())  # noqa: SIM905
LONG = TextPart("x" * 200_000)


class Elements(HTMLParser):
    """The elements of some HTML, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert {name for name, _ in attrs} <= {"class", "dir"}
        self.found.add(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def shown(*parts: Part, unreadable: bool = False) -> Elements:
    """The parts of a turn as the pages show them."""
    [turn] = turns([Turn("person", parts, unreadable=unreadable)])
    macros: Any = environment("").get_template("said.html").module
    return Elements(str(macros.parts(turn["parts"])))


@pytest.mark.parametrize(
    ("parts", "unreadable"),
    [
        ((TextPart(HOSTILE),), False),
        ((LONG, TextPart(HOSTILE)), False),
        ((TextPart(HOSTILE),), True),
        ((ToolCall(HOSTILE, HOSTILE, failed=True),), False),
        ((Attached(HOSTILE),), False),
    ],
    ids=["Markdown", "beyond what is rendered", "unreadable", "a call", "attached"],
)
def test_no_part_of_a_turn_becomes_markup(parts: tuple[Part, ...], unreadable: bool) -> None:
    made = shown(*parts, unreadable=unreadable)
    assert made.found <= OWN
    assert "<script>alert(1)</script><img src=x onerror=alert(2)> & evil" in made.text
    assert "\u202e" not in made.text
