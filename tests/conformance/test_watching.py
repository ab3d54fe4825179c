"""What waits for changes in a store, over every transport that has it. Real hosts."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from claude_sync.errors import Stopped, StoreDenied, StoreOffline
from claude_sync.transports import open_transport
from claude_sync.transports.base import MARKER_NAME, ChangeWatch, Transport, change_watch
from claude_sync.transports.folder.transport import FolderTransport
from claude_sync.transports.memory import MemoryTransport
from claude_sync.transports.metered import MeteredTransport
from claude_sync.transports.ssh import pipes as ssh_pipes
from claude_sync.transports.ssh import watching as ssh_watching
from conformance.sshd import SshHost, is_waiting
from conformance.storages import MARKER, FileStorage, put_of, ssh_storage, write_all
from programs import require
from waiting import PATIENCE_SECONDS, until

WATCHED = ["box", "box-deaf", "box-busybox", "box by threads", "metered box"]
"""``box`` has inotifywait, the others haven't, and what they can tell of times differs."""
A_MOMENT = 2


@pytest.fixture(params=WATCHED)
def watched(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    ssh_host: SshHost,
    monkeypatch: pytest.MonkeyPatch,
) -> FileStorage:
    """A storage whose transports can be watched; it isn't there yet."""
    require("inotifywait")
    if request.param == "box by threads":
        monkeypatch.setattr(ssh_pipes, "PolledPipes", ssh_pipes.ThreadedPipes)
    flavour = request.param if "-" in request.param else "box"
    storage = ssh_storage(ssh_host, flavour, tmp_path / "the store")
    if request.param == "metered box":
        opened = storage.open
        return FileStorage(storage.root, lambda _: MeteredTransport(opened(), lambda _: None))
    return storage


@pytest.fixture
def transport(watched: FileStorage) -> Iterator[Transport]:
    """A transport that hasn't been used yet, over a store that is set up."""
    first = watched.open()
    first.create()
    write_all(first, put_of(MARKER_NAME, MARKER), put_of("p/old", b"old"))
    first.close()
    until(lambda: not is_waiting(watched.root))
    transport = watched.open()
    yield transport
    transport.close()


@pytest.fixture
def watch(transport: Transport) -> Iterator[ChangeWatch]:
    """What waits, told already that nobody has watched before."""
    watch = change_watch(transport)
    assert watch is not None
    assert watch.wait()
    yield watch
    watch.close()


def is_told(watch: ChangeWatch) -> None:
    """A change is told of, now or the next times: waiting ends without one after a while."""
    until(watch.wait)


def test_where_nothing_tells_of_changes_nothing_waits_for_them(tmp_path: Path) -> None:
    folder = FolderTransport(str(tmp_path))
    assert change_watch(folder) is None
    assert change_watch(MemoryTransport()) is None
    assert change_watch(MeteredTransport(folder, lambda _: None)) is None


def test_what_is_written_is_told_of(watch: ChangeWatch, transport: Transport) -> None:
    for number in range(3):
        write_all(transport, put_of(f"p/{number}", b"new"))
        is_told(watch)


def test_what_changes_while_it_waits_is_told_of(watch: ChangeWatch, watched: FileStorage) -> None:
    told = threading.Event()

    def wait() -> None:
        is_told(watch)
        told.set()

    for change in (_replaced, _new_folder, _removed):
        told.clear()
        waiting = threading.Thread(target=wait)
        waiting.start()
        until(lambda: is_waiting(watched.root))
        change(watched)
        assert told.wait(PATIENCE_SECONDS), change.__name__
        waiting.join()


def _replaced(storage: FileStorage) -> None:
    """As mirrors do: beside it, and then in its place. Neither its size nor its time changes."""
    old, new = storage.root / "p" / "old", storage.root / "p" / ".new"
    status = old.stat()
    new.write_bytes(b"new")
    os.utime(new, ns=(status.st_atime_ns, status.st_mtime_ns))
    new.rename(old)


def _new_folder(storage: FileStorage) -> None:
    storage.plant("q/first", b"x")


def _removed(storage: FileStorage) -> None:
    (storage.root / "p" / "old").unlink()


def test_where_nothing_changes_nothing_is_told_of(
    watch: ChangeWatch, watched: FileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ssh_watching, "_WAIT_SECONDS", A_MOMENT)
    assert not watch.wait()
    watched.plant(".stfolder/of a mirror", b"x")
    watched.plant("p/.on its way", b"x")
    assert not watch.wait()
    assert not watch.wait()
    watched.plant("p/there", b"x")
    assert watch.wait()


def test_a_store_that_goes_away_is_offline(
    watch: ChangeWatch, watched: FileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ssh_watching, "_WAIT_SECONDS", A_MOMENT)
    watched.vanish()
    with pytest.raises(StoreOffline):
        until(lambda: watch.wait() and None)
    watched.root.with_name(watched.root.name + " elsewhere").rename(watched.root)
    assert watch.wait()


def test_the_end_comes_at_once_and_nothing_is_left_on_the_host(
    watch: ChangeWatch, watched: FileStorage
) -> None:
    raised: list[BaseException] = []

    def wait() -> None:
        try:
            while True:
                watch.wait()
        except Stopped as error:
            raised.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    until(lambda: is_waiting(watched.root))
    watch.end()
    waiting.join(PATIENCE_SECONDS)
    assert raised
    until(lambda: not is_waiting(watched.root))
    with pytest.raises(Stopped):
        watch.wait()


def test_the_transport_works_meanwhile(watch: ChangeWatch, watched: FileStorage) -> None:
    waiting = threading.Thread(target=lambda: is_told(watch))
    waiting.start()
    until(lambda: is_waiting(watched.root))
    other = watched.open()
    assert [entry.name for entry in other.list_files().entries] == ["p/old"]
    write_all(other, put_of("p/new", b"new"))
    waiting.join(PATIENCE_SECONDS)
    assert not waiting.is_alive()
    other.close()


def test_a_host_that_has_nothing_to_wait_with_says_so(ssh_host: SshHost, tmp_path: Path) -> None:
    location = ssh_host.location(tmp_path / "the store", "box-bare")
    transport = open_transport(location, ssh_host.ssh_command, ssh_host.runtime)
    transport.create()
    watch = change_watch(transport)
    assert watch is not None
    for _ in range(2):
        with pytest.raises(StoreDenied, match="can't wait for changes"):
            watch.wait()
    transport.close()
