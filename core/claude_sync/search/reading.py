"""Opening a session to be read, wherever it is: here, or in the store, of whatever machine.

Nothing is placed in Claude Code's folder. Of a bundle in the store only the ranges that are wanted
are read; one that isn't in canonical form is unpacked into a private file, which is removed again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, suppress

from claude_sync.bundle.members import sidecar_digest
from claude_sync.claude.message import read_message
from claude_sync.claude.session_files import SessionFiles
from claude_sync.claude.transcript import title_of
from claude_sync.disk.snapshot import translating_read_errors
from claude_sync.errors import (
    NotSetUp,
    ProjectKeyError,
    SessionError,
    SessionNotFound,
    SessionVanished,
    TransportError,
)
from claude_sync.model import Bundle, LocalSession, Progress, Version
from claude_sync.search.lines import EncodedLines, FileLines, Lines
from claude_sync.search.reader import (
    PAGE_BYTES,
    MachineCopy,
    SessionHeader,
    SessionReader,
    Standing,
)
from claude_sync.search.subagents import Subagents, subagents_in_bundle, subagents_in_files
from claude_sync.sync.context import Context
from claude_sync.sync.rivals import newest_of_each
from claude_sync.sync.survey.look import look
from claude_sync.sync.survey.survey import Survey
from claude_sync.values import NamedTuple

_BEGINNING_LINES = 50


def read_session(
    context: Context,
    session: str,
    *,
    machine: str | None = None,
    agent: str | None = None,
    store: bool = True,
) -> SessionReader:
    """Open a session to be read.

    It waits for nobody who is at work: a context for reading only (`open_read_only`) is enough.

    Args:
        context: what to work with.
        session: its id, or the beginning of it.
        machine: whose copy to read; None for the one that lies here, else the newest.
        agent: a subagent of it whose transcript to read, by its id or the beginning of that; None
            for the session's own.
        store: whether to look at the store. One that can't be reached is done without.

    Raises:
        UsageError: there is no such session or subagent, or that machine has none.
        SessionError, BundleError, TransportError: it can't be read.
        Stopped: `context` said so.
    """
    survey, _ = look_without_waiting(context, store=store)
    session_id = survey.find(session)
    chosen = _choose(context, survey, session_id, machine)
    header = _header(context, survey, session_id, chosen)
    opened = _open(context, chosen)
    discard = opened.lines.close
    try:
        if agent is None:
            lines, discard = opened.lines, _nothing
        else:
            header, lines = _of_subagent(header, opened, agent)
        with suppress(SessionError):
            header = header._replace(began=_began(lines))
    except BaseException:
        opened.lines.close()
        raise
    return SessionReader(
        header, lines, opened.subagents, discard, needs_context=opened.needs_context
    )


class _Opened(NamedTuple):
    """A copy of a session that can be read."""

    lines: Lines
    subagents: Subagents
    needs_context: bool


def _of_subagent(header: SessionHeader, opened: _Opened, agent: str) -> tuple[SessionHeader, Lines]:
    """A subagent's lines in place of the session's own."""
    subagent = opened.subagents.find(agent)
    with translating_read_errors(header.session_id):
        lines = opened.subagents.open(subagent)
    return header._replace(subagent=subagent, size=subagent.size), lines


def _nothing() -> None:
    """Nothing but the lines has to be closed."""


def look_without_waiting(context: Context, *, store: bool = True) -> tuple[Survey, bool]:
    """Look at this machine, and at the store if it can be reached; whether that was seen."""
    if store:
        with suppress(NotSetUp, TransportError):
            return look(context), True
    return look(context, store=False), False


def _choose(
    context: Context, survey: Survey, session_id: str, machine: str | None
) -> LocalSession | Bundle:
    """The copy to read."""
    copies = survey.local.get(session_id, ())
    bundles = newest_of_each(survey.bundles.get(session_id, ()))
    if copies and (machine is None or machine.lower() == context.machine.name.lower()):
        return max(copies, key=lambda one: (one.stamp.size, one.stamp.mtime_ns))
    if machine is not None:
        bundles = tuple(one for one in bundles if one.head.machine.lower() == machine.lower())
    if not bundles:
        if machine is None:
            survey.check_visible(session_id)
        where = f"machine {machine}" if machine is not None else "the store"
        raise SessionNotFound(f"{where} has no copy of the session", where=session_id)
    versions = [one.head.version for one in bundles]
    records = context.records
    last = [
        one
        for one in bundles
        if not any(one.head.sha256 in records.extended_by(other) for other in versions)
    ]
    return max(last or bundles, key=lambda one: (one.head.mtime_ns, one.head.size))


def _open(context: Context, chosen: LocalSession | Bundle) -> _Opened:
    if isinstance(chosen, LocalSession):
        where = SessionFiles(chosen.path)
        here = ((path, where.path_of(path)) for path, _ in chosen.sidecar)
        subagents = subagents_in_files(here, context.check)
        with translating_read_errors(chosen.session_id):
            lines = FileLines(chosen.path, context.check)
        return _Opened(lines, subagents, needs_context=False)
    head, store = chosen.head, context.store
    if not head.start:
        return _unpacked(context, chosen)
    encoded = EncodedLines(
        lambda offset, length: store.encoded(chosen, offset, length),
        head.size,
        head.encoded_size,
        context.check,
    )
    has_files = head.sidecar_sha256 != sidecar_digest(())
    subagents = subagents_in_bundle(context, chosen) if has_files else Subagents()
    return _Opened(encoded, subagents, needs_context=True)


def _unpacked(context: Context, bundle: Bundle) -> _Opened:
    """The transcripts of a bundle that must be read whole, in private files."""
    from claude_sync.store.delta import Request

    session_id, size = bundle.head.session_id, bundle.stamp.size
    context.progress(Progress("Reading", session_id, total=size, sessions_total=1))
    fetched = context.store.fetch_one(Request(bundle, context.staging), context.check)
    with ExitStack() as unless_opened:
        unless_opened.callback(fetched.discard)
        files = ((file.path, staged.path) for file, staged in fetched.sidecar)
        subagents = subagents_in_files(files, context.check)
        try:
            lines = FileLines(fetched.transcript.path, context.check, fetched.discard)
        except OSError as error:
            raise SessionVanished(
                f"the unpacked transcript can't be read ({error.strerror})",
                where=session_id,
                todo="try again",
            ) from error
        unless_opened.pop_all()
    context.progress(Progress("Reading", session_id, size, size, 1, 1))
    return _Opened(lines, subagents, needs_context=False)


def _began(lines: Lines) -> float | None:
    """When the first line that says so was written."""
    for number, line in enumerate(lines.forward(0)):
        message = read_message(line.data) if line.data is not None else None
        if message is not None and message.at is not None:
            return message.at
        if number == _BEGINNING_LINES or line.end > PAGE_BYTES:
            break
    return None


# --- what is known of it -----------------------------------------------------------------------


def _header(
    context: Context, survey: Survey, session_id: str, chosen: LocalSession | Bundle
) -> SessionHeader:
    copies = survey.local.get(session_id, ())
    local = chosen if isinstance(chosen, LocalSession) else copies[0] if copies else None
    bundles = newest_of_each(survey.bundles.get(session_id, ()))
    key, directory = "", None
    title = chosen.head.title if isinstance(chosen, Bundle) else ""
    if local is not None:
        # What can't be told of a session that lies here doesn't keep anybody from reading it.
        with suppress(SessionError, ProjectKeyError):
            title = title or title_of(session_id, survey.rows.summary(local).title)
            directory = survey.directory(local)
            project = survey.project(local)
            key = project.key if project is not None else ""
    for bundle in bundles:
        key, title = key or bundle.head.project_key, title or bundle.head.title
    if isinstance(chosen, LocalSession):
        machine, path = context.machine.name, chosen.path
        size, mtime_ns = chosen.stamp.size, chosen.stamp.mtime_ns
    else:
        machine, path = chosen.head.machine, None
        size, mtime_ns = chosen.head.size, chosen.head.mtime_ns
    return SessionHeader(
        session_id=session_id,
        title=title,
        project_key=key,
        directory=directory,
        machines=tuple(_machines(context, survey, chosen, local, bundles)),
        read_from=machine,
        path=path,
        size=size,
        began=None,
        mtime_ns=mtime_ns,
    )


def _machines(
    context: Context,
    survey: Survey,
    chosen: LocalSession | Bundle,
    local: LocalSession | None,
    bundles: tuple[Bundle, ...],
) -> Iterator[MachineCopy]:
    session_id = chosen.session_id if isinstance(chosen, LocalSession) else chosen.head.session_id
    held = context.records.held(session_id)
    read = _version_of(survey, chosen)
    if local is not None:
        is_read = local is chosen
        known = survey.known_version(local)
        yield MachineCopy(
            machine=context.machine.name,
            here=True,
            size=local.stamp.size,
            mtime_ns=local.stamp.mtime_ns,
            standing=Standing.SAME if is_read else _standing(context, known, read),
            is_read=is_read,
        )
    for bundle in bundles:
        head = bundle.head
        standing = _standing(context, head.version, read)
        if standing is Standing.UNKNOWN and isinstance(chosen, LocalSession):
            # What was here before is a beginning of what is here now.
            standing = Standing.BEHIND if head.version in held else standing
        yield MachineCopy(
            machine=head.machine,
            here=False,
            size=head.size,
            mtime_ns=head.mtime_ns,
            standing=standing,
            is_read=bundle is chosen,
        )


def _version_of(survey: Survey, chosen: LocalSession | Bundle) -> Version | None:
    if isinstance(chosen, LocalSession):
        return survey.known_version(chosen)
    return chosen.head.version


def _standing(context: Context, other: Version | None, read: Version | None) -> Standing:
    """How a version stands to the one that is read, as far as that was found out before."""
    if other is None or read is None:
        return Standing.UNKNOWN
    if other == read:
        return Standing.SAME
    for x, y, turned in ((other, read, False), (read, other, True)):
        known = context.records.relation(x, y)
        if known is not None:
            if not (known["extends"] or known["extended"]):
                return Standing.DIVERGED
            return Standing.AHEAD if known["extends"] != turned else Standing.BEHIND
    return Standing.UNKNOWN
