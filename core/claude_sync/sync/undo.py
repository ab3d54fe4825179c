"""Undoing the last pull or resolve of one session.

Order of steps: what lies here now goes into the vault · the transcript that was there is staged,
synced and placed · sidecar files go back to what they were · the version undone is remembered as
declined. Nothing of this travels to other machines.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from claude_sync import files
from claude_sync.claude_home import sidecar_folder
from claude_sync.comparison import prefix_hashes
from claude_sync.errors import SessionOpen, UsageError, VaultError
from claude_sync.model import LocalSession, Outcome, Result, Version
from claude_sync.snapshot import blocks_of, open_regular
from claude_sync.sync.context import Context
from claude_sync.sync.survey import Survey, look
from claude_sync.vault import SIDECAR, TRANSCRIPT


def undo(context: Context, session: str) -> Result:
    """Bring back transcript and sidecars as they were before the last pull or resolve.

    Args:
        context: what to work with.
        session: its id, or the beginning of it.

    Raises:
        UsageError: there is nothing to undo.
        SessionOpen: it is open here.
        VaultError: what was there is no longer kept, or what is there can't be.
    """
    with context.working("undoing"):
        survey = look(context, store=False)
        session_id = survey.find(session)
        return _Undo(context, survey, session_id).run()


class _Undo:
    def __init__(self, context: Context, survey: Survey, session_id: str) -> None:
        self._context = context
        self._survey = survey
        self._session_id = session_id

    def run(self) -> Result:
        remembered = self._survey.remember_of(self._session_id)
        local = self._survey.copy(self._session_id)
        if not remembered.undo or local is None:
            raise UsageError(
                "nothing was pulled or resolved that could be undone", where=self._session_id
            )
        self._check_closed(local)
        said: dict[str, Any] = json.loads(remembered.undo)
        before = Version(*said["before"]) if said["before"] is not None else None
        after = Version(*said["after"])
        if before is None:
            self._take_away(local, "undo")
        elif before != after or said["kept"] or said["grown"] or said["added"]:
            self._put_back(local, before, said)
        for copy in said.get("copies", ()):
            self._take_away_copy(copy)
        self._remember(said, before, after)
        return Result(
            self._session_id,
            Outcome.REPLACED if before is not None else Outcome.GONE,
            machine=self._context.machine.name,
            path=local.path,
            directory=self._survey.directory(local),
            message="as it was before the last pull or resolve",
        )

    def _check_closed(self, local: LocalSession) -> None:
        if self._survey.is_open(local):
            raise SessionOpen(
                "the session is open here", where=local.session_id, todo="close it first"
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

    # -- files --------------------------------------------------------------------------------

    def _take_away(self, local: LocalSession, reason: str) -> None:
        """Remove a session that wasn't here; all of it is in the vault first."""
        folder = sidecar_folder(local.path)
        version = self._survey.row(local).whole
        paths = [(name, folder / name) for name, _ in local.sidecar]
        self._context.vault.keep(
            local.session_id, reason, transcript=local.path, version=version, sidecar=paths
        )
        self._check_closed(local)
        files.remove(local.path)
        for _, path in paths:
            files.remove(path)
        _remove_empty_below(folder)
        files.sync_directory(local.path.parent)

    def _take_away_copy(self, session_id: str) -> None:
        copy = self._survey.copy(session_id)
        if copy is None or self._survey.is_open(copy):
            return
        held = self._context.records.held(session_id)
        if self._survey.row(copy).whole in held:
            self._take_away(copy, "undo")

    def _put_back(self, local: LocalSession, before: Version, said: dict[str, Any]) -> None:
        folder, vault = sidecar_folder(local.path), self._context.vault
        entry = vault.folder / said["entry"] if said["entry"] else None
        now = self._survey.row(local).whole
        staged = None
        if now != before:
            source = self._source(local, entry, before)
            with open_regular(source) as file:
                staged = files.stage(
                    local.path.parent, blocks_of(file, before.size), mtime_ns=said["mtime_ns"]
                )
        changed = [*said["added"], *said["kept"], *(file["path"] for file in said["grown"])]
        there = [(name, folder / name) for name in changed if (folder / name).is_file()]
        vault.keep(local.session_id, "undo", transcript=local.path, version=now, sidecar=there)
        if staged is not None:
            files.sync([staged])
            self._check_closed(local)
            files.commit(staged, local.path)
        for name in said["added"]:
            files.remove(files.descend(folder, name))
        for name in said["kept"]:
            if entry is not None:
                self._restore(entry / SIDECAR / name, files.descend(folder, name), None)
        for file in said["grown"]:
            path = files.descend(folder, file["path"])
            if prefix_hashes(path, [file["size"]]).get(file["size"]) == file["sha256"]:
                self._restore(path, path, file["size"])
        _remove_empty_below(folder)
        files.sync_directory(local.path.parent)

    def _source(self, local: LocalSession, entry: Path | None, before: Version) -> Path:
        """A file that begins with the transcript that was there."""
        candidates = [local.path]
        if entry is not None:
            candidates.insert(0, entry / TRANSCRIPT)
        candidates += [kept.transcript for kept in self._context.vault.entries(local.session_id)]
        for path in candidates:
            try:
                if prefix_hashes(path, [before.size]).get(before.size) == before.sha256:
                    return path
            except OSError:
                continue
        raise VaultError(
            "what was there before is no longer kept",
            where=local.session_id,
            todo="nothing was changed",
        )

    def _restore(self, source: Path, target: Path, size: int | None) -> None:
        with open_regular(source) as file:
            length = size if size is not None else 1 << 62
            staged = files.stage(target.parent, _all(blocks_of(file, length)))
        files.sync([staged])
        files.commit(staged, target)


def _all(blocks: Iterator[bytes]) -> Iterator[bytes]:
    yield from blocks


def _remove_empty_below(folder: Path) -> None:
    if not folder.is_dir():
        return
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            files.remove_empty(path)
    files.remove_empty(folder)
