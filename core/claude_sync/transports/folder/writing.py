"""Writing many files into a folder: one sync for a group of them instead of one each."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from claude_sync.disk import files
from claude_sync.disk.snapshot import is_link, stamp_of
from claude_sync.errors import (
    ClaudeSyncError,
    FileArrived,
    FileGone,
    Stopped,
    StoreDenied,
    StoreOffline,
    TransportError,
)
from claude_sync.model import Stamp
from claude_sync.transports.base import (
    Predecessor,
    Put,
    Written,
    arrived,
    is_same_file,
    is_usable_name,
    unusable_name,
)
from claude_sync.transports.folder.root import Root

_GROUP_FILES = 200
_GROUP_BYTES = 64 << 20
_DAY_SECONDS = 86_400


@dataclass(slots=True)
class _Pending:
    """One put on its way."""

    name: str
    target: Path
    predecessor: Predecessor | None = None
    staged: files.Staged | None = None
    stamp: Stamp | None = None
    error: ClaudeSyncError | None = None


class Group:
    """Puts that become durable together: staged, synced, renamed, their folders synced."""

    def __init__(self, root: Root) -> None:
        self._root = root
        self._pending: list[_Pending] = []
        self._ready: set[Path] = set()
        self._bytes = 0

    @property
    def is_full(self) -> bool:
        """Whether it is time for `finish`."""
        return len(self._pending) >= _GROUP_FILES or self._bytes >= _GROUP_BYTES

    def add(self, put: Put) -> None:
        """Stage one put. Its failure is kept for its answer, unless the folder is gone."""
        if not is_usable_name(put.name):
            self._pending.append(_Pending(put.name, Path(), error=unusable_name()))
            return
        pending = _Pending(put.name, self._root.path(put.name), put.predecessor)
        self._pending.append(pending)
        try:
            pending.staged = self._stage(put, pending.target.parent)
            self._bytes += pending.staged.size
        except (Stopped, StoreOffline):
            raise
        except ClaudeSyncError as error:
            pending.error = error
        except OSError as error:
            pending.error = self._error(error, pending)

    def _stage(self, put: Put, directory: Path) -> files.Staged:
        self._make_ready(directory, put.name)
        try:
            return files.stage(directory, self._data(put))
        except FileNotFoundError:
            # Another machine's `remove` takes a directory away when it empties it.
            self._ready.discard(directory)
            self._make_ready(directory, put.name)
            return files.stage(directory, self._data(put))

    def _data(self, put: Put) -> Iterator[bytes]:
        for block in put.blocks():
            self._root.check_stopped()
            yield block.data

    def _make_ready(self, directory: Path, name: str) -> None:
        """Have a directory that can be listed and isn't a link; old temporaries in it go."""
        if directory in self._ready:
            return
        self._root.check(name=name)
        try:
            status = os.lstat(directory)
        except FileNotFoundError:
            try:
                os.mkdir(directory, files.FOLDER_OF_OTHERS_TOO)
                self._root.sync_directory(directory.parent)
            except FileExistsError:
                pass
            status = os.lstat(directory)
        # The root may be a link: its owner chose it.
        if "/" in name and (is_link(status) or not stat.S_ISDIR(status.st_mode)):
            raise StoreDenied(
                "a link or a file is where a folder should be",
                where=str(directory),
                todo="move it away",
            )
        os.scandir(directory).close()
        files.remove_leftovers(directory, older_than_seconds=_DAY_SECONDS)
        self._ready.add(directory)

    def finish(self) -> Iterator[Written]:
        """Make all of it durable, and answer each put in its turn."""
        self._root.check_stopped()
        self._sync()
        for pending in self._pending:
            if pending.staged is not None:
                self._commit(pending, pending.staged)
        self._sync_directories()
        finished, self._pending, self._bytes = self._pending, [], 0
        for pending in finished:
            stamp = pending.stamp
            yield Written(pending.name, stamp, stamp.size if stamp else 0, pending.error)

    def _sync(self) -> None:
        staged: list[files.Staged] = []
        for pending in self._pending:
            if pending.staged is not None and not os.path.lexists(pending.staged.path):
                pending.error = self._error(FileNotFoundError(errno.ENOENT, ""), pending)
                pending.staged = None
            elif pending.staged is not None:
                staged.append(pending.staged)
        try:
            files.sync(staged)
        except OSError as error:
            # Which of them it was can't be found out: a second fsync may say that all is well.
            for pending in self._pending:
                if pending.staged is not None:
                    pending.error = self._error(error, pending)
                    self._discard(pending)

    def _commit(self, pending: _Pending, staged: files.Staged) -> None:
        try:
            self._root.check(name=pending.name)
            pending.stamp = self._put_in_place(staged, pending)
            pending.staged = None
        except FileArrived as error:
            pending.error = error
            self._discard(pending)
        except OSError as error:
            pending.error = self._error(error, pending)
            self._discard(pending)

    def _put_in_place(self, staged: files.Staged, pending: _Pending) -> Stamp:
        if pending.predecessor is None:
            return files.commit(staged, pending.target)
        try:
            there = stamp_of(os.lstat(pending.target))
        except FileNotFoundError:
            try:
                return files.commit_new(staged, pending.target)
            except FileExistsError:
                raise arrived(self._root.shown(pending.name)) from None
        expected = pending.predecessor.stamp
        if expected is None or not is_same_file(expected, there):
            raise arrived(self._root.shown(pending.name))
        return files.commit(staged, pending.target)

    def _sync_directories(self) -> None:
        for directory in {p.target.parent for p in self._pending if p.stamp is not None}:
            try:
                self._root.sync_directory(directory)
            except TransportError as error:
                for pending in self._pending:
                    if pending.stamp is not None and pending.target.parent == directory:
                        pending.stamp, pending.error = None, error

    def _error(self, error: OSError, pending: _Pending) -> TransportError:
        """The error of one put; raises StoreOffline if the whole folder is gone."""
        self._root.check(name=pending.name)
        translated = self._root.unwritable(error, pending.target, name=pending.name)
        if isinstance(translated, FileGone):
            return StoreOffline("a folder disappeared during a write", where=translated.where)
        return translated

    def _discard(self, pending: _Pending) -> None:
        if pending.staged is not None:
            files.discard(pending.staged)
            pending.staged = None

    def drop(self) -> None:
        """Leave nothing behind of what wasn't finished."""
        for pending in self._pending:
            self._discard(pending)
        self._pending = []
