"""A user's own ssh configuration, which may be meant for something else than claude-sync."""

from __future__ import annotations

import shlex
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from claude_sync.errors import StoreDenied
from claude_sync.transports import open_transport
from claude_sync.transports.base import MARKER_NAME
from claude_sync.transports.location import HostLocation
from claude_sync.transports.ssh.command import ssh_argv
from conformance.sshd import SshHost, write_program
from conformance.storages import MARKER, put_of, write_all
from programs import find

# What people write for hosts that they only tunnel through, log in to by hand, or share.
REACHING_IN = {
    "no session": "SessionType none",
    "a subsystem": "SessionType subsystem",
    "no input": "StdinNull yes",
    "into the background": "ForkAfterAuthentication yes",
    "a terminal": "RequestTTY force",
    "a command there": "RemoteCommand exec cat >/dev/null",
    "a command here": "PermitLocalCommand yes\n  LocalCommand echo here; exec cat",
    "a master only": "ControlMaster yes\n  ControlPath {}/own\n  ControlPersist no",
    "someone else's master": "ControlMaster no\n  ControlPath {}/nobody",
    "a port that is taken": "ExitOnForwardFailure yes\n  LocalForward {port} localhost:1",
    "a proxy": "ExitOnForwardFailure yes\n  DynamicForward {port}",
    "a port there": "ExitOnForwardFailure yes\n  RemoteForward {port} localhost:1",
    "a network": "ExitOnForwardFailure yes\n  Tunnel point-to-point",
    "the agent and the display": "ForwardAgent yes\n  ForwardX11 yes",
    "a picture": "VisualHostKey yes",
    "every word": "LogLevel DEBUG3",
    "no word": "LogLevel QUIET",
    "another language": "SendEnv LANG LC_*\n  SetEnv LC_ALL=de_DE.UTF-8",
    "an escape": "EscapeChar .",
    "another system's option": "IgnoreUnknown UseKeychain\n  UseKeychain yes",
}

OF_ONE_CONNECTION = ["SessionType none", "StdinNull yes", "ForkAfterAuthentication yes"]


def configured(host: SshHost, folder: Path, options: str) -> Path:
    """A configuration of the user's in which options stand above the host's own."""
    path = folder / "config"
    text = options.replace("{}", str(folder)).replace("{port}", str(host.port))
    path.write_text(f"Host box*\n  {text}\n{host.config.read_text()}")
    return path


def use(command: list[str], location: str, runtime: Path) -> None:
    """Make a store, write into it, read it again by another connection."""
    with closing(open_transport(location, command, runtime)) as store:
        store.create()
        write_all(store, put_of(MARKER_NAME, MARKER), put_of("p/a", b"bytes"))
    with closing(open_transport(location, command, runtime)) as store:
        listing = store.list_files()
    assert listing.marker == MARKER
    assert [entry.name for entry in listing.entries] == ["p/a"]


@pytest.fixture
def near() -> Iterator[Path]:
    """A folder whose path is short enough for a socket, wherever the tests have their files."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield Path(folder)


@pytest.mark.parametrize("options", REACHING_IN.values(), ids=REACHING_IN)
def test_what_is_meant_for_tunnels_or_people_does_no_harm(
    ssh_host: SshHost, near: Path, options: str
) -> None:
    command = ["ssh", "-F", str(configured(ssh_host, near, options))]
    try:
        use(command, ssh_host.location(near / "store"), near / "run")
    finally:
        leave(command, near / "run")


@pytest.mark.parametrize("options", OF_ONE_CONNECTION)
def test_nor_does_it_where_no_connection_is_shared(
    ssh_host: SshHost, near: Path, options: str
) -> None:
    config = configured(ssh_host, near, options)
    command = ["ssh", "-F", str(config), "-oControlMaster=no", "-oControlPath=none"]
    use(command, ssh_host.location(near / "store"), near / "run")


def leave(command: list[str], runtime: Path) -> None:
    """End the connection that is shared, so that nothing outlives the test."""
    argv = ssh_argv(command, HostLocation("box", "/"), runtime)
    subprocess.run([*argv[:-3], "-O", "exit", "box"], capture_output=True, check=False)


def test_an_older_ssh_is_not_told_to_end_by_options_that_it_does_not_know(
    ssh_host: SshHost, near: Path
) -> None:
    real = find("ssh")
    assert real is not None
    # Before 8.7 these were no options, as a letter more makes them none for this ssh.
    newer = "SessionType|StdinNull|ForkAfterAuthentication"
    older = near / "ssh"
    write_program(
        older,
        "for word do shift; "
        f'set -- "$@" "$(printf %s "$word" | sed -E \'s/^-o({newer})=/-o\\1x=/\')"; done\n'
        f'exec {shlex.quote(real)} "$@"',
    )
    command = [str(older), "-F", str(ssh_host.config), "-oControlMaster=no", "-oControlPath=none"]
    use(command, ssh_host.location(near / "store"), near / "run")


def test_what_a_configuration_says_wrongly_is_still_ssh_s_to_refuse(
    ssh_host: SshHost, near: Path
) -> None:
    config = configured(ssh_host, near, "Compression perhaps")
    location = ssh_host.location(near / "store")
    command = ["ssh", "-F", str(config)]
    with (
        closing(open_transport(location, command, near / "run")) as store,
        pytest.raises(StoreDenied, match="ssh can't use its configuration"),
    ):
        store.create()
