"""Why something of this machine's can't be written, in words, and what to do about it."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

from claude_sync.values import NamedTuple

_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))

_TOO_LITTLE = 64 << 10
"""Bytes: what a file of SQLite's begins with or grows by is at most half of that."""


class Refusal(NamedTuple):
    """Why it can't be written, a clause; and what a person can do, an imperative one."""

    why: str
    todo: str


READ_ONLY = Refusal("its disk is read-only", "mount that disk for writing")
FULL = Refusal("its disk is full", "free some space on it")


def refusal(error: OSError, otherwise: str) -> Refusal:
    """Why the system refused to write something.

    Args:
        error: the system's.
        otherwise: what to do where it is neither of the things that are told apart here.
    """
    if error.errno == errno.EROFS:
        return READ_ONLY
    if error.errno in _FULL:
        return FULL
    return Refusal(error.strerror or str(error), otherwise)


def refusal_of_database(error: Exception, path: Path, otherwise: str) -> Refusal:
    """Why SQLite refused to open, read or write a file.

    Args:
        error: SQLite's, or the system's.
        path: the file.
        otherwise: what to do where nothing better is known.
    """
    if isinstance(error, OSError):
        return refusal(error, otherwise)
    if "disk is full" in str(error):
        return FULL
    # Of most that the system refuses SQLite says that it can't open a file, or "disk I/O error".
    return refusal_of_disk(path) or Refusal(str(error), otherwise)


def refusal_of_disk(path: str | os.PathLike[str]) -> Refusal | None:
    """Why nobody can write there, as far as the disk says, for whoever wasn't told by the system.

    Args:
        path: what lies, or would lie, on that disk.

    Returns:
        None where it is neither full nor mounted read-only; and always on Windows.
    """
    if sys.platform == "win32":
        return None
    nearest = Path(path)
    while nearest != nearest.parent and not os.path.exists(nearest):
        nearest = nearest.parent
    try:
        status = os.statvfs(nearest)
    except OSError:
        return None
    if status.f_flag & os.ST_RDONLY:
        return READ_ONLY
    return FULL if status.f_bavail * status.f_frsize < _TOO_LITTLE else None
