"""Installing a version in Claude's tree.

Invariants:

1. At every moment the transcript is the old bytes or the new bytes.
2. What is replaced and not held by the new bytes is in the vault, durable, before.
3. All other files are there before the transcript that names them.
4. An open session, or one that changed since it was looked at, is left alone; this is looked at
   again in the last moment.

Order of steps: fetch beside the target and sync (the caller) · look again · vault · look again ·
all other files, each by rename · sync their folders · look again · rename or link the transcript ·
sync its folder (`sync_new`: once for all that is new in it).
A new session's sidecar folder bears a mark until its transcript is there, so that one left behind
by a crash is known as ours; a folder without a transcript that isn't ours is never written into.
What the client keeps elsewhere of a session (its companions) outlives a transcript that it cleaned
up: that is replaced as any other file is.
"""

from __future__ import annotations

import os
from collections.abc import Container, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from claude_sync.claude.home import ClaudeHome
from claude_sync.claude.live_sessions import read_live_sessions
from claude_sync.claude.session_files import TRANSCRIPT_SUFFIX, SessionFiles, is_companion
from claude_sync.disk import files
from claude_sync.disk.files import Staged
from claude_sync.disk.refusals import refusal
from claude_sync.disk.snapshot import translating_read_errors
from claude_sync.errors import ClaudeHomeError, SessionError, SessionOpen
from claude_sync.model import LocalSession, SidecarFile, Stamp, Version
from claude_sync.names import TEMPORARY_PREFIX
from claude_sync.state.vault import Vault
from claude_sync.state.vault_entry import Kept, is_as_kept
from claude_sync.sync.tree.last_moment import changed, watched
from claude_sync.sync.tree.merge import (
    THEIRS,
    KeptFiles,
    Merge,
    StagedSession,
    Winner,
    merge,
    sync_directories,
    to_keep,
)
from claude_sync.sync.tree.undo_record import UndoRecord
from claude_sync.values import NamedTuple

MARK = ".ccsync-placing"
"""The file in a sidecar folder that says: its transcript is on its way."""


class Installed(NamedTuple):
    """What was installed, and how to undo that.

    Attributes:
        path: the transcript.
        stamp: of that.
        undo: how to undo it.
        refused: companions that weren't placed, since something else is in their way.
        as_sent: files but the transcript that lie here as they came.
        held: plans here that stayed, since other sessions have them too.
    """

    path: Path
    stamp: Stamp
    undo: UndoRecord
    refused: tuple[str, ...] = ()
    as_sent: tuple[SidecarFile, ...] = ()
    held: tuple[SidecarFile, ...] = ()

    @property
    def is_change(self) -> bool:
        """Whether anything was written."""
        undo = self.undo
        return undo.before != undo.after or bool(undo.added or undo.kept or undo.grown)


