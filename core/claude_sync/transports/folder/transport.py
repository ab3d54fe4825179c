"""A folder that something else mirrors, or that several machines mount.

Nothing here sends a byte: Dropbox, iCloud, Syncthing, a share or a stick does. So bytes cost
nothing, hints about an older file are ignored, and files are known by their status alone.
"""

from __future__ import annotations

import errno
import hashlib
import os
import sys
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from operator import itemgetter
from pathlib import Path
from typing import IO

from claude_sync.disk import files
from claude_sync.disk.snapshot import blocks_of, is_link, open_regular, stamp_of
from claude_sync.errors import FileGone, FileUnreadable, TransportError
from claude_sync.transports.base import (
    Ends,
    Entry,
    Get,
    Got,
    Listing,
    PendingListing,
    Put,
    Written,
    is_same_file,
    is_usable_name,
    is_usable_part,
    no_ends,
    placeholder_for,
    unusable_name,
)
from claude_sync.transports.folder.errors import root_error
from claude_sync.transports.folder.root import Root
from claude_sync.wording import short_path

# sys/stat.h of macOS; winnt.h: RECALL_ON_OPEN, RECALL_ON_DATA_ACCESS, OFFLINE. Each says that
# reading the file would fetch it first.
_DATALESS = 0x40000000
_RECALLED = 0x00040000 | 0x00400000 | 0x00001000
_MAY_BE_ELSEWHERE = sys.platform in ("darwin", "win32")


class FolderTransport:
    """A `Transport` over a folder of this machine.

    Args:
        root: absolute path of the folder.
    """

    remote = False

    def __init__(self, root: str) -> None:
        self._root = Root(root)

    @property
    def location(self) -> str:
        return self._root.location

    @property
    def label(self) -> str:
        return short_path(self.location)

    # --- listing -------------------------------------------------------------------------------

    @contextmanager
    def start_listing(self, known: Listing | None = None) -> Iterator[PendingListing]:
        yield lambda: self.list_files(known)

    def list_files(self, known: Listing | None = None) -> Listing:
        self._root.check_stopped()
        try:
            with os.scandir(self._root.directory) as found:
                directories = [
                    entry.name
                    for entry in found
                    if is_usable_part(entry.name) and _is_real_directory(entry)
                ]
            marker = self._root.read_marker()
        except OSError as error:
            raise root_error(error, self.location) from error
        entries: list[Entry] = []
        unseen: list[str] = []
        for directory in directories:
            self._root.check_stopped()
            found_there = self._list(directory)
            if found_there is None:
                unseen.append(directory)
            else:
                entries += found_there
        entries.sort(key=itemgetter(0))
        self._root.marked = marker is not None
        listing = Listing(marker, tuple(entries), unseen=tuple(sorted(unseen)))
        return known if known is not None and known[:2] == listing[:2] and not unseen else listing

    def _list(self, directory: str) -> list[Entry] | None:
        """The files of one folder, None where it can't be listed."""
        path = os.path.join(self._root.directory, directory)
        try:
            with os.scandir(path) as found:
                entries, vanished = _listed(directory, found)
            # A disk that fails says it of files, too: only its folder tells what was removed.
            return None if vanished and vanished & {*os.listdir(path)} else entries
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ENOTDIR) and not self._lists(directory):
                return []  # it was removed since the root was listed
            # Not ours to read (lost+found on a stick), or a disk that fails for a moment: what lies
            # in it is unknown, which is another thing than nothing.
            return None

    def _lists(self, directory: str) -> bool:
        """Whether the root still says that a folder is in it, or can't be asked."""
        try:
            return directory in os.listdir(self._root.directory)
        except OSError:
            return True

    # --- reading -------------------------------------------------------------------------------

    def ends(self, names: Sequence[str], head: int, tail: int) -> Iterator[Ends]:
        self._root.check()
        for name in names:
            self._root.check_stopped()
            try:
                with self._open(name) as file:
                    yield _ends(name, file, head, tail)
            except OSError as error:
                yield no_ends(name, self._root.unreadable(error, name))
            except (FileGone, FileUnreadable) as error:
                yield no_ends(name, error)

    def digests(self, gets: Sequence[Get]) -> list[str | None]:
        self._root.check()
        return [self._digest(get) for get in gets]

    def _digest(self, get: Get) -> str | None:
        digest = hashlib.sha256()
        size = 0
        try:
            for block in self._blocks(get):
                digest.update(block)
                size += len(block)
        except TransportError:
            return None
        wanted = [piece.length for piece in get.ranges]
        return digest.hexdigest() if -1 in wanted or size == sum(wanted) else None

    def read(self, gets: Iterable[Get]) -> Iterator[Got]:
        self._root.check()
        for get in gets:
            # Not when it is forgotten: an error that is remembered remembers what it came through.
            with closing(_Stream(self._root, get.name, self._blocks(get))) as blocks:
                yield Got(get.name, blocks)

    def _blocks(self, get: Get) -> Generator[bytes, None, None]:
        try:
            with self._open(get.name) as file:
                before = stamp_of(os.fstat(file.fileno()))
                if get.stamp is not None and not is_same_file(get.stamp, before):
                    raise self._is_another(get.name)
                for offset, length in get.ranges:
                    file.seek(offset)
                    wanted = max(0, before.size - offset) if length < 0 else length
                    for block in blocks_of(file, wanted):
                        self._root.check_stopped()
                        yield block
                if stamp_of(os.fstat(file.fileno())) != before:
                    raise self._is_another(get.name)
        except OSError as error:
            raise self._root.unreadable(error, get.name) from error

    def _open(self, name: str) -> IO[bytes]:
        if not is_usable_name(name):
            raise FileGone("no file can have that name")
        directory, _, _ = name.rpartition("/")
        try:
            if directory and is_link(os.lstat(os.path.join(self._root.directory, directory))):
                raise self._is_another(name)
            return open_regular(os.path.join(self._root.directory, *name.split("/")))
        except OSError as error:
            if error.errno in (errno.EINVAL, errno.ELOOP, errno.EISDIR, errno.ENOTDIR, errno.ENXIO):
                raise self._is_another(name) from error
            raise self._root.unreadable(error, name) from error

    def _is_another(self, name: str) -> FileGone:
        return FileGone("a file has changed since it was listed", where=self._root.shown(name))

    # --- writing -------------------------------------------------------------------------------

    def write(self, puts: Iterable[Put]) -> Iterator[Written]:
        from claude_sync.transports.folder.writing import Group

        self._root.check()
        group = Group(self._root)
        try:
            for put in puts:
                self._root.check_stopped()
                group.add(put)
                if group.is_full:
                    yield from group.finish()
            yield from group.finish()
        finally:
            group.drop()

    def remove(self, names: Sequence[str]) -> None:
        self._root.check()
        directories: set[Path] = set()
        for name in names:
            self._root.check_stopped()
            if not is_usable_name(name):
                raise unusable_name()
            path = self._root.path(name)
            try:
                if "/" in name and is_link(os.lstat(path.parent)):
                    continue
                files.remove(path)
            except FileNotFoundError:
                continue
            except OSError as error:
                if error.errno != errno.ENOTDIR:
                    raise self._root.unwritable(error, path) from error
            directories.add(path.parent)
        root = Path(self._root.directory)
        for directory in directories:
            if directory != root:
                files.remove_empty(directory)
            self._root.sync_directory(directory if directory.is_dir() else root)

    def create(self) -> None:
        self._root.check_stopped()
        try:
            directory = Path(self._root.directory)
            files.make_private(directory, mode=files.FOLDER_OF_OTHERS_TOO)
        except OSError as error:
            raise root_error(error, self.location) from error

    def interrupt(self) -> None:
        self._root.stopped = True

    def close(self) -> None:
        pass


