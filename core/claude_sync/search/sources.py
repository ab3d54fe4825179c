"""The copies of sessions that are searched, and reading what is new of one.

What costs nothing is read: transcripts here, and bundles in a store whose bytes cost nothing. Of a
host's only those that aren't big are fetched to be searched, of a cloud's none: they can be
searched once they were pulled.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from claude_sync.bundle.codec import decode, encoded_size
from claude_sync.claude.transcript import title_of
from claude_sync.disk.snapshot import translating_read_errors
from claude_sync.errors import ProjectKeyError, SessionError
from claude_sync.model import Bundle, LocalSession, Stamp, Version
from claude_sync.search.lines import FileLines, Line, PlacedLine, split_lines
from claude_sync.store.store import Store
from claude_sync.sync.context import Context
from claude_sync.sync.rivals import newest_of_each
from claude_sync.sync.survey.survey import Survey
from claude_sync.values import NamedTuple

TAIL_BYTES = 64
_BIGGEST_FROM_A_HOST = 4 << 20
_BLOCK = 1 << 20


class Source(NamedTuple):
    """A copy of a session that can be read.

    Attributes:
        place: tells it from all others: a path here, or a file in a store.
        machine: whose it is.
        stamp: of the file.
        copy: the transcript here, or the bundle.
        sha256: of the transcript where that is known, else "".
        covered: whether the transcript here begins with it, so that it needn't be read.
    """

    place: str
    machine: str
    stamp: Stamp
    copy: LocalSession | Bundle
    sha256: str = ""
    covered: bool = False

    @property
    def mtime_ns(self) -> int:
        """When the transcript was last written."""
        copy = self.copy
        return copy.stamp.mtime_ns if isinstance(copy, LocalSession) else copy.head.mtime_ns


class Shown(NamedTuple):
    """What is shown of a session that was found. Titles are other people's text."""

    title: str
    project_key: str
    directory: str | None
    mtime_ns: int


def place_of(store_id: str, name: str) -> str:
    """The place of a bundle."""
    return f"{store_id}/{name}"


def sources_of(context: Context, survey: Survey, session_id: str) -> list[Source]:
    """The copies of a session that are searched, what lies here first, then the longest."""
    found = [
        Source(
            place=_encodable(str(local.path)),
            machine=context.machine.name,
            stamp=local.stamp,
            copy=local,
            sha256=_known_sha256(survey, local),
        )
        for local in survey.local.get(session_id, ())
    ]
    bundles = survey.bundles.get(session_id, ())
    if not bundles:
        return found
    store = context.store
    if store.remote and context.daily_limit:
        return found
    is_here = _Holds(context, survey, session_id)
    for bundle in sorted(newest_of_each(bundles), key=lambda one: -one.head.size):
        head = bundle.head
        covered = is_here.begins_with(head.version)
        if head.start and (covered or not _is_too_big(store, bundle)):
            place = place_of(store.store_id, bundle.name)
            found.append(
                Source(place, head.machine, bundle.stamp, bundle, head.sha256, covered=covered)
            )
    return found


def searched_sessions(context: Context, survey: Survey) -> int:
    """How many sessions have a copy that is searched."""
    found = set(survey.local)
    if survey.bundles:
        store = context.store
        if store.remote and context.daily_limit:
            return len(found)
        for session_id, bundles in survey.bundles.items():
            if any(one.head.start and not _is_too_big(store, one) for one in bundles):
                found.add(session_id)
    return len(found)


def _is_too_big(store: Store, bundle: Bundle) -> bool:
    return store.remote and bundle.stamp.size > _BIGGEST_FROM_A_HOST


class _Holds:
    """What is known, without reading it, of what a transcript here begins with."""

    def __init__(self, context: Context, survey: Survey, session_id: str) -> None:
        copies = survey.local.get(session_id, ())
        self._size = copies[0].stamp.size if len(copies) == 1 else -1
        self._version = survey.known_version(copies[0]) if len(copies) == 1 else None
        self._held = context.records.held(session_id) if copies else frozenset()
        self._shorter = context.records.extended_by(self._version) if self._version else frozenset()
        self._intact = self._version is None or survey.is_known_intact(session_id, self._version)

    def begins_with(self, version: Version) -> bool:
        """Whether it is known to."""
        if version == self._version or version.sha256 in self._shorter:
            return True
        return version in self._held and version.size <= self._size and self._intact


