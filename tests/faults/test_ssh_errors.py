"""What goes wrong between here and a host, for real: each said in one sentence, and in time."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from claude_sync.errors import (
    ClaudeSyncError,
    FileUnreadable,
    Stopped,
    StoreDenied,
    StoreFull,
    StoreOffline,
)
from claude_sync.transports import open_transport
from claude_sync.transports.base import MARKER_NAME, Get, Range, Transport
from claude_sync.transports.ssh import command as ssh_command
from claude_sync.transports.ssh import session as ssh_session
from claude_sync.transports.ssh.transport import SshTransport
from conformance.proxy import through_proxy
from conformance.sshd import SshHost
from conformance.storages import MARKER, put_of, read_one, whole, write_all
from faults.disks import small_disk
from waiting import until

MIB = 1 << 20
LONG_LABEL = "a" * 64
"""No name of a host: a label has at most 63 characters, so nobody is asked for it."""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def reach(ssh_host: SshHost, root: Path) -> Iterator[Callable[..., Transport]]:
    """Opens transports to the store's folder, with more options of ssh."""
    opened: list[Transport] = []

    def opener(*options: str, flavour: str = "box", path: Path = root) -> Transport:
        command = ssh_host.command_alone()
        command[1:1] = [f"-o{option}" for option in options]
        transport = open_transport(ssh_host.location(path, flavour), command, root.parent / "run")
        opened.append(transport)
        return transport

    yield opener
    for transport in opened:
        transport.close()


def sentence(error: BaseException) -> str:
    """What an error says, which has to be one line with something to do at its end."""
    assert isinstance(error, ClaudeSyncError)
    text = str(error)
    assert text.isprintable()
    assert error.todo
    assert text.endswith(error.todo)
    assert len(text) < 300
    return text


# --- before there is a connection ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "kind", "words", "todo"),
    [
        ([f"HostName={LONG_LABEL}"], StoreOffline, "name leads nowhere", "check the name"),
        (["Port=FREE"], StoreOffline, "refuses connections", "start its ssh service"),
        (["UserKnownHostsFile=/dev/null"], StoreDenied, "key isn't known here", "`ssh box`"),
        (
            ["UserKnownHostsFile=/dev/null", "StrictHostKeyChecking=ask"],
            StoreDenied,
            "key isn't known here",
            "`ssh box`",
        ),
        (["UserKnownHostsFile=OTHER"], StoreDenied, "key isn't the one known", "ssh-keygen -R box"),
        (
            ["UserKnownHostsFile=OTHER", "StrictHostKeyChecking=ask"],
            StoreDenied,
            "key isn't the one known",
            "ssh-keygen -R box",
        ),
        (["PubkeyAuthentication=no"], StoreOffline, "doesn't accept this user's keys", "agent"),
        (["NoSuchOption=1"], StoreDenied, "use its configuration", "`ssh box`"),
        (["Ciphers=3des-cbc"], StoreDenied, "in common", "update"),
        (["ProxyCommand=exit 1"], StoreOffline, "can't connect", "`ssh box`"),
    ],
)
def test_what_keeps_ssh_from_connecting_is_told(
    reach: Callable[..., Transport],
    tmp_path: Path,
    options: list[str],
    kind: type[ClaudeSyncError],
    words: str,
    todo: str,
) -> None:
    other = tmp_path / "other key"
    subprocess.run(["ssh-keygen", "-qt", "ed25519", "-N", "", "-f", str(other)], check=True)
    public = other.with_suffix(".pub").read_text().split()
    (tmp_path / "known").write_text(f"box {public[0]} {public[1]}\n")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
        options = [
            option.replace("FREE", port).replace("OTHER", str(tmp_path / "known"))
            for option in options
        ]
        with pytest.raises(kind) as caught:
            reach(*options).list_files()
    assert words in sentence(caught.value)
    assert todo in caught.value.todo
    assert caught.value.passing is (kind is StoreOffline)


def test_an_ssh_that_is_not_there_is_named(ssh_host: SshHost, root: Path) -> None:
    transport = open_transport(ssh_host.location(root), ["/nowhere/ssh"], root.parent / "run")
    with pytest.raises(StoreDenied, match="ssh_command") as caught:
        transport.list_files()
    assert "/nowhere/ssh" in sentence(caught.value)


@pytest.mark.parametrize("flavour", ["box-nologin", "box-noshell"])
def test_a_login_without_a_posix_shell_is_told(
    reach: Callable[..., Transport], flavour: str
) -> None:
    with pytest.raises(StoreDenied) as caught:
        reach(flavour=flavour).list_files()
    assert "doesn't run /bin/sh" in sentence(caught.value)
    assert not caught.value.passing


