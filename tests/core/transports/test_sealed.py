"""What goes over the wire to a host that keeps sealed files: as little as of plain ones."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from types import NoneType

import pytest

from claude_sync.claude.home import encode_directory
from claude_sync.errors import BundleCorrupt, FileArrived, SessionChanging
from claude_sync.sealed.cuts import AFTER_FRONT, AFTER_TRANSCRIPT
from claude_sync.sealed.keys import Master
from claude_sync.sealed.names import file_id_for, sealed_file
from claude_sync.transports.base import (
    MARKER_NAME,
    Block,
    Ends,
    Get,
    Got,
    Predecessor,
    Put,
    Range,
    Reuse,
    Transport,
)
from claude_sync.transports.memory import MemoryFolder, MemoryTransport
from claude_sync.transports.sealed.transport import SealedTransport
from conformance.sshd import SshHost, running_sshd
from conformance.storages import (
    MARKER,
    SealedStorage,
    entry_of,
    put_of,
    read_one,
    ssh_storage,
    whole,
    write_all,
)
from machines import PASSPHRASE, SESSION, said
from repositories import bare_bones

MIB = 1 << 20
NAME = "p/a.ccsync"
HOSTS = ("box", "box-busybox", "box-bare")


@pytest.fixture(scope="module")
def ssh_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshHost]:
    with running_sshd(tmp_path_factory.mktemp("sshd")) as host:
        for kind in HOSTS:
            host.share(kind)
        yield host


@pytest.fixture(params=HOSTS)
def storage(request: pytest.FixtureRequest, ssh_host: SshHost, tmp_path: Path) -> SealedStorage:
    """A sealed store on a host; a bare one can't hash."""
    return SealedStorage(ssh_storage(ssh_host, request.param, tmp_path / "store"))


@pytest.fixture
def store(storage: SealedStorage) -> Iterator[Transport]:
    with closing(storage.open()) as transport:
        transport.create()
        write_all(transport, put_of(MARKER_NAME, MARKER))
        transport.list_files()
        yield transport


def bundle(transcript: bytes, title: bytes = b"one") -> bytes:
    front = b'{"schema":1' + AFTER_FRONT
    return front + transcript + AFTER_TRANSCRIPT + b'],"sidecar_sha256":"","title":"%s"}' % title


def grown(store: Transport, data: bytes) -> Put:
    """A put of what extends the file that lies there."""
    base = entry_of(store, NAME)
    return Put(NAME, lambda: iter([Block(data)]), base, predecessor=Predecessor(base.stamp))


@pytest.mark.ssh
def test_of_what_grew_only_the_last_cut_is_sent(store: Transport, storage: SealedStorage) -> None:
    old = os.urandom(4 * MIB).hex().encode()
    [first] = write_all(store, put_of(NAME, bundle(old)))
    assert first.sent > 4 * MIB
    new = bundle(old + b"more", b"two")
    [second] = write_all(store, grown(store, new))
    assert second.sent < 48 << 10
    assert storage.bytes_of(NAME) == new
    # Also by a process that has read nothing of it yet.
    with closing(storage.open()) as another:
        another.list_files()
        newer = bundle(old + b"more" * 1000, b"three")
        [third] = write_all(another, grown(another, newer))
        assert third.sent < 48 << 10
    assert storage.bytes_of(NAME) == newer
    assert read_one(store, whole(NAME)) == newer


@pytest.mark.ssh
def test_a_small_change_between_cuts_that_stay_is_sent(
    store: Transport, storage: SealedStorage
) -> None:
    files = [b'{"path":"%d","data":"%s"}' % (n, os.urandom(50_000).hex().encode()) for n in (1, 2)]
    small = [
        b'{"path":"0","data":"%s"}' % (b"x" * 70_000),
        b'{"path":"0","data":"%s"}' % (b"y" * 70_000),
    ]
    made = [
        b'{"a":1' + AFTER_FRONT + b"t" + AFTER_TRANSCRIPT + b",".join([files[0], one, files[1]])
        + b'],"sidecar_sha256":""}'
        for one in small
    ]  # fmt: skip
    write_all(store, put_of(NAME, made[0]))
    [written] = write_all(store, grown(store, made[1]))
    assert storage.bytes_of(NAME) == made[1]
    assert written.sent < 4096


@pytest.mark.ssh
@pytest.mark.parametrize("storage", ["box", "box-busybox"], indirect=True)
def test_a_cut_that_was_damaged_there_is_sent_again(
    store: Transport, storage: SealedStorage, tmp_path: Path
) -> None:
    old = os.urandom(3 * MIB).hex().encode()
    write_all(store, put_of(NAME, bundle(old)))
    file = tmp_path / "store" / NAME
    before = file.stat()
    with file.open("r+b") as stored:
        stored.seek(1_500_000)
        stored.write(b"damage")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    store.list_files()
    new = bundle(old + b"more", b"two")
    [written] = write_all(store, grown(store, new))
    assert written.sent < MIB
    assert read_one(store, whole(NAME)) == new


