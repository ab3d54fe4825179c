"""The files of a store that are no bundles here, or not yet, and what is said of each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from claude_sync.errors import (
    BundleForeign,
    BundleIncomplete,
    BundlePlaceholder,
    BundleReserved,
    BundleRolledBack,
    FileUnreadable,
    StoreAbsent,
    StoreDenied,
    StoreFull,
    StoreOffline,
    TransportError,
)
from claude_sync.model import Bundle, Outcome, SkippedFile
from claude_sync.state.cache import ProblemRow
from claude_sync.store.file_names import FileNames
from claude_sync.transports.base import Entry

PLACEHOLDER = "in the cloud, not here yet"
EMPTY = "empty, most likely still arriving"
INCOMPLETE = frozenset({BundleIncomplete.__name__, BundleReserved.__name__})
"""What a file is called that is still arriving, by the name of its error."""
ONLY_FOR_THE_DOCTOR = frozenset({BundleForeign.__name__, BundleRolledBack.__name__})
"""What is called a file that is nobody's session: strangers can make as many as they like."""
_NOT_ANSWERED = frozenset(
    kind.__name__
    for kind in (
        FileUnreadable,
        TransportError,
        StoreOffline,
        StoreAbsent,
        StoreDenied,
        StoreFull,
    )
)
_UUID_FIRST = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
_ID_FIRST = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]{0,127}?)-[A-Za-z0-9]")


def is_unknown(skipped: SkippedFile) -> bool:
    """Whether nobody could see what a file holds, so that it may be newer than all others.

    A corrupt one was seen, and one that is only in a cloud isn't opened for a listing.
    """
    return skipped.kind in INCOMPLETE or is_unreadable(skipped)


def is_unreadable(skipped: SkippedFile) -> bool:
    """Whether a file is there and its disk, or whoever may read it, kept it from being read."""
    return skipped.kind in _NOT_ANSWERED


def problem_files(
    names: set[str], bundles: Mapping[str, Bundle], problems: Mapping[str, ProblemRow]
) -> Iterator[SkippedFile]:
    """Files that couldn't be read, as far as they are there."""
    for name, row in problems.items():
        if name in names and name not in bundles:
            yield SkippedFile(
                name,
                _outcome(row.kind),
                row.message,
                session_id=_session_in(name),
                kind=row.kind,
            )


def empty_files(entries: Iterable[Entry]) -> Iterator[SkippedFile]:
    """Empty files of which nothing is remembered: whose they may be isn't asked either."""
    for entry in entries:
        yield SkippedFile(entry.name, Outcome.INCOMPLETE, EMPTY, kind=BundleIncomplete.__name__)


def placeholders(entries: Iterable[Entry]) -> Iterator[SkippedFile]:
    """Files whose bytes are in a cloud."""
    for entry in entries:
        session_id = _session_in(entry.name)
        kind = BundlePlaceholder.__name__
        yield SkippedFile(entry.name, Outcome.INCOMPLETE, PLACEHOLDER, session_id, kind)


def _outcome(kind: str) -> Outcome:
    return Outcome.INCOMPLETE if kind in INCOMPLETE else Outcome.FAILED


def _session_in(name: str) -> str:
    """The session a file seems to be of, for showing; only its contents would tell."""
    start = name.rfind("/") + 1
    match = _UUID_FIRST.match(name, start) or _ID_FIRST.match(name, start)
    return match[1] if match else ""


def with_sessions(
    skipped: Sequence[SkippedFile],
    bundles: Iterable[Bundle],
    names: FileNames,
    seen: Mapping[str, str],
) -> Sequence[SkippedFile]:
    """The same with the sessions that files of unknown contents seem to be of, by encrypted names.

    Args:
        skipped: the files.
        bundles: what could be read: its sessions and machines are tried.
        names: how the store calls files.
        seen: the sessions of files that were read before, by name.
    """
    if all(one.session_id or not is_unknown(one) for one in skipped):
        return skipped
    heads = [bundle.head for bundle in bundles]
    writers = {head.machine for head in heads}
    known = {
        names.file(session_id, writer): session_id
        for session_id in {*(head.session_id for head in heads), *seen.values()}
        for writer in writers
    }
    known.update(seen)
    return [
        one._replace(session_id=known.get(one.name.rpartition("/")[2], one.session_id))
        for one in skipped
    ]
