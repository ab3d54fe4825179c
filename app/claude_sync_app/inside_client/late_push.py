"""Pushing a session where no service runs, by a process that nobody waits for."""

from __future__ import annotations

import time

from claude_sync.disk.log import Log, result_line
from claude_sync.errors import ClaudeSyncError
from claude_sync.names import is_session_id
from claude_sync.service import schedule
from claude_sync.service.settings import Settings
from claude_sync.state import preferences
from claude_sync.state.paths import paths
from claude_sync.sync.context import Context, open_context
from claude_sync.sync.push import push_surveyed
from claude_sync.sync.survey.survey import look


def push_late(session_id: str, *, closed: bool) -> None:
    """Push a session as watching would: what isn't pushed by itself stays here.

    Args:
        session_id: as the client said; not trusted.
        closed: whether its client has closed it. A big one that only rests waits for that, since
            there is no service to say how long ago it was rewritten.
    """
    own = paths()
    chosen = preferences.load(own)
    if not is_session_id(session_id) or chosen.location is None:
        return
    if not Settings(preferences=chosen).pushes_at(time.time()):
        return
    log = Log(own.log_file)
    try:
        with open_context(own) as context:
            if closed or not _is_big(context, session_id):
                log.write(_push(context, session_id))
    except ClaudeSyncError as error:
        log.write([f"push failed: {error}"])


def _push(context: Context, session_id: str) -> list[str]:
    with context.working("pushing"):
        survey = look(context)
        if session_id not in survey.local:
            return []
        results = push_surveyed(context, survey, [session_id], named=False)
    return [result_line("push", result) for result in results]


def _is_big(context: Context, session_id: str) -> bool:
    copies = context.home.find(session_id)
    return any(copy.stamp.size > schedule.FREE_BYTES for copy in copies)
