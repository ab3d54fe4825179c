"""What was replaced here: old versions of transcripts and sidecars, kept in case they are missed.

    <vault>/<session id>/<number>-<sha256, 16 digits>/transcript.jsonl
                                                      sidecar/…
                                                      entry.json

An entry is whole once its ``entry.json`` is there; that is written last. Invariants:

1. A version is here, durable, before anything replaces it elsewhere.
2. A transcript enters as a second name of its very file where that can be, so that what a client
   appends in the last moment is kept too.
3. Nothing is dropped but by `prune`: what is older than 30 days and not among the last five of its
   session and kind (transcripts; other files alone), and what another kept version extends. A full
   vault refuses, and then nothing is replaced.
4. Nobody else reads it: every folder here is made 0700. A second name keeps the mode that the
   client gave the file, for chmod would change the very file in Claude's tree.
5. What shares its bytes with a file that is still in use (a crash came between keeping and
   replacing) may change yet, and so never stands in for another entry.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from claude_sync.disk import files
from claude_sync.disk.refusals import refusal
from claude_sync.disk.snapshot import BLOCK_SIZE
from claude_sync.errors import VaultError
from claude_sync.model import Version
from claude_sync.names import is_session_id
from claude_sync.spelling import extended
from claude_sync.state.vault_entry import (
    ENTRY,
    SIDECAR,
    TRANSCRIPT,
    Kept,
    described,
    is_extended,
    is_whole,
    load,
)

KEEP_DAYS = 30
KEEP_VERSIONS = 5
LIMIT_BYTES = 5 << 30
LIMIT_SHARE = 10
_DAY_SECONDS = 86_400
_PRUNED = ".pruned"


class Vault:
    """The vault of this machine.

    Args:
        folder: where it lies; made when first needed.
        limit: bytes it may hold; None for 5 GB or a tenth of the disk, the smaller.
    """

    def __init__(self, folder: Path, limit: int | None = None) -> None:
        self.folder = Path(extended(str(folder)))
        self._limit = limit
        self._used: int | None = None

    # -- keeping ------------------------------------------------------------------------------

    def keep(
        self,
        session_id: str,
        reason: str,
        *,
        transcript: Path | None = None,
        version: Version | None = None,
        sidecar: Iterable[tuple[str, Path]] = (),
        passing: bool = False,
    ) -> Kept:
        """Keep files that are about to be replaced; they are durable here when this returns.

        Args:
            session_id: their session.
            reason: what replaces them, a word.
            transcript: the session's file, None where only sidecar files are replaced.
            version: what the transcript is.
            sidecar: further files, as (relative path, file).
            passing: whether what replaces the transcript holds all of it, so that the entry is
                dropped again in a moment: it is to catch what a client appends in that moment,
                takes no room, and needn't outlive a power cut.

        Raises:
            VaultError: no room, or it can't be written. Nothing may be replaced then.
        """
        sidecar = list(sidecar)
        with _translated(self.folder):
            if not passing:
                sources = [*([transcript] if transcript else []), *(path for _, path in sidecar)]
                self._make_room(sum(path.stat().st_size for path in sources))
            folder = self._new_folder(session_id, version, durable=not passing)
            mtime_ns = 0
            linked = []
            if transcript is not None:
                mtime_ns = transcript.stat().st_mtime_ns
                if files.link_or_copy(transcript, folder / TRANSCRIPT):
                    linked.append(folder / TRANSCRIPT)
            for relative, path in sidecar:
                target = files.descend(folder / SIDECAR, relative)
                files.make_private(target.parent)
                if files.link_or_copy(path, target):
                    linked.append(target)
                files.sync_directory(target.parent)
            if not passing:
                files.sync(linked)  # A client leaves it to the system when its bytes are written.
            kept = Kept(
                folder=folder,
                session_id=session_id,
                version=version,
                kept_at=time.time(),
                reason=reason,
                mtime_ns=mtime_ns,
            )
            return self._finish(kept, durable=not passing)

    def keep_stream(
        self,
        session_id: str,
        reason: str,
        version: Version | None,
        fill: Callable[[Path], None],
        *,
        size: int,
        mtime_ns: int = 0,
        sidecar_sha256: str = "",
    ) -> Kept:
        """Keep what comes from elsewhere than Claude's tree.

        Args:
            session_id: its session.
            reason: what replaces it, a word.
            version: what its transcript is, None where there is none.
            fill: puts ``transcript.jsonl`` and a ``sidecar`` folder, or one of the two, durably
                into the folder it is given.
            size: bytes, about.
            mtime_ns: the transcript's modification time.
            sidecar_sha256: of all the sidecar files.

        Returns:
            its entry; the one that holds just the same already, if there is one.
        """
        for kept in self.entries(session_id) if version is not None else ():
            same = kept.version == version and kept.sidecar_sha256 == sidecar_sha256
            if same and is_whole(kept):
                return kept
        with _translated(self.folder):
            self._make_room(size)
            folder = self._new_folder(session_id, version)
            try:
                fill(folder)
            except BaseException:
                files.remove_tree(folder)
                raise
            kept = Kept(
                folder=folder,
                session_id=session_id,
                version=version,
                kept_at=time.time(),
                reason=reason,
                mtime_ns=mtime_ns,
                sidecar_sha256=sidecar_sha256,
            )
            return self._finish(kept)

    def catch_up(self, kept: Path, old: IO[bytes]) -> None:
        """Take over what was written to a file in the moment it was replaced.

        Args:
            kept: the file in its entry. A second name of the very file has caught up by itself.
            old: the replaced file, still open.
        """
        with _translated(self.folder):
            if not os.path.samestat(os.fstat(old.fileno()), os.lstat(kept)):
                old.seek(0)
                files.replace(kept, iter(lambda: old.read(BLOCK_SIZE), b""))

    def _new_folder(
        self, session_id: str, version: Version | None, *, durable: bool = True
    ) -> Path:
        base = self.folder / session_id
        files.make_private(base, durable=durable)
        digest = version.sha256[:16] if version else SIDECAR
        number = 1 + max((_number(name) for name in os.listdir(base)), default=0)
        folder = base / f"{number:06d}-{digest}"
        files.make_private(folder, durable=durable)
        return folder

    def _finish(self, kept: Kept, *, durable: bool = True) -> Kept:
        if durable:
            files.sync_directory(kept.folder)
        files.replace(kept.folder / ENTRY, described(kept), durable=durable)
        return kept

    # -- looking ------------------------------------------------------------------------------

    def entries(self, session_id: str) -> list[Kept]:
        """The whole entries of a session, oldest first."""
        found = []
        try:
            names = sorted(os.listdir(self.folder / session_id), key=_number)
        except OSError:
            return []
        for name in names:
            kept = load(self.folder / session_id / name, session_id)
            if kept is not None:
                found.append(kept)
        return found

    def sessions(self) -> list[str]:
        """Ids of the sessions that something is kept of."""
        try:
            return sorted(name for name in os.listdir(self.folder) if is_session_id(name))
        except OSError:
            return []

    def size(self) -> int:
        """Bytes in the vault; a file shared with Claude's tree counts in full."""
        return sum(
            (Path(base) / name).lstat().st_size
            for base, _, names in os.walk(self.folder)
            for name in names
        )

    def limit(self) -> int:
        """Bytes the vault may hold."""
        if self._limit is not None:
            return self._limit
        import shutil

        try:
            disk = shutil.disk_usage(files.nearest_existing(self.folder)).total
        except OSError:
            return LIMIT_BYTES
        return min(LIMIT_BYTES, disk // LIMIT_SHARE)

    def _make_room(self, needed: int) -> None:
        if self._used is None:
            self._used = self.size()
        if self._used + needed > self.limit():
            self.prune()
            self._used = self.size()
        self._used += needed
        if self._used > self.limit():
            self._used = None
            raise VaultError(
                "there is no room left for earlier versions of sessions",
                where=str(self.folder),
                todo="remove sessions in it that you don't need; nothing is replaced until then",
            )

    # -- dropping -----------------------------------------------------------------------------

    def tidy(self) -> None:
        """Prune, unless that was done less than a day ago. What can't be pruned stays."""
        mark = self.folder / _PRUNED
        try:
            if not self.folder.is_dir():
                return
            if mark.exists() and abs(time.time() - mark.lstat().st_mtime) < _DAY_SECONDS:
                return
            self.prune()
            files.replace(mark, b"")
        except OSError:
            return  # Nothing was asked for; the next keep says what is wrong with the vault.

    def prune(self, now: float | None = None) -> int:
        """Drop what needn't be kept any longer.

        Args:
            now: seconds since the epoch, None for the present.

        Returns:
            how many entries were dropped.
        """
        now = time.time() if now is None else now
        dropped = 0
        for session_id in self.sessions():
            entries = self.entries(session_id)
            droppable = [
                kept
                for kind in _kinds(entries)
                for kept in kind[:-KEEP_VERSIONS]
                if now - kept.kept_at > KEEP_DAYS * _DAY_SECONDS
            ]
            droppable += [
                kept
                for index, kept in enumerate(entries)
                if kept not in droppable and is_extended(kept, entries[index + 1 :])
            ]
            for kept in droppable:
                self.drop(kept)
                dropped += 1
            self._drop_unfinished(session_id, now)
        return dropped

    def drop(self, kept: Kept) -> None:
        """Remove one entry; it stops being one before its files go."""
        files.remove(kept.folder / ENTRY)
        files.remove_tree(kept.folder)

    def _drop_unfinished(self, session_id: str, now: float) -> None:
        # What they were to protect was not replaced: the entry is written before that.
        base = self.folder / session_id
        for folder in base.iterdir():
            if not (folder / ENTRY).exists() and now - folder.lstat().st_mtime > _DAY_SECONDS:
                files.remove_tree(folder)
        files.remove_empty(base)


def _kinds(entries: Iterable[Kept]) -> tuple[list[Kept], list[Kept]]:
    """Entries with a transcript, and those of other files alone: ticked tasks push out no version.

    Each as they come.
    """
    versions: list[Kept] = []
    files_alone: list[Kept] = []
    for kept in entries:
        (files_alone if kept.version is None else versions).append(kept)
    return versions, files_alone


@contextmanager
def _translated(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        why, todo = refusal(error, "check the disk's free space and the folder's permissions")
        raise VaultError(
            f"earlier versions of sessions can't be kept ({why})",
            where=str(folder),
            todo=f"{todo}; nothing was replaced",
        ) from error


def _number(name: str) -> int:
    digits = name.split("-", 1)[0]
    return int(digits) if digits.isascii() and digits.isdigit() else 0
