"""Folders that macOS opens only to programs that a person allowed, whatever their modes say.

It asks on behalf of the program that is responsible: a terminal for what is typed in it. What
launchd starts at login is its own, and is often refused without a question.
https://support.apple.com/guide/mac-help/allow-access-to-system-folders-mchld5a35146/mac
"""

from __future__ import annotations

import errno
import os
import sys
from pathlib import PurePosixPath

SETTING = "System Settings > Privacy & Security > Full Disk Access"
"""Where a person allows it."""

_GUARDED = ("Desktop", "Documents", "Downloads", "Library/Mobile Documents", "Library/CloudStorage")
_DISKS = "/Volumes"


def is_guarded(path: str, home: str, system: str = sys.platform) -> bool:
    """Whether macOS guards a folder so.

    Args:
        path: absolute.
        home: the user's home directory.
        system: as `sys.platform` has it.
    """
    if system != "darwin":
        return False
    where = PurePosixPath(path)
    above = [PurePosixPath(home, name) for name in _GUARDED]
    return any(where.is_relative_to(one) for one in (*above, PurePosixPath(_DISKS)))


def is_refusal(error: OSError, path: str, system: str = sys.platform) -> bool:
    """Whether an error is macOS' way to refuse: modes would give another number."""
    return error.errno == errno.EPERM and is_guarded(path, os.path.expanduser("~"), system)


def how_to_allow(program: str = "") -> str:
    """What to do about it, an imperative clause.

    Args:
        program: which one is refused, "" for the Python that runs.
    """
    return f"add {os.path.realpath(program or sys.executable)} under {SETTING}"
