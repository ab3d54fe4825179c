"""Sessions that are kept though Claude Code has deleted them here, and those it is about to."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from claude_sync.errors import UsageError
from claude_sync.model import Outcome, Result
from claude_sync.names import is_session_id
from claude_sync.sync.kept import DeletedSoon, keeping
from claude_sync.sync.restore import Restorable
from claude_sync.wording import count, duration, sentence
from claude_sync_app.result_words import with_button
from claude_sync_app.shown_text import one_line, with_short_ids
from claude_sync_app.tray.labels import machines_of, project_of
from claude_sync_app.window.page import Answer, Asked, Page, Reply, Waiting, page, post
from claude_sync_app.window.said import name_of

NAVIGATION = ("Kept", "/kept")

_SHOWN_AT_FIRST = 200
_MOST_WORDS = 200
_HERE = frozenset(
    {
        Outcome.IMPORTED,
        Outcome.UPDATED,
        Outcome.REPLACED,
        Outcome.UNCHANGED,
        Outcome.AHEAD,
        Outcome.OPEN,
    }
)
"""After these a session lies here, whatever had brought it back."""


def _show(asked: Asked) -> Reply:
    revision = asked.services.revision(asked.status)
    with asked.reading() as context:
        found = keeping(context)
    now_ns = time.time_ns()
    words = asked.query.get("find", "")[:_MOST_WORDS]
    fitting = [one for one in found.gone if _fits(one, words.lower().split())]
    shown = fitting if asked.query.get("all") else fitting[:_SHOWN_AT_FIRST]
    lost = [one.session.session_id for one in found.soon if not one.is_kept]
    return Page(
        "kept.html",
        "Kept",
        {
            "page_path": "/kept",
            "revision": revision,
            "numbers": numbers_in_words(len(found.gone), len(found.soon), len(lost)),
            "days": found.cleanup_days,
            "gone": [_gone(asked, one) for one in shown],
            "gone_count": len(found.gone),
            "left_out": len(fitting) - len(shown),
            "words": words,
            "all_query": urlencode({"find": words, "all": 1} if words else {"all": 1}),
            "soon": [_soon(asked, one, now_ns) for one in found.soon],
            "lost": " ".join(lost),
            "lost_count": len(lost),
            "has_store": found.has_store,
        },
    )


def numbers_in_words(gone: int, soon: int, lost: int) -> str:
    """What is kept and what will be deleted, as a person would say it. Pure.

    Args:
        gone: how many sessions are kept that are no longer here.
        soon: how many Claude Code deletes within a week.
        lost: how many of those are kept nowhere.
    """
    kept = "is kept that is" if gone == 1 else "are kept that are"
    said = f"{count(gone, 'session')} {kept} no longer in Claude Code's folder here."
    if not gone:
        said = "No session is kept that is no longer in Claude Code's folder here."
    if not soon:
        return f"{said} None will be deleted this week."
    said += f" {count(soon, 'session')} will be deleted this week"
    if not lost:
        return f"{said}, and {'is' if soon == 1 else 'all are'} kept."
    are = count(lost, "isn't", "aren't")
    return f"{said}, of which {are} kept anywhere else yet."


def _fits(one: Restorable, words: Sequence[str]) -> bool:
    """Whether all words stand in what is shown of a session, or begin its id."""
    text = " ".join((one.title, one.project_key, *one.machines)).lower()
    return all(word in text or one.session_id.startswith(word) for word in words)


def _gone(asked: Asked, one: Restorable) -> dict[str, Any]:
    where = machines_of(one.machines)
    places = [f"In the shared folder, from {where}"] if where else []
    if one.kept:
        places.append(f"{count(one.kept, 'earlier version')} on this machine")
    return {
        "id": one.session_id,
        "name": name_of(asked.status, one.session_id, one.title),
        "project": project_of(one.project_key),
        "when": "Kept" if one.kept else "Last used",
        "at_ns": one.at_ns,
        "size": one.size,
        "where": ", ".join(places),
        "body": json.dumps({"sessions": [one.session_id]}),
    }


def _soon(asked: Asked, one: DeletedSoon, now_ns: int) -> dict[str, Any]:
    left = one.due_ns - now_ns
    when = f"in {duration(left / 1e9)}" if left > 0 else "when Claude Code starts next"
    return {
        "id": one.session.session_id,
        "name": name_of(asked.status, one.session.session_id, one.session.title),
        "project": project_of(one.session.project_key),
        "when": when,
        "is_kept": one.is_kept,
        "is_private": one.session.ignored or one.session.forgotten,
    }


def _restore(asked: Asked) -> Reply:
    ids = asked.body.get("sessions")
    if not isinstance(ids, list) or not ids or not all(map(_is_id, ids)):
        raise UsageError("no session was chosen", todo="choose one first")
    return Waiting(asked.services.service.restore_gone(ids), restored_answer)


def _is_id(value: object) -> bool:
    return isinstance(value, str) and is_session_id(value)


def restored_answer(results: Sequence[Result]) -> Answer:
    """What became of sessions that were to be brought back.

    Args:
        results: one for each of them.
    """
    left = [one for one in results if one.outcome not in _HERE]
    done = len(results) - len(left)
    said = []
    if done:
        said.append(f"{count(done, 'session is', 'sessions are')} in Claude Code's list again.")
    if left:
        why = with_short_ids(one_line(with_button(left[0])))
        said.append(sentence(f"{count(len(left), 'session')} couldn't be restored: {why}"))
    return Answer(" ".join(said), is_error=not done, reload=bool(done))


ROUTES = (page("/kept", _show), post("/kept", _restore))
