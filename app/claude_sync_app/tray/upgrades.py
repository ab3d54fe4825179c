"""Notices that this program was upgraded while it runs, and has it start anew once it has finished.

A package manager replaces files one by one; so a new version counts once it was seen twice, and
once it shows that it starts.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import claude_sync
import claude_sync_app
from claude_sync import __version__
from claude_sync.disk.log import Log
from claude_sync.disk.programs import full_command
from claude_sync_app.desktop.autostart import tray_command
from claude_sync_app.newer_version import NEWS, newer_version
from claude_sync_app.tray.context import TrayContext

_PATIENCE_SECONDS = 30.0


class Upgrades:
    """Looks, in a background task, whether another version is installed, or was published.

    Attributes:
        is_installed: whether this program ends so that the new one is started in its place.
    """

    def __init__(self, tray: TrayContext) -> None:
        self._tray = tray
        self._files = (
            Path(str(claude_sync.__file__)),
            Path(str(claude_sync_app.__file__)).with_name("_build.py"),
        )
        self._running = self._seen = self._installed()
        self.is_installed = False

    def look(self) -> None:
        """Look once; ends the program if another one is there, once nothing is being done."""
        self._look_at_files()
        if not self.is_installed and self._tray.preferences.check_for_updates:
            self._look_for_news()

    def _look_at_files(self) -> None:
        now = self._installed()
        before, self._seen = self._seen, now
        if now in (b"", self._running) or now != before or self.is_installed or not _starts():
            return
        # What is being done now, and what was asked for before, is done first.
        self._tray.wait_or_none(self._tray.service.call(lambda _: None))
        Log(self._tray.paths.log_file).write(["tray: another version is here, starting anew"])
        self.is_installed = True
        self._tray.quit()

    def _look_for_news(self) -> None:
        try:
            version = newer_version(self._tray.paths.newer_version_file, time.time())
        except OSError:
            return  # offline, or no room to note it: another day
        if version:
            body = f"This is {__version__}. What is new, and how to get it: {NEWS}"
            self._tray.notify("version", f"claude-sync {version} is there", body)

    def _installed(self) -> bytes:
        """What tells one version from another; b"" while the program isn't there as a whole."""
        try:
            first = self._files[0].read_bytes()
        except OSError:
            return b""
        try:
            return first + self._files[1].read_bytes()
        except OSError:
            return first  # a tree, which has none


def start_anew() -> None:
    """Become the program that is installed now. Doesn't return, unless that can't be started."""
    command = tray_command()
    if sys.platform == "win32":
        subprocess.Popen(full_command(command), close_fds=True)
        return
    try:
        os.execv(full_command(command)[0], command)  # noqa: S606 -- ourselves, by a list
    except OSError:
        return


def _starts() -> bool:
    try:
        done = subprocess.run(
            full_command([*tray_command(), "--help"]),
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