class _Slow(threading.Thread):
    """Work that takes its time, and what ended it."""

    def __init__(self, name: str, work: Callable[[], Iterable[object]]) -> None:
        super().__init__(name=name)
        self.work = work
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            for _ in self.work():
                pass
        except ClaudeSyncError as error:
            self.error = error


def _look(transport: Transport) -> Callable[[], Iterable[object]]:
    return lambda: transport.list_files().entries


def _read(transport: Transport) -> Callable[[], Iterable[object]]:
    get = Get("p/a", [Range(0, -1)])
    return lambda: (block for got in transport.read([get]) for block in got.blocks)


def test_what_never_answers_is_given_up(
    reach: Callable[..., Transport], ssh_host: SshHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The same rules with less patience, so that nobody waits.
    sooner = {
        "ConnectTimeout=10": "ConnectTimeout=3",
        "ServerAliveInterval=4": "ServerAliveInterval=1",
    }
    options = tuple(sooner.get(option, option) for option in ssh_command._OPTIONS)
    assert len(set(options) & set(sooner.values())) == 2
    monkeypatch.setattr(ssh_command, "_OPTIONS", options)
    monkeypatch.setattr(ssh_session, "_GREETING_SECONDS", 5.0)
    store = reach()
    store.create()
    write_all(store, put_of("p/a", bytes(4 * MIB)))
    with socket.socket() as mute, socket.socket() as full:
        for server, backlog in ((mute, 5), (full, 0)):
            server.bind(("127.0.0.1", 0))
            server.listen(backlog)
        # A queue that is full drops what comes, as a firewall does.
        crowd = [socket.socket() for _ in range(4)]
        for one in crowd:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        slow = [
            _Slow("a port that drops all", _look(reach(f"Port={full.getsockname()[1]}"))),
            _Slow("a server that says nothing", _look(reach(f"Port={mute.getsockname()[1]}"))),
            _Slow("a login that does nothing", _look(reach(flavour="box-silent"))),
        ]
        for amount in (20, 1800, 100_000):
            proxy = through_proxy(ssh_host.port, f"--freeze-down={amount}")
            slow.append(_Slow(f"frozen after {amount}", _read(reach("Compression=no", proxy))))
        for thread in slow:
            thread.start()
        for thread in slow:
            thread.join()
        for one in crowd:
            one.close()
    for thread in slow:
        assert isinstance(thread.error, StoreOffline), thread.name
        lost = "connection was lost" if "100000" in thread.name else "doesn't answer"
        assert lost in sentence(thread.error), thread.name
        assert thread.error.passing


# --- the place on the host ----------------------------------------------------------------------


def test_a_folder_that_is_not_there_is_offline_and_told(reach: Callable[..., Transport]) -> None:
    with pytest.raises(StoreOffline) as caught:
        reach().list_files()
    assert "isn't there on the host" in sentence(caught.value)
    assert caught.value.passing


def test_a_file_in_the_place_of_the_folder_is_told(
    reach: Callable[..., Transport], root: Path
) -> None:
    root.write_text("a file")
    for work in (lambda: reach().list_files(), lambda: reach().create()):
        with pytest.raises(StoreDenied) as caught:
            work()
        assert "a file is where" in sentence(caught.value)
        assert not caught.value.passing


def test_a_folder_that_may_not_be_read_is_told(reach: Callable[..., Transport], root: Path) -> None:
    root.mkdir(mode=0o300)
    with pytest.raises(StoreDenied) as caught:
        reach(flavour="box-tied").list_files()
    assert "can't be opened" in sentence(caught.value)
    root.chmod(0o700)


def test_a_folder_that_may_not_be_written_is_read_and_told(
    reach: Callable[..., Transport], root: Path
) -> None:
    store = reach(flavour="box-tied")
    store.create()
    write_all(store, put_of(MARKER_NAME, MARKER), put_of("p/a", b"a"))
    for path in (root / "p", root):
        path.chmod(0o500)
    assert [entry.name for entry in store.list_files().entries] == ["p/a"]
    for answer in store.write([put_of("p/a", b"b"), put_of("q/b", b"b"), put_of("c", b"c")]):
        assert isinstance(answer.error, StoreDenied)
        assert "permission is denied" in sentence(answer.error)
        assert not answer.error.passing
    with pytest.raises(StoreDenied, match="permission is denied") as caught:
        store.remove(["p/a"])
    sentence(caught.value)
    with pytest.raises(StoreDenied) as caught:
        reach(flavour="box-tied", path=root / "inner").create()
    assert "permission is denied" in sentence(caught.value)
    for path in (root, root / "p"):
        path.chmod(0o700)
    assert (root / "p/a").read_bytes() == b"a"
    assert not list(root.rglob(".ccsync-*.tmp"))


def test_a_file_that_may_not_be_read_is_told_and_costs_no_other(
    reach: Callable[..., Transport], root: Path
) -> None:
    store = reach(flavour="box-tied")
    store.create()
    write_all(store, put_of(MARKER_NAME, MARKER), put_of("p/a", b"a"), put_of("p/b", b"b"))
    (root / "p/a").chmod(0o200)
    bad, good = store.ends(["p/a", "p/b"], 10, 10)
    assert isinstance(bad.error, FileUnreadable)
    assert f"{root}/p/a" in sentence(bad.error)
    assert "permission is denied" in sentence(bad.error)
    assert good.head == b"b"
    assert store.digests([whole("p/a")]) == [None]
    for asked in (["p/a"], ["p/a", "p/b"]):
        gots = iter(store.read(map(whole, asked)))
        with pytest.raises(FileUnreadable):
            list(next(gots).blocks)
        assert [list(got.blocks) for got in gots] == [[b"b"]] * (len(asked) - 1)
    (root / "p/a").chmod(0o600)
    assert read_one(store, whole("p/a")) == b"a"


@pytest.mark.parametrize("flavour", ["box", "box-small"])
def test_a_full_disk_costs_the_put_that_did_not_fit_and_leaves_nothing_of_it(
    reach: Callable[..., Transport], tmp_path: Path, flavour: str
) -> None:
    with small_disk(tmp_path / "small") as point:
        # A limit of this process stands for a disk where none can be mounted: it binds no host.
        is_limit = flavour == "box-small" or not os.path.ismount(point)
        store = reach(flavour="box-small" if is_limit else flavour, path=point)
        write_all(store, put_of(MARKER_NAME, MARKER), put_of("p/old", b"old"))
        first, big, last = store.write(
            [
                put_of("p/first", b"1" * 1000),
                put_of("p/old", *[b"2" * MIB] * 3),
                put_of("p/last", b"3" * 1000),
            ]
        )
        assert (first.error, last.error) == (None, None)
        assert isinstance(big.error, StoreFull)
        assert ("doesn't fit" if is_limit else "the host's disk is full") in sentence(big.error)
        assert not big.error.passing
        assert (point / "p/old").read_bytes() == b"old"
        assert (point / "p/last").read_bytes() == b"3" * 1000
        assert not list(point.rglob(".ccsync-*.tmp"))


def test_what_is_in_the_way_of_a_file_is_told(reach: Callable[..., Transport], root: Path) -> None:
    store = reach()
    store.create()
    (root / "p" / "a").mkdir(parents=True)
    (root / "file").write_text("x")
    (root / "link").symlink_to("p")
    for name in ("p/a", "file/a", "link/a"):
        (answer,) = store.write([put_of(name, b"x")])
        assert isinstance(answer.error, StoreDenied), name
        assert "in the way" in sentence(answer.error)
    assert list((root / "p").iterdir()) == [root / "p" / "a"]


# --- in the middle ------------------------------------------------------------------------------


def test_a_connection_that_is_lost_in_the_middle_is_passing_and_taken_up_again(
    reach: Callable[..., Transport], ssh_host: SshHost
) -> None:
    store = reach()
    store.create()
    write_all(store, put_of(MARKER_NAME, MARKER), put_of("p/a", *[b"x" * MIB] * 16))

    def cut() -> Iterator[bytes]:
        for got in store.read([Get("p/a", [Range(0, -1)])]):
            yield next(got.blocks)
            ssh_host.end_connections()
            yield from got.blocks

    with pytest.raises(StoreOffline) as caught:
        list(cut())
    assert "connection was lost" in sentence(caught.value)
    assert caught.value.passing
    assert store.list_files().marker == MARKER


@pytest.mark.parametrize(
    "place", ["a port that says nothing", "a login that does nothing", "a host that is busy"]
)
def test_an_interrupt_ends_ssh_wherever_it_is(
    reach: Callable[..., Transport],
    ssh_host: SshHost,
    place: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for patience in ("_GREETING_SECONDS", "_ANSWER_SECONDS"):
        monkeypatch.setattr(ssh_session, patience, 10_000.0)  # longer than any test is given
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        if place == "a port that says nothing":
            store = reach(f"Port={mute.getsockname()[1]}")
        else:
            store = reach(flavour="box-silent" if "login" in place else "box-busy")
        assert isinstance(store, SshTransport)
        thread = _Slow("interrupted", _look(store))
        thread.start()
        (session,) = until(lambda: list(store._running))
        if place == "a host that is busy":
            until(lambda: session._greeted)
        store.interrupt()
        thread.join()
    assert isinstance(thread.error, Stopped)
    assert not session.is_running


def test_errors_never_hold_what_ssh_or_the_host_said(
    reach: Callable[..., Transport], root: Path
) -> None:
    with pytest.raises(ClaudeSyncError) as caught:
        reach("ProxyCommand=echo hunter2 >&2; exit 1").list_files()
    assert "hunter2" not in sentence(caught.value)
