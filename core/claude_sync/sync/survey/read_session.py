"""Reading a session that lies here: what its transcript and its sidecar files are."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from claude_sync.claude.session_files import read_sidecar, signature_of
from claude_sync.claude.transcript import Summary, summarize
from claude_sync.disk.snapshot import Snapshot, open_regular, translating_read_errors
from claude_sync.model import LocalSession, SidecarFile, Version
from claude_sync.state.cache import LocalRow
from claude_sync.store.layout import still_known


def read_session(
    local: LocalSession,
    signature: str,
    known: LocalRow | None,
    layout: Callable[[], str],
    check: Callable[[], None],
) -> LocalRow:
    """Read a session whose stamps are new.

    Args:
        local: the session.
        signature: of its sidecar files.
        known: what it was when it was last read, None where it wasn't.
        layout: tells what is remembered of its files in this machine's bundle; one of them that
            didn't change since isn't read again.
        check: called between blocks; raises to stop.

    Raises:
        SessionError: it vanished, or is being rewritten.
    """
    with translating_read_errors(local.session_id):
        with Snapshot(local.path) as snapshot:
            whole, cut = _versions(snapshot, check)
            stamp = snapshot.stamp
            summary = summarize(snapshot.file)
        if known is not None and known.sidecar == signature:
            sidecar_sha256 = known.sidecar_sha256
        else:
            from claude_sync.bundle.members import sidecar_digest

            pushed = still_known(layout(), local) if local.sidecar else {}
            sidecar_sha256 = sidecar_digest(read_sidecar(local, check, pushed))
    return LocalRow(
        stamp=stamp,
        sidecar=signature,
        whole=whole,
        cut=cut,
        sidecar_sha256=sidecar_sha256,
        cwds=summary.cwds,
        title=summary.title,
    )


def _versions(snapshot: Snapshot, check: Callable[[], None]) -> tuple[Version, Version]:
    """The whole of a file, and the same up to its last line feed."""
    for _ in snapshot.blocks():
        check()
    whole = snapshot.settle()
    end = snapshot.last_line_end(whole.size)
    if end == whole.size:
        return whole, whole
    return whole, Version(end, snapshot.prefix_hash(end))


def summarize_file(local: LocalSession) -> Summary:
    """What both ends of a transcript say; nothing where it can't be read now.

    Raises:
        SessionUnreadable: it can't be until someone acts.
    """
    try:
        with open_regular(local.path) as file:
            return summarize(file)
    except PermissionError:
        with translating_read_errors(local.session_id):
            raise
    except OSError:
        return Summary((), "")


def row_of_installed(
    local: LocalSession, version: Version, sidecar: Iterable[SidecarFile]
) -> LocalRow | None:
    """What a session that was just installed is, without reading it all again.

    None where its last line isn't finished: then it is read when it is needed.
    """
    from claude_sync.bundle.members import sidecar_digest

    try:
        with open_regular(local.path) as file:
            file.seek(max(0, local.stamp.size - 1))
            finished = file.read(1) in (b"\n", b"")
            summary = summarize(file)
    except OSError:
        return None
    if not finished:
        return None
    return row_of(local, summary, version, sidecar_digest(sidecar))


def row_of(
    local: LocalSession, summary: Summary, version: Version, sidecar_sha256: str
) -> LocalRow:
    """What a session is whose transcript is known whole, and ends with a line."""
    return LocalRow(
        stamp=local.stamp,
        sidecar=signature_of(local),
        whole=version,
        cut=version,
        sidecar_sha256=sidecar_sha256,
        cwds=summary.cwds,
        title=summary.title,
    )
