"""What the menu and the notices show that Status doesn't have: this desktop, and its folders."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from claude_sync.errors import ClaudeSyncError
from claude_sync_app.desktop import autostart
from claude_sync_app.desktop.synced_folders import SyncedFolder, find_synced_folders
from claude_sync_app.tray.backends.callbacks import Presence


@dataclass(frozen=True, slots=True)
class Environment:
    """This machine and this desktop, as they are now.

    Attributes:
        autostart: whether the system starts the tray at login, None if it can't.
        plugin: whether Claude Code uses the plugin, None where there is no Claude Code to be found.
        synced_folders: those found on this machine.
        presence: whether the icon can be seen.
        has_buttons: whether notifications can have buttons.
        home: the user's home directory, shown as ``~``.
        is_first_start: whether claude-sync was never started here before.
    """

    autostart: bool | None = None
    plugin: bool | None = None
    synced_folders: tuple[SyncedFolder, ...] = ()
    presence: Presence = Presence.SHOWN
    has_buttons: bool = True
    home: str = ""
    is_first_start: bool = False


def read_environment(before: Environment) -> Environment:
    """What has become of an environment that files tell of; so not in the loop.

    Args:
        before: what is known of the rest.
    """
    try:
        enabled: bool | None = autostart.choose().status().enabled
    except OSError:
        enabled = None
    return replace(
        before,
        autostart=enabled,
        plugin=_plugin(),
        synced_folders=find_synced_folders(Path.home(), os.environ),
    )


def _plugin() -> bool | None:
    from claude_sync.claude.client import find_client
    from claude_sync_app.inside_client.installation import plugin_status

    try:
        status = plugin_status()
    except ClaudeSyncError:
        return None
    return status.enabled if status.installed or find_client() is not None else None
