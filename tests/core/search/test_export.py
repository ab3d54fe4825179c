"""A session as a document, in which nothing that was said is more than text."""

from __future__ import annotations

import json
import re
import sys
import unicodedata
from collections.abc import Callable, Iterator
from html.parser import HTMLParser

import pytest

from claude_sync.claude.turns import TextPart, ToolCall, Turn
from claude_sync.search.export import as_html, as_json, as_markdown, as_text, blocks
from claude_sync.search.lines import FileLines
from claude_sync.search.reader import MachineCopy, SessionHeader, SessionReader, Standing
from claude_sync.search.visible import visible

HOSTILE = (
    '</p></article><script>alert(1)</script><img src="https://evil.example/x.png">'
    "\n![x](https://evil.example/y.png) &lt;b> \x1b[31mred\x1b[0m \u202eevil\u2066"
)
HEADER = SessionHeader(
    session_id="0f4c1d9e-1111-4222-8333-444455556666",
    title="Fix <b>the</b> login\x1b]0;x\x07",
    project_key="git:example.org/you/app",
    directory=None,
    machines=(MachineCopy("laptop", True, 5, 0, Standing.SAME, is_read=True),),
    read_from="laptop",
    path=None,
    size=1234,
    began=1769882400.0,
    mtime_ns=1769882400_000000000,
)


class Turns(SessionReader):
    """A session whose turns are given."""

    def __init__(self, *turns: Turn) -> None:
        super().__init__(HEADER, FileLines.__new__(FileLines), needs_context=False)
        self._given = turns

    def turns(self) -> Iterator[Turn]:
        yield from self._given


def said(text: str, *more: TextPart | ToolCall, speaker: str = "person") -> Turns:
    return Turns(Turn(speaker, (TextPart(text), *more), time=1769882400.0))


@pytest.mark.parametrize("write", [as_text, as_markdown, as_html])
def test_no_document_holds_what_cannot_be_seen(
    write: Callable[[SessionReader], Iterator[str]],
) -> None:
    call = ToolCall("Ba\x1bsh", HOSTILE.replace("\n", " "), failed=True)
    document = "".join(write(said(HOSTILE, call)))
    assert visible(document) == document
    for word in ("You", "red", "evil", "(failed)", "laptop", "1.2 KB"):
        assert word in document


def test_html_holds_no_element_but_our_own() -> None:
    seen: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            seen.append(tag)
            assert {name for name, _ in attrs} <= {
                "lang",
                "charset",
                "class",
                "name",
                "content",
            } | {"http-equiv"}

    page = "".join(as_html(said(HOSTILE + "\n```html\n" + HOSTILE + "\n", speaker="assistant")))
    Reader().feed(page)
    ours = "html head meta title style body h1 h2 dl dt dd article time p pre code"
    assert set(seen) <= set(ours.split())
    assert "default-src 'none'" in page
    assert re.search(r"<pre><code>&lt;/p&gt;", page)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a <b> & c", "a &lt;b> &amp; c"),
        ("`Vec<T>` is <i>", "`Vec<T>` is &lt;i>"),
        ("`one\n`<img>`", "`one\n`&lt;img>`"),
        (r"\`<img>`", r"\`&lt;img>`"),
        ("``<img>``", "``&lt;img>``"),
        ("![x](y)", "&#33;[x](y)"),
        (r"\![x](y)", r"\&#33;[x](y)"),
        ("| ` | <b> | ` |\n`<b>`", "| ` | &lt;b> | ` |\n`<b>`"),
        ("```py\n<b>\n```\n<b>", "```py\n<b>\n```\n&lt;b>"),
        ("```\nopen <b>", "```\nopen <b>\n```"),
        ("````\n```\n<b>", "````\n```\n<b>\n````"),
        ("~~~ <x>\n```\n~~~", "````x\n```\n````"),
        ("```a`b\n<b>", "```a`b\n&lt;b>"),
    ],
)
def test_markdown_is_kept_and_harmless(text: str, written: str) -> None:
    document = "".join(as_markdown(said(text, speaker="assistant")))
    assert document.partition(" · ")[2].split("\n\n", 1)[1] == written + "\n\n"


def test_blocks_of_code_are_told_from_text() -> None:
    assert list(blocks("a\n```js\nb\n```\nc")) == [(None, ["a"]), ("js", ["b"]), (None, ["c"])]
    assert list(blocks("")) == [(None, [""])]


def test_json_is_one_document() -> None:
    call = ToolCall("Bash", "ls", call_id="t1")
    document = json.loads("".join(as_json(said(HOSTILE, call))))
    assert document["session_id"] == HEADER.session_id
    assert document["machines"][0]["standing"] == "same"
    (turn,) = document["turns"]
    assert turn["time"] == "2026-01-31T18:00:00Z"
    assert turn["parts"][0] == {"text": HOSTILE, "shortened": False}
    assert turn["parts"][1]["tool"] == "Bash"
    assert json.loads("".join(as_json(Turns())))["turns"] == []


def test_what_cannot_be_seen_is_what_unicode_says() -> None:
    kept = {"\t", "\n", "\u200c", "\u200d"}
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        category = unicodedata.category(character)
        if category in ("Cc", "Cf", "Cs", "Zl", "Zp") and character not in kept:
            assert visible(character) == ("\n" if character == "\r" else ""), hex(code)
        elif category != "Cn":  # newer versions of Unicode know more
            assert visible(character) == character, hex(code)
