"""An earlier version of a session as turns, page by page from its end, installed nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from claude_sync.disk.snapshot import translating_read_errors
from claude_sync.model import Version
from claude_sync.search.lines import FileLines
from claude_sync.search.reader import SessionHeader, SessionReader
from claude_sync.search.sources import shown_of
from claude_sync.sync.context import Context
from claude_sync.sync.read_version import open_version
from claude_sync.sync.restore import find_restorable, look_anyway


@contextmanager
def read_earlier(context: Context, session: str, version: Version) -> Iterator[SessionReader]:
    """Open an earlier version of a session to be read, for as long as the context is used.

    Args:
        context: what to work with. Where its store can't be reached, the vault alone counts.
        session: its id, or the beginning of it.
        version: which, as `earlier_versions` offered it.

    Raises:
        UsageError: no session, or more than one, has that id; or the version can't be had.
        SessionError, BundleError, TransportError: it can't be read.
        LockBusy: another claude-sync is at work.
        Stopped: `context` said so.
    """
    with context.working("reading"):
        survey, _ = look_anyway(context)
        session_id = find_restorable(context, survey, session)
        shown = shown_of(survey, session_id)
        with (
            translating_read_errors(session_id),
            open_version(context, survey, session_id, version) as extent,
            FileLines(extent.path, context.check) as lines,
        ):
            # What a client appended after it was kept is no part of it.
            lines.size = version.size
            header = SessionHeader(
                session_id=session_id,
                title=shown.title,
                project_key=shown.project_key,
                directory=None,
                machines=(),
                read_from="an earlier version",
                path=extent.path,
                size=version.size,
                began=None,
                mtime_ns=0,
            )
            yield SessionReader(header, lines, needs_context=True)
