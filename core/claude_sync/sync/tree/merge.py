"""Merging a session's files with those of another version (FORMAT.md, "Sidecar files").

Where only one side has a file, that stays, or is added. Where one file of the sidecar folder holds
the other, the longer one stands. Otherwise one side wins, and the loser's file goes into the vault
first.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from typing import Protocol

from claude_sync.claude.session_files import SessionFiles, belongs_to, is_checkpoint, is_companion
from claude_sync.claude.slugs import last_slug
from claude_sync.disk import files
from claude_sync.disk.files import Staged
from claude_sync.disk.prefix_hashes import begins_with
from claude_sync.disk.snapshot import Snapshot, open_regular, stamp_of
from claude_sync.errors import BundleUnsafe
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
        sidecar: its sidecar files, sorted by path, but for those that lie here as they are.
        same_here: of those, what isn't known otherwise.
    """

    @property
    def session_id(self) -> str: ...
    @property
    def version(self) -> Version: ...
    @property
    def transcript(self) -> Staged: ...
    @property
    def sidecar(self) -> tuple[tuple[SidecarFile, Staged], ...]: ...
    @property
    def same_here(self) -> tuple[SidecarFile, ...]: ...


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


class KeptFiles(NamedTuple):
    """The vault's entries with what a merge writes over.

    Attributes:
        replaced: holds what loses, None where nothing does.
        grown: holds what only grows; the same entry, or one that is dropped in a moment.
    """

    replaced: Kept | None = None
    grown: Kept | None = None


@dataclass(slots=True)
class Merge:
    """What becomes of each file.

    Attributes:
        added: files that aren't here.
        grown: files whose bytes are the beginning of what comes.
        replaced: files that lose.
        dropped: what comes and isn't wanted.
        refused: companions that aren't placed, since something else is in their way.
        as_sent: files that lie here then as they came.
        held: files here that would have lost, but are untouchable.
    """

    added: list[Added] = field(default_factory=list)
    grown: list[Over] = field(default_factory=list)
    replaced: list[Over] = field(default_factory=list)
    dropped: list[Staged] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    as_sent: list[SidecarFile] = field(default_factory=list)
    held: list[SidecarFile] = field(default_factory=list)

    def install(self, session_id: str, vault: Vault, kept: KeptFiles) -> None:
        """Write all that is to be written. To sync `directories` comes after.

        Raises:
            SessionChanging: a file isn't what was seen any more; what was installed stays.
        """
        for added in self.added:
            staged = _beside(added.staged, added.path)
            try:
                install_where_nothing_was(session_id, staged, added.path)
            finally:
                files.discard(staged)
        for overs, entry in ((self.replaced, kept.replaced), (self.grown, kept.grown)):
            for over in overs:
                assert entry is not None
                staged, kept_file = _beside(over.staged, over.path), entry.sidecar / over.was.path
                try:
                    swap(
                        session_id,
                        staged,
                        over.path,
                        seen=over.seen,
                        vault=vault,
                        kept=kept_file,
                    )
                finally:
                    files.discard(staged)

    def directories(self) -> set[Path]:
        """The directories in which files got names."""
        overs = [*self.replaced, *self.grown]
        return {added.path.parent for added in self.added} | {over.path.parent for over in overs}

    def is_as_kept(self, kept: KeptFiles) -> bool:
        """Whether what was to grow is in the vault as it was: nothing was written to it since."""
        return all(
            kept.grown is not None
            and stamp_of(os.lstat(kept.grown.sidecar / over.was.path))[:2] == over.seen[:2]
            for over in self.grown
        )


def to_keep(overs: Iterable[Over]) -> list[tuple[str, Path]]:
    """What goes into the vault before files are written over."""
    return [(over.was.path, over.path) for over in overs]


class Winner(NamedTuple):
    """Whose file stands where both sides have one.

    Attributes:
        theirs: where neither holds the other: whether what comes wins; None for the one with the
            smaller hash.
        companions: the same of companions, of which none is held by another.
        untouchable: paths of files that stay whatever comes: other sessions here have them too.
    """

    theirs: bool | None = True
    companions: bool = True
    untouchable: Container[str] = ()


THEIRS = Winner()
"""What comes wins."""


def merge(
    where: SessionFiles, fetched: StagedSession, winner: Winner, *, checkpoints: bool = True
) -> Merge:
    """What becomes of each file: only one side has it; one holds the other; or one wins.

    Args:
        where: where the session's files lie.
        fetched: the other version, staged.
        winner: whose file stands.
        checkpoints: whether checkpoints are wanted here.
    """
    found = Merge(as_sent=list(fetched.same_here))
    slug = lru_cache(maxsize=1)(partial(_slug_of, fetched))
    for theirs, staged in fetched.sidecar:
        path = None
        if belongs_to(theirs.path, where.transcript.stem, slug):
            path = _target(where, theirs.path, found.refused)
        if path is None or (is_checkpoint(theirs.path) and not checkpoints):
            found.dropped.append(staged)
        else:
            _merge_file(found, path, theirs, staged, winner)
    return found


def _merge_file(
    found: Merge, path: Path, theirs: SidecarFile, staged: Staged, winner: Winner
) -> None:
    try:
        with Snapshot(path) as snapshot:
            size, sha256 = snapshot.settle()
    except FileNotFoundError:
        found.added.append(Added(path, staged, theirs.path))
        found.as_sent.append(theirs)
        return
    ours = SidecarFile(theirs.path, size, sha256)
    over = Over(path, staged, ours, snapshot.stamp)
    if is_companion(theirs.path):
        loses = winner.companions and ours != theirs
        stays = loses and theirs.path in winner.untouchable
        if stays:
            found.held.append(ours)
        becomes = found.replaced if loses and not stays else None
    elif ours == theirs or begins_with(path, theirs):
        becomes = None
    elif begins_with(staged.path, ours):
        becomes = found.grown
    else:
        smaller = winner.theirs is None and theirs.sha256 < ours.sha256
        becomes = found.replaced if winner.theirs or smaller else None
    if becomes is None:
        found.dropped.append(staged)
    else:
        becomes.append(over)
    if becomes is not None or ours == theirs:
        found.as_sent.append(theirs)


def _target(where: SessionFiles, path: str, refused: list[str]) -> Path | None:
    """Where a file goes; None for a companion whose place is taken, or is behind a link."""
    try:
        target = where.to_write(path)
    except BundleUnsafe:
        if not is_companion(path):
            raise
    else:
        if not is_companion(path) or _is_free_or_a_file(target):
            return target
    refused.append(path)
    return None


def _is_free_or_a_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except FileNotFoundError:
        return True


def _slug_of(fetched: StagedSession) -> str:
    with open_regular(fetched.transcript.path) as file:
        return last_slug(file, fetched.version.size)


def _beside(staged: Staged, path: Path) -> Staged:
    """A staged file where it can be given its name: a project's folder may be on another disk."""
    files.make_private(path.parent)
    if os.stat(path.parent).st_dev == os.stat(staged.path).st_dev:
        return staged
    return files.restage(staged, path.parent)


def sync_directories(directories: Iterable[Path]) -> None:
    """Make the names in directories durable."""
    for directory in sorted(directories):
        files.sync_directory(directory)
