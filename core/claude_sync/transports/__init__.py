"""Where bundles meet: a folder, a host, or what an installed package knows.

Each transport keeps the protocol of `claude_sync.transports.base`. Which one serves a place is
decided here, by how the place is spelled, and only that one is imported.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from claude_sync.errors import UsageError
from claude_sync.transports.location import (
    FolderLocation,
    HostLocation,
    OtherLocation,
    parse_location,
)

if TYPE_CHECKING:
    from claude_sync.transports.base import Opener, Transport

ENTRY_POINT_GROUP = "claude_sync.transports"
"""Packages register their openers here (`claude_sync.transports.base.Opener`), under a scheme."""


def open_transport(location: str, ssh_command: Sequence[str], runtime: Path) -> Transport:
    """The transport for a place. Nothing is looked at, started or made yet.

    Args:
        location: as `parse_location` reads it.
        ssh_command: the program and arguments that stand for ``ssh``; empty for ``ssh``.
        runtime: a directory for sockets; made, with mode 0700, where it is needed.

    Raises:
        UsageError: the location can't be read, or no installed package knows its kind.
    """
    place = parse_location(location)
    if isinstance(place, FolderLocation):
        from claude_sync.transports.folder.transport import FolderTransport

        return FolderTransport(place.path)
    if isinstance(place, HostLocation):
        from claude_sync.transports.ssh.transport import SshTransport

        return SshTransport(place, ssh_command, runtime)
    transport: Transport = _opener(place)(place.location, ssh_command)
    return transport


def _opener(place: OtherLocation) -> Opener:
    from importlib.metadata import entry_points

    for entry_point in entry_points(group=ENTRY_POINT_GROUP, name=place.scheme):
        opener: Opener = entry_point.load()
        return opener
    raise UsageError(
        f"no installed package handles locations that begin with {place.scheme}://",
        todo="choose a folder, or ssh://host/path",
    )
