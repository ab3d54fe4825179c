"""Installing a version in Claude's tree.

Invariants:

1. At every moment the transcript is the old bytes or the new bytes.
2. What is replaced and not held by the new bytes is in the vault, durable, before.
3. Sidecar files are there before the transcript that names them.
4. An open session, or one that changed since it was looked at, is left alone; this is looked at
   again in the last moment.

Order of steps: fetch beside the target and sync (the caller) · look again · vault · look again ·
sidecar files, each by rename · sync their folders · look again · rename or link the transcript ·
sync its folder (`sync_new`: once for all that is new in it).
A new session's sidecar folder bears a mark until its transcript is there, so that one left behind
by a crash is known as ours; a folder without a transcript that isn't ours is never written into.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from claude_sync.claude.home import ClaudeHome
from claude_sync.claude.live_sessions import read_live_sessions
from claude_sync.claude.sidecar import sidecar_folder
from claude_sync.claude.tree import TRANSCRIPT_SUFFIX
from claude_sync.disk import files
from claude_sync.disk.files import Staged
from claude_sync.disk.refusals import refusal
from claude_sync.disk.snapshot import translating_read_errors
from claude_sync.errors import ClaudeHomeError, SessionError, SessionOpen
from claude_sync.model import LocalSession, Stamp, Version
from claude_sync.names import TEMPORARY_PREFIX
from claude_sync.state.vault import Vault
from claude_sync.state.vault_entry import Kept, is_as_kept
from claude_sync.sync.tree.last_moment import changed, watched
from claude_sync.sync.tree.merge import Merge, StagedSession, merge, sync_directories
from claude_sync.sync.tree.undo_record import UndoRecord
from claude_sync.values import NamedTuple

MARK = ".ccsync-placing"
"""The file in a sidecar folder that says: its transcript is on its way."""


class Installed(NamedTuple):
    """What was installed, and how to undo that."""

    path: Path
    stamp: Stamp
    undo: UndoRecord


class Installer:
    """Installs versions in one Claude tree.

    Args:
        home: the tree.
        vault: where what is replaced goes.
    """

    def __init__(self, home: ClaudeHome, vault: Vault) -> None:
        self._home = home
        self._vault = vault

    def install_new(self, fetched: StagedSession, folder: Path) -> Installed:
        """Install a session that isn't here, durably.

        Args:
            fetched: what to install; staged in `folder`, synced.
            folder: the encoded working directory's, in the tree.

        Raises:
            SessionError: it is here by now, open, or something lies in its way.
            ClaudeHomeError: the tree can't be written.
            VaultError: what a crash left where it goes can't be kept.
        """
        installed = self.install_unsynced(fetched, folder)
        self.sync_new(folder, [installed])
        return installed

    def install_unsynced(self, fetched: StagedSession, folder: Path) -> Installed:
        """The same without making the new names durable; `sync_new` is still to come.

        Raises:
            SessionError: it is here by now, open, or something lies in its way.
            ClaudeHomeError: the tree can't be written.
            VaultError: what a crash left where it goes can't be kept.
        """
        session_id = fetched.session_id.lower()
        target = folder / f"{session_id}{TRANSCRIPT_SUFFIX}"
        sidecar = sidecar_folder(target)
        with writing(folder):
            self._check_absent(session_id, target)
            if fetched.sidecar:
                merged, kept = self._open_folder(sidecar, fetched)
                merged.install(session_id, self._vault, kept)
                for staged in merged.dropped:
                    files.discard(staged)
                _sync_below(sidecar, [file.path for file, _ in fetched.sidecar])
            self._check_absent(session_id, target)
            try:
                stamp = files.commit_new(fetched.transcript, target)
            except FileExistsError as error:
                raise changed(session_id) from error
        added = tuple(file.path for file, _ in fetched.sidecar)
        undo = UndoRecord(None, fetched.version, added=added)
        return Installed(target, stamp, undo)

    def sync_new(self, folder: Path, installed: Iterable[Installed]) -> None:
        """Make durable that new sessions are in a folder; only then may they be remembered.

        Raises:
            ClaudeHomeError: it can't be done.
        """
        with writing(folder):
            files.sync_directory(folder)
            for done in installed:
                if done.undo.added:
                    files.remove(sidecar_folder(done.path) / MARK)

    def install_over(
        self,
        fetched: StagedSession,
        local: LocalSession,
        version: Version,
        reason: str,
        *,
        extends: bool,
        theirs_win: bool | None = True,
        transcript: bool = True,
    ) -> Installed:
        """Install a version where another one is.

        Args:
            fetched: what to install; staged in the transcript's folder, synced.
            local: the session as it was looked at.
            version: its whole transcript.
            reason: for the vault, a word.
            extends: whether the new transcript holds all bytes of the old one.
            theirs_win: whose sidecar file stands where both have one and neither holds the other;
                None where neither transcript wins: then the one with the smaller hash, so that
                all machines end with the same.
            transcript: whether the transcript is replaced, or sidecar files are merged only.

        Raises:
            SessionError: it is open, or changed since it was looked at.
            VaultError: what would be replaced can't be kept.
            ClaudeHomeError: the tree can't be written.
        """
        with writing(local.path.parent):
            self.check_same(local)
            merged = merge(sidecar_folder(local.path), fetched, theirs_win)
            kept = self._keep(
                local, version, reason, merged=merged, extends=extends, transcript=transcript
            )
            self.check_still_same(local, kept)
            merged.install(local.session_id, self._vault, kept)
            sync_directories(merged.directories())
            stamp = local.stamp
            if transcript:
                stamp = self.replace(fetched.transcript, local, kept)
            for staged in merged.dropped if transcript else [*merged.dropped, fetched.transcript]:
                files.discard(staged)
            after = fetched.version if transcript else version
            undo = self._undo(local, version, after, merged=merged, kept=kept, extends=extends)
        return Installed(local.path, stamp, undo)

    def _keep(
        self,
        local: LocalSession,
        version: Version,
        reason: str,
        *,
        merged: Merge,
        extends: bool,
        transcript: bool,
    ) -> Kept | None:
        sidecar = merged.to_keep()
        if not transcript and not sidecar:
            return None
        return self._vault.keep(
            local.session_id,
            reason,
            transcript=local.path if transcript else None,
            version=version if transcript else None,
            sidecar=sidecar,
            passing=extends and not merged.replaced,
        )

    def replace(self, staged: Staged | None, local: LocalSession, kept: Kept | None) -> Stamp:
        """Replace the transcript that lies here by a staged one, or just remove it.

        What a client appends in this very moment ends in the vault's entry.

        Raises:
            SessionError: it is open, or changed since it was looked at.
            VaultError: what was appended can't be kept.
            OSError: the tree can't be written.
        """
        stamp = local.stamp
        with watched(local.path, stamp, self._vault, kept.transcript if kept else None):
            self.check_same(local, sidecar=False)
            if staged is not None:
                stamp = files.commit(staged, local.path)
            else:
                files.remove(local.path)
            files.sync_directory(local.path.parent)
        return stamp

    def _undo(
        self,
        local: LocalSession,
        before: Version,
        after: Version,
        *,
        merged: Merge,
        kept: Kept | None,
        extends: bool,
    ) -> UndoRecord:
        entry = ""
        if kept is not None:
            same = (kept.version is None or is_as_kept(kept)) and merged.is_as_kept(kept)
            if extends and not merged.replaced and same:
                # What was installed holds every byte of it.
                self._vault.drop(kept)
            else:
                entry = f"{kept.folder.parent.name}/{kept.folder.name}"
        return UndoRecord(
            before,
            after,
            entry=entry,
            mtime_ns=local.stamp.mtime_ns,
            added=tuple(file.name for file in merged.added),
            kept=tuple(over.was.path for over in merged.replaced),
            grown=tuple(over.was for over in merged.grown),
        )

    # -- looking again ------------------------------------------------------------------------

    def check_same(self, local: LocalSession, *, sidecar: bool = True) -> None:
        """Look again whether a session is what it was, and closed.

        Raises:
            SessionChanging: it changed.
            SessionOpen: it is open.
            SessionUnreadable, SessionVanished: it can't be seen.
        """
        with translating_read_errors(local.session_id):
            now = self._home.session_now(local.folder, local.session_id)
        if now is None or now.stamp != local.stamp or (sidecar and now.sidecar != local.sidecar):
            raise changed(local.session_id)
        self._check_closed(local.session_id)

    def check_still_same(self, local: LocalSession, kept: Kept | None) -> None:
        """The same once something was kept, and nothing yet replaced; if not, that is dropped.

        Raises:
            SessionChanging: it changed.
            SessionOpen: it is open.
        """
        try:
            self.check_same(local)
        except SessionError:
            if kept is not None:
                self._vault.drop(kept)
            raise

    def _check_absent(self, session_id: str, target: Path) -> None:
        if os.path.lexists(target):
            raise changed(session_id)
        self._check_closed(session_id)

    def _check_closed(self, session_id: str) -> None:
        # Where no client writes live files, the survey has judged by the transcript's time, and
        # that is the same still.
        live = read_live_sessions(self._home.live_folder)
        if live.unreadable:
            raise SessionOpen(
                f"the session can't be replaced now: {live.blindness}", where=session_id
            )
        if session_id in live.open_ids:
            raise SessionOpen("the session is open here", where=session_id, todo="close it first")

    def _open_folder(self, sidecar: Path, fetched: StagedSession) -> tuple[Merge, Kept | None]:
        """Make a new session's sidecar folder, or reuse one that a crash left behind.

        Returns:
            what becomes of each file; and the vault's entry with what is to be written over.
        """
        names = files.names_in(files.descend(sidecar.parent, sidecar.name))
        ours = MARK in names
        if not ours and any(not name.startswith(TEMPORARY_PREFIX) for name in names):
            raise SessionError(
                "a folder of this session is here without its transcript",
                where=str(sidecar),
                todo="move it away, then pull again",
            )
        merged, kept = merge(sidecar, fetched, True), None
        others = merged.to_keep()
        if others:
            kept = self._vault.keep(fetched.session_id, "pull", sidecar=others)
        files.make_private(sidecar)
        files.replace(sidecar / MARK, b"")
        return merged, kept


def _sync_below(folder: Path, relatives: Sequence[str]) -> None:
    parents = {folder, folder.parent}
    for relative in relatives:
        path = (folder / relative).parent
        while path != folder:
            parents.add(path)
            path = path.parent
    sync_directories(parents)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """What can't be written inside is Claude Code's folder.

    Raises:
        ClaudeHomeError: instead of any OSError.
    """
    try:
        yield
    except OSError as error:
        why, todo = refusal(error, "check the disk's free space and the folder's permissions")
        raise ClaudeHomeError(
            f"Claude Code's folder can't be written ({why})", where=str(path), todo=todo
        ) from error
