"""A real sshd on a loopback port, with keys and configuration of its own.

ssh ignores $HOME, so all of it goes through ``ssh -F``: nothing of the user's is read or written.
Each *flavour* is a host name of that configuration, and logs in with a key of its own, for which
sshd runs another login shell: so one sshd plays every kind of host.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import socket
import stat
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil
import pytest

from capabilities import require_linux
from claude_sync.transports import open_transport
from claude_sync.transports.location import HostLocation
from claude_sync.transports.ssh import command as ssh_command
from programs import find, require
from waiting import PATIENCE_SECONDS, until

# What a login does with the command that ssh gives it.
# $BOX is the directory with the programs of the flavour.
FLAVOURS = {
    "box": "",
    # Only busybox, its shell as /bin/sh.
    "box-busybox": 'PATH=$BOX; c=${SSH_ORIGINAL_COMMAND#exec /bin/sh}; exec sh -c "exec sh$c"',
    # As little as POSIX promises: no stat, no hash, a dd that knows no iflag.
    "box-bare": 'PATH=$BOX; exec /bin/sh -c "$SSH_ORIGINAL_COMMAND"',
    # It has what most hosts have, but not inotifywait.
    "box-deaf": 'PATH=$BOX; exec /bin/sh -c "$SSH_ORIGINAL_COMMAND"',
    "box-csh": 'exec csh -c "$SSH_ORIGINAL_COMMAND"',
    "box-fish": 'exec fish -c "$SSH_ORIGINAL_COMMAND"',
    "box-bash": 'exec bash -c "$SSH_ORIGINAL_COMMAND"',
    # Start-up files that talk, and end without a line feed.
    "box-chatty": "echo Welcome; echo to the box >&2; seq 5000; printf 'no line feed';"
    ' exec sh -c "$SSH_ORIGINAL_COMMAND"',
    "box-nologin": "echo This account is currently not available.; exit 1",
    "box-noshell": "echo \"'exec' is not recognized as a command\" >&2; exit 1",
    "box-silent": "exec cat >/dev/null",
    # It greets, and then is too busy to answer.
    "box-busy": "IFS= read -r s; s=${s#k=}; printf '%.32s\\n' \"$s\"; exec cat >/dev/null",
    # No file may be larger than a MiB there, and a shell isn't ended for trying.
    "box-small": "ulimit -f 2048; trap '' XFSZ; exec /bin/sh -c \"$SSH_ORIGINAL_COMMAND\"",
    # Modes of files bind it even if it is root (man 7 capabilities).
    "box-tied": 'exec $TIED /bin/sh -c "$SSH_ORIGINAL_COMMAND"',
}
_PROGRAMS = {"box-busybox": ("busybox",), "box-csh": ("csh",), "box-fish": ("fish",)}
"""What a flavour's host needs of this machine, besides what every POSIX system has."""
_TIED = "setpriv --bounding-set=-all --inh-caps=-all"
_BARE = "cat find head ls mkdir mv od rm rmdir sed sync tail tr"


class SshHost:
    """A running sshd, and how to reach it.

    Attributes:
        directory: all of its files.
        root: a directory for stores on it.
        home: the home directory of those who log in.
        ssh_command: what stands for ``ssh``.
        runtime: a directory for the sockets of connections that tests share; see `share`.
        port: where it listens on 127.0.0.1.
    """

    def __init__(self, directory: Path, port: int) -> None:
        self.directory = directory
        self.root = directory / "stores"
        self.home = directory / "home"
        self.runtime = directory / "run"
        self.port = port
        self.config = directory / "ssh_config"
        self.ssh_command = ["ssh", "-F", str(self.config)]
        self.process: subprocess.Popen[bytes] | None = None

    def location(self, path: Path | str, flavour: str = "box") -> str:
        """The location of a directory, for the preferences; skips where nothing can play it."""
        require(*_PROGRAMS.get(flavour, ()))
        return HostLocation(flavour, str(path)).spelling

    def command_with(self, *options: str) -> list[str]:
        """An ssh command with more options."""
        return [*self.ssh_command, *(f"-o{option}" for option in options)]

    def command_alone(self, *options: str) -> list[str]:
        """The same, for connections that nobody shares: each ends with what opened it."""
        return self.command_with("ControlMaster=no", "ControlPath=none", *options)

    def share(self, flavour: str) -> None:
        """Open a connection that lasts as long as this host, so that not every test makes one.

        Call it from a fixture of the session; what a test opens itself it has to end. By itself one
        ends some minutes after it was used last, and the tests of a kind may be further apart.
        """
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ssh_command, "_PERSIST_SECONDS", 0)
            transport = open_transport(
                self.location(self.root, flavour), self.ssh_command, self.runtime
            )
            transport.create()
            transport.close()

    def end_connections(self) -> None:
        """Cut every connection, and with them the ssh processes that keep one to share."""
        for child in self._children():
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()

    def cut_connections(self) -> None:
        """Kill what serves each connection, but nothing that was started over one."""
        for child in self._children():
            with contextlib.suppress(psutil.NoSuchProcess):
                if child.name().startswith("sshd"):
                    child.kill()

    def _children(self) -> list[psutil.Process]:
        assert self.process is not None
        # Whoever isn't root is served by a child of the child, which outlives it.
        return psutil.Process(self.process.pid).children(recursive=True)


