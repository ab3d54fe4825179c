"""Looks at what the menu shows and Status doesn't have; reads files, so not in the loop."""

from __future__ import annotations

import os
from pathlib import Path

from claude_sync_app.desktop import autostart
from claude_sync_app.desktop.synced_folders import synced_folders
from claude_sync_app.tray.environment import SyncedFolder


def look_around() -> tuple[bool | None, tuple[SyncedFolder, ...]]:
    """Whether the system starts us at login (None where it can't), and which folders are synced."""
    try:
        enabled: bool | None = autostart.choose().status().enabled
    except OSError:
        enabled = None
    return enabled, synced_folders(Path.home(), os.environ)