def _listed(directory: str, found: Iterator[os.DirEntry[str]]) -> tuple[list[Entry], set[str]]:
    """The files of a folder, and the names of those that went away meanwhile."""
    vanished: set[str] = set()
    entries: list[Entry] = []
    elsewhere: list[Entry] = []
    for entry in found:
        file = entry.name if is_usable_part(entry.name) else placeholder_for(entry.name)
        if not file or not entry.is_file(follow_symlinks=False):
            continue
        try:
            status = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            vanished.add(entry.name)
            continue
        away = file != entry.name or (_MAY_BE_ELSEWHERE and _is_elsewhere(status))
        listed = Entry(f"{directory}/{file}", stamp_of(status), away)
        (elsewhere if away else entries).append(listed)
    if elsewhere:
        here = {entry.name for entry in entries}
        entries += [entry for entry in elsewhere if entry.name not in here]
    return entries, vanished


def _ends(name: str, file: IO[bytes], head: int, tail: int) -> Ends:
    stamp = stamp_of(os.fstat(file.fileno()))
    if stamp.size <= head + tail:
        return Ends(name, stamp, b"".join(blocks_of(file, stamp.size)), b"")
    first = b"".join(blocks_of(file, head))
    file.seek(stamp.size - tail)
    return Ends(name, stamp, first, b"".join(blocks_of(file, tail)))


class _Stream:
    """The bytes of one get until it is left: then its file is closed, and nothing more comes.

    Whoever goes on reading is told so, for a stream that only ended could be taken for whole.
    """

    def __init__(self, root: Root, name: str, blocks: Generator[bytes, None, None]) -> None:
        self._root = root
        self._name = name
        self._blocks = blocks
        self._is_left = False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._is_left:
            self._root.check_stopped()
            raise FileGone("a file was left while it was read", where=self._root.shown(self._name))
        return next(self._blocks)

    def close(self) -> None:
        """Be done with it."""
        self._is_left = True
        self._blocks.close()


def _is_real_directory(entry: os.DirEntry[str]) -> bool:
    if not entry.is_dir(follow_symlinks=False):
        return False
    # Only Windows has directories that are links all the same (junctions).
    return os.name != "nt" or not is_link(entry.stat(follow_symlinks=False))


def _is_elsewhere(status: os.stat_result) -> bool:
    """Whether a cloud keeps the file's bytes elsewhere."""
    flags = getattr(status, "st_flags", 0) & _DATALESS
    return bool(flags or getattr(status, "st_file_attributes", 0) & _RECALLED)