class Installer:
    """Installs versions in one Claude tree.

    Args:
        home: the tree.
        vault: where what is replaced goes.
    """

    def __init__(self, home: ClaudeHome, vault: Vault) -> None:
        self._home = home
        self._vault = vault

    def install_new(
        self, fetched: StagedSession, folder: Path, untouchable: Container[str] = ()
    ) -> Installed:
        """Install a session that isn't here, durably.

        Args:
            fetched: what to install; staged in `folder`, synced.
            folder: the encoded working directory's, in the tree.
            untouchable: paths of files that other sessions here have too: those stay.

        Raises:
            SessionError: it is here by now, open, or something lies in its way.
            ClaudeHomeError: the tree can't be written.
            VaultError: what a crash left where it goes can't be kept.
        """
        installed = self.install_unsynced(fetched, folder, untouchable)
        self.sync_new(folder, [installed])
        return installed

    def install_unsynced(
        self, fetched: StagedSession, folder: Path, untouchable: Container[str] = ()
    ) -> Installed:
        """The same without making the new names durable; `sync_new` is still to come.

        Raises:
            SessionError: it is here by now, open, or something lies in its way.
            ClaudeHomeError: the tree can't be written.
            VaultError: what a crash left where it goes can't be kept.
        """
        session_id = fetched.session_id.lower()
        target = folder / f"{session_id}{TRANSCRIPT_SUFFIX}"
        where = SessionFiles(target)
        of_folder = [file.path for file, _ in fetched.sidecar if not is_companion(file.path)]
        merged, kept = Merge(), None
        with writing(folder):
            self._check_absent(session_id, target)
            if of_folder:
                self._check_folder(where.folder)
            if fetched.sidecar:
                merged = self._merge(where, fetched, Winner(untouchable=untouchable))
                kept = self._keep_others(session_id, merged)
                if of_folder:
                    files.make_private(where.folder)
                    files.replace(where.folder / MARK, b"")
                merged.install(session_id, self._vault, KeptFiles(kept, kept))
                for staged in merged.dropped:
                    files.discard(staged)
                if of_folder:
                    _sync_below(where.folder, of_folder)
                sync_directories(merged.directories())
            self._check_absent(session_id, target)
            try:
                stamp = files.commit_new(fetched.transcript, target)
            except FileExistsError as error:
                raise changed(session_id) from error
        added = (*of_folder, *(one.name for one in merged.added if is_companion(one.name)))
        replaced = tuple(one.was.path for one in merged.replaced if is_companion(one.was.path))
        undo = UndoRecord(
            None,
            fetched.version,
            entry=_name_of(kept) if replaced else "",
            added=added,
            kept=replaced,
        )
        return _installed(target, stamp, undo, merged)

    def _merge(self, where: SessionFiles, fetched: StagedSession, winner: Winner) -> Merge:
        return merge(where, fetched, winner, checkpoints=self._home.checkpoints)

    def sync_new(self, folder: Path, installed: Iterable[Installed]) -> None:
        """Make durable that new sessions are in a folder; only then may they be remembered.

        Raises:
            ClaudeHomeError: it can't be done.
        """
        with writing(folder):
            files.sync_directory(folder)
            for done in installed:
                if done.undo.added:
                    files.remove(SessionFiles(done.path).folder / MARK)

    def install_over(
        self,
        fetched: StagedSession,
        local: LocalSession,
        version: Version,
        reason: str,
        *,
        extends: bool,
        winner: Winner = THEIRS,
        transcript: bool = True,
    ) -> Installed:
        """Install a version where another one is.

        Args:
            fetched: what to install; staged in the transcript's folder, synced.
            local: the session as it was looked at.
            version: its whole transcript.
            reason: for the vault, a word.
            extends: whether the new transcript holds all bytes of the old one.
            winner: whose file stands where both have one.
            transcript: whether the transcript is replaced, or all other files are merged only.

        Raises:
            SessionError: it is open, or changed since it was looked at.
            VaultError: what would be replaced can't be kept.
            ClaudeHomeError: the tree can't be written.
        """
        with writing(local.path.parent):
            self.check_same(local)
            merged = self._merge(SessionFiles(local.path), fetched, winner)
            kept = self._keep(
                local, version, reason, merged=merged, extends=extends, transcript=transcript
            )
            self.check_still_same(local, kept)
            merged.install(local.session_id, self._vault, kept)
            sync_directories(merged.directories())
            stamp = local.stamp
            if transcript:
                stamp = self.replace(fetched.transcript, local, kept.grown)
            for staged in merged.dropped if transcript else [*merged.dropped, fetched.transcript]:
                files.discard(staged)
            after = fetched.version if transcript else version
            undo = self._undo(local, version, after, merged=merged, kept=kept, extends=extends)
        return _installed(local.path, stamp, undo, merged)

    def _keep(
        self,
        local: LocalSession,
        version: Version,
        reason: str,
        *,
        merged: Merge,
        extends: bool,
        transcript: bool,
    ) -> KeptFiles:
        """Keep what is written over; what all is in the new bytes, only for a moment."""
        replaced, grown = to_keep(merged.replaced), to_keep(merged.grown)
        lasting = None
        if replaced and extends:
            lasting = self._vault.keep(local.session_id, reason, sidecar=replaced)
            replaced = []
        if not (transcript or grown or replaced):
            return KeptFiles(lasting, lasting)
        kept = self._vault.keep(
            local.session_id,
            reason,
            transcript=local.path if transcript else None,
            version=version if transcript else None,
            sidecar=[*replaced, *grown],
            passing=extends,
        )
        return KeptFiles(lasting or kept, kept)

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
        kept: KeptFiles,
        extends: bool,
    ) -> UndoRecord:
        lasting, passing = kept
        if passing is not None and extends and (passing is not lasting or not merged.replaced):
            same = (passing.version is None or is_as_kept(passing)) and merged.is_as_kept(kept)
            if same:
                # What was installed holds every byte of it.
                self._vault.drop(passing)
                lasting = None if lasting is passing else lasting
        entry = _name_of(lasting)
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

    def check_still_same(self, local: LocalSession, kept: KeptFiles) -> None:
        """The same once something was kept, and nothing yet replaced; if not, that is dropped.

        Raises:
            SessionChanging: it changed.
            SessionOpen: it is open.
        """
        try:
            self.check_same(local)
        except SessionError:
            for entry in {one.folder: one for one in kept if one is not None}.values():
                self._vault.drop(entry)
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

    def _check_folder(self, sidecar: Path) -> None:
        """See that a new session's sidecar folder isn't there, but for what a crash of ours left.

        Raises:
            SessionError: something lies in it.
        """
        names = files.names_in(files.descend(sidecar.parent, sidecar.name))
        ours = MARK in names
        if not ours and any(not name.startswith(TEMPORARY_PREFIX) for name in names):
            raise SessionError(
                "a folder of this session is here without its transcript",
                where=str(sidecar),
                todo="move it away, then pull again",
            )

    def _keep_others(self, session_id: str, merged: Merge) -> Kept | None:
        """Keep what lies where files of a new session go."""
        others = to_keep([*merged.replaced, *merged.grown])
        if not others:
            return None
        return self._vault.keep(session_id, "pull", sidecar=others)


def _installed(path: Path, stamp: Stamp, undo: UndoRecord, merged: Merge) -> Installed:
    return Installed(
        path, stamp, undo, tuple(merged.refused), tuple(merged.as_sent), tuple(merged.held)
    )


def _name_of(kept: Kept | None) -> str:
    """What an undo finds an entry of the vault by."""
    return f"{kept.folder.parent.name}/{kept.folder.name}" if kept is not None else ""


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
