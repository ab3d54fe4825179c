"""Installing the sides of a conflict that a person chose."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from claude_sync.claude.session_files import under_id
from claude_sync.disk import files
from claude_sync.model import Bundle, LocalSession, Version
from claude_sync.store.delta import Request
from claude_sync.store.download import Fetched
from claude_sync.sync.context import Context
from claude_sync.sync.survey.companions import SharedFiles
from claude_sync.sync.survey.survey import Survey
from claude_sync.sync.tree.install import Installed, Installer, writing
from claude_sync.sync.tree.merge import Winner
from claude_sync.values import NamedTuple


class InstalledSide(NamedTuple):
    """A side of a conflict as it was installed.

    Attributes:
        installed: what was installed.
        directory: where it is resumed, None where that isn't known.
        received: bytes that came here for it.
    """

    installed: Installed
    directory: Path | None
    received: int


def install_side(
    context: Context,
    survey: Survey,
    bundle: Bundle,
    local: LocalSession | None,
    reason: str = "resolve",
) -> InstalledSide:
    """Install a rival where the session lies here, or as a new session.

    Args:
        context: what to work with.
        survey: what was seen.
        bundle: the rival.
        local: the session here, None where it isn't.
        reason: what replaces that, a word.

    Raises:
        SessionError: it is open, or changed since it was looked at; or no directory is known.
        BundleError, TransportError: the rival can't be fetched.
        VaultError: what would be replaced can't be kept.
        ClaudeHomeError: the tree can't be written.
    """
    with writing(context.home.projects):
        folder, directory = _target(context, survey, bundle, local)
        fetched = _fetch(context, bundle, folder)
        try:
            installer = Installer(context.home, context.vault)
            if local is None:
                untouchable = SharedFiles(survey, bundle.head.session_id)
                installed = installer.install_new(fetched, folder, untouchable)
            else:
                installed = installer.install_over(
                    fetched,
                    local,
                    version=survey.row(local).whole,
                    reason=reason,
                    extends=False,
                    winner=Winner(
                        untouchable=SharedFiles(survey, local.session_id, only_open=True)
                    ),
                )
        finally:
            fetched.discard()
    return InstalledSide(installed, directory, fetched.received)


def install_copy(
    context: Context,
    survey: Survey,
    bundle: Bundle,
    *,
    beside: LocalSession | None,
    session_id: str,
) -> InstalledSide:
    """Install a rival as a session of its own.

    Args:
        context: what to work with.
        survey: what was seen.
        bundle: the rival.
        beside: the session whose rival it is, None where that isn't here.
        session_id: the copy's.

    Raises:
        SessionError: that session is here by now, or no directory is known for it.
        BundleError, TransportError: the rival can't be fetched.
        ClaudeHomeError: the tree can't be written.
    """
    with writing(context.home.projects):
        folder, directory = _target(context, survey, bundle, beside)
        fetched = _fetch(context, bundle, folder)
        try:
            fetched = _under_id(fetched, session_id)
            installed = Installer(context.home, context.vault).install_new(
                fetched, folder, SharedFiles(survey, session_id)
            )
        finally:
            fetched.discard()
    return InstalledSide(installed, directory, fetched.received)


def _under_id(fetched: Fetched, session_id: str) -> Fetched:
    """The same as a session of another id."""
    return replace(
        fetched,
        head=fetched.head._replace(session_id=session_id),
        sidecar=tuple(
            (file._replace(path=under_id(file.path, session_id)), staged)
            for file, staged in fetched.sidecar
        ),
    )


def copy_id(session_id: str, version: Version) -> str:
    """The id under which "both" keeps a rival: the same on every machine that decides so."""
    import uuid

    return str(uuid.uuid5(uuid.NAMESPACE_URL, session_id + version.sha256))


def _target(
    context: Context, survey: Survey, bundle: Bundle, local: LocalSession | None
) -> tuple[Path, Path | None]:
    """The folder in Claude's tree for a side, and the directory it is resumed in."""
    if local is not None:
        return local.path.parent, survey.directory(local)
    directory = survey.placement(bundle).directory
    folder = context.home.folder_for(directory)
    files.make_private(folder)
    return folder, directory


def _fetch(context: Context, bundle: Bundle, folder: Path) -> Fetched:
    mtime_ns = context.home.mtime_to_restore(bundle.head.mtime_ns)
    fetched = context.store.fetch_one(Request(bundle, folder, mtime_ns), context.check)
    try:
        files.sync(fetched.staged())
    except BaseException:
        fetched.discard()
        raise
    return fetched
