"""Clouds by rclone: lines that are cut, rclone's end, its words, and how it would lose a file."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import psutil
import pytest

from claude_sync.errors import (
    FileArrived,
    Stopped,
    StoreAbsent,
    StoreFull,
    StoreOffline,
    TransportError,
)
from claude_sync.transports import open_transport
from claude_sync.transports.base import MARKER_NAME, Block, Predecessor, Put, Transport
from claude_sync.transports.rclone import calls, errors, server, writing
from claude_sync.transports.rclone.transport import RcloneTransport
from conformance.clouds import BUCKET, Clouds, CloudStorage, Proxy, let_servers_forget
from conformance.sshd import write_program
from conformance.storages import MARKER, SealedStorage, entry_of, put_of, read_one, whole, write_all
from waiting import until

MIB = 1 << 20
OLD = random.Random(1).randbytes(40_000)
NEW = random.Random(2).randbytes(50_000)


@pytest.fixture
def storage(clouds: Clouds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CloudStorage:
    """A store on WebDAV."""
    monkeypatch.setenv("RCLONE_CONFIG", str(clouds.config))
    return CloudStorage(clouds, "webdav", f"store-{os.urandom(4).hex()}", tmp_path / "run")


@pytest.fixture
def store(storage: CloudStorage) -> Iterator[Transport]:
    with closing(storage.open()) as transport:
        transport.create()
        write_all(transport, put_of(MARKER_NAME, MARKER))
        yield transport


def rclone_of(transport: Transport) -> psutil.Process:
    """The rclone that a transport asks."""
    running = cast(Any, transport)._caller._server
    return psutil.Process(running.pid)


def is_running(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


# --- a line that is cut ------------------------------------------------------------------------


class Line:
    """A remote whose connections lead through a proxy."""

    def __init__(self, clouds: Clouds, kind: str, storage: CloudStorage) -> None:
        self.proxy = Proxy(clouds.ports[kind])
        name = f"cut-{kind}-{self.proxy.port}"
        clouds.remote(name, kind, self.proxy.port)
        self.location = f"rclone:{name}:{BUCKET}/{storage.root.name}"
        self._runtime = storage.root.name

    def open(self, runtime: Path) -> Transport:
        return open_transport(self.location, [], runtime)


@pytest.fixture(params=["webdav", "s3"])
def line(request: pytest.FixtureRequest, clouds: Clouds, storage: CloudStorage) -> Iterator[Line]:
    line = Line(clouds, request.param, storage)
    yield line
    line.proxy.close()


@pytest.mark.parametrize("share", [0.0, 0.5, 0.95])
def test_a_push_that_is_cut_anywhere_leaves_the_old_file_or_the_new_one(
    line: Line, store: Transport, storage: CloudStorage, tmp_path: Path, share: float
) -> None:
    write_all(store, put_of("p/a.ccsync", OLD))
    with closing(line.open(tmp_path / "run")) as cut:
        cut.list_files()
        line.proxy.mend()
        line.proxy.cut_up = int(share * (len(NEW) + 2000))
        try:
            answers = list(cut.write([put_of("p/a.ccsync", NEW)]))
        except StoreOffline:
            answers = []
        assert [answer.error for answer in answers] in ([], [None]) or answers[0].error
    names = [entry.name for entry in store.list_files().entries]
    read = {name: read_one(store, whole(name)) for name in names}
    assert "p/a.ccsync" in names
    assert set(read.values()) <= {OLD, NEW}
    line.proxy.mend()
    with closing(line.open(tmp_path / "run")) as again:
        write_all(again, put_of("p/a.ccsync", NEW))
    assert read_one(store, whole("p/a.ccsync")) == NEW


def test_what_is_read_over_a_line_that_is_cut_is_never_taken_for_whole(
    clouds: Clouds, store: Transport, storage: CloudStorage, tmp_path: Path
) -> None:
    data = random.Random(3).randbytes(3 * MIB)
    write_all(store, put_of("p/a", data))
    line = Line(clouds, "webdav", storage)
    try:
        with closing(line.open(tmp_path / "run")) as cut:
            cut.list_files()
            line.proxy.mend()
            line.proxy.cut_down = 2 * MIB
            with pytest.raises(TransportError) as caught:
                read_one(cut, whole("p/a"))
            assert "broke off in the middle" in str(caught.value)
            assert is_running(rclone_of(cut))
    finally:
        line.proxy.close()


# --- what would lose a file --------------------------------------------------------------------


def test_the_older_revision_stays_until_the_new_one_is_seen_whole(
    store: Transport, storage: CloudStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the cloud kept a part only: rclone takes a short body for a whole file."""
    write_all(store, put_of("p/a.ccsync", OLD))
    upload = calls.upload

    def short(fs: str, path: str, blocks: Callable[[], Iterator[bytes]], size: int) -> object:
        return upload(fs, path, lambda: iter([b"".join(blocks())[:-100]]), size)

    monkeypatch.setattr("claude_sync.transports.rclone.writing.upload", short)
    (answer,) = store.write([put_of("p/a.ccsync", NEW)])
    assert isinstance(answer.error, TransportError)
    assert answer.error.passing
    assert storage.bytes_of("p/a.ccsync") == OLD
    monkeypatch.undo()
    monkeypatch.setenv("RCLONE_CONFIG", str(storage.root.parents[2] / "rclone.conf"))
    assert read_one(store, whole("p/a.ccsync")) == OLD


