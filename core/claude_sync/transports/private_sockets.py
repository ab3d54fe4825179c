"""Where a socket of ours may lie: in a directory that nobody else may enter, by a short path."""

from __future__ import annotations

import os
import re
import stat
import sys
from pathlib import Path

from claude_sync.disk import files

# A socket's path may have 104 bytes with its NUL on macOS.
_SOCKET_PATH_BYTES = 103
_PLAIN_PATH = re.compile(r"[A-Za-z0-9/._+=@-]+")


def socket_directory(runtime: Path, name_bytes: int) -> Path | None:
    """A directory of ours that nobody else may enter, with a short and plain path.

    Args:
        runtime: where it is best; made with mode 0700 if it is missing.
        name_bytes: how long the socket's name is, at most.

    Returns:
        None where there is none, or where sockets have no paths.
    """
    if sys.platform == "win32":
        return None
    for directory in (runtime, Path("/tmp") / f"claude-sync-{os.getuid()}"):  # noqa: S108
        text = os.fspath(directory)
        longest = _SOCKET_PATH_BYTES - 1 - name_bytes
        if len(os.fsencode(text)) > longest or not _PLAIN_PATH.fullmatch(text):
            continue
        try:
            files.make_private(directory)
            status = os.lstat(directory)
        except OSError:
            continue
        private = stat.S_ISDIR(status.st_mode) and not status.st_mode & 0o077
        if private and status.st_uid == os.getuid():
            return directory
    return None
