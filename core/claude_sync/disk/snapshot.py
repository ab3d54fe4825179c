"""Reading files that others may be writing: never a link, never a FIFO, never a mixture."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

from claude_sync.errors import SessionChanging, SessionUnreadable, SessionVanished
from claude_sync.model import Stamp, Version

if TYPE_CHECKING:
    from claude_sync.disk.hashing import Begun

BLOCK_SIZE = 1 << 18
"""Bytes in one piece of a stream; work can be stopped between two.

With four times as many, packing and unpacking take a fifth longer: the allocator has to ask the
system for each piece, which hands it out page by page."""

NO_FOLLOW: int = getattr(os, "O_NOFOLLOW", 0)
_OPEN_SAFELY: int = (
    os.O_RDONLY | NO_FOLLOW | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
)


_GREATEST = (1 << 63) - 1
"""What a database, and every reader of a bundle, can hold."""


def stamp_of(status: os.stat_result) -> Stamp:
    """The stamp of a file whose status is known.

    A time past the year 2262 is the last moment before that. A number of more than 63 bits
    (NTFS's, ReFS's) is folded: it still tells one file from the next.
    """
    number, mtime_ns = status.st_ino, status.st_mtime_ns
    while number > _GREATEST:
        number = (number & _GREATEST) ^ (number >> 63)
    if not -_GREATEST <= mtime_ns <= _GREATEST:
        mtime_ns = _GREATEST if mtime_ns > 0 else -_GREATEST
    return Stamp(status.st_size, mtime_ns, number)


def entry_status(entry: os.DirEntry[str]) -> os.stat_result:
    """A directory entry's status, links not followed.

    Windows keeps a copy in the directory that lacks the file's number and lags behind the file
    (https://docs.python.org/3/library/os.html#os.DirEntry.stat): a stamp of it would never be
    equal to one of the file itself.
    """
    return os.lstat(entry.path) if os.name == "nt" else entry.stat(follow_symlinks=False)


def is_link(status: os.stat_result) -> bool:
    """Whether an lstat result is a symbolic link, or a junction or other link of Windows."""
    if stat.S_ISLNK(status.st_mode):
        return True
    # Mount points and symlinks are the reparse points with the "name surrogate" bit.
    return bool(getattr(status, "st_reparse_tag", 0) & 0x20000000)


def may_be_there(path: Path | str) -> bool:
    """Whether something may be there after all where a look found nothing.

    A disk that fails, or a share that comes and goes, may say of one that is there that it isn't.
    The folder above isn't at fault, and tells what was removed.

    Returns:
        False where the folder above doesn't list it, or where there is no such folder.
    """
    above, name = os.path.split(os.path.abspath(path))
    if not name:
        return True  # a root
    try:
        return name in os.listdir(above)
    except FileNotFoundError:
        return may_be_there(above)
    except OSError:
        return True


def open_regular(path: Path | str) -> IO[bytes]:
    """Open a regular file for reading without following a link and without blocking.

    Others may append to it, rename it and remove it as long as it is open.

    Raises:
        OSError: it can't be opened, or (errno EINVAL) isn't a regular file.
    """
    if not NO_FOLLOW and is_link(os.lstat(path)):
        raise OSError(errno.EINVAL, "is a link", str(path))
    descriptor = _open(path)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "is not a regular file", str(path))
        return os.fdopen(descriptor, "rb", buffering=0)
    except BaseException:
        os.close(descriptor)
        raise


def _open(path: Path | str) -> int:
    if sys.platform == "win32":
        from claude_sync.disk.windows_reading import open_shared

        return open_shared(path)
    return os.open(path, _OPEN_SAFELY)


def read_small(path: Path, limit: int = 1 << 20) -> bytes:
    """A small regular file's bytes, at most `limit` of them; a link is not followed.

    Raises:
        OSError: it can't be opened or read, or (errno EINVAL) isn't a regular file.
    """
    with open_regular(path) as file:
        return _read_exactly(file, limit)


def _read_exactly(file: IO[bytes], size: int) -> bytes:
    """Up to `size` bytes: fewer only at the end of the file (a raw read may return early)."""
    pieces: list[bytes] = []
    while size > 0 and (piece := file.read(size)):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


class translating_read_errors:  # noqa: N801 -- it is used as a function, as closing() is
    """Whatever of a session can't be read inside costs that session, not the others.

    Raises:
        SessionUnreadable: in the place of an OSError that stays until someone acts.
        SessionVanished: in the place of any other.
    """

    # Entered for every session of a push: a generator would take three times as long.
    __slots__ = ("_session_id",)

    def __init__(self, session_id: str) -> None:
        self._session_id = session_id

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, PermissionError):
            raise SessionUnreadable(
                f"the session can't be read ({error.strerror})",
                where=error.filename or self._session_id,
                todo="`claude-sync doctor` says how to make it readable",
            ) from error
        if isinstance(error, OSError):
            raise SessionVanished(
                f"the session can't be read ({error.strerror})",
                where=self._session_id,
                todo="it is tried again next time",
                passing=True,
            ) from error


def blocks_of(file: IO[bytes], size: int) -> Iterator[bytes]:
    """`size` bytes from where the file stands, in blocks; ends early where the file does.

    Raises:
        OSError: it can't be read.
    """
    while size > 0 and (block := file.read(min(size, BLOCK_SIZE))):
        size -= len(block)
        yield block


class Snapshot:
    """A file's bytes as they were in one moment, though others may append to it meanwhile.

    Args:
        path: the file; a link is not followed.
        whole_lines: stop after the last line feed (for a file that is being written).
        marks: sizes at which to note the hash as well.

    Attributes:
        noted: SHA-256, in hex, of the first so many bytes, for each mark that `blocks` passed.

    Read `blocks` to the end, then ask `settle`. Use as a context manager.
    """

    def __init__(self, path: Path, *, whole_lines: bool = False, marks: Sequence[int] = ()) -> None:
        self.path = path
        self.noted: Mapping[int, str] = {}
        self._marks = marks
        self._file = open_regular(path)
        try:
            status = os.fstat(self._file.fileno())
            self.stamp = stamp_of(status)
            self.size = self.last_line_end(status.st_size) if whole_lines else status.st_size
        except BaseException:
            self._file.close()
            raise
        self._version: Version | None = None

    def __enter__(self) -> Snapshot:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def last_line_end(self, end: int) -> int:
        """Where the last full line ends in the first `end` bytes."""
        if end > 0:
            self._file.seek(end - 1)
            if self._file.read(1) == b"\n":
                return end
        while end > 0:
            start = max(0, end - BLOCK_SIZE)
            self._file.seek(start)
            found = _read_exactly(self._file, end - start).rfind(b"\n")
            if found >= 0:
                return start + found + 1
            end = start
        return 0

    @property
    def file(self) -> IO[bytes]:
        """The open file; reading it moves where it stands, so not while `blocks` runs."""
        return self._file

    def begun(self, prefix: Version, first: int, check: Callable[[], None]) -> Begun | None:
        """The SHA-256 of the first bytes, if the file begins with a version.

        Args:
            prefix: the version.
            first: how many bytes; at most as many as it has.
            check: called between blocks; raises to stop.

        Raises:
            OSError: they can't be read. And what `check` raises.
        """
        from claude_sync.disk.hashing import Begun

        digest = hashlib.sha256()
        begun: Begun | None = None
        self._file.seek(0)
        for size in (first, prefix.size - first):
            for block in blocks_of(self._file, size):
                check()
                digest.update(block)
            begun = begun or Begun(digest.copy(), first)
        return begun if digest.hexdigest() == prefix.sha256 else None

    def blocks(self, begun: Begun | None = None) -> Iterator[bytes]:
        """The bytes, from the first on, in blocks.

        Args:
            begun: the hash of the first ones, if those aren't wanted.

        Raises:
            OSError: they can't be read; here as in `settle` and `prefix_hash`.
        """
        from claude_sync.disk.hashing import PassingHash  # most looks read nothing

        digest = PassingHash(self._marks, begun)
        read = begun.size if begun is not None else 0
        self._file.seek(read)
        try:
            for block in blocks_of(self._file, self.size - read):
                digest.add(block)
                read += len(block)
                yield block
            self._version, self.noted = Version(read, digest.hexdigest()), digest.noted
        finally:
            digest.close()

    def settle(self) -> Version:
        """The version that was read, once it is sure that it was all there in one moment.

        Raises:
            SessionChanging: the file was rewritten, not just appended to, during the reading.
        """
        version = self._version
        if version is None:
            for _ in self.blocks():
                pass
            version = self._version
        assert version is not None
        if version.size == self.size and stamp_of(os.fstat(self._file.fileno())) == self.stamp:
            return version
        if version.size != self.size or self.prefix_hash(version.size) != version.sha256:
            raise SessionChanging(
                "the file is being rewritten while it is read",
                where=str(self.path),
                todo="it is tried again once it is quiet",
            )
        return version

    def prefix_hash(self, size: int) -> str:
        """SHA-256, in hex, of the first bytes as they are now."""
        digest = hashlib.sha256()
        self._file.seek(0)
        for block in blocks_of(self._file, size):
            digest.update(block)
        return digest.hexdigest()
