"""Reading a session, wherever it lies: page by page from its end, found in, saved."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from urllib.parse import urlencode

from claude_sync.errors import UsageError
from claude_sync.search.export import as_html, as_markdown
from claude_sync.search.reader import SessionReader, TurnPage
from claude_sync.search.reading import read_session
from claude_sync_app.shown_text import one_line
from claude_sync_app.tray.labels import project_of
from claude_sync_app.window import session_view
from claude_sync_app.window.page import Asked, Download, Page, Reply, page
from claude_sync_app.window.said import name_of

_TURNS = 50
_TURNS_BEFORE_A_FIND = 10
_MOST_FINDS = 50
_MOST_WORDS = 200
_MOST_DOCUMENT_BYTES = 128 << 20
_FORMS = {"markdown": (as_markdown, "md", "text/markdown"), "html": (as_html, "html", "text/html")}


def _show(asked: Asked) -> Reply:
    session, machine = asked.session(), asked.query.get("machine") or None
    words = asked.query.get("find", "")[:_MOST_WORDS]
    with asked.reading() as context, read_session(context, session, machine=machine) as reader:
        shown, at = _wanted(asked, reader)
        found = list(islice(reader.find(words), _MOST_FINDS + 1)) if words.strip() else []
        header, landmark = reader.header, reader.landmark(shown.before)
    kept = {"machine": machine} if machine else {}
    earlier = {**kept, "before": shown.before, "from": f"{landmark[0]}.{landmark[1]}"}
    name = name_of(asked.status, session, header.title)
    return Page(
        "session.html",
        name,
        {
            "page_path": "/sessions",
            "session": header.session_id,
            "name": name,
            "header": header,
            "project": project_of(header.project_key),
            "copies": session_view.copies(header),
            "turns": session_view.turns(shown.turns, at),
            "earlier": None if shown.complete else urlencode(earlier),
            "later": None if shown.ended else urlencode({**kept, "after": shown.after}),
            "query": urlencode(kept),
            "machine": machine or "",
            "words": words,
            "finds": session_view.finds(found[:_MOST_FINDS]),
            "finds_more": len(found) > _MOST_FINDS,
            "has_conflict": _has_conflict(asked, session),
        },
    )


def _has_conflict(asked: Asked, session: str) -> bool:
    return any(one.session_id == session and one.sides for one in asked.status.sessions)


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


def _save(asked: Asked) -> Reply:
    session, machine = asked.session(), asked.query.get("machine") or None
    form = _FORMS.get(asked.query.get("as", ""))
    if form is None:
        raise UsageError("a session is saved as Markdown or as HTML", todo="load the page again")
    write, ending, media_type = form
    with asked.reading() as context, read_session(context, session, machine=machine) as reader:
        # Whole, before anything is sent: so an error is an answer, and no thread has to wait.
        blocks = list(_blocks(write(reader), session))
        title = one_line(reader.header.title)[:60]
    plain = re.sub(r"[^\w .-]+", " ", title).strip(" .") or session[:8]
    return Download(f"{plain}.{ending}", f"{media_type}; charset=utf-8", iter(blocks))


def _blocks(pieces: Iterator[str], session: str) -> Iterator[bytes]:
    written = 0
    for piece in pieces:
        block = piece.encode("utf-8", "replace")
        written += len(block)
        if written > _MOST_DOCUMENT_BYTES:
            raise UsageError(
                "the session is too long to be saved here",
                todo=f"type `claude-sync show {session} --html -o session.html`",
            )
        yield block


ROUTES = (page("/session/{session}", _show), page("/session/{session}/save", _save))
