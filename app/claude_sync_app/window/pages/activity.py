"""What was done here and what failed, for a month back, with Undo where it can be undone."""

from __future__ import annotations

import time
from itertools import groupby

from claude_sync.errors import UsageError
from claude_sync.names import is_session_id
from claude_sync.state.activity import ActivityLog
from claude_sync_app.window.activity_lines import Line, lines_of
from claude_sync_app.window.moments import day_of
from claude_sync_app.window.page import Asked, Page, Reply, page
from claude_sync_app.window.said import name_of

NAVIGATION = ("Activity", "/activity")

_PAGE = 100
_PROBLEMS = ("failed", "conflict", "shortened")
_MOST_LOOKED_THROUGH = 2_000


def _show(asked: Asked) -> Reply:
    revision = asked.services.revision(asked.status)
    session, before = asked.query.get("session", ""), asked.query.get("before", "")
    if session and not is_session_id(session):
        raise UsageError("that is no session's id", where=session[:50])
    only_problems = asked.query.get("show") == "problems"
    log = ActivityLog(asked.services.paths.activity_file)
    start = int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None
    found = log.entries(_MOST_LOOKED_THROUGH, before=start, session=session or None)
    known = found if start is None else [*log.entries(_MOST_LOOKED_THROUGH), *found]
    wanted = [one for one in found if not only_problems or one.outcome in _PROBLEMS]
    shown = lines_of(asked.status, wanted[:_PAGE], known)
    return Page(
        "activity.html",
        "Activity",
        {
            "page_path": "/activity",
            "revision": revision,
            "days": _by_day(shown),
            "older": shown[-1]["number"] if len(wanted) > _PAGE else None,
            "session": session,
            "name": name_of(asked.status, session) if session else "",
            "only_problems": only_problems,
            "is_first": start is None,
        },
    )


def _by_day(lines: list[Line]) -> list[tuple[str, list[Line]]]:
    now_ns = time.time_ns()
    return [
        (day, list(group))
        for day, group in groupby(lines, key=lambda line: day_of(line["at_ns"], now_ns))
    ]


ROUTES = (page("/activity", _show),)
