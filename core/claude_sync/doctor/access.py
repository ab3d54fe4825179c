"""What this process may do with files, as far as is known without trying."""

from __future__ import annotations

import os
from collections.abc import Iterator

_EFFECTIVE = os.access in os.supports_effective_ids


def can_write(path: str | os.PathLike[str], *, passing: bool = True) -> bool:
    """Whether this process may write there.

    Args:
        path: a directory, or a file.
        passing: whether it must also be able to pass through, as into a directory.
    """
    return os.access(path, os.W_OK | (os.X_OK if passing else 0), effective_ids=_EFFECTIVE)


def can_pass(path: str | os.PathLike[str]) -> bool:
    """Whether this process may look up names in a directory."""
    return os.access(path, os.X_OK, effective_ids=_EFFECTIVE)


def can_read(path: str | os.PathLike[str]) -> bool:
    """Whether this process may read a file."""
    return os.access(path, os.R_OK, effective_ids=_EFFECTIVE)


def scan(directory: str | os.PathLike[str]) -> Iterator[os.DirEntry[str]]:
    """The entries of a directory; none where it can't be listed."""
    try:
        with os.scandir(directory) as entries:
            yield from list(entries)
    except OSError:
        return
