"""An earlier version of a session as turns, page by page from its end, installed nowhere."""

from __future__ import annotations

from contextlib import closing

from claude_sync.disk.snapshot import translating_read_errors
from claude_sync.model import Version
from claude_sync.search.lines import FileLines
from claude_sync.search.reader import PAGE_TURNS, SessionHeader, SessionReader, TurnPage
from claude_sync.sync.context import Context
from claude_sync.sync.read_version import open_version
from claude_sync.sync.restore import find_restorable, look_anyway


def read_earlier(
    context: Context,
    session: str,
    version: Version,
    before: int | None = None,
    limit: int = PAGE_TURNS,
) -> TurnPage:
    """The turns of an earlier version before a place.

    Args:
        context: what to work with. Where its store can't be reached, the vault alone counts.
        session: its id, or the beginning of it.
        version: which, as `earlier_versions` offered it.
        before: `TurnPage.before` of the page that follows, None for the last page of all.
        limit: how many turns at most.

    Raises:
        UsageError: no session, or more than one, has that id; or the version can't be had.
        SessionError, BundleError, TransportError: it can't be read.
        LockBusy: another claude-sync is at work.
        Stopped: `context` said so.
    """
    with context.working("reading"):
        survey, _ = look_anyway(context)
        session_id = find_restorable(context, survey, session)
        with (
            translating_read_errors(session_id),
            open_version(context, survey, session_id, version) as extent,
            closing(FileLines(extent.path, context.check)) as lines,
        ):
            # What a client appended after it was kept is no part of it.
            lines.size = version.size
            header = SessionHeader(
                session_id=session_id,
                title="",
                project_key="",
                directory=None,
                machines=(),
                read_from="",
                path=extent.path,
                size=version.size,
                began=None,
                mtime_ns=0,
            )
            return SessionReader(header, lines, needs_context=True).page(before, limit)
