"""A disk that fails at a chosen moment: a child process in which the Nth call to the system fails.

The child is a fork of this process, so it works on what a test made ready. Its calls that name
files, and its reads of files and of the database, are counted if they are about files of the test's
own; the one that was asked for fails, and from then on, if that was asked for too, every call about
the same file.
"""

from __future__ import annotations

import errno
import io
import os
import sqlite3
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from claude_sync.spelling import plain

NAMING = (
    "scandir listdir lstat stat open mkdir rename replace link symlink unlink remove rmdir utime "
    "chmod readlink"
)
BY_DESCRIPTOR = "fstat read write lseek ftruncate fsync pread"
ERRORS = (
    errno.EIO,
    errno.EACCES,
    errno.EPERM,
    errno.ENOENT,
    errno.ESTALE,
    errno.ENOTDIR,
    errno.EROFS,
    errno.ENOSPC,
)

OF_WRITING = (errno.EROFS, errno.ENOSPC)
WRITING = frozenset(
    {"mkdir", "rename", "replace", "link", "symlink", "utime", "chmod", "write", "ftruncate"}
    | {"fsync", "sql"}
)


@contextmanager
def failing(path: Path, code: int, *names: str) -> Iterator[None]:
    """Inside, these functions of `os` fail if they are asked about that very path."""

    def failing_one(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(asked: Any = ".", *rest: Any, **more: Any) -> Any:
            if not isinstance(asked, int) and plain(os.fsdecode(asked)) == plain(os.fspath(path)):
                raise OSError(code, os.strerror(code), os.fspath(path))
            return real(asked, *rest, **more)

        return call

    with pytest.MonkeyPatch.context() as patch:
        for name in names:
            patch.setattr(os, name, failing_one(getattr(os, name)))
        if sys.platform == "win32" and "open" in names:
            from claude_sync.disk import windows_reading  # opens without Python

            opening = failing_one(windows_reading.open_shared)
            patch.setattr(windows_reading, "open_shared", opening)
        yield


class Fault(NamedTuple):
    """What fails.

    Attributes:
        step: which call, from 0 on, or the first after it that can fail so. One that never comes
            counts only.
        code: how, as an errno.
        lasting: whether whatever is asked of the same file fails from then on.
    """

    step: int
    code: int
    lasting: bool

    def __str__(self) -> str:
        return f"{errno.errorcode[self.code]} at call {self.step}{' and ever after' * self.lasting}"


class Ended(NamedTuple):
    """How a child ended.

    Attributes:
        status: its exit status.
        words: all that it printed.
        calls: how many calls it made.
        failed: the call that failed, and on what; "" if none did.
        code: how, as an errno.
    """

    status: int
    words: str
    calls: int
    failed: str
    code: int


def run_with(fault: Fault, below: Path, notes: Path, work: Callable[[], int]) -> Ended:
    """Run some work in a child, with one fault.

    Args:
        fault: what fails.
        below: only calls about files in this folder count.
        notes: a folder outside it, for what the child prints.
        work: what to do there; its answer is the child's exit status.
    """
    printed, counted = notes / "printed", notes / "counted"
    child = os.fork()
    if child == 0:
        status = 99
        try:
            out = os.open(printed, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            os.dup2(out, 1)
            os.dup2(out, 2)
            text = io.TextIOWrapper(io.FileIO(1, "w", closefd=False), "utf-8", write_through=True)
            sys.stdout = sys.stderr = text
            disk = _Disk(fault, os.fspath(below))
            try:
                with disk:
                    status = work()
            finally:
                counted.write_text(f"{disk.calls} {disk.failed}")
        except BaseException:  # noqa: BLE001 -- whatever it is, the parent is told
            traceback.print_exc()
        finally:
            os._exit(status)
    _, ended = os.waitpid(child, 0)
    calls, _, failed = counted.read_text().partition(" ")
    return Ended(
        os.waitstatus_to_exitcode(ended), printed.read_text(), int(calls), failed, fault.code
    )


class _Disk:
    """Stands between this process and the system's calls, as long as it is entered."""

    def __init__(self, fault: Fault, below: str) -> None:
        self.calls = 0
        self.failed = ""
        self._fault = fault
        self._below = below
        self._broken = ""
        self._open: dict[int, str] = {}
        self._before: list[tuple[Any, str, Any]] = []

    def __enter__(self) -> None:
        for name in NAMING.split():
            self._put(os, name, self._naming(name, getattr(os, name)))
        for name in BY_DESCRIPTOR.split():
            self._put(os, name, self._by_descriptor(name, getattr(os, name)))
        self._put(os, "close", self._closing(os.close))
        self._put(os, "fdopen", self._reading(os.fdopen))
        import fcntl  # in a fork, so never on Windows

        self._put(fcntl, "flock", self._by_descriptor("flock", fcntl.flock))
        self._put(sqlite3, "connect", self._connecting(sqlite3.connect))

    def __exit__(self, *_: object) -> None:
        for module, name, function in reversed(self._before):
            setattr(module, name, function)

    def _put(self, module: Any, name: str, function: Any) -> None:
        self._before.append((module, name, getattr(module, name)))
        setattr(module, name, function)

    # -- failing ------------------------------------------------------------------------------

    def look(self, call: str, path: object) -> None:
        """Count a call, and fail if its turn has come."""
        text = os.fspath(path) if isinstance(path, (str, bytes, os.PathLike)) else ""
        text = os.fsdecode(text)
        if not text.startswith(self._below):
            return
        code = self._fault.code
        if self.calls >= self._fault.step and not self.failed and self._can_fail(call):
            self.failed = f"{call} {text[len(self._below) :]}"
            self._broken = text if self._fault.lasting else ""
            self.calls += 1
            raise OSError(code, os.strerror(code), text)
        self.calls += 1
        if self._broken and (text == self._broken or text.startswith(self._broken + os.sep)):
            raise OSError(code, os.strerror(code), text)

    def _can_fail(self, call: str) -> bool:
        return call in WRITING if self._fault.code in OF_WRITING else True

    # -- the calls ----------------------------------------------------------------------------

    def _naming(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(path: Any = ".", *rest: Any, **more: Any) -> Any:
            known = self._open.get(path, "") if isinstance(path, int) else path
            self.look(name, known)
            done = real(path, *rest, **more)
            if name == "open":
                self._open[done] = os.fsdecode(path)
            return _Scan(self, os.fsdecode(known), done) if name == "scandir" else done

        return call

    def _by_descriptor(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(descriptor: Any, *rest: Any) -> Any:
            self.look(name, self._open.get(descriptor, ""))
            return real(descriptor, *rest)

        return call

    def _closing(self, real: Callable[[int], None]) -> Callable[[int], None]:
        def close(descriptor: int) -> None:
            self._open.pop(descriptor, None)
            real(descriptor)

        return close

    def _reading(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def fdopen(descriptor: int, mode: str = "r", *rest: Any, **more: Any) -> Any:
            if more.get("buffering") != 0 or descriptor not in self._open:
                return real(descriptor, mode, *rest, **more)
            file = _File(descriptor, mode)
            file.disk, file.path = self, self._open[descriptor]
            return file

        return fdopen

    def _connecting(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def connect(path: Any, **more: Any) -> Any:
            text = os.fspath(path).removeprefix("file://").partition("?")[0]
            try:
                self.look("sqlite", text)
            except OSError:
                raise sqlite3.OperationalError("unable to open database file") from None
            database = real(path, factory=_Connection, **more)
            database.disk, database.path = self, text
            return database

        return connect


class _File(io.FileIO):
    disk: _Disk
    path: str

    def read(self, *size: Any) -> Any:
        self.disk.look("read", self.path)
        return super().read(*size)


class _Connection(sqlite3.Connection):
    disk: _Disk
    path: str

    def execute(self, *what: Any) -> Any:
        try:
            self.disk.look("sql", self.path)
        except OSError as error:
            full = error.errno == errno.ENOSPC
            words = "database or disk is full" if full else "disk I/O error"
            raise sqlite3.OperationalError(words) from None
        return super().execute(*what)


class _Scan:
    """What `os.scandir` gives, and its entries, asked of the disk each time."""

    def __init__(self, disk: _Disk, path: str, real: Any) -> None:
        self._disk, self._path, self._real = disk, path, real

    def __enter__(self) -> _Scan:
        return self

    def __exit__(self, *_: object) -> None:
        self._real.close()

    def close(self) -> None:
        self._real.close()

    def __iter__(self) -> Iterator[_Entry]:
        return self

    def __next__(self) -> _Entry:
        entry = next(self._real)
        self._disk.look("readdir", self._path)
        return _Entry(self._disk, entry)


class _Entry:
    def __init__(self, disk: _Disk, real: os.DirEntry[str]) -> None:
        self._disk, self._real = disk, real
        self.name, self.path = real.name, real.path

    def __fspath__(self) -> str:
        return self.path

    def inode(self) -> int:
        return self._real.inode()

    def is_symlink(self) -> bool:
        return self._real.is_symlink()

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:
        return self._real.is_dir(follow_symlinks=follow_symlinks)

    def is_file(self, *, follow_symlinks: bool = True) -> bool:
        return self._real.is_file(follow_symlinks=follow_symlinks)

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        self._disk.look("stat", self.path)
        return self._real.stat(follow_symlinks=follow_symlinks)
