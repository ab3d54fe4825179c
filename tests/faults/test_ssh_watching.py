"""Waiting for changes on a host when the connection, the host or this process dies, or lies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from claude_sync.errors import StoreDenied, StoreOffline, TransportError
from claude_sync.transports import open_transport
from claude_sync.transports.base import MARKER_NAME, ChangeWatch, Transport, change_watch
from claude_sync.transports.folder.transport import FolderTransport
from claude_sync.transports.ssh import watching as ssh_watching
from claude_sync.transports.ssh.pipes import PolledPipes
from conformance.proxy import through_proxy
from conformance.sshd import SshHost, is_waiting, running_sshd, waiting_in
from conformance.storages import MARKER, put_of, write_all
from waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.skipif(os.name == "nt", reason="pipes are polled where they can be")

FLAVOURS = ("box", "box-deaf", "box-busybox")
MIB = 1 << 20


def a_store(root: Path) -> Path:
    folder = FolderTransport(str(root))
    folder.create()
    write_all(folder, put_of(MARKER_NAME, MARKER), put_of("p/old", b"old"))
    return root


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A store's folder on the host."""
    return a_store(tmp_path / "store")


def watch_of(transport: Transport) -> ChangeWatch:
    watch = change_watch(transport)
    assert watch is not None
    return watch


class Waiting:
    """A thread that waits until it is told of something, or fails."""

    def __init__(self, watch: ChangeWatch) -> None:
        self.error: TransportError | None = None
        self._watch = watch
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            until(self._watch.wait)
        except TransportError as error:
            self.error = error

    def ended(self) -> TransportError | None:
        self._thread.join(PATIENCE_SECONDS)
        assert not self._thread.is_alive()
        return self.error


@pytest.fixture
def watch(request: pytest.FixtureRequest, ssh_host: SshHost, root: Path) -> Iterator[ChangeWatch]:
    """What waits, over a connection of its own."""
    flavour = getattr(request, "param", "box")
    command = ssh_host.command_alone()
    watch = watch_of(open_transport(ssh_host.location(root, flavour), command, root.parent))
    assert watch.wait()
    yield watch
    watch.close()


# --- who dies ----------------------------------------------------------------------------------


def _kill_ssh(host: SshHost, root: Path) -> None:
    _child_with("ControlPath=none", of="ssh").kill()


def _child_with(word: str, *, of: str) -> psutil.Process:
    """The one process that this one has started with a word among its arguments."""
    found = []
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            is_one = child.name().startswith(of) and word in " ".join(child.cmdline())
            if is_one and "sshd" not in child.name():
                found.append(child)
    (one,) = found
    return one


def _kill_sshd(host: SshHost, root: Path) -> None:
    host.cut_connections()


def _kill_the_shell(host: SshHost, root: Path) -> None:
    """The shell that reads our questions; what it has started to wait lives on for a moment."""

    def shells() -> set[int]:
        there = {}
        for one in waiting_in(root):
            with suppress(psutil.NoSuchProcess):
                there[one.pid] = one.ppid()
        return set(there.values()) - there.keys()

    (shell,) = until(shells, wanted=lambda found: len(found) == 1)
    psutil.Process(shell).kill()


@pytest.mark.parametrize("watch", FLAVOURS, indirect=True)
@pytest.mark.parametrize("kill", [_kill_ssh, _kill_sshd])
def test_nothing_goes_on_at_either_end_once_one_is_killed(
    watch: ChangeWatch, ssh_host: SshHost, root: Path, kill: Callable[[SshHost, Path], None]
) -> None:
    waiting = Waiting(watch)
    until(lambda: is_waiting(root))
    kill(ssh_host, root)
    assert isinstance(waiting.ended(), StoreOffline)
    until(lambda: not is_waiting(root))
    assert watch.wait(), "the next one begins afresh"


@pytest.mark.parametrize("watch", ["box-deaf", "box-busybox"], indirect=True)
def test_what_waits_on_the_host_ends_when_its_shell_is_killed(
    watch: ChangeWatch, ssh_host: SshHost, root: Path
) -> None:
    waiting = Waiting(watch)
    until(lambda: is_waiting(root))
    _kill_the_shell(ssh_host, root)
    assert isinstance(waiting.ended(), StoreOffline)
    until(lambda: not is_waiting(root))


WATCHER = """
import sys
from pathlib import Path
from claude_sync.transports import open_transport
from claude_sync.transports.base import change_watch
location, runtime, *command = sys.argv[1:]
watch = change_watch(open_transport(location, command, Path(runtime)))
watch.wait()
print("watched", flush=True)
while True:
    watch.wait()
"""


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize("shares", [False, True])
def test_nothing_goes_on_once_our_process_is_killed(
    ssh_host: SshHost, root: Path, flavour: str, shares: bool
) -> None:
    command = ssh_host.ssh_command if shares else ssh_host.command_alone()
    location = ssh_host.location(root, flavour)
    runtime = root.parent / "run"
    arguments = [sys.executable, "-c", WATCHER, location, str(runtime), *command]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "watched\n"
        until(lambda: is_waiting(root))
        process.send_signal(signal.SIGKILL)
    until(lambda: not is_waiting(root))
    ssh_host.end_connections()


