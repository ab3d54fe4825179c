"""SHA-256 of the beginnings of a file, all of them from one reading."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

from claude_sync.disk.snapshot import BLOCK_SIZE, open_regular
from claude_sync.model import SidecarFile, Version


def prefix_hashes(
    path: Path, sizes: Sequence[int], check: Callable[[], None] = lambda: None
) -> dict[int, str]:
    """SHA-256, in hex, of a file's first bytes, for each of several sizes that it has.

    Raises:
        OSError: it can't be read, or isn't a regular file. And what `check` raises.
    """
    found: dict[int, str] = {}
    digest = hashlib.sha256()
    position = 0
    with open_regular(path) as file:
        for size in sorted(set(sizes)):
            while position < size:
                check()
                block = file.read(min(BLOCK_SIZE, size - position))
                if not block:
                    return found
                digest.update(block)
                position += len(block)
            found[size] = digest.hexdigest()
    return found


def begins_with(
    path: Path, beginning: Version | SidecarFile, check: Callable[[], None] = lambda: None
) -> bool:
    """Whether a file's first bytes are these, as far as a SHA-256 can tell; or all its bytes.

    Raises:
        OSError: it can't be read, or isn't a regular file. And what `check` raises.
    """
    return prefix_hashes(path, [beginning.size], check).get(beginning.size) == beginning.sha256