@pytest.mark.ssh
def test_what_another_file_replaced_meanwhile_is_not_written_over(
    store: Transport, storage: SealedStorage
) -> None:
    old = os.urandom(2 * MIB).hex().encode()
    write_all(store, put_of(NAME, bundle(old)))
    put = grown(store, bundle(old + b"more"))
    storage.plant(NAME, theirs := bundle(b"theirs"))
    [written] = store.write([put])
    assert isinstance(written.error, FileArrived)
    assert storage.bytes_of(NAME) == theirs


def test_in_a_folder_a_cut_that_was_damaged_is_sealed_again() -> None:
    folder, master = MemoryFolder(), Master(bytes(32))
    store = SealedTransport(MemoryTransport(folder), master)
    store.create()
    old = os.urandom(2 * MIB).hex().encode()
    write_all(store, put_of(NAME, bundle(old)))
    data, stamp = folder.files[NAME]
    damaged = bytearray(data)
    damaged[500_000] ^= 1
    folder.files[NAME] = bytes(damaged), stamp
    new = bundle(old + b"more")
    write_all(store, grown(store, new))
    assert read_one(store, whole(NAME)) == new


def growing(store: Transport, old: bytes, new: bytes, blocks: Iterable[Block] = ()) -> Put:
    """A put of a longer bundle, of whose transcript all whole cuts aren't made again."""
    start, size = old.index(AFTER_FRONT) + len(AFTER_FRONT), 2 * MIB

    def parts() -> Iterator[Block | Reuse]:
        yield Block(new[:start])
        yield Reuse(start, size)
        yield Block(new[start + size :])

    return grown(store, new)._replace(blocks=lambda: iter(blocks), growth=parts)


def test_a_transcript_s_beginning_that_is_known_is_not_asked_for(tmp_path: Path) -> None:
    folder, master = MemoryFolder(), Master(bytes(32))
    store = SealedTransport(MemoryTransport(folder), master)
    store.create()
    old, new = (bundle(b"x" * 2 * MIB + end) for end in (b"", b"more"))
    write_all(store, put_of(NAME, old))
    write_all(store, growing(store, old, new))
    assert read_one(store, whole(NAME)) == new


