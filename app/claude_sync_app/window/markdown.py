"""Turns what was said, Markdown of other people's, into HTML that holds nothing but text.

By markdown-it-py, with raw HTML off: what stands there as HTML is shown as text. A picture is a
link that nobody opens for you, and each link shows where it leads.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from markupsafe import Markup

from claude_sync.search.visible import visible

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

MOST_CHARACTERS = 40_000
"""A longer text is shown as it is: reading Markdown takes time that grows faster than the text."""
_MOST_TARGET_CHARACTERS = 4 * MOST_CHARACTERS
"""Of all links of a text: one definition of a long target may be named thousands of times."""
_BELOW_HEADINGS = re.compile(r"[\s>*+\d.)|:-]+")
"""The line below a table's headings, which may stand in a quotation or a list."""
_NESTING = 12
_LEADS_SOMEWHERE = re.compile("(?:https?|mailto):", re.IGNORECASE)
"""Other targets are shown and no links: a file of the project isn't on this server, and what starts
another program is nobody's to offer."""
_KEPT = frozenset({"href", "start"})
"""Attributes that an element may have beside ours."""


@cache
def _reader() -> MarkdownIt:
    from markdown_it import MarkdownIt

    reader = MarkdownIt("commonmark", {"html": False, "maxNesting": _NESTING})
    # A picture would be loaded; without the rule it is a link behind an exclamation mark.
    return reader.enable("table").disable("image")


def as_html(text: str) -> Markup:
    """A text as HTML."""
    shown = visible(text)
    if len(shown) > MOST_CHARACTERS or _most_cells(shown) > len(shown):
        return Markup('<div class="plain">{}</div>').format(shown)
    reader = _reader()
    try:
        tokens = reader.parse(shown)
        for token in tokens:
            _restrict(token)
        _check_targets(tokens)
        made = reader.renderer.render(tokens, reader.options, {})
    except (RecursionError, ValueError, IndexError):
        return Markup('<div class="plain">{}</div>').format(shown)
    # The library escapes what it was given, and made all of the rest.
    return Markup(made)  # noqa: S704


def _most_cells(text: str) -> int:
    """How many cells its tables have at most: a row has all columns, however few were typed."""
    cells = columns = 0
    for line in text.split("\n"):
        if not line.strip(" \t>"):
            columns = 0
        elif "|" in line and _BELOW_HEADINGS.fullmatch(line):
            columns = max(columns, line.count("|") + 1)
        cells += columns
    return cells


def _check_targets(tokens: Sequence[Token]) -> None:
    """Whether the links' targets are of a length that fits the text.

    Raises:
        ValueError: they aren't.
    """
    inside = (child for token in tokens for child in token.children or ())
    if sum(len(str(one.attrs.get("href", ""))) for one in inside) > _MOST_TARGET_CHARACTERS:
        raise ValueError("the links are too long")


def _restrict(token: Token) -> None:
    """Leave no attribute but what is needed; show where links lead, and nothing unseen."""
    if not token.children:
        # Once more: an entity or an encoded address may have become such a character.
        token.content = visible(token.content)
    token.attrs = {name: value for name, value in token.attrs.items() if name in _KEPT}
    if token.type == "fence":
        token.info = ""  # it would become a class
    if token.tag[:1] == "h" and token.type.startswith("heading"):
        # The page's own headings lead through it.
        token.tag = "p"
        token.attrs = {"class": "heading"} if token.nesting == 1 else {}
    if token.children:
        token.children = list(_with_targets(token.children))


def _with_targets(tokens: Sequence[Token]) -> list[Token]:
    from markdown_it.token import Token

    found: list[Token] = []
    target, label = "", ""
    for token in tokens:
        _restrict(token)
        if token.type == "link_open":
            target, label = str(token.attrs.get("href", "")), ""
            token.attrs |= {"rel": "noreferrer noopener", "target": "_blank"}
        if not token.type.startswith("link_") or _LEADS_SOMEWHERE.match(target):
            found.append(token)
        if token.type == "link_close":
            if target and target != label:
                found.append(Token("text", "", 0, content=f" ({target})"))
            target = ""
        elif target and token.type != "link_open":
            label += token.content
    return found
