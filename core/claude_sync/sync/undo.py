"""Undoing the last pull or resolve of one session.

Order of steps: all that is to come back is staged and synced · what lies here now goes into the
vault · look again · sidecar files go back to what they were · the transcript · what was added goes
away · the version undone is remembered as declined. After a crash anywhere the same undo can be
done again. Nothing of this travels to other machines.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

from claude_sync.claude.home import sidecar_folder
from claude_sync.disk import files
from claude_sync.disk.files import Staged
from claude_sync.disk.prefix_hashes import begins_with
from claude_sync.disk.snapshot import blocks_of, open_regular, stamp_of
from claude_sync.errors import SessionChanging, SessionOpen, UsageError, VaultError
from claude_sync.model import LocalSession, Outcome, Result, SidecarFile, Stamp, Version
from claude_sync.state.vault_entry import SIDECAR, TRANSCRIPT
from claude_sync.sync.bundles.naming import copy_id
from claude_sync.sync.context import Context
from claude_sync.sync.survey.survey import Survey, look
from claude_sync.sync.tree.install import MARK, Installer, writing
from claude_sync.sync.tree.last_moment import put_where_nothing_was, swap


def undo(context: Context, session: str) -> Result:
    """Bring back transcript and sidecars as they were before the last pull or resolve.

    Args:
        context: what to work with.
        session: its id, or the beginning of it.

    Raises:
        UsageError: there is nothing to undo.
        SessionOpen: it is open here.
        SessionChanging: it changed meanwhile.
        VaultError: what was there is no longer kept, or what is there can't be.
        ClaudeHomeError: Claude Code's folder can't be written.
    """
    with context.working("undoing"):
        survey = look(context, store=False)
        return _Undo(context, survey, survey.find(session)).run()


class _Before(NamedTuple):
    """What there was, as the records tell it.

    Attributes:
        transcript: None where the session wasn't here.
        mtime_ns: the transcript's.
        entry: the vault's, None where nothing had to be kept.
        added: sidecar files that weren't there.
        kept: sidecar files that are in the vault's entry.
        grown: sidecar files that were the beginnings of what is there.
    """

    transcript: Version | None
    mtime_ns: int
    entry: Path | None
    added: tuple[str, ...]
    kept: tuple[str, ...]
    grown: tuple[SidecarFile, ...]


class _Undo:
    def __init__(self, context: Context, survey: Survey, session_id: str) -> None:
        self._context = context
        self._survey = survey
        self._session_id = session_id
        self._installer = Installer(context.home, context.vault)

    def run(self) -> Result:
        remembered = self._survey.record(self._session_id)
        local = self._survey.copy(self._session_id)
        if not remembered.undo or local is None:
            raise UsageError(
                "nothing was pulled or resolved that could be undone", where=self._session_id
            )
        if self._survey.is_open(local):
            raise SessionOpen(
                "the session is open here", where=local.session_id, todo="close it first"
            )
        said: dict[str, Any] = json.loads(remembered.undo)
        before, after = self._read(said), Version(*said["after"])
        with writing(local.path.parent):
            if before.transcript is None:
                self._take_away(local)
            else:
                self._put_back(local, before.transcript, before)
            for copy in said.get("copies", ()):
                self._take_away_copy(copy)
        self._remember(said, before.transcript, after)
        return Result(
            self._session_id,
            Outcome.REPLACED if before.transcript is not None else Outcome.GONE,
            machine=self._context.machine.name,
            path=local.path,
            directory=self._survey.directory(local),
            message="as it was before the last pull or resolve",
        )

    def _read(self, said: dict[str, Any]) -> _Before:
        return _Before(
            Version(*said["before"]) if said["before"] is not None else None,
            int(said["mtime_ns"]),
            self._context.vault.folder / said["entry"] if said["entry"] else None,
            tuple(said["added"]),
            tuple(said["kept"]),
            tuple(SidecarFile(**file) for file in said["grown"]),
        )

    def _remember(self, said: dict[str, Any], before: Version | None, after: Version) -> None:
        records, session_id = self._context.records, self._session_id
        with self._context.database.transaction():
            if before != after:
                records.decline(session_id, after)
            if before is not None:
                records.hold(session_id, before)
            records.replace_supersedes(session_id, said["supersedes"])
            records.remember(session_id, undo="", decision=int(said["decision"]))

    # -- a session that wasn't here -----------------------------------------------------------

    def _take_away(self, local: LocalSession) -> None:
        """Remove a session that wasn't here; all of it is in the vault first."""
        folder = sidecar_folder(local.path)
        paths = [(name, folder / name) for name, _ in local.sidecar]
        version = self._survey.row(local).whole
        kept = self._context.vault.keep(
            local.session_id, "undo", transcript=local.path, version=version, sidecar=paths
        )
        self._installer.check_still_same(local, kept)
        if paths:
            # Should we die here, what is left of the folder is known as ours.
            files.replace(folder / MARK, b"")
        self._installer.replace(None, local, kept)
        for name, seen in local.sidecar:
            self._remove(local.session_id, folder / name, seen, kept.sidecar / name)
        _remove_empty_below(folder)
        files.remove(folder / MARK)
        files.remove_empty(folder)
        files.sync_directory(local.path.parent)

    def _take_away_copy(self, session_id: str) -> None:
        """Remove what "both" made of a rival, unless it was gone on with."""
        copy = self._survey.copy(session_id)
        if copy is None or self._survey.is_open(copy):
            return
        # Not whether it was held here: whoever goes on with a copy pushes that too.
        if copy_id(self._session_id, self._survey.row(copy).whole) == session_id:
            self._take_away(copy)

    # -- one that was -------------------------------------------------------------------------

    def _put_back(self, local: LocalSession, version: Version, before: _Before) -> None:
        folder = sidecar_folder(local.path)
        transcript: Staged | None = None
        restored: list[tuple[Path, Staged]] = []
        now = self._survey.row(local).whole
        try:
            if now != version:
                transcript = self._stage_transcript(local, version, before)
            self._stage_sidecar(local.path.parent, folder, before, restored)
            files.sync([*(staged for _, staged in restored), *([transcript] if transcript else [])])
            going = [*before.added, *(path.relative_to(folder).as_posix() for path, _ in restored)]
            paths = [(name, files.descend(folder, name)) for name in going]
            there = [(name, path) for name, path in paths if path.is_file()]
            seen = {path: stamp_of(os.lstat(path)) for _, path in there}
            kept = None
            if transcript is not None or there:
                kept = self._context.vault.keep(
                    local.session_id,
                    "undo",
                    transcript=local.path if transcript is not None else None,
                    version=now if transcript is not None else None,
                    sidecar=there,
                )
            self._installer.check_still_same(local, kept)
            for path, staged in restored:
                if kept is not None and path in seen:
                    where = kept.sidecar / path.relative_to(folder)
                    vault = self._context.vault
                    swap(local.session_id, staged, path, seen[path], vault, where)
                else:
                    put_where_nothing_was(local.session_id, staged, path)
                files.sync_directory(path.parent)
            if transcript is not None:
                self._installer.replace(transcript, local, kept)
        finally:
            for staged in [*(one for _, one in restored), *([transcript] if transcript else [])]:
                files.discard(staged)
        for name in before.added:
            path = files.descend(folder, name)
            if kept is not None and path in seen:
                self._remove(local.session_id, path, seen[path], kept.sidecar / name)
        _remove_empty_below(folder)
        files.sync_directory(local.path.parent)

    def _remove(self, session_id: str, path: Path, seen: Stamp, kept: Path) -> None:
        """Take a file away that is in the vault, unless it was written to since."""
        try:
            swap(session_id, None, path, seen, self._context.vault, kept)
        except SessionChanging:
            pass  # It stays: nobody ever saw what is in it now.

    def _stage_transcript(self, local: LocalSession, version: Version, before: _Before) -> Staged:
        with open_regular(self._source(local, version, before)) as file:
            return files.stage(
                local.path.parent, blocks_of(file, version.size), mtime_ns=before.mtime_ns
            )

    def _source(self, local: LocalSession, version: Version, before: _Before) -> Path:
        """A file that begins with the transcript that was there."""
        candidates = [local.path]
        if before.entry is not None:
            candidates.insert(0, before.entry / TRANSCRIPT)
        candidates += [kept.transcript for kept in self._context.vault.entries(local.session_id)]
        for path in candidates:
            try:
                if begins_with(path, version):
                    return path
            except OSError:
                continue
        raise self._lost()

    def _stage_sidecar(
        self, staging: Path, folder: Path, before: _Before, restored: list[tuple[Path, Staged]]
    ) -> None:
        """Stage the sidecar files that are to come back."""
        for name in before.kept:
            if before.entry is None:
                raise self._lost()
            path = files.descend(folder, name)
            try:
                with open_regular(before.entry / SIDECAR / name) as file:
                    restored.append((path, files.stage(staging, blocks_of(file, 1 << 62))))
            except FileNotFoundError as error:
                raise self._lost() from error
        for was in before.grown:
            path = files.descend(folder, was.path)
            try:
                if begins_with(path, was):
                    with open_regular(path) as file:
                        restored.append((path, files.stage(staging, blocks_of(file, was.size))))
            except FileNotFoundError:
                continue  # Somebody removed it since.

    def _lost(self) -> VaultError:
        return VaultError(
            "what was there before is no longer kept",
            where=self._session_id,
            todo="nothing was changed",
        )


def _remove_empty_below(folder: Path) -> None:
    if not folder.is_dir():
        return
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            files.remove_empty(path)
    files.remove_empty(folder)
