"""Has the tray start anew once it was upgraded, and tell of a version that was published."""

from __future__ import annotations

import time

from claude_sync import __version__
from claude_sync.disk.log import Log
from claude_sync_app.desktop.autostart import tray_command
from claude_sync_app.newer_version import NEWS, newer_version
from claude_sync_app.tray.context import TrayContext
from claude_sync_app.upgrades import InstalledVersion


class Upgrades:
    """Looks, in a background task, whether another version is installed, or was published.

    Attributes:
        is_installed: whether this program ends so that the new one is started in its place.
    """

    def __init__(self, tray: TrayContext) -> None:
        self._tray = tray
        self._version = InstalledVersion(tray_command)
        self.is_installed = False

    def look(self) -> None:
        """Look once; ends the program if another one is there, once nothing is being done."""
        if self.is_installed:
            return
        if self._version.is_another():
            self._end()
        elif self._tray.preferences.check_for_updates:
            self._look_for_news()

    def _end(self) -> None:
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
