"""What reaches a store: a folder, a host over ssh, a cloud by rclone, or another package's kind.

Each transport keeps the protocol of `claude_sync.transports.base`; TRANSPORTS.md says how to write
one. Which one serves a location is decided here, by how it is spelled, and only that one is
imported.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from claude_sync.errors import UsageError
from claude_sync.transports.location import (
    CloudLocation,
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
    """The transport for a location. Nothing is looked at, started or made yet.

    Args:
        location: as `parse_location` reads it.
        ssh_command: the program and arguments that stand for ``ssh``; empty for ``ssh``.
        runtime: a directory for sockets; made, with mode 0700, where it is needed.

    Raises:
        UsageError: the location can't be read, or no installed package knows its kind.
    """
    parsed = parse_location(location)
    if isinstance(parsed, FolderLocation):
        from claude_sync.transports.folder.transport import FolderTransport

        return FolderTransport(parsed.path)
    if isinstance(parsed, HostLocation):
        from claude_sync.transports.ssh.transport import SshTransport

        return SshTransport(parsed, ssh_command, runtime)
    if isinstance(parsed, CloudLocation):
        from claude_sync.transports.rclone.transport import RcloneTransport

        return RcloneTransport(parsed, runtime)
    return _opener(parsed)(parsed.spelling, ssh_command)


def _opener(location: OtherLocation) -> Opener:
    from importlib.metadata import entry_points

    for entry_point in entry_points(group=ENTRY_POINT_GROUP, name=location.scheme):
        opener: Opener = entry_point.load()
        return opener
    raise UsageError(
        f"no installed package handles locations that begin with {location.scheme}://",
        todo="choose a folder, ssh://host/path, or rclone:REMOTE:PATH",
    )
