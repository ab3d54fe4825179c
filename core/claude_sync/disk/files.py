"""The only place that writes files.

Invariants:

1. A file that stands under its final name is whole: it is written under a temporary name in the
   same directory, flushed, synced, and only then renamed (or linked, where nothing may be there).
2. Data is synced before the name that leads to it, the name (its directory) after.
3. Nothing is followed that another program could have put there: links, FIFOs and devices are
   refused where a regular file is meant.
4. Files are made 0600, directories 0700, whatever the umask.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from claude_sync.disk.snapshot import NO_FOLLOW, Snapshot, is_link, stamp_of
from claude_sync.errors import BundleUnsafe
from claude_sync.model import Stamp
from claude_sync.names import TEMPORARY_PREFIX, check_relative
from claude_sync.values import NamedTuple

PROBE_PREFIX = "claude-sync-probe-"
"""How a file of ours begins that has to be visible at a store's root while it is unfinished."""
DAMAGED_MARK = ".damaged-"
"""Stands in the name under which `damaged_name` keeps a file."""
_TEMPORARY_SUFFIX = ".tmp"

FOLDER_OF_OTHERS_TOO: int = 0o777 if os.name == "nt" else 0o700
"""The mode of a folder that may lie on a share. On Windows 0700 would keep out all but the very
account that made it (Python 3.12.4), whatever the share's owner allows; 0777 inherits what holds
there."""

_BINARY: int = getattr(os, "O_BINARY", 0)
_CREATE: int = (
    os.O_WRONLY | os.O_CREAT | os.O_EXCL | NO_FOLLOW | getattr(os, "O_CLOEXEC", 0) | _BINARY
)
# A file of the client's may be read-only; Windows flushes only what is open for writing.
_TO_SYNC = (os.O_RDWR if os.name == "nt" else os.O_RDONLY) | NO_FOLLOW | _BINARY
_GROUP_SYNC_FROM = 8
_WINDOWS_PATIENCE_SECONDS = 2.0

# --- directories -------------------------------------------------------------------------------


def descend(root: Path, relative: str) -> Path:
    """The path below `root`, once it is sure that no existing part of it, root included, is a link.

    Raises:
        BundleUnsafe: `relative` isn't safe, or leads through a link or through a file.
    """
    check_relative(relative)
    path = root
    parts = relative.split("/")
    for index, part in enumerate(["", *parts]):
        path = path / part if part else path
        try:
            status = os.lstat(path)
        except FileNotFoundError:
            continue
        if is_link(status) or (index < len(parts) and not stat.S_ISDIR(status.st_mode)):
            raise BundleUnsafe(
                "one of its paths leads through a link or a file on this machine",
                where=str(path),
                todo="move it away first",
            )
    return root.joinpath(*parts)


def make_private(directory: Path, *, durable: bool = True, mode: int = 0o700) -> None:
    """Make a directory, and those above it that are missing, with mode 0700 each."""
    missing: list[Path] = []
    while not directory.is_dir():
        missing.append(directory)
        if directory.parent == directory:
            break
        directory = directory.parent
    for path in reversed(missing):
        try:
            os.mkdir(path, mode)
            if durable:
                sync_directory(path.parent)
        except FileExistsError:
            if not path.is_dir():
                raise


def names_in(directory: Path) -> list[str]:
    """What lies in a directory; nothing where there is none.

    Raises:
        OSError: it can't be read, or isn't a directory.
    """
    try:
        return os.listdir(directory)
    except FileNotFoundError:
        return []


