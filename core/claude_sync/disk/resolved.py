"""A directory's path as Claude Code names it: links resolved, nothing else changed."""

from __future__ import annotations

import os
import sys

from claude_sync.disk.snapshot import is_link
from claude_sync.spelling import folds_case, links_followed, same_case


def resolved(path: str | os.PathLike[str]) -> str:
    """A path, absolute, with its links resolved as far as it exists.

    On Windows its drive stays unless a link leads to another one. On macOS each part has the
    letters that its folder has: a name that is typed may be spelled otherwise.

    Raises:
        OSError: the current directory is gone, and the path is relative.
        ValueError: there is a NUL in it.
    """
    real = os.path.realpath(path)
    if os.name == "nt":
        here = os.path.abspath(path)
        if _drive(real) != _drive(here):
            return links_followed(here, _target_of)
    return _as_macos_has_it(real)


def as_on_disk(path: str, system: str = sys.platform) -> str:
    """An absolute path with the case that the disk has, where case doesn't count; links stay.

    Two programs name one directory ``c:\\code`` and ``C:\\Code``: what is remembered of it has to
    be found under both.

    Args:
        path: what is missing of it stays as it is.
        system: as `sys.platform` has it.
    """
    if not folds_case(system):
        return path
    try:
        real = resolved(path)
    except (OSError, ValueError):
        return path
    return real if same_case(real, system) == same_case(path, system) else path


def _drive(path: str) -> str:
    return os.path.normcase(os.path.splitdrive(path)[0])


def _target_of(path: str) -> str | None:
    try:
        return os.readlink(path) if is_link(os.lstat(path)) else None
    except OSError:
        return None


def _as_macos_has_it(path: str) -> str:
    """An existing path with the case and the normal form that the disk has (man 2 fcntl)."""
    if sys.platform != "darwin":
        return path
    import fcntl

    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return path
    try:
        answer = fcntl.fcntl(descriptor, fcntl.F_GETPATH, bytes(1024))
    except OSError:
        return path
    finally:
        os.close(descriptor)
    return os.fsdecode(answer.rstrip(b"\0"))
