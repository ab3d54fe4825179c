"""Putting what lies in the store into the vault, before it is written over or removed there."""

from __future__ import annotations

from pathlib import Path

from claude_sync.bundle.members import sidecar_digest
from claude_sync.claude.session_files import SessionFiles, is_companion
from claude_sync.disk import files
from claude_sync.disk.prefix_hashes import begins_with, prefix_hashes
from claude_sync.model import Bundle, LocalSession, Version
from claude_sync.state.vault_entry import SIDECAR, TRANSCRIPT, Kept
from claude_sync.store.delta import Request
from claude_sync.store.download import Fetched
from claude_sync.store.layout import sidecar_of
from claude_sync.sync.context import Context

NO_SIDECAR = sidecar_digest(())
"""What stands for no sidecar files at all."""

UNREADABLE = "bundle.ccsync"
"""What a file of the store that is no bundle is called in the vault, among the sidecar files."""


def keep_bundle(context: Context, bundle: Bundle, reason: str) -> Kept:
    """Put all that a bundle holds into the vault.

    Raises:
        BundleError, TransportError: it can't be read.
        VaultError: it can't be kept.
    """
    head = bundle.head

    def fill(folder: Path) -> None:
        _fill(folder, context.store.fetch_one(Request(bundle, folder), context.check))

    return context.vault.keep_stream(
        session_id=head.session_id,
        reason=reason,
        version=head.version,
        fill=fill,
        size=bundle.stamp.size,
        mtime_ns=head.mtime_ns,
        sidecar_sha256=head.sidecar_sha256,
    )


def keep_unreadable(context: Context, session_id: str, name: str, reason: str) -> Kept:
    """Put a file of the store that is no bundle into the vault, as it is; once.

    Raises:
        TransportError: it can't be read.
        VaultError: it can't be kept.
    """

    def fill(folder: Path) -> None:
        files.make_private(folder / SIDECAR)
        files.replace(folder / SIDECAR / UNREADABLE, context.store.raw(name, context.check))

    kept = context.vault.keep_stream(session_id, reason, version=None, fill=fill, size=0)
    for earlier in context.vault.entries(session_id):
        if earlier.folder != kept.folder and _is_same(earlier, kept):
            context.vault.drop(kept)
            return earlier
    return kept


def _is_same(one: Kept, other: Kept) -> bool:
    """Whether two entries hold the same file that is no bundle."""
    paths = [kept.sidecar / UNREADABLE for kept in (one, other)]
    try:
        sizes = [path.lstat().st_size for path in paths]
        return sizes[0] == sizes[1] and prefix_hashes(paths[0], sizes) == prefix_hashes(
            paths[1], sizes
        )
    except OSError:
        return False


def _fill(folder: Path, fetched: Fetched) -> None:
    """Put a fetched bundle's files, staged in an entry's folder, under their names there."""
    files.sync(fetched.staged())
    files.commit_new(fetched.transcript, folder / TRANSCRIPT)
    for file, staged in fetched.sidecar:
        target = files.descend(folder / SIDECAR, file.path)
        files.make_private(target.parent)
        files.commit_new(staged, target)
        files.sync_directory(target.parent)


# --- whether that is needed --------------------------------------------------------------------


def lies_here(local: LocalSession, version: Version, sidecar_sha256: str, bundle: Bundle) -> bool:
    """Whether a session here holds every byte that a bundle does, as far as that is cheap to tell.

    Args:
        local: the session.
        version: as much of its transcript as counts.
        sidecar_sha256: of its sidecar files.
        bundle: the bundle.

    Raises:
        OSError: it can't be read.
    """
    head = bundle.head
    if head.sidecar_sha256 not in (sidecar_sha256, NO_SIDECAR) or head.size > version.size:
        return False
    return begins_with(local.path, head.version)


def sidecars_lie_here(
    context: Context, local: LocalSession, *, layout: str, bundle: Bundle, companions: bool
) -> bool:
    """Whether each sidecar file of a bundle is the beginning of one that lies here.

    Args:
        context: what to work with.
        local: the session.
        layout: what is remembered of the bundle's sidecar files; it may be another one's by now.
        bundle: the bundle.
        companions: whether companions count.

    Returns:
        False also where that isn't known.

    Raises:
        OSError: they can't be read.
        SessionChanging: one is being rewritten.
    """
    known = sidecar_of(bundle, layout)
    if known is None:
        return False
    where = SessionFiles(local.path)
    for file in known.values():
        context.check()
        if is_companion(file.path) and not companions:
            continue
        try:
            if not begins_with(where.path_of(file.path), file):
                return False
        except FileNotFoundError:
            return False
    return True