@pytest.mark.parametrize("place", [1, 2])
def test_where_it_was_damaged_it_is_asked_for_after_all(place: int) -> None:
    folder, master = MemoryFolder(), Master(bytes(32))
    store = SealedTransport(MemoryTransport(folder), master)
    store.create()
    text = os.urandom(MIB).hex().encode()
    old, new = (bundle(text + end) for end in (b"", b"more"))
    write_all(store, put_of(NAME, old))
    data, stamp = folder.files[NAME]
    damaged = bytearray(data)
    damaged[len(data) * place // 2 - 300_000] ^= 1
    folder.files[NAME] = bytes(damaged), stamp
    write_all(store, growing(store, old, new, [Block(new)]))
    assert read_one(store, whole(NAME)) == new
    # What was kept before the damage must be what would be made.
    folder.files[NAME] = bytes(damaged), stamp
    other = new.replace(text[:MIB], text[:MIB][::-1])
    [written] = store.write([growing(store, old, new, [Block(other)])])
    assert isinstance(written.error, SessionChanging if place == 2 else NoneType)


def test_what_is_no_whole_cut_of_the_base_is_asked_for() -> None:
    store = SealedTransport(MemoryTransport(), Master(bytes(32)))
    store.create()
    old, new = (bundle(b"x" * 2 * MIB + end) for end in (b"", b"more"))
    write_all(store, put_of(NAME, old.replace(b"schema", b"other schema")))
    write_all(store, growing(store, old, new, [Block(new)]))
    assert read_one(store, whole(NAME)) == new


def test_what_goes_on_from_a_file_that_was_renamed_gets_its_own_id() -> None:
    folder, master = MemoryFolder(), Master(bytes(32))
    store = SealedTransport(MemoryTransport(folder), master)
    store.create()
    old = os.urandom(2 * MIB).hex().encode()
    write_all(store, put_of("p/b.ccsync", bundle(old)))
    folder.files[NAME] = folder.files["p/b.ccsync"]
    write_all(store, grown(store, bundle(old + b"more")))
    for name in (NAME, "p/b.ccsync"):
        assert folder.files[name][0][16:32] == file_id_for(master, name)


def test_a_file_whose_id_is_not_that_of_what_it_names_is_refused() -> None:
    """As if somebody who has the key wrote one session's bundle as another's."""
    folder, master = MemoryFolder(), Master(bytes(32))
    store = SealedTransport(MemoryTransport(folder), master)
    store.create()
    front = {"schema": 1, "session_id": SESSION, "machine": "laptop", "machine_id": "1234567890"}
    data = json.dumps(front, separators=(",", ":")).encode()[:-1] + bundle(b"words")[11:]
    right, wrong = (f"p/{sealed_file(master, SESSION, name)}.ccsync" for name in ("laptop", "x"))
    for name in (right, wrong):
        write_all(store, put_of(name, data))
    assert read_one(store, whole(right)) == data
    with pytest.raises(BundleCorrupt, match="another session or machine"):
        read_one(store, whole(wrong))
    ends = list(store.ends([right, wrong], 4096, 4096))
    assert ends[0].error is None
    assert isinstance(ends[1].error, BundleCorrupt)


def test_ranges_of_what_was_sealed_come_as_if_it_were_plain() -> None:
    store = SealedTransport(MemoryTransport(), Master(bytes(32)))
    store.create()
    data = bundle(os.urandom(2 * MIB).hex().encode())
    write_all(store, put_of(NAME, data))
    size = store.read_size(entry_of(store, NAME))
    assert size == len(data)
    [end] = store.ends([NAME], 4096, 16384)
    assert end.size == size
    assert data.startswith(end.head)
    assert data.endswith(end.tail)
    assert end.tail.count(b"sidecar_sha256") == 1


class Counting(MemoryTransport):
    """Counts how often files are read from."""

    def __init__(self, folder: MemoryFolder) -> None:
        super().__init__(folder)
        self.ends_read: list[str] = []
        self.read_from: list[str] = []

    def ends(self, names: Sequence[str], head: int, tail: int) -> Iterator[Ends]:
        self.ends_read += names
        return super().ends(names, head, tail)

    def read(self, gets: Iterable[Get]) -> Iterator[Got]:
        gets = list(gets)
        self.read_from += [get.name for get in gets]
        return super().read(gets)


def test_a_small_file_is_read_once() -> None:
    folder, master = MemoryFolder(), Master(bytes(32))
    store = SealedTransport(MemoryTransport(folder), master)
    store.create()
    small, big = bundle(os.urandom(10_000).hex().encode()), bundle(os.urandom(MIB).hex().encode())
    write_all(store, put_of("p/small.ccsync", small), put_of("p/big.ccsync", big))
    counting = Counting(folder)
    entries = counting.list_files().entries
    gets = [Get(entry.name, [Range(0, -1)], entry.stamp) for entry in entries]
    for _ in range(2):
        got = list(map(bytes_of, SealedTransport(counting, master).read(gets)))
        assert got == [big, small]
    assert sorted(counting.ends_read) == sorted(2 * [entry.name for entry in entries])
    assert counting.read_from == 2 * ["p/big.ccsync"]


def bytes_of(got: Got) -> bytes:
    return b"".join(got.blocks)


PLAIN = """
import sys
from claude_sync_app.cli import main
try:
    main()
finally:
    libraries = {name.partition(".")[0] for name in sys.modules}
    print(sorted(libraries & {"cryptography", "backports", "compression", "_cffi_backend"}))
"""


def libraries_of(home: Path, *commands: list[str]) -> list[str]:
    """Which libraries of encrypted stores each command imported on a machine with a session."""
    cwd = bare_bones(home / "code" / "app", "https://example.org/you/app")
    folder = home / ".claude" / "projects" / encode_directory(str(cwd))
    folder.mkdir(parents=True)
    (folder / f"{SESSION}.jsonl").write_bytes(said("hello", cwd=str(cwd)))
    environment = {**os.environ, "HOME": str(home), "USERPROFILE": str(home)}
    environment["PYTHONPATH"] = os.pathsep.join(sys.path)
    said_last = []
    for arguments in commands:
        done = subprocess.run(
            [sys.executable, "-c", PLAIN, *arguments],
            env=environment,
            cwd=home,
            capture_output=True,
            check=False,
        )
        assert done.returncode in (0, 1), done.stderr.decode()
        said_last.append(done.stdout.decode().splitlines()[-1])
    return said_last


@pytest.mark.parametrize("command", [["push", "--all"], ["pull", "--all"], ["status"]])
def test_a_plain_store_needs_neither_library(tmp_path: Path, command: list[str]) -> None:
    said_last = libraries_of(tmp_path, ["init", str(tmp_path / "store")], command)
    assert said_last[-1] == "[]"


def test_a_look_that_finds_nothing_new_in_an_encrypted_store_needs_neither(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text(PASSPHRASE)
    init = ["init", str(tmp_path / "store"), "--encrypt", "--new", "--key-file", str(key)]
    push, pull = ["push", "--all"], ["pull", "--all"]
    first, *looks = libraries_of(tmp_path, init, push, push, pull)[1:]
    assert "cryptography" in first
    assert looks == ["[]", "[]"]
