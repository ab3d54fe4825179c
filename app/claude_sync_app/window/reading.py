"""What pages share on which a transcript is read: its turns, finding in them, saving them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from claude_sync.errors import UsageError
from claude_sync.search.export import as_html, as_markdown
from claude_sync.search.reader import SessionReader, TurnPage
from claude_sync_app.shown_text import one_line
from claude_sync_app.window import session_view
from claude_sync_app.window.page import Asked, Download

_TURNS = 50
_TURNS_BEFORE_A_FIND = 10
_MOST_FINDS = 50
_MOST_WORDS = 200
_MOST_DOCUMENT_BYTES = 128 << 20
_FORMS = {"markdown": (as_markdown, "md", "text/markdown"), "html": (as_html, "html", "text/html")}


def reading_values(
    asked: Asked, reader: SessionReader, path: str, kept: Mapping[str, str]
) -> dict[str, Any]:
    """What `reading.html` shows: the turns that are asked for, and what is looked for in them.

    Args:
        asked: names the place in the transcript, and what is looked for.
        reader: what is read.
        path: of the page.
        kept: what the query of each link to that page holds.
    """
    shown, at = _wanted(asked, reader)
    words = asked.query.get("find", "")[:_MOST_WORDS]
    found = list(islice(reader.find(words), _MOST_FINDS + 1)) if words.strip() else []
    place, encoded = reader.landmark(shown.before)
    earlier = {**kept, "before": shown.before, "from": f"{place}.{encoded}"}
    session = reader.header.session_id
    return {
        "path": path,
        "kept": kept,
        "query": urlencode(kept),
        "turns": session_view.turns(
            shown.turns, at, session_view.agents(session, reader.subagents, kept)
        ),
        "earlier": None if shown.complete else urlencode(earlier),
        "later": None if shown.ended else urlencode({**kept, "after": shown.after}),
        "words": words,
        "finds": session_view.finds(found[:_MOST_FINDS]),
        "finds_more": len(found) > _MOST_FINDS,
    }


def _wanted(asked: Asked, reader: SessionReader) -> tuple[TurnPage, int | None]:
    """The turns that are asked for, and the place among them that is looked for."""
    at, after, before = (_number(asked, name) for name in ("at", "after", "before"))
    if at is not None:
        earlier = reader.page(at, _TURNS_BEFORE_A_FIND)
        shown = reader.page_after(at, _TURNS)
        return (
            shown._replace(
                turns=(*earlier.turns, *shown.turns),
                before=earlier.before,
                complete=earlier.complete,
            ),
            at,
        )
    if after is not None:
        return reader.page_after(after, _TURNS), None
    known = re.fullmatch(r"(\d{1,15})\.(\d{1,15})", asked.query.get("from", ""), re.ASCII)
    if known:
        reader.remember_landmark(int(known[1]), int(known[2]))
    return reader.page(before, _TURNS), None


def _number(asked: Asked, name: str) -> int | None:
    """A number of the query, None where there is none that makes sense."""
    text = asked.query.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def saved(asked: Asked, reader: SessionReader, name: str, todo: str) -> Download:
    """What is read as a document, in the form that is asked for.

    Args:
        asked: names the form.
        reader: what is read.
        name: what the document is called; other people's text.
        todo: what to do where it is too long for that.

    Raises:
        UsageError: there is no such form, or it is too long.
    """
    form = _FORMS.get(asked.query.get("as", ""))
    if form is None:
        raise UsageError("a session is saved as Markdown or as HTML", todo="load the page again")
    write, ending, media_type = form
    # Whole, before anything is sent: so an error is an answer, and no thread has to wait.
    blocks = list(_blocks(write(reader), todo))
    plain = re.sub(r"[^\w .-]+", " ", one_line(name)[:60]).strip(" .")
    plain = plain or reader.header.session_id[:8]
    return Download(f"{plain}.{ending}", f"{media_type}; charset=utf-8", iter(blocks))


def _blocks(pieces: Iterator[str], todo: str) -> Iterator[bytes]:
    written = 0
    for piece in pieces:
        block = piece.encode("utf-8", "replace")
        written += len(block)
        if written > _MOST_DOCUMENT_BYTES:
            raise UsageError("the session is too long to be saved here", todo=todo)
        yield block
