"""Every session of every machine: which there are, where they stand, and what can be done."""

from __future__ import annotations

from claude_sync.errors import SearchError, UsageError
from claude_sync.names import is_session_id
from claude_sync.sync.forget import bundles_of_sessions
from claude_sync.wording import count, read_so_far, sentence
from claude_sync_app.shown_text import one_line, without_controls
from claude_sync_app.window.folders import pick_folder
from claude_sync_app.window.page import Answer, Asked, Data, Page, Reply, Waiting, page, post
from claude_sync_app.window.session_rows import session_rows
from claude_sync_app.window.verbs import do

_MOST_WORDS = 500
_MOST_FOUND = 200

NAVIGATION = ("Sessions", "/sessions")


def _show(asked: Asked) -> Reply:
    from claude_sync_app.window.pages import MODULES

    known = {
        **_newest(asked),
        "pages": MODULES,
        "search": asked.status.preferences.search,
    }
    return Page("sessions.html", "Sessions", {"page_path": "/sessions", "known": known})


def _rows(asked: Asked) -> Reply:
    return Data(_newest(asked))


def _newest(asked: Asked) -> dict[str, object]:
    from claude_sync.search.turn_counts import turn_counts

    status = asked.status
    revision = asked.services.revision(status)  # before its index is read
    return {
        "started": status.started,
        "revision": revision,
        "rows": session_rows(status, turn_counts(asked.services.paths, status.preferences)),
    }


def _search(asked: Asked) -> Reply:
    """The sessions in which words were said, each with the line, the words in it set apart.

    And a sentence, where not all can be found.
    """
    from claude_sync.search.searching import search_sessions

    words = asked.query.get("words", "")[:_MOST_WORDS]
    try:
        with asked.reading() as context:
            found = search_sessions(context, words, limit=_MOST_FOUND)
    except SearchError as error:
        return Data({"hits": [], "note": sentence(one_line(str(error)))})
    notes = [_filling_note(asked)]
    if found.more:
        notes.append(f"Of what was said, the last {_MOST_FOUND} sessions are shown.")
    return Data(
        {
            "hits": [
                {
                    "id": hit.session_id,
                    "at": hit.offset,
                    "line": [
                        (without_controls(text), marked) for text, marked in hit.line.pieces()
                    ],
                }
                for hit in found.hits
            ],
            "note": " ".join(filter(None, notes)),
        }
    )


def _filling_note(asked: Asked) -> str:
    """What is said while the index of what was said is filled, "" where it is."""
    progress = asked.services.service.search_progress
    if progress is None or progress.complete or progress.read == progress.total:
        return ""
    return read_so_far(progress.read, progress.total)


def _forget(asked: Asked) -> Reply:
    """Remove what this machine pushed of sessions from the shared folder; the page asked before."""
    ids = asked.body.get("sessions")
    if not isinstance(ids, list) or not ids or not all(map(_is_id, ids)):
        raise UsageError("no session was chosen", todo="choose one first")
    future = asked.services.service.forget(lambda context: bundles_of_sessions(context, ids))
    return Waiting(
        future, lambda number: Answer(f"Removed {count(number, 'session')} from the shared folder.")
    )


def _is_id(value: object) -> bool:
    return isinstance(value, str) and is_session_id(value)


ROUTES = (
    page("/sessions", _show),
    page("/sessions/rows", _rows),
    page("/sessions/search", _search),
    post("/sessions/forget", _forget),
    post("/do", do),
    post("/folder", pick_folder),
)
