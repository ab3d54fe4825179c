"""Installing a version that the vault kept, where its session lies here, or as a new one."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from claude_sync.claude.session_files import is_session_file
from claude_sync.claude.transcript import summarize
from claude_sync.disk import files
from claude_sync.disk.files import Staged
from claude_sync.disk.snapshot import Snapshot, open_regular
from claude_sync.errors import SessionUnplaced, VaultError
from claude_sync.model import LocalSession, SidecarFile, Version
from claude_sync.state.vault_entry import Kept
from claude_sync.sync.context import Context
from claude_sync.sync.survey.companions import SharedFiles
from claude_sync.sync.survey.survey import Survey
from claude_sync.sync.tree.install import Installer, writing
from claude_sync.sync.tree.merge import Winner
from claude_sync.sync.tree.resolve_apply import InstalledSide


@dataclass(frozen=True, slots=True)
class _FromVault:
    """What an entry of the vault holds, staged."""

    session_id: str
    version: Version
    transcript: Staged
    sidecar: tuple[tuple[SidecarFile, Staged], ...]
    same_here: tuple[SidecarFile, ...] = ()


def install_kept(
    context: Context, survey: Survey, kept: Kept, version: Version, local: LocalSession | None
) -> InstalledSide:
    """Install a version from the vault.

    Args:
        context: what to work with.
        survey: what was seen.
        kept: the vault's entry.
        version: what its transcript was found to be.
        local: the session here, None where it isn't.

    Raises:
        SessionError: it is open, or changed since it was looked at; or no directory is known.
        VaultError: the entry has changed since, or what would be replaced can't be kept.
        ClaudeHomeError: the tree can't be written.
    """
    if local is not None:
        folder, directory = local.path.parent, survey.directory(local)
    else:
        directory = _directory_of(survey, kept)
        folder = context.home.folder_for(directory)
    with writing(folder), ExitStack() as staged:
        files.make_private(folder)
        from_vault = _stage(kept, version, folder, staged)
        files.sync([from_vault.transcript, *(file for _, file in from_vault.sidecar)])
        installer = Installer(context.home, context.vault)
        if local is None:
            untouchable = SharedFiles(survey, kept.session_id)
            installed = installer.install_new(from_vault, folder, untouchable)
        else:
            installed = installer.install_over(
                from_vault,
                local,
                version=survey.row(local).whole,
                reason="restore",
                extends=False,
                winner=Winner(untouchable=SharedFiles(survey, kept.session_id, only_open=True)),
            )
    return InstalledSide(installed, directory, 0)


def _stage(kept: Kept, version: Version, folder: Path, staged: ExitStack) -> _FromVault:
    def stage(path: Path, mtime_ns: int | None = None) -> tuple[Version, Staged]:
        with Snapshot(path) as snapshot:
            made = files.stage(folder, snapshot.blocks(), mtime_ns=mtime_ns)
            staged.callback(files.discard, made)
            return snapshot.settle(), made

    found, transcript = stage(kept.transcript, kept.mtime_ns or None)
    if found != version:
        raise VaultError(
            "that version has changed on the disk since it was looked at",
            where=kept.session_id,
            todo="look again, then choose",
        )
    sidecar = []
    for path in sorted(kept.sidecar.rglob("*")):
        relative = path.relative_to(kept.sidecar).as_posix()
        if path.is_file() and not path.is_symlink() and is_session_file(relative):
            (size, sha256), file = stage(path)
            sidecar.append((SidecarFile(relative, size, sha256), file))
    return _FromVault(kept.session_id, version, transcript, tuple(sidecar))


def _directory_of(survey: Survey, kept: Kept) -> Path:
    """Where a session that isn't here any more was run.

    Raises:
        SessionUnplaced: nobody knows, or that isn't there any more.
    """
    remembered = survey.record(kept.session_id).directory
    with open_regular(kept.transcript) as file:
        cwds = summarize(file).cwds
    for directory in (remembered, *cwds):
        if directory and Path(directory).is_dir():
            return Path(directory)
    raise SessionUnplaced(
        "the directory that the session was run in isn't here any more",
        where=kept.session_id,
        todo="make it again, or pull the session if it is in the shared folder",
    )
