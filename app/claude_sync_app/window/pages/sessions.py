"""Every session of every machine: which there are, where they stand, and what can be done."""

from __future__ import annotations

from claude_sync_app.window.page import Asked, Data, Page, Reply, page, post
from claude_sync_app.window.session_rows import session_rows
from claude_sync_app.window.verbs import do

NAVIGATION = ("Sessions", "/sessions")


def _show(asked: Asked) -> Reply:
    return Page(
        "sessions.html",
        "Sessions",
        {"page_path": "/sessions", "rows": session_rows(asked.status)},
    )


def _rows(asked: Asked) -> Reply:
    return Data(session_rows(asked.status))


ROUTES = (
    page("/sessions", _show),
    page("/sessions/rows", _rows),
    post("/do", do),
)