def sync_directory(directory: Path) -> None:
    """Make the names in a directory durable, where the system lets one (not on Windows)."""
    if os.name == "nt":
        return
    descriptor = os.open(directory, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some network and FUSE file systems can't sync a directory; nothing more can be done.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.EACCES):
            raise
    finally:
        os.close(descriptor)


def nearest_existing(path: Path) -> Path:
    """A path, or the nearest folder above it that is there and can be seen."""
    while not os.path.exists(path) and path != path.parent:
        path = path.parent
    return path


def is_leftover(name: str) -> bool:
    """Whether a file's name is one that ours bear as long as they are unfinished."""
    ours = name.startswith((TEMPORARY_PREFIX, PROBE_PREFIX))
    return ours and name.endswith(_TEMPORARY_SUFFIX)


def remove_leftovers(directory: Path, *, older_than_seconds: float) -> int:
    """Remove temporaries of ours that a process left behind; how many there were."""
    limit = time.time() - older_than_seconds
    removed = 0
    try:
        entries = list(os.scandir(directory))
    except OSError:
        return 0
    for entry in entries:
        if not is_leftover(entry.name):
            continue
        try:
            status = entry.stat(follow_symlinks=False)
            if stat.S_ISREG(status.st_mode) and status.st_mtime < limit:
                os.unlink(entry.path)
                removed += 1
        except OSError:
            continue
    return removed


def open_in_place(path: Path) -> int:
    """A descriptor to lock a file by, and to write into it; made empty if missing, else left as is.

    The one exception from invariant 1, for files whose words nobody relies on. A link is refused.
    """
    flags = os.O_RDWR | os.O_CREAT | NO_FOLLOW | getattr(os, "O_CLOEXEC", 0) | _BINARY
    return os.open(path, flags, 0o600)


# --- writing -----------------------------------------------------------------------------------


class Staged(NamedTuple):
    """A whole file under a temporary name. `sync` it, then `commit` or `discard` it."""

    path: Path
    size: int


def temporary_path(directory: Path) -> Path:
    """A name for a temporary in a directory; nobody else has it."""
    return directory / f"{TEMPORARY_PREFIX}{os.urandom(8).hex()}{_TEMPORARY_SUFFIX}"


def probe_name() -> str:
    """A name for a file that proves that a store can be written; nobody else has it."""
    return f"{PROBE_PREFIX}{os.urandom(8).hex()}{_TEMPORARY_SUFFIX}"


def damaged_name(path: Path) -> Path:
    """A free name beside a damaged file, to keep it under."""
    number = 1
    while os.path.lexists(free := path.with_name(f"{path.name}{DAMAGED_MARK}{number}")):
        number += 1
    return free


def stage(
    directory: Path, blocks: Iterable[bytes], *, mode: int = 0o600, mtime_ns: int | None = None
) -> Staged:
    """Write bytes under a temporary name in a directory; not durable yet.

    Args:
        directory: where the file will stand.
        blocks: its bytes. An exception from them leaves nothing behind.
        mode: permission bits, whatever the umask.
        mtime_ns: modification time to give it, None for now.
    """
    path = temporary_path(directory)
    descriptor = os.open(path, _CREATE, mode)
    size = 0
    try:
        try:
            if sys.platform != "win32":
                os.fchmod(descriptor, mode)
            for block in blocks:
                view = memoryview(block)
                size += len(view)
                while view:
                    view = view[os.write(descriptor, view) :]
        finally:
            os.close(descriptor)
        if mtime_ns is not None:
            os.utime(path, ns=(mtime_ns, mtime_ns))
    except BaseException:
        _unlink_quietly(path)
        raise
    return Staged(path, size)


def set_time(staged: Staged, mtime_ns: int) -> None:
    """Give a staged file another modification time."""
    os.utime(staged.path, ns=(mtime_ns, mtime_ns))


def sync(staged: Sequence[Staged | Path]) -> None:
    """Make the bytes of files durable; many of one file system at once where that is faster."""
    paths = [item if isinstance(item, Path) else item.path for item in staged]
    if len(paths) >= _GROUP_SYNC_FROM and _sync_file_systems({path.parent for path in paths}):
        return
    for path in paths:
        try:
            descriptor = os.open(path, _TO_SYNC)
        except PermissionError:
            if not _is_read_only(path):
                raise
            continue  # Windows flushes no such file, and whoever wrote it is done with it
        try:
            _fsync(descriptor)
        finally:
            os.close(descriptor)


def _fsync(descriptor: int) -> None:
    if sys.platform == "darwin":
        import fcntl

        # fsync() of macOS leaves the data in the drive's cache: man 2 fsync.
        try:
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
            return
        except OSError:
            pass
    os.fsync(descriptor)


def _sync_file_systems(directories: set[Path]) -> bool:
    """Linux' syncfs for each file system these directories are on; False where there is none."""
    if not sys.platform.startswith("linux"):
        return False
    import ctypes

    syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    if syncfs is None:
        return False
    seen: set[int] = set()
    for directory in directories:
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            device = os.fstat(descriptor).st_dev
            if device not in seen and syncfs(descriptor) != 0:
                code = ctypes.get_errno()
                raise OSError(code, os.strerror(code), str(directory))
            seen.add(device)
        finally:
            os.close(descriptor)
    return True


def commit(staged: Staged, target: Path) -> Stamp:
    """Give a synced file its name, replacing what bears it. `sync_directory` comes after."""
    _replace_patiently(staged.path, target)
    return stamp_of(os.lstat(target))


def commit_new(staged: Staged, target: Path) -> Stamp:
    """Give a synced file its name; what bears it already is left alone.

    Raises:
        FileExistsError: something is there.
    """
    try:
        os.link(staged.path, target, follow_symlinks=False)
    except FileExistsError:
        raise
    except (OSError, NotImplementedError):
        # No hard links here (FAT, some shares): a short race instead of none.
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from None
        _replace_patiently(staged.path, target)
    else:
        os.unlink(staged.path)
    return stamp_of(os.lstat(target))


def discard(staged: Staged) -> None:
    """Remove a staged file that isn't wanted after all."""
    _unlink_quietly(staged.path)


def replace(
    path: Path,
    data: bytes | Iterable[bytes],
    *,
    mode: int = 0o600,
    mtime_ns: int | None = None,
    durable: bool = True,
    new: bool = False,
) -> Stamp:
    """Write one file atomically, and unless told not to durably, replacing what was there.

    Raises:
        FileExistsError: something is there, and the file was to be new.
        OSError: it can't be written.
    """
    blocks = (data,) if isinstance(data, bytes) else data
    staged = stage(path.parent, blocks, mode=mode, mtime_ns=mtime_ns)
    try:
        if durable:
            sync([staged])
        stamp = commit_new(staged, path) if new else commit(staged, path)
    except BaseException:
        discard(staged)
        raise
    if durable:
        sync_directory(path.parent)
    return stamp


def link_or_copy(source: Path, target: Path) -> bool:
    """Give a file a second name, or make a copy where that can't be; whether it was a link.

    A copy is durable once its directory is synced. A link is no more so than the file was, which
    `sync` makes up for; it also catches what a program that has the file open appends to it later.
    """
    try:
        os.link(source, target, follow_symlinks=False)
        return True
    except FileExistsError:
        raise
    except (OSError, NotImplementedError):
        with Snapshot(source) as snapshot:
            mtime_ns = snapshot.stamp.mtime_ns
            staged = stage(target.parent, snapshot.blocks(), mtime_ns=mtime_ns)
            try:
                snapshot.settle()
                sync([staged])
                commit_new(staged, target)
            except BaseException:
                discard(staged)
                raise
        return False


def move_new(source: Path, target: Path) -> None:
    """Rename a file to a name that nothing bears; across file systems by copy.

    Raises:
        FileExistsError: something bears it.
    """
    link_or_copy(source, target)
    sync_directory(target.parent)
    remove(source)


def remove(path: Path) -> None:
    """Remove a file; one that isn't there is no error."""
    _retry_on_windows(lambda: path.unlink(missing_ok=True), path)


def remove_tree(directory: Path) -> None:
    """Remove a directory of ours with all in it; links in it are removed, not followed."""
    import shutil

    shutil.rmtree(directory, ignore_errors=False)


def remove_empty(directory: Path) -> None:
    """Remove a directory if nothing is in it."""
    try:
        os.rmdir(directory)
    except OSError:
        pass


def _unlink_quietly(path: Path) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass


def _replace_patiently(source: Path, target: Path) -> None:
    _retry_on_windows(lambda: os.replace(source, target), target)


def _retry_on_windows(action: Callable[[], None], path: Path) -> None:
    """Windows refuses to rename over a file that a scanner or an indexer has open for a moment.

    It also refuses where the file's attributes say read-only, which on other systems keeps only
    its bytes as they are.
    """
    end = time.monotonic() + _WINDOWS_PATIENCE_SECONDS
    while True:
        try:
            action()
            return
        except PermissionError:
            if os.name != "nt" or time.monotonic() > end:
                raise
            if _is_read_only(path):
                os.chmod(path, stat.S_IWRITE)
            else:
                time.sleep(0.02)


def _is_read_only(path: Path) -> bool:
    """Whether Windows' attributes of a file say so."""
    try:
        return os.name == "nt" and not os.lstat(path).st_mode & stat.S_IWRITE
    except OSError:
        return False


def touch_private(path: Path) -> None:
    """Make an empty file with mode 0600 if it is missing; for programs that write it themselves."""
    try:
        os.close(os.open(path, _CREATE, 0o600))
    except FileExistsError:
        pass


def restage(staged: Staged, directory: Path) -> Staged:
    """Move a staged file to another directory, across file systems by a synced copy."""
    if staged.path.parent == directory:
        return staged
    target = temporary_path(directory)
    try:
        os.replace(staged.path, target)
        return Staged(target, staged.size)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
    with Snapshot(staged.path) as snapshot:
        moved = stage(directory, snapshot.blocks(), mtime_ns=snapshot.stamp.mtime_ns)
    sync([moved])
    discard(staged)
    return moved