# --- the connection ----------------------------------------------------------------------------


def _through(host: SshHost, root: Path, *options: str) -> ChangeWatch:
    command = host.command_alone("Compression=no", through_proxy(host.port, *options))
    return watch_of(open_transport(host.location(root, "box-deaf"), command, root.parent))


def _proxy() -> psutil.Process:
    return _child_with("proxy.py", of="python")


def test_a_connection_that_is_cut_ends_what_waits_on_the_host(
    ssh_host: SshHost, root: Path
) -> None:
    watch = _through(ssh_host, root)
    assert watch.wait()
    waiting = Waiting(watch)
    until(lambda: is_waiting(root))
    _proxy().kill()
    assert isinstance(waiting.ended(), StoreOffline)
    until(lambda: not is_waiting(root))


def test_a_connection_that_dies_without_a_word_ends_here_and_there(
    ssh_host: SshHost, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ssh_watching, "_WAIT_SECONDS", 2)
    monkeypatch.setattr(ssh_watching, "_LATE_SECONDS", 1.0)
    watch = _through(ssh_host, root)
    assert watch.wait()
    proxy = _proxy()
    waiting = Waiting(watch)
    until(lambda: is_waiting(root))
    proxy.suspend()
    assert isinstance(waiting.ended(), StoreOffline)
    # The host believes that the connection is still there: what waited ends by itself.
    until(lambda: not is_waiting(root))
    proxy.kill()


# --- a host that allows one session for each connection ----------------------------------------


def logins(host: SshHost) -> int:
    return (host.directory / "log").read_text().count("Accepted publickey")


def test_where_a_connection_may_have_one_session_the_transport_keeps_it(tmp_path: Path) -> None:
    (tmp_path / "sshd").mkdir()
    root = a_store(tmp_path / "store")
    with running_sshd(tmp_path / "sshd", "MaxSessions 1") as host:
        transport = open_transport(host.location(root), host.ssh_command, tmp_path / "run")
        transport.list_files()
        watch = watch_of(transport)
        assert watch.wait()
        assert logins(host) == 2, "its own session was refused, so it has its own connection"
        assert transport.list_files().entries
        watch.close()
        transport.close()
        # From now on it doesn't take the one session, even if it comes first.
        assert watch.wait()
        before = logins(host)
        transport.list_files()
        assert logins(host) == before
        watch.close()
        transport.close()


# --- a host that lies --------------------------------------------------------------------------

# What stands for ssh: it greets, and from then on says what it wants.
HOST = r"""#!%s
import os, re, sys
out, inp = sys.stdout.buffer, sys.stdin.buffer
token = re.search(rb"k=([0-9a-f]+)", inp.readline()).group(1)
out.write(b"\n" + token + b"\n")
out.flush()
inp.readline()
inp.readline()
mode = sys.argv[1]
while inp.readline():
    if mode == "flood":
        while True:
            out.write(b"look 1-1\n" * 8192)
    elif mode == "long":
        while True:
            out.write(b"x" * 65536)
    elif mode == "garbage":
        out.write(os.urandom(4096).replace(b"\n", b"") + b"\n")
    elif mode == "two":
        out.write(b"look 1-1\nlook 2-2\n")
    elif mode == "digest":
        out.write(b"look ; rm -rf /\n")
    elif mode == "word":
        out.write(b"changed 1-1\n")
    elif mode == "binary":
        out.write(b"\xff\xfe same\n")
    elif mode == "end":
        sys.exit(0)
    out.flush()
"""


@pytest.mark.parametrize(
    "mode", ["flood", "long", "garbage", "two", "digest", "word", "binary", "end"]
)
def test_what_makes_no_sense_ends_the_connection(
    tmp_path: Path, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[int] = []
    read = PolledPipes.read

    def counted(pipes: PolledPipes, patience: float) -> bytes:
        data = read(pipes, patience)
        taken.append(len(data))
        return data

    monkeypatch.setattr(PolledPipes, "read", counted)
    ssh = tmp_path / "ssh.py"
    ssh.write_text(HOST % sys.executable)
    watch = watch_of(open_transport("box:store", [sys.executable, str(ssh), mode], tmp_path))
    wanted = StoreOffline if mode == "end" else StoreDenied
    for _ in range(2):
        with pytest.raises(wanted):
            until(lambda: watch.wait() and None)
        assert sum(taken) < MIB
        taken.clear()
    watch.close()
