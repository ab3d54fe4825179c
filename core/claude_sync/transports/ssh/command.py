"""How ssh is called: the user's own, with the user's configuration, and never asking."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from claude_sync.transports.location import HostLocation
from claude_sync.transports.private_sockets import socket_directory
from claude_sync.transports.ssh.script import REMOTE_COMMAND

# ssh reads the first value that it sees, so these stand above its configuration files. A dead
# connection is given up when ServerAliveInterval has passed three times without a byte. What the
# configuration forwards or runs for people who log in isn't wanted here, nor what it is told for
# hosts that one only tunnels through: no session, no input, into the background. Before 8.7 ssh
# doesn't know these three, and it ends at an option that it doesn't know. Which ones to ignore is
# a single list, so a shorter one here would take away the user's own.
_OPTIONS = (
    "IgnoreUnknown=*",
    "SessionType=default",
    "StdinNull=no",
    "ForkAfterAuthentication=no",
    "BatchMode=yes",
    "ConnectTimeout=10",
    "ServerAliveInterval=4",
    "ServerAliveCountMax=2",
    "Compression=yes",
    "LogLevel=INFO",
    "RemoteCommand=none",
    "ClearAllForwardings=yes",
    "ForwardAgent=no",
    "ForwardX11=no",
    "Tunnel=no",
    "PermitLocalCommand=no",
    "EscapeChar=none",
)
_ALONE = ("ControlMaster=no", "ControlPath=none")
_PERSIST_SECONDS = 240
# Of a socket's name; and ssh binds it with 17 more at first.
_NAME_BYTES = 16 + 17


def ssh_argv(
    command: Sequence[str], location: HostLocation, runtime: Path, *, shares: bool = True
) -> list[str]:
    """The program and arguments that run the script's shell on the host.

    Args:
        command: what stands for ``ssh``; empty for ``ssh``.
        location: where to; its host and user never begin with ``-`` (`parse_location`).
        runtime: where the socket of the shared connection may lie.
        shares: whether it may go over the shared connection, or become it.
    """
    sharing = _sharing(command, location, runtime) if shares else _ALONE
    options = [*_OPTIONS, *sharing]
    argv = [*(command or ["ssh"]), "-T", *(f"-o{option}" for option in options)]
    if location.port:
        argv += ["-p", str(location.port)]
    if location.user:
        argv += ["-l", location.user]
    return [*argv, "--", location.host, REMOTE_COMMAND]


def _sharing(command: Sequence[str], location: HostLocation, runtime: Path) -> list[str]:
    """Options that share one connection for a few minutes, where that can be done privately."""
    # Windows' OpenSSH has no multiplexing: https://github.com/PowerShell/Win32-OpenSSH/wiki
    directory = None if os.name == "nt" else socket_directory(runtime, _NAME_BYTES)
    if directory is None:
        return []
    identity = "\0".join([*command, location.user, location.host, str(location.port)])
    name = hashlib.sha256(identity.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return [
        "ControlMaster=auto",
        f"ControlPath={directory / name}",
        f"ControlPersist={_PERSIST_SECONDS}",
    ]
