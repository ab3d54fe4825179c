"""Merging a session's sidecar files with those of another version (FORMAT.md, "Sidecar files").

Where only one side has a file, that stays, or is added. Where one file holds the other, the longer
one stands. Otherwise one side wins, and the loser's file goes into the vault first.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from claude_sync.disk import files
from claude_sync.disk.files import Staged
from claude_sync.disk.prefix_hashes import begins_with
from claude_sync.disk.snapshot import Snapshot, stamp_of
from claude_sync.model import SidecarFile, Stamp, Version
from claude_sync.state.vault import Vault
from claude_sync.state.vault_entry import Kept
from claude_sync.sync.tree.last_moment import install_where_nothing_was, swap
from claude_sync.values import NamedTuple


class StagedSession(Protocol):
    """A version of a session that is here, whole and true, as staged files.

    Attributes:
        session_id: the session.
        version: its transcript.
        transcript: the same as a file.
        sidecar: its sidecar files, sorted by path.
    """

    @property
    def session_id(self) -> str: ...
    @property
    def version(self) -> Version: ...
    @property
    def transcript(self) -> Staged: ...
    @property
    def sidecar(self) -> tuple[tuple[SidecarFile, Staged], ...]: ...


class Added(NamedTuple):
    """A file that isn't here: where it goes, what comes there, its name."""

    path: Path
    staged: Staged
    name: str


class Over(NamedTuple):
    """A file that is to be written over.

    Attributes:
        path: where it lies.
        staged: what comes there.
        was: what it is.
        seen: its stamp.
    """

    path: Path
    staged: Staged
    was: SidecarFile
    seen: Stamp


@dataclass(slots=True)
class Merge:
    """What becomes of each sidecar file.

    Attributes:
        added: files that aren't here.
        grown: files whose bytes are the beginning of what comes.
        replaced: files that lose.
        dropped: what comes and isn't wanted.
    """

    added: list[Added] = field(default_factory=list)
    grown: list[Over] = field(default_factory=list)
    replaced: list[Over] = field(default_factory=list)
    dropped: list[Staged] = field(default_factory=list)

    def to_keep(self) -> list[tuple[str, Path]]:
        """What goes into the vault first: also what only grew, for it may be written to."""
        return [(over.was.path, over.path) for over in [*self.replaced, *self.grown]]

    def install(self, session_id: str, vault: Vault, kept: Kept | None) -> None:
        """Write all that is to be written. To sync `directories` comes after.

        Raises:
            SessionChanging: a file isn't what was seen any more; what was installed stays.
        """
        for added in self.added:
            install_where_nothing_was(session_id, added.staged, added.path)
        for path, staged, was, seen in [*self.replaced, *self.grown]:
            assert kept is not None
            swap(session_id, staged, path, seen=seen, vault=vault, kept=kept.sidecar / was.path)

    def directories(self) -> set[Path]:
        """The directories in which files got names."""
        overs = [*self.replaced, *self.grown]
        return {added.path.parent for added in self.added} | {over.path.parent for over in overs}

    def is_as_kept(self, kept: Kept) -> bool:
        """Whether what was to grow is in the vault as it was: nothing was written to it since."""
        return all(
            stamp_of(os.lstat(kept.sidecar / over.was.path))[:2] == over.seen[:2]
            for over in self.grown
        )


def merge(folder: Path, fetched: StagedSession, theirs_win: bool | None) -> Merge:
    """What becomes of each sidecar file: only one side has it; one holds the other; or one wins.

    Args:
        folder: the session's sidecar folder.
        fetched: the other version, staged.
        theirs_win: whose file stands where neither holds the other; None for the one with the
            smaller hash.
    """
    found = Merge()
    for theirs, staged in fetched.sidecar:
        path = files.descend(folder, theirs.path)
        try:
            with Snapshot(path) as snapshot:
                size, sha256 = snapshot.settle()
        except FileNotFoundError:
            found.added.append(Added(path, staged, theirs.path))
            continue
        ours = SidecarFile(theirs.path, size, sha256)
        over = Over(path, staged, ours, snapshot.stamp)
        if ours == theirs or begins_with(path, theirs):
            found.dropped.append(staged)
        elif begins_with(staged.path, ours):
            found.grown.append(over)
        elif theirs_win or (theirs_win is None and theirs.sha256 < ours.sha256):
            found.replaced.append(over)
        else:
            found.dropped.append(staged)
    return found


def sync_directories(directories: Iterable[Path]) -> None:
    """Make the names in directories durable."""
    for directory in sorted(directories):
        files.sync_directory(directory)
