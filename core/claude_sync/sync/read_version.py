"""An earlier version of a session beside the one that lies here: what it says that this doesn't."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from claude_sync.claude.compare import Extent, compare, line_start
from claude_sync.disk.prefix_hashes import begins_with
from claude_sync.disk.snapshot import translating_read_errors
from claude_sync.errors import UsageError
from claude_sync.model import LocalSession, Version
from claude_sync.sync.context import Context
from claude_sync.sync.read_conflict import Excerpts, read_before, read_from
from claude_sync.sync.restore import find_restorable, look_anyway
from claude_sync.sync.survey.comparisons import Comparisons
from claude_sync.sync.survey.survey import Survey
from claude_sync.values import NamedTuple


class VersionView(NamedTuple):
    """An earlier version as it can be read.

    Attributes:
        session_id: the session.
        version: which version of it.
        before: the last messages that it shares with what lies here.
        there: what it says after that.
        here: what lies here says after that; None where the session isn't here.
    """

    session_id: str
    version: Version
    before: Excerpts
    there: Excerpts
    here: Excerpts | None


def read_version(context: Context, session: str, version: Version) -> VersionView:
    """Read where an earlier version and what lies here diverge, and how each goes on.

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
    with context.working("comparing"):
        survey, _ = look_anyway(context)
        session_id = find_restorable(context, survey, session)
        local = survey.copy(session_id) if session_id in survey.local else None
        with (
            translating_read_errors(session_id),
            open_version(context, survey, session_id, version) as there,
        ):
            here = _here(survey, local)
            common = 0 if here is None else compare(here, there, context.check).common
            start = line_start(there, common)
            return VersionView(
                session_id=session_id,
                version=version,
                before=read_before(there, start, context.check),
                there=read_from(there, start, context.check),
                here=None if here is None else read_from(here, start, context.check),
            )


def _here(survey: Survey, local: LocalSession | None) -> Extent | None:
    return None if local is None else Extent(local.path, survey.row(local).whole.size)


@contextmanager
def open_version(
    context: Context, survey: Survey, session_id: str, version: Version
) -> Iterator[Extent]:
    """Where a version of a session can be read: in the vault, or fetched from the store meanwhile.

    Raises:
        UsageError: it can't be had.
        BundleError, TransportError: its bundle can't be read.
    """
    kept = _in_vault(context, session_id, version)
    if kept is not None:
        yield kept
        return
    bundles = survey.bundles.get(session_id, ())
    if version not in {bundle.head.version for bundle in bundles}:
        raise UsageError(
            "that version can't be had any more",
            where=session_id,
            todo=f"see `claude-sync restore {session_id} --list`",
        )
    with Comparisons(context, None, None, bundles) as comparisons:
        yield comparisons.extent(version)


def _in_vault(context: Context, session_id: str, version: Version) -> Extent | None:
    for kept in reversed(context.vault.entries(session_id)):
        with suppress(OSError):
            if kept.version is not None and begins_with(kept.transcript, version, context.check):
                return Extent(kept.transcript, version.size)
    return None
