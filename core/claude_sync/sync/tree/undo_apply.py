"""Bringing back what was there before a pull or a resolve.

Order of steps: all that is to come back is staged and synced · what lies here now goes into the
vault · look again · sidecar files go back to what they were · the transcript · what was added goes
away. After a crash anywhere the same undo can be done again: a session that wasn't here goes after
the copies that "both" made, since without it nothing is left to undo.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from claude_sync.claude.sidecar import sidecar_folder, sidecar_stamps
from claude_sync.claude.tree import project_folders
from claude_sync.disk import files
from claude_sync.disk.files import Staged
from claude_sync.disk.prefix_hashes import begins_with
from claude_sync.disk.snapshot import blocks_of, open_regular, stamp_of
from claude_sync.errors import SessionChanging, SessionDivided, VaultError
from claude_sync.model import LocalSession, Stamp, Version
from claude_sync.state.vault_entry import SIDECAR, TRANSCRIPT, Kept
from claude_sync.sync.context import Context
from claude_sync.sync.survey.survey import Survey
from claude_sync.sync.tree.install import MARK, Installer, writing
from claude_sync.sync.tree.last_moment import install_where_nothing_was, swap
from claude_sync.sync.tree.resolve_apply import copy_id
from claude_sync.sync.tree.undo_record import UndoRecord
from claude_sync.values import NamedTuple


def apply_undo(
    context: Context, survey: Survey, local: LocalSession, record: UndoRecord
) -> list[str]:
    """Bring a session back to what it was; what lies here now goes into the vault.

    Args:
        context: what to work with.
        survey: what was seen.
        local: the session; closed.
        record: what was there before.

    Returns:
        ids of the copies that stay: they are open, or were continued.

    Raises:
        SessionError: it is open, or changed since it was looked at.
        VaultError: what was there is no longer kept, or what is there can't be.
        ClaudeHomeError: the tree can't be written.
    """
    applier = _UndoApplier(context, survey, local.session_id)
    with writing(local.path.parent):
        if record.before is not None:
            applier.put_back(local, record.before, record)
        left = [copy for copy in record.copies if not applier.remove_copy(copy)]
        if record.before is None:
            applier.remove(local)
    return left


def finish_removal(context: Context, survey: Survey, session_id: str) -> None:
    """Remove what an undo that failed half way left of a session that wasn't here before.

    Raises:
        VaultError: what is left can't be kept.
        ClaudeHomeError: the tree can't be written.
    """
    with writing(context.home.projects):
        _UndoApplier(context, survey, session_id).finish_removal(session_id)


class _Leaving(NamedTuple):
    """What is about to be replaced or removed: the vault's entry with it, and its stamps."""

    kept: Kept | None
    stamps: Mapping[Path, Stamp]