def _known_sha256(survey: Survey, local: LocalSession) -> str:
    row = survey.rows.known(local)
    return row.whole.sha256 if row is not None else ""


def shown_of(survey: Survey, session_id: str) -> Shown:
    """What is shown of a session, as far as that can be told."""
    title, key, directory, mtime_ns = "", "", None, 0
    local = next(iter(survey.local.get(session_id, ())), None)
    if local is not None:
        mtime_ns = local.stamp.mtime_ns
        with suppress(SessionError, ProjectKeyError):
            title = title_of(session_id, survey.rows.summary(local).title)
            found = survey.directory(local)
            directory = str(found) if found is not None else None
            project = survey.project(local)
            key = project.key if project is not None else ""
    newest = max(
        survey.bundles.get(session_id, ()), key=lambda one: one.head.mtime_ns, default=None
    )
    if newest is not None:
        title, key = title or newest.head.title, key or newest.head.project_key
        mtime_ns = max(mtime_ns, newest.head.mtime_ns)
    # A path's bytes that are no text, and what JSON allows and no database takes.
    title, directory = _encodable(title), None if directory is None else _encodable(directory)
    return Shown(title, key, directory, mtime_ns)


def _encodable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


# --- reading -----------------------------------------------------------------------------------


def tail_of(context: Context, source: Source, read_to: int, encoded_to: int) -> bytes:
    """The last bytes before a position of a transcript, of a bundle as they are encoded.

    Nothing where it isn't as long.

    Raises:
        SessionError, BundleError, TransportError: they can't be read.
    """
    if isinstance(source.copy, Bundle):
        start = max(0, encoded_to - TAIL_BYTES)
        if encoded_to > source.copy.head.encoded_size:
            return b""
        return b"".join(context.store.encoded(source.copy, start, encoded_to - start))
    start = max(0, read_to - TAIL_BYTES)
    with _open(context, source.copy) as lines:
        return lines.read(start, read_to - start) if read_to <= lines.size else b""


def new_lines(
    context: Context, source: Source, read_to: int, encoded_to: int
) -> Iterator[PlacedLine]:
    """The full lines of a copy from a position on.

    Raises:
        SessionError, BundleError, TransportError: they can't be read.
    """
    if isinstance(source.copy, Bundle):
        yield from _of_bundle(context, source.copy, read_to, encoded_to)
        return
    with _open(context, source.copy) as lines:
        for line in lines.forward(read_to):
            if _is_full(line):
                yield PlacedLine(line)


def _open(context: Context, local: LocalSession) -> FileLines:
    with translating_read_errors(local.session_id):
        return FileLines(local.path, context.check)


def _is_full(line: Line) -> bool:
    """Whether a line has its end; that of one which is too long to be read isn't asked for."""
    return line.data is None or line.end - line.offset > len(line.data)


def _of_bundle(
    context: Context, bundle: Bundle, read_to: int, encoded_to: int
) -> Iterator[PlacedLine]:
    encoded = encoded_to
    for line in split_lines(decode(_blocks(context, bundle, encoded_to)), read_to):
        if line.data is None:
            # It wasn't kept: it is read once more, to see where the next one begins.
            end = encoded + _encoded_size(context, bundle, encoded, line.end - line.offset)
        else:
            end = encoded + encoded_size([line.data, b"\n"])
        if _is_full(line):
            yield PlacedLine(line, encoded, end)
        encoded = end


def _encoded_size(context: Context, bundle: Bundle, at: int, length: int) -> int:
    """How many encoded bytes so many of a transcript are, from a position on."""

    def wanted() -> Iterator[bytes]:
        left = length
        for block in decode(_blocks(context, bundle, at)):
            yield block[:left]
            left -= len(block)
            if left <= 0:
                return

    return encoded_size(wanted())


def _blocks(context: Context, bundle: Bundle, at: int) -> Iterator[bytes]:
    """The encoded transcript from a position on; not all at once, for it may be interrupted."""
    while at < bundle.head.encoded_size:
        context.check()
        size = min(_BLOCK, bundle.head.encoded_size - at)
        yield from context.store.encoded(bundle, at, size)
        at += size