def is_waiting(root: Path) -> bool:
    """Whether something waits for changes of a folder on the host: its processes are in it."""
    return bool(waiting_in(root))


def waiting_in(root: Path) -> list[psutil.Process]:
    """The processes whose working directory a folder is."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.cwd() == str(root):
                found.append(process)
    return found


@contextlib.contextmanager
def running_sshd(directory: Path, *settings: str) -> Iterator[SshHost]:
    """Start an sshd whose files are in a directory; it ends with the block.

    Args:
        directory: for its files.
        settings: lines of its configuration, which count before those that are always there.
    """
    require_linux("an sshd that runs as this user")
    require("ssh", "sshd")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    host = SshHost(directory, port)
    host.root.mkdir()
    host.home.mkdir()
    _make_keys(host)
    _write_configuration(host, settings)
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    sshd = find("sshd") or "sshd"
    log = directory / "log"
    command = [sshd, "-D", "-f", str(directory / "sshd_config"), "-E", str(log)]
    host.process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    try:
        _await_listening(host, log)
        yield host
    finally:
        host.end_connections()
        host.process.terminate()
        host.process.wait(PATIENCE_SECONDS)


def _make_keys(host: SshHost) -> None:
    for name in ("host_key", *FLAVOURS):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(host.directory / name)],
            check=True,
            stdin=subprocess.DEVNULL,
        )
    public = (host.directory / "host_key.pub").read_text().split()
    (host.directory / "known_hosts").write_text(f"box {public[0]} {public[1]}\n")
    lines = []
    for flavour, script in FLAVOURS.items():
        key = (host.directory / f"{flavour}.pub").read_text().strip()
        if script:
            login = _login(host, flavour, script)
            key = f'command="{login}" {key}'
        lines.append(key)
    (host.directory / "authorized_keys").write_text("\n".join(lines) + "\n")


def _login(host: SshHost, flavour: str, script: str) -> Path:
    box = host.directory / f"{flavour}.bin"
    box.mkdir()
    if flavour == "box-busybox":
        busybox = find("busybox")
        for applet in _output([busybox, "--list"]).split() if busybox else ():
            (box / applet).symlink_to(busybox or "")
    if flavour == "box-bare":
        for program in _BARE.split():
            (box / program).symlink_to(shutil.which(program) or "/nowhere")
        write_program(
            box / "dd",
            f'case "$*" in *iflag*) echo "dd: unknown operand iflag" >&2; exit 1;; esac\n'
            f'exec {shutil.which("dd")} "$@"',
        )
    if flavour == "box-deaf":
        for program in f"{_BARE} dd sha256sum sleep stat".split():
            (box / program).symlink_to(shutil.which(program) or "/nowhere")
    login = host.directory / f"{flavour}.login"
    tied = _TIED if os.geteuid() == 0 else ""
    write_program(login, f"BOX='{box}'; TIED='{tied}'; export BOX\n{script}")
    return login


def write_program(path: Path, script: str) -> None:
    """Make a program of a shell script."""
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def _output(command: Sequence[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _write_configuration(host: SshHost, settings: Sequence[str]) -> None:
    at = host.directory
    (at / "sshd_config").write_text(
        "\n".join(settings)
        + f"""
ListenAddress 127.0.0.1:{host.port}
HostKey "{at}/host_key"
AuthorizedKeysFile "{at}/authorized_keys"
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
PrintMotd no
SetEnv HOME="{host.home}"
MaxStartups 100
MaxSessions 100
"""
    )
    lines = [
        f"""
Host box*
  HostName 127.0.0.1
  Port {host.port}
  User {getpass.getuser()}
  HostKeyAlias box
  StrictHostKeyChecking yes
  UserKnownHostsFile "{at}/known_hosts"
  GlobalKnownHostsFile /dev/null
  IdentitiesOnly yes
  IdentityAgent none
"""
    ]
    lines += [f'Host {flavour}\n  IdentityFile "{at / flavour}"\n' for flavour in FLAVOURS]
    host.config.write_text("".join(lines))


def _await_listening(host: SshHost, log: Path) -> None:
    process = host.process
    assert process is not None

    def answers() -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", host.port)):
            return True
        assert process.poll() is None, log.read_text()
        return False

    until(answers)