@pytest.mark.parametrize(
    "text",
    [
        "corrupted on transfer: sizes differ 3 vs 0",
        "Update mkParentDir failed: Locked: 423 Locked",
        "object not found",
        "Update SetModTime failed: SetModTime failed: file does not exist",
    ],
)
def test_an_upload_that_may_succeed_a_moment_later_is_made_once_more(
    store: Transport, storage: CloudStorage, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """Some servers tell a little late how many bytes they have, or lock what is being made."""
    write_all(store, put_of("p/a.ccsync", OLD))
    upload = calls.upload
    # rclone has a command that fails with what it is told.
    refused = calls.command("rc/error", text=text)
    first = [refused]

    def late(fs: str, path: str, blocks: Callable[[], Iterator[bytes]], size: int) -> object:
        return first.pop() if first else upload(fs, path, blocks, size)

    monkeypatch.setattr("claude_sync.transports.rclone.writing.upload", late)
    listed = Predecessor(entry_of(store, "p/a.ccsync").stamp)
    (answer,) = store.write([put_of("p/a.ccsync", NEW)._replace(predecessor=listed)])
    assert answer.error is None
    assert [path.read_bytes() for path in (storage.root / "p").iterdir()] == [NEW]


def test_a_part_of_an_upload_is_never_listed_and_is_gone_after_a_day(
    store: Transport, storage: CloudStorage
) -> None:
    write_all(store, put_of("p/a.ccsync", OLD))
    part = storage.root / "p" / f"b.1-{len(NEW)}-0123abcd.ccsync"
    part.write_bytes(NEW[:1000])
    fresh = part.with_name(f"c.1-{len(NEW)}-0123abcd.ccsync")
    fresh.write_bytes(NEW[:1000])
    os.utime(part, (0, 1_700_000_000))
    let_servers_forget()
    assert [entry.name for entry in store.list_files().entries] == ["p/a.ccsync"]
    write_all(store, put_of("p/d.ccsync", NEW))
    assert not part.exists()
    assert fresh.exists()


def test_a_revision_of_another_writer_is_neither_replaced_nor_hidden(
    store: Transport, storage: CloudStorage
) -> None:
    write_all(store, put_of("p/a.ccsync", OLD))
    listed = Predecessor(entry_of(store, "p/a.ccsync").stamp)
    theirs = storage.root / "p" / "a.7-3-0123abcd.ccsync"

    def blocks() -> Iterator[Block]:
        theirs.write_bytes(b"two")
        let_servers_forget()
        yield Block(NEW)

    (answer,) = store.write([Put("p/a.ccsync", blocks, predecessor=listed)])
    assert isinstance(answer.error, FileArrived)
    entries = [entry.name for entry in store.list_files().entries]
    read = [read_one(store, whole(name)) for name in entries]
    assert sorted(read) == sorted([OLD, b"two"])


def test_the_marker_is_never_missing_while_it_is_replaced(
    store: Transport, storage: CloudStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dying at any moment of it leaves the old one, or the new one under its revision's name."""
    changed = MARKER.replace(b"5f4d", b"0000")
    seen = []
    put_through = calls.Caller._put_through

    def looking(self: object, link: Any, running: Any, request: calls.Request) -> None:
        put_through(cast(calls.Caller, self), link, running, request)
        names = [p.name for p in storage.root.iterdir() if p.name.startswith(MARKER_NAME)]
        seen.append(names)

    with closing(storage.open()) as other:
        monkeypatch.setattr(calls.Caller, "_put_through", looking)
        write_all(store, put_of(MARKER_NAME, changed))
        monkeypatch.undo()
        monkeypatch.setenv("RCLONE_CONFIG", str(storage.root.parents[2] / "rclone.conf"))
        assert all(seen)
        assert other.list_files().marker == changed
    assert [p.name for p in storage.root.iterdir()] == [MARKER_NAME]


def test_a_marker_left_under_its_revisions_name_counts(
    store: Transport, storage: CloudStorage
) -> None:
    changed = MARKER.replace(b"5f4d", b"0000")
    left = storage.root / f"{MARKER_NAME}.2-{len(changed)}-0123abcd"
    left.write_bytes(changed)
    let_servers_forget()
    assert store.list_files().marker == changed
    (storage.root / MARKER_NAME).unlink()
    let_servers_forget()
    assert store.list_files().marker == changed
    write_all(store, put_of("p/a", b"a"))


def test_an_empty_directory_isnt_removed(store: Transport, storage: CloudStorage) -> None:
    """On WebDAV that removes what another machine puts there in the same moment."""
    write_all(store, put_of("p/a", b"a"))
    store.remove(["p/a"])
    assert [path.name for path in (storage.root / "p").iterdir()] == []


@pytest.mark.parametrize("number", ["999999999", "9999999999", "99999999999999999999"])
@pytest.mark.parametrize("name", ["p/a.ccsync", MARKER_NAME])
def test_no_number_that_somebody_made_up_keeps_a_file_from_being_written(
    store: Transport, storage: CloudStorage, name: str, number: str
) -> None:
    write_all(store, put_of("p/a.ccsync", OLD))
    there = storage.bytes_of(name)
    assert there is not None
    stem, suffix = (name[:-7], ".ccsync") if "/" in name else (name, "")
    planted = storage.root / f"{stem}.{number}-{len(there)}-0123abcd{suffix}"
    planted.write_bytes(there)
    for data in (MARKER.replace(b"5f4d", b"0000"), MARKER.replace(b"5f4d", b"1111")):
        let_servers_forget()
        with closing(storage.open()) as transport:
            transport.list_files()
            write_all(transport, put_of(name, data))
        let_servers_forget()
        with closing(storage.open()) as transport:
            listing = transport.list_files()
            assert data == (listing.marker if "/" not in name else read_one(transport, whole(name)))


def test_a_sealed_file_that_is_too_big_to_be_held_arrives_each_time(
    clouds: Clouds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its bytes are made twice, once for the size that its name says."""
    monkeypatch.setenv("RCLONE_CONFIG", str(clouds.config))
    monkeypatch.setattr(writing, "_HELD_BYTES", MIB)
    name = f"store-{os.urandom(4).hex()}"
    storage = SealedStorage(CloudStorage(clouds, "local", name, tmp_path / "run"))
    with closing(storage.open()) as transport:
        transport.create()
        write_all(transport, put_of(MARKER_NAME, MARKER))
        for number in range(4):
            data = random.Random(number).randbytes(3 * MIB).hex().encode()
            write_all(transport, put_of("p/a.ccsync", data))
            assert storage.bytes_of("p/a.ccsync") == data


def test_what_changes_while_it_is_sent_is_not_written(
    store: Transport, storage: CloudStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "_HELD_BYTES", 1000)
    write_all(store, put_of("p/a.ccsync", OLD))
    for second in (NEW + b"x", NEW[:-1]):
        made = map(iter, [[Block(NEW)], [Block(second)]])
        [written] = store.write([Put("p/a.ccsync", made.__next__)])
        assert "changed while it was sent" in str(written.error)
        assert read_one(store, whole("p/a.ccsync")) == OLD


# --- how it asks -------------------------------------------------------------------------------


def test_eight_ranges_are_asked_for_at_once(
    clouds: Clouds, store: Transport, storage: CloudStorage, tmp_path: Path
) -> None:
    data = {f"p/{number}": b"%d" % number * 1000 for number in range(8)}
    write_all(store, *(put_of(name, value) for name, value in data.items()))
    line = Line(clouds, "webdav", storage)
    try:
        with closing(line.open(tmp_path / "run")) as transport:
            transport.list_files()
            # One after the other, not a byte of them would come.
            reading = transport.read(map(whole, data))
            line.proxy.gate = 8
            gots = [b"".join(got.blocks) for got in reading]
    finally:
        line.proxy.close()
    assert gots == list(data.values())


def test_a_listing_of_a_bucket_asks_once_for_all_and_for_no_file_by_itself(
    clouds: Clouds, store: Transport, storage: CloudStorage, tmp_path: Path
) -> None:
    write_all(store, *(put_of(f"p{number % 8}/{number}", b"x") for number in range(40)))
    line = Line(clouds, "s3", storage)
    try:
        with closing(line.open(tmp_path / "run")) as transport:
            transport.list_files()
            line.proxy.mend()
            assert len(transport.list_files().entries) == 40
            sent = bytes(line.proxy.sent)
    finally:
        line.proxy.close()
    lists = sent.count(b"list-type=2")
    assert lists == 1
    marker = 2  # its head, its bytes
    assert sent.count(b"HTTP/1.1\r\n") <= lists + marker


# --- rclone's own end --------------------------------------------------------------------------


def test_rclone_killed_in_the_middle_costs_a_push_and_is_started_again(
    store: Transport, storage: CloudStorage
) -> None:
    write_all(store, put_of("p/a", OLD))
    rounds = []

    def blocks() -> Iterator[Block]:
        rounds.append(1)
        for number in range(12):
            if len(rounds) == 2 and number == 6:
                rclone_of(store).kill()
            yield Block(NEW[:1000] * 1000)

    with pytest.raises(StoreOffline) as caught:
        list(store.write([Put("p/a", blocks)]))
    assert "rclone" in str(caught.value)
    assert read_one(store, whole("p/a")) == OLD


def test_rclone_ends_when_nothing_was_asked_of_it_and_starts_again(
    storage: CloudStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "IDLE_SECONDS", 0.5)
    with closing(storage.open()) as transport:
        transport.create()
        rclone = rclone_of(transport)
        until(lambda: not is_running(rclone))
        assert transport.list_files().entries == ()


def test_closing_ends_rclone_and_leaves_no_socket(storage: CloudStorage, tmp_path: Path) -> None:
    transport = storage.open()
    transport.create()
    rclone = rclone_of(transport)
    assert list((tmp_path / "run").iterdir())
    transport.close()
    assert not is_running(rclone)
    assert list((tmp_path / "run").iterdir()) == []


_PROGRAM = """
import sys, time
from pathlib import Path
from claude_sync.transports import open_transport
transport = open_transport(sys.argv[1], [], Path(sys.argv[2]))
transport.create()
print(transport._caller._server.pid, flush=True)
time.sleep(1000)
"""


@pytest.mark.parametrize("whom", ["us", "the guardian"])
def test_rclone_ends_with_us_even_if_we_are_killed(
    storage: CloudStorage, tmp_path: Path, whom: str
) -> None:
    command = [sys.executable, "-c", _PROGRAM, storage.location, str(tmp_path / "run")]
    path = os.pathsep.join(sys.path)
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path}
    ) as process:
        assert process.stdout is not None
        rclone = psutil.Process(int(process.stdout.readline()))
        guardian = psutil.Process(rclone.ppid())
        assert guardian.ppid() == process.pid
        (guardian if whom == "the guardian" else psutil.Process(process.pid)).send_signal(
            signal.SIGKILL
        )
        until(lambda: not is_running(rclone))
        process.kill()
    until(lambda: not is_running(guardian))


def test_an_interrupt_ends_what_waits_for_a_cloud_that_says_nothing(
    clouds: Clouds, store: Transport, storage: CloudStorage, tmp_path: Path
) -> None:
    import threading

    line = Line(clouds, "webdav", storage)
    try:
        with closing(line.open(tmp_path / "run")) as transport:
            transport.list_files()
            line.proxy.mend()
            line.proxy.gate = 1000

            def interrupt() -> None:
                until(lambda: cast(Any, transport)._caller._busy)
                transport.interrupt()

            stopper = threading.Thread(target=interrupt, name="interrupter")
            stopper.start()
            with pytest.raises(Stopped):
                transport.list_files()
            stopper.join()
            line.proxy.gate = 0
    finally:
        line.proxy.close()


# --- what it says ------------------------------------------------------------------------------


def test_nothing_secret_stands_where_others_can_read_it(storage: CloudStorage) -> None:
    with closing(storage.open()) as transport:
        transport.create()
        rclone = rclone_of(transport)
        secret = cast(Any, transport)._caller._server.authorization.split()[1]
        import base64

        password = base64.b64decode(secret).decode().split(":")[1]
        lines = [rclone.cmdline(), psutil.Process(rclone.ppid()).cmdline()]
    assert lines
    assert not any(password in word for line in lines for word in line)


def _said(location: str, tmp_path: Path) -> TransportError:
    with closing(open_transport(location, [], tmp_path / "run")) as transport:
        with pytest.raises(TransportError) as caught:
            transport.list_files()
        return caught.value


def test_a_remote_that_was_removed_is_said_in_a_sentence(
    storage: CloudStorage, tmp_path: Path
) -> None:
    error = _said("rclone:gone:sessions", tmp_path)
    assert isinstance(error, StoreAbsent)
    assert "rclone has no remote of that name" in str(error)


def test_a_login_that_isnt_accepted_is_said_in_a_sentence(
    clouds: Clouds, storage: CloudStorage, tmp_path: Path
) -> None:
    with clouds.config.open("a") as file:
        port = clouds.ports["webdav"]
        file.write(f"[refused]\ntype = webdav\nurl = http://127.0.0.1:{port}\nuser = x\n\n")
    error = _said(f"rclone:refused:{BUCKET}/x", tmp_path)
    assert isinstance(error, StoreAbsent)
    assert "rclone config" in error.todo


def test_a_cloud_that_doesnt_answer_is_offline(
    clouds: Clouds, storage: CloudStorage, tmp_path: Path
) -> None:
    with clouds.config.open("a") as file:
        file.write("[off]\ntype = webdav\nurl = http://127.0.0.1:1\nvendor = other\n\n")
    error = _said("rclone:off:x", tmp_path)
    assert type(error) is StoreOffline
    assert error.passing


@pytest.mark.parametrize(
    ("text", "kind", "word"),
    [
        (
            'couldn\'t list: Get "https://x": couldn\'t fetch token: invalid_grant: maybe token '
            "expired? - try refreshing with \"rclone config reconnect d:\"",
            StoreAbsent,
            "`rclone config reconnect drive:`",
        ),
        ("oauth2: cannot fetch token: 400 Bad Request", StoreAbsent, "config reconnect drive:"),
        ("empty token found - please run rclone config", StoreAbsent, "config reconnect drive:"),
        ("googleapi: Error 403: The user's Drive storage quota has been exceeded., "
         "storageQuotaExceeded", StoreFull, "no room"),
        ("Insufficient Storage: 507 Insufficient Storage", StoreFull, "no room"),
        ("googleapi: Error 403: Quota exceeded for quota metric 'Queries', rateLimitExceeded",
         StoreOffline, "wait"),
        ("dial tcp: lookup www.googleapis.com: no such host", StoreOffline, "doesn't answer"),
        ("NewFs: couldn't connect SSH: ssh: rejected: administratively prohibited", StoreOffline,
         "doesn't answer"),
        ("couldn't initialise SFTP: ssh: disconnect, reason 11", StoreOffline, "doesn't answer"),
        ("unable to decrypt configuration: not allowed to ask for password", StoreAbsent,
         "RCLONE_PASSWORD_COMMAND"),
    ],
)  # fmt: skip
def test_what_rclone_says_is_a_sentence_of_ours(
    text: str, kind: type[TransportError], word: str
) -> None:
    error = errors.refused(text, "drive", "drive:x")
    assert type(error) is kind
    assert word in str(error)
    assert "https://x" not in str(error)


def test_what_stands_in_names_is_no_sign() -> None:
    text = "object not found: quota-401/token expired.1-403-aa"
    names = ["quota-401/token expired.1-403-aa"]
    error = errors.refused(text, "drive", "drive:x", names)
    assert "a file is gone" in str(error)
    assert "403" not in str(errors.refused("strange: a.12-403-deadbeef", "d", "w"))


def test_no_rclone_is_said_with_where_to_get_it(
    storage: CloudStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "rclones", lambda: iter(()))
    error = _said(storage.location, tmp_path)
    assert "rclone isn't installed" in str(error)
    assert "claude-sync[cloud]" in str(error)


def test_an_rclone_that_is_too_old_is_passed_over_or_said(
    storage: CloudStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errors, "MINIMUM", (99, 0))
    error = _said(storage.location, tmp_path)
    assert "rclone is too old (1." in str(error)


def test_one_on_the_path_that_is_too_old_even_to_start_is_passed_over(
    storage: CloudStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Debian 12's 1.60, which can't serve on a socket."""
    (tmp_path / "bin").mkdir()
    write_program(tmp_path / "bin/rclone", '[ "$1" = version ] && echo rclone v1.60.1-DEV; exit 1')
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    with closing(storage.open()) as transport:
        transport.create()
        assert transport.list_files().entries == ()


def test_it_is_a_transport_of_its_own_room(storage: CloudStorage) -> None:
    with closing(storage.open()) as transport:
        assert isinstance(transport, RcloneTransport)
        assert transport.remote
