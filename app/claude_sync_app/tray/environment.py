"""What the menu and the notices show and Status doesn't have. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from claude_sync_app.tray.backends.callbacks import Presence


class SyncedFolder(NamedTuple):
    """A folder of this machine that something mirrors.

    Attributes:
        name: what people call it: Dropbox, iCloud Drive, Syncthing.
        path: the folder, absolute.
    """

    name: str
    path: str


@dataclass(frozen=True, slots=True)
class Environment:
    """This machine and this desktop, as they are now.

    Attributes:
        autostart: whether the system starts us at login, None where it can't.
        synced_folders: those found on this machine.
        presence: whether anybody can see the icon.
        has_buttons: whether notifications can have buttons.
        home: the user's home directory, shown as ``~``.
    """

    autostart: bool | None = None
    synced_folders: tuple[SyncedFolder, ...] = ()
    presence: Presence = Presence.SHOWN
    has_buttons: bool = True
    home: str = ""