class _UndoApplier:
    def __init__(self, context: Context, survey: Survey, session_id: str) -> None:
        self._home = context.home
        self._vault = context.vault
        self._survey = survey
        self._session_id = session_id
        self._installer = Installer(context.home, context.vault)

    # -- a session that wasn't here -----------------------------------------------------------

    def remove(self, local: LocalSession) -> None:
        """Remove a session that wasn't here; all of it is in the vault first."""
        folder = sidecar_folder(local.path)
        paths = [(name, folder / name) for name, _ in local.sidecar]
        version = self._survey.row(local).whole
        kept = self._vault.keep(
            local.session_id, "undo", transcript=local.path, version=version, sidecar=paths
        )
        self._installer.check_still_same(local, kept)
        if paths:
            # Should we die here, what is left of the folder is known as ours.
            files.replace(folder / MARK, b"")
        self._installer.replace(None, local, kept)
        self._remove_folder(local.session_id, folder, local.sidecar, kept)

    def finish_removal(self, session_id: str) -> None:
        """Remove what is left of a session whose transcript an earlier try removed."""
        for name in project_folders(self._home.projects).names:
            project = self._home.projects / name
            for entry in files.names_in(project):
                folder = project / entry
                if entry.lower() == session_id and os.path.lexists(folder / MARK):
                    self._finish_folder(session_id, folder)

    def _finish_folder(self, session_id: str, folder: Path) -> None:
        stamps, kept = sidecar_stamps(folder).stamps, None
        if stamps:
            paths = [(name, folder / name) for name, _ in stamps]
            kept = self._vault.keep(session_id, "undo", sidecar=paths)
        self._remove_folder(session_id, folder, stamps, kept)

    def _remove_folder(
        self,
        session_id: str,
        folder: Path,
        stamps: Iterable[tuple[str, Stamp]],
        kept: Kept | None,
    ) -> None:
        """Remove a sidecar folder's files that are in the vault, then what is empty."""
        for name, seen in stamps:
            if kept is not None:
                self._remove_file(session_id, folder / name, seen, kept.sidecar / name)
        _remove_empty_below(folder)
        files.remove(folder / MARK)
        files.remove_empty(folder)
        files.sync_directory(folder.parent)

    def remove_copy(self, session_id: str) -> bool:
        """Remove what "both" made of a rival, unless it is open or was continued.

        Returns:
            whether it is gone.
        """
        try:
            copy = self._survey.copy(session_id)
        except SessionDivided:
            return False  # Each of them was continued.
        if copy is None:
            self.finish_removal(session_id)
            return True
        # Not whether it was held here: a copy that is continued is pushed, too.
        made = copy_id(self._session_id, self._survey.row(copy).whole) == session_id
        if not made or self._survey.is_open(copy):
            return False
        self.remove(copy)
        return True

    # -- one that was -------------------------------------------------------------------------

    def put_back(self, local: LocalSession, version: Version, record: UndoRecord) -> None:
        """Replace a session by what it was."""
        folder = sidecar_folder(local.path)
        now = self._survey.row(local).whole
        transcript: Staged | None = None
        sidecar: list[tuple[Path, Staged]] = []
        try:
            if now != version:
                transcript = self._stage_transcript(local, version, record)
            for returning in self._stage_sidecar(local.path.parent, folder, record):
                sidecar.append(returning)
            files.sync(_all_of(sidecar, transcript))
            leaving = self._keep(
                local,
                [*record.added, *(path.relative_to(folder).as_posix() for path, _ in sidecar)],
                now if transcript is not None else None,
            )
            self._installer.check_still_same(local, leaving.kept)
            for path, staged in sidecar:
                self._return_file(folder, path, staged, leaving)
            if transcript is not None:
                self._installer.replace(transcript, local, leaving.kept)
        finally:
            for staged in _all_of(sidecar, transcript):
                files.discard(staged)
        for name in record.added:
            path = files.descend(folder, name)
            if leaving.kept is not None and path in leaving.stamps:
                seen, kept = leaving.stamps[path], leaving.kept.sidecar / name
                self._remove_file(local.session_id, path, seen, kept)
        _remove_empty_below(folder)
        files.sync_directory(local.path.parent)

    def _keep(self, local: LocalSession, names: list[str], version: Version | None) -> _Leaving:
        """Put into the vault what goes: sidecar files, and the transcript if a version is given."""
        folder = sidecar_folder(local.path)
        paths = [(name, files.descend(folder, name)) for name in names]
        there = [(name, path) for name, path in paths if path.is_file()]
        stamps = {path: stamp_of(os.lstat(path)) for _, path in there}
        if version is None and not there:
            return _Leaving(None, stamps)
        kept = self._vault.keep(
            local.session_id,
            "undo",
            transcript=local.path if version is not None else None,
            version=version,
            sidecar=there,
        )
        return _Leaving(kept, stamps)

    def _return_file(self, folder: Path, path: Path, staged: Staged, leaving: _Leaving) -> None:
        """Put a sidecar file back where it was."""
        if leaving.kept is not None and path in leaving.stamps:
            kept = leaving.kept.sidecar / path.relative_to(folder)
            swap(
                self._session_id,
                staged,
                path,
                seen=leaving.stamps[path],
                vault=self._vault,
                kept=kept,
            )
        else:
            install_where_nothing_was(self._session_id, staged, path)
        files.sync_directory(path.parent)

    def _remove_file(self, session_id: str, path: Path, seen: Stamp, kept: Path) -> None:
        """Remove a file that is in the vault, unless it was written to since."""
        try:
            swap(session_id, None, path, seen=seen, vault=self._vault, kept=kept)
        except SessionChanging:
            pass  # It stays: nobody ever saw what is in it now.

    # -- what comes back ----------------------------------------------------------------------

    def _stage_transcript(
        self, local: LocalSession, version: Version, record: UndoRecord
    ) -> Staged:
        with open_regular(self._source(local, version, record)) as file:
            return files.stage(
                local.path.parent, blocks_of(file, version.size), mtime_ns=record.mtime_ns
            )

    def _source(self, local: LocalSession, version: Version, record: UndoRecord) -> Path:
        """A file that begins with the transcript that was there."""
        candidates = [local.path]
        if record.entry:
            candidates.insert(0, self._vault.folder / record.entry / TRANSCRIPT)
        candidates += [kept.transcript for kept in self._vault.entries(local.session_id)]
        for path in candidates:
            try:
                if begins_with(path, version):
                    return path
            except OSError:
                continue
        raise self._lost()

    def _stage_sidecar(
        self, staging: Path, folder: Path, record: UndoRecord
    ) -> Iterator[tuple[Path, Staged]]:
        """Stage the sidecar files that are to come back, each with where it was."""
        for name in record.kept:
            if not record.entry:
                raise self._lost()
            path = files.descend(folder, name)
            try:
                with open_regular(self._vault.folder / record.entry / SIDECAR / name) as file:
                    yield path, files.stage(staging, blocks_of(file, 1 << 62))
            except FileNotFoundError as error:
                raise self._lost() from error
        for was in record.grown:
            path = files.descend(folder, was.path)
            try:
                if begins_with(path, was):
                    with open_regular(path) as file:
                        yield path, files.stage(staging, blocks_of(file, was.size))
            except FileNotFoundError:
                continue  # It was removed since.

    def _lost(self) -> VaultError:
        return VaultError(
            "the version before is no longer kept",
            where=self._session_id,
            todo="nothing was changed",
        )


def _all_of(sidecar: list[tuple[Path, Staged]], transcript: Staged | None) -> list[Staged]:
    return [*(staged for _, staged in sidecar), *([transcript] if transcript else [])]


def _remove_empty_below(folder: Path) -> None:
    if not folder.is_dir():
        return
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            files.remove_empty(path)
    files.remove_empty(folder)
