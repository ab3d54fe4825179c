"""Notices that this program was upgraded while it runs, and starts what is there now.

A package manager replaces files one by one; so a new version counts once it was seen twice, and
once it shows that it starts.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import claude_sync
import claude_sync_app
from claude_sync.disk.programs import full_command
from claude_sync_app.handover import wait_for

LOOK_SECONDS = 60.0
"""How often to look: whoever upgrades doesn't wait for it."""

_PATIENCE_SECONDS = 30.0


class InstalledVersion:
    """What is installed where this program was started from.

    Args:
        command: returns what would be started in this program's place.
    """

    def __init__(self, command: Callable[[], Sequence[str]]) -> None:
        self._command = command
        self._files = (
            Path(str(claude_sync.__file__)),
            Path(str(claude_sync_app.__file__)).with_name("_build.py"),
        )
        self._running = self._seen = self._read()

    def is_another(self) -> bool:
        """Look once: whether another version is there, as a whole, and starts."""
        now = self._read()
        before, self._seen = self._seen, now
        return now not in (b"", self._running) and now == before and _starts(self._command())

    def _read(self) -> bytes:
        """What tells one version from another; b"" while the program isn't there as a whole."""
        try:
            first = self._files[0].read_bytes()
        except OSError:
            return b""
        try:
            return first + self._files[1].read_bytes()
        except OSError:
            return first  # a tree, which has none


def as_it_was_started() -> list[str]:
    """The command that this process was started by: its interpreter, options and arguments."""
    if getattr(sys, "frozen", False):
        return [sys.executable, *sys.argv[1:]]
    return [sys.executable, *sys.orig_argv[1:]]


def start_anew(command: Sequence[str], *, waits: bool = False, platform: str = sys.platform) -> int:
    """Become the program that is installed now. Doesn't return where a process can do that.

    Args:
        command: what starts it.
        waits: whether this process, where it can't become another, lasts as long as that one, as
            the terminal that it was started in expects. Otherwise that is left alone.
        platform: as `sys.platform` has it.

    Returns:
        the exit status of what was started, as far as it was waited for; 1 where that can't be
        started.
    """
    try:
        if platform != "win32":
            os.execv(full_command(command)[0], list(command))  # noqa: S606 -- ourselves, by a list
        if waits:
            return wait_for(command, os.environ)
        subprocess.Popen(full_command(command), close_fds=True)
    except OSError:
        return 1
    return 0


def _starts(command: Sequence[str]) -> bool:
    try:
        done = subprocess.run(
            full_command([*command, "--help"]),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_PATIENCE_SECONDS,
            check=False,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
