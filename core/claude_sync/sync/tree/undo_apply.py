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

from claude_sync.claude.session_files import (
    TRANSCRIPT_SUFFIX,
    SessionFiles,
    is_checkpoint,
    is_companion,
    is_plan,
)
from claude_sync.claude.tree import project_folders
from claude_sync.disk import files
from claude_sync.disk.files import Staged
from claude_sync.disk.prefix_hashes import begins_with
from claude_sync.disk.snapshot import blocks_of, open_regular, stamp_of
from claude_sync.errors import SessionChanging, SessionDivided, VaultError
from claude_sync.model import LocalSession, Stamp, Version
from claude_sync.state.vault_entry import SIDECAR, TRANSCRIPT, Kept
from claude_sync.sync.context import Context
from claude_sync.sync.survey.companions import SharedFiles
from claude_sync.sync.survey.survey import Survey
from claude_sync.sync.tree.install import MARK, Installer, writing
from claude_sync.sync.tree.last_moment import install_where_nothing_was, swap
from claude_sync.sync.tree.merge import KeptFiles
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
            applier.remove(local, record)
    return left


def finish_removal(
    context: Context, survey: Survey, session_id: str, record: UndoRecord | None = None
) -> None:
    """Remove what an undo that failed half way left of a session that wasn't here before.

    Args:
        context: what to work with.
        survey: what was seen.
        session_id: the session.
        record: of what brought it here, None where none is remembered.

    Raises:
        VaultError: what is left can't be kept.
        ClaudeHomeError: the tree can't be written.
    """
    with writing(context.home.projects):
        _UndoApplier(context, survey, session_id).finish_removal(session_id, record)


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

    def remove(self, local: LocalSession, record: UndoRecord | None = None) -> None:
        """Remove a session that wasn't here; all of it is in the vault first."""
        where = SessionFiles(local.path)
        going = self._own(local.session_id, self._all_of(local))
        paths = [(name, where.path_of(name)) for name, _ in going]
        version = self._survey.row(local).whole
        kept = self._vault.keep(
            local.session_id, "undo", transcript=local.path, version=version, sidecar=paths
        )
        self._installer.check_still_same(local, KeptFiles(kept, kept))
        if paths:
            # Should we die here, what is left is known as ours.
            files.make_private(where.folder)
            files.replace(where.folder / MARK, b"")
        self._installer.replace(None, local, kept)
        self._remove_files(local.session_id, where, going, kept)
        self._put_others_back(where, record)

    def _all_of(self, local: LocalSession) -> list[tuple[str, Stamp]]:
        """A session's files, with the checkpoints that came though none is to leave now."""
        listed = self._home.files_without_transcript(SessionFiles(local.path), ())
        names = {name for name, _ in local.sidecar}
        return [
            *local.sidecar,
            *(one for one in listed if is_checkpoint(one[0]) and one[0] not in names),
        ]

    def _own(self, session_id: str, stamps: Iterable[tuple[str, Stamp]]) -> list[tuple[str, Stamp]]:
        """The files that no other session here has too."""
        shared = SharedFiles(self._survey, session_id)
        return [one for one in stamps if one[0] not in shared]

    def finish_removal(self, session_id: str, record: UndoRecord | None = None) -> None:
        """Remove what is left of a session whose transcript an earlier try removed."""
        for name in project_folders(self._home.projects).names:
            project = self._home.projects / name
            for entry in files.names_in(project):
                folder = project / entry
                if entry.lower() == session_id and os.path.lexists(folder / MARK):
                    self._finish_files(session_id, project, entry, record)

    def _finish_files(
        self, session_id: str, project: Path, stem: str, record: UndoRecord | None
    ) -> None:
        where = SessionFiles(project / f"{stem}{TRANSCRIPT_SUFFIX}")
        named = (*record.added, *record.lay_here()) if record is not None else ()
        plans = [name for name in named if is_plan(name)]
        going = self._own(session_id, self._home.files_without_transcript(where, plans))
        kept = None
        if going:
            paths = [(name, where.path_of(name)) for name, _ in going]
            kept = self._vault.keep(session_id, "undo", sidecar=paths)
        self._remove_files(session_id, where, going, kept)
        self._put_others_back(where, record)

    def _remove_files(
        self,
        session_id: str,
        where: SessionFiles,
        stamps: Iterable[tuple[str, Stamp]],
        kept: Kept | None,
    ) -> None:
        """Remove a session's files that are in the vault, then the folders that are empty."""
        folders = set()
        for name, seen in stamps:
            if kept is not None:
                path = where.path_of(name)
                self._remove_file(session_id, path, seen, kept.sidecar / name)
                folders |= {path.parent} if is_companion(name) and not is_plan(name) else set()
        for folder in folders:
            files.remove_empty(folder)
        _remove_empty_below(where.folder)
        files.remove(where.folder / MARK)
        files.remove_empty(where.folder)
        files.sync_directory(where.folder.parent)

    def _put_others_back(self, where: SessionFiles, record: UndoRecord | None) -> None:
        """Give back the companions that lay here although their session didn't."""
        if record is None:
            return
        inherited = dict(record.inherited)
        for name, entry in record.lay_here().items():
            path = where.to_write(name)
            # The copy came first, and is gone.
            of_a_copy = is_plan(name) and record.copies and name not in inherited
            if of_a_copy or os.path.lexists(path):
                continue
            try:
                file = open_regular(self._vault.folder / entry / SIDECAR / name)
            except FileNotFoundError:
                continue  # it isn't kept any longer
            with file:
                files.make_private(path.parent)
                files.replace(path, blocks_of(file, 1 << 62), new=True)

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
        where = SessionFiles(local.path)
        now = self._survey.row(local).whole
        transcript: Staged | None = None
        sidecar: list[tuple[str, Staged]] = []
        try:
            if now != version:
                transcript = self._stage_transcript(local, version, record)
            for returning in self._stage_sidecar(where, record):
                sidecar.append(returning)
            files.sync(_all_of(sidecar, transcript))
            leaving = self._keep(
                local,
                [*record.added, *(name for name, _ in sidecar)],
                now if transcript is not None else None,
            )
            self._installer.check_still_same(local, KeptFiles(leaving.kept, leaving.kept))
            for name, staged in sidecar:
                self._return_file(where, name, staged, leaving)
            if transcript is not None:
                self._installer.replace(transcript, local, leaving.kept)
        finally:
            for staged in _all_of(sidecar, transcript):
                files.discard(staged)
        shared = SharedFiles(self._survey, local.session_id)
        for name in record.added:
            path = where.to_write(name)
            if leaving.kept is not None and path in leaving.stamps and name not in shared:
                seen, kept = leaving.stamps[path], leaving.kept.sidecar / name
                self._remove_file(local.session_id, path, seen, kept)
                if is_companion(name) and not is_plan(name):
                    files.remove_empty(path.parent)
        _remove_empty_below(where.folder)
        files.sync_directory(local.path.parent)

    def _keep(self, local: LocalSession, names: list[str], version: Version | None) -> _Leaving:
        """Put into the vault what goes: sidecar files, and the transcript if a version is given."""
        where = SessionFiles(local.path)
        paths = [(name, where.to_write(name)) for name in names]
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

    def _return_file(
        self, where: SessionFiles, name: str, staged: Staged, leaving: _Leaving
    ) -> None:
        """Put a file back where it was."""
        path = where.to_write(name)
        if leaving.kept is not None and path in leaving.stamps:
            kept = leaving.kept.sidecar / name
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
        self, where: SessionFiles, record: UndoRecord
    ) -> Iterator[tuple[str, Staged]]:
        """Stage the files that are to come back, each with its name."""
        untouchable = SharedFiles(self._survey, self._session_id, only_open=True)
        for name in record.kept:
            if name in untouchable:
                continue
            if not record.entry:
                raise self._lost()
            directory = self._staging(where, name)
            try:
                with open_regular(self._vault.folder / record.entry / SIDECAR / name) as file:
                    yield name, files.stage(directory, blocks_of(file, 1 << 62))
            except FileNotFoundError as error:
                raise self._lost() from error
        for was in record.grown:
            path, directory = where.to_write(was.path), self._staging(where, was.path)
            try:
                if begins_with(path, was):
                    with open_regular(path) as file:
                        staged = files.stage(directory, blocks_of(file, was.size))
                    yield was.path, staged
            except FileNotFoundError:
                continue  # It was removed since.

    def _staging(self, where: SessionFiles, name: str) -> Path:
        """Where a file is staged: beside the transcript, or where it goes if that's elsewhere."""
        if not is_companion(name):
            return where.transcript.parent
        directory = where.to_write(name).parent
        files.make_private(directory)
        return directory

    def _lost(self) -> VaultError:
        return VaultError(
            "the version before is no longer kept",
            where=self._session_id,
            todo="nothing was changed",
        )


def _all_of(sidecar: list[tuple[str, Staged]], transcript: Staged | None) -> list[Staged]:
    return [*(staged for _, staged in sidecar), *([transcript] if transcript else [])]


def _remove_empty_below(folder: Path) -> None:
    if not folder.is_dir():
        return
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            files.remove_empty(path)
    files.remove_empty(folder)
