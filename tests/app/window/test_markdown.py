"""What was said as HTML: Markdown, and nothing that could load, run or lead astray."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claude_sync_app.window.markdown import MOST_CHARACTERS, as_html
from randomness import examples

ELEMENTS = frozenset(
    "p div code pre em strong a ul ol li blockquote br hr table thead tbody tr th td".split()  # noqa: SIM905
)


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("a *b* `c<d>`", "<p>a <em>b</em> <code>c&lt;d&gt;</code></p>\n"),
        ("<img src=x>", "<p>&lt;img src=x&gt;</p>\n"),
        ("```js x\n<b>\n```", "<pre><code>&lt;b&gt;\n</code></pre>\n"),
        ("# Big", '<p class="heading">Big</p>\n'),
        (
            "[here](https://a.example/b)",
            '<p><a href="https://a.example/b" rel="noreferrer noopener" target="_blank">here</a>'
            " (https://a.example/b)</p>\n",
        ),
        ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>\n"),
        ("[*a*.py](src/a.py#L4)", "<p><em>a</em>.py (src/a.py#L4)</p>\n"),
        ("[x](/settings) [y](//a.example)", "<p>x (/settings) y (//a.example)</p>\n"),
        ("<ms-msdt:/id> [z]()", "<p>ms-msdt:/id z</p>\n"),
        ('[x](https://a.example "title")', None),
        ("a\u202eb\x1b", "<p>ab</p>\n"),
    ],
)
def test_what_was_said_becomes_text_with_marks(text: str, html: str | None) -> None:
    made = str(as_html(text))
    assert "title=" not in made
    assert html is None or made == html


def test_a_picture_is_not_loaded() -> None:
    made = str(as_html("![x](https://evil.example/y.png)\n\n![r]\n\n[r]: https://evil.example/z"))
    assert "<img" not in made
    assert "https://evil.example/y.png" in made


def test_a_table_has_no_style() -> None:
    made = str(as_html("| a | b |\n| :-: | --: |\n| 1 | 2 |"))
    assert "<td>1</td>" in made
    assert "style" not in made


@pytest.mark.parametrize(
    "text", ["a&#x202e;b", "[a&#8238;b](https://a.example)", "<https://a.example/%E2%80%AEb>"]
)
def test_what_cannot_be_seen_is_not_spelled_otherwise(text: str) -> None:
    assert "\u202e" not in as_html(text)


@pytest.mark.parametrize(("first", "then"), [("", ""), ("> ", "> "), ("- ", "  ")])
def test_a_table_does_not_grow_by_cells_that_nobody_typed(first: str, then: str) -> None:
    rows = ["|" + "a|" * 300, "|" + "-|" * 300, *["a"] * 200]
    assert "<td>" not in as_html(first + f"\n{then}".join(rows))
    typed = ["a|b|c", "-|-|-", *["1|2|3"] * 200]
    assert as_html(first + f"\n{then}".join(typed)).count("<td>") == 600


def test_a_target_that_is_named_often_does_not_make_a_text_big() -> None:
    text = "[a]: https://a.example/" + "b" * 10_000 + "\n\n" + "[a] " * 5_000
    assert len(as_html(text)) < 2 * len(text)


def test_a_text_that_is_too_long_is_shown_as_it_is() -> None:
    made = str(as_html("*a* <b>" + "x" * MOST_CHARACTERS))
    assert made.startswith('<div class="plain">*a* &lt;b&gt;')


class Checked(HTMLParser):
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in ELEMENTS
        for name, value in attrs:
            assert name in ("href", "start", "class", "rel", "target")
            if name == "class":
                assert value in ("heading", "plain")
            if name == "href":
                assert not (value or "").lower().startswith(("javascript:", "data:", "vbscript:"))


MARKS = (
    *"[]()!<>`*_|#\n\"'\\",
    *("~~~", "```js", "-|-", "&lt;", "<script>", "javascript:x", "http://a", "data:x"),
    *("  ", "1.", "- ", ": ", "x"),
)


@given(st.lists(st.sampled_from(MARKS) | st.text(max_size=3), max_size=40).map("".join))
@settings(max_examples=examples(400))
def test_whatever_is_said_makes_only_our_elements(text: str) -> None:
    Checked().feed(str(as_html(text)))
