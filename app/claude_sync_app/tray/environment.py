"""What the menu and the notices show that Status doesn't have: this desktop, and its folders."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from claude_sync_app.desktop import autostart
from claude_sync_app.desktop.synced_folders import SyncedFolder, find_synced_folders
from claude_sync_app.tray.backends.callbacks import Presence


@dataclass(frozen=True, slots=True)
class Environment:
    """This machine and this desktop, as they are now.

    Attributes:
        autostart: whether the system starts the tray at login, None if it can't.
        synced_folders: those found on this machine.
        presence: whether the icon can be seen.
        has_buttons: whether notifications can have buttons.
        home: the user's home directory, shown as ``~``.
    """

    autostart: bool | None = None
    synced_folders: tuple[SyncedFolder, ...] = ()
    presence: Presence = Presence.SHOWN
    has_buttons: bool = True
    home: str = ""


def read_environment() -> tuple[bool | None, tuple[SyncedFolder, ...]]:
    """`Environment.autostart` and `Environment.synced_folders`; reads files, so not in the loop."""
    try:
        enabled: bool | None = autostart.choose().status().enabled
    except OSError:
        enabled = None
    return enabled, find_synced_folders(Path.home(), os.environ)
