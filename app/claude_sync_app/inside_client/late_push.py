"""Pushing a session where no service runs, by a process that nobody waits for."""

from __future__ import annotations

import time
from collections.abc import Callable

from claude_sync.disk.log import Log, result_line
from claude_sync.errors import ClaudeSyncError, StoreAbsent
from claude_sync.names import is_session_id
from claude_sync.service import schedule
from claude_sync.service.settings import Settings
from claude_sync.state import preferences
from claude_sync.state.paths import paths
from claude_sync.sync.context import Context, open_context
from claude_sync.sync.push import push_surveyed
from claude_sync.sync.survey.look import look

_PATIENCE_SECONDS = 600.0
_PAUSE_SECONDS = 15.0


def push_late(
    session_id: str, *, closed: bool, pause: Callable[[float], object] = time.sleep
) -> None:
    """Push a session as watching would: what isn't pushed by itself stays here.

    Where another claude-sync is at work, or the store can't be reached, one that was closed is
    tried again for ten minutes. One that only rests is pushed when it rests next.

    Args:
        session_id: as the client said; not trusted.
        closed: whether its client has closed it. A big one that only rests waits for that, since
            there is no service to say how long ago it was rewritten.
        pause: waits for so many seconds.
    """
    own = paths()
    chosen = preferences.load(own)
    if not is_session_id(session_id) or chosen.location is None:
        return
    if not Settings(preferences=chosen).pushes_at(time.time()):
        return
    log = Log(own.log_file)
    give_up_at = time.monotonic() + (_PATIENCE_SECONDS if closed else 0.0)
    while True:
        try:
            with open_context(own) as context:
                if closed or not _is_big(context, session_id):
                    log.write(_push(context, session_id))
            return
        except ClaudeSyncError as error:
            if not _passes(error) or time.monotonic() >= give_up_at:
                log.write([f"push failed: {error}"])
                return
        pause(_PAUSE_SECONDS)


def _passes(error: ClaudeSyncError) -> bool:
    """Whether the same may well work in a minute, though nobody does anything."""
    return error.passing and not isinstance(error, StoreAbsent)


def _push(context: Context, session_id: str) -> list[str]:
    with context.working("pushing", by_itself=True):
        survey = look(context)
        if session_id not in survey.local:
            return []
        results = push_surveyed(context, survey, [session_id], named=False)
    return [result_line("push", result) for result in results]


def _is_big(context: Context, session_id: str) -> bool:
    copies = context.home.find(session_id)
    return any(copy.stamp.size > schedule.FREE_BYTES for copy in copies)
