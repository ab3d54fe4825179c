"""The storages that the conformance suite runs over, behind one small protocol."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from claude_sync.model import Stamp
from claude_sync.sealed.cuts import Cutter
from claude_sync.sealed.file import Identity
from claude_sync.sealed.keys import Master
from claude_sync.sealed.names import file_id_for
from claude_sync.transports import open_transport
from claude_sync.transports.base import Block, Entry, Get, Put, Range, Transport, Written
from claude_sync.transports.folder.transport import FolderTransport
from claude_sync.transports.memory import MemoryFolder, MemoryTransport
from claude_sync.transports.metered import MeteredTransport
from claude_sync.transports.sealed.transport import SealedTransport
from conformance.sshd import SshHost
from sealed_files import opened_whole, sealed_whole

MARKER = b'{"schema":1,"store_id":"5f4dcc3b-5aa7-4659-9c2e-1b9a3d0d7f10"}'


class Storage(Protocol):
    """What holds a store, and how another program reaches that."""

    def open(self) -> Transport:
        """A transport of its own over the storage."""

    def plant(self, name: str, data: bytes) -> None:
        """Put a file there as another program would."""

    def bytes_of(self, name: str) -> bytes | None:
        """A file's bytes, None where there is none."""

    def size_of(self, name: str) -> int:
        """How many bytes a file has where it lies."""

    def vanish(self) -> None:
        """Take the storage away."""

    @property
    def hashes(self) -> bool:
        """Whether digests can be had from it."""

    @property
    def longest(self) -> int:
        """How many bytes a file's name may have there."""


class MemoryStorage:
    hashes = True
    longest = 255

    def __init__(self) -> None:
        self.folder = MemoryFolder()

    def open(self) -> Transport:
        return MemoryTransport(self.folder)

    def plant(self, name: str, data: bytes) -> None:
        self.folder.put(name, data)

    def bytes_of(self, name: str) -> bytes | None:
        found = self.folder.files.get(name)
        return None if found is None else found[0]

    def size_of(self, name: str) -> int:
        return len(self.folder.files[name][0])

    def vanish(self) -> None:
        self.folder.there = False


class SealedStorage:
    """Another storage, sealed; another program there is one of another machine with the key."""

    hashes = False

    def __init__(self, beneath: Storage) -> None:
        self.beneath = beneath
        self.longest = beneath.longest
        self.master = Master(bytes(range(32)))

    def open(self) -> Transport:
        return SealedTransport(self.beneath.open(), self.master)

    def plant(self, name: str, data: bytes) -> None:
        self.beneath.plant(name, self.sealed(name, data) if "/" in name else data)

    def sealed(self, name: str, data: bytes) -> bytes:
        """A whole file as it lies there."""
        cutter = Cutter()
        cuts = [*cutter.feed(data), *cutter.end()]
        return sealed_whole(self.master, Identity.new(file_id_for(self.master, name)), cuts)

    def bytes_of(self, name: str) -> bytes | None:
        found = self.beneath.bytes_of(name)
        return found if found is None or "/" not in name else opened_whole(self.master, found)

    def size_of(self, name: str) -> int:
        return self.beneath.size_of(name)

    def vanish(self) -> None:
        self.beneath.vanish()


class FileStorage:
    """A storage made of real files: a folder here, reached directly or otherwise."""

    longest = 255

    def __init__(
        self, root: Path, opener: Callable[[Path], Transport], *, hashes: bool = True
    ) -> None:
        self.root = root
        self.hashes = hashes
        self._opener = opener

    def open(self) -> Transport:
        return self._opener(self.root)

    def plant(self, name: str, data: bytes) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def bytes_of(self, name: str) -> bytes | None:
        path = self.root / name
        return path.read_bytes() if path.is_file() else None

    def size_of(self, name: str) -> int:
        return (self.root / name).stat().st_size

    def vanish(self) -> None:
        self.root.rename(self.root.with_name(self.root.name + " elsewhere"))


def folder_storage(root: Path) -> FileStorage:
    return FileStorage(root, lambda path: FolderTransport(str(path)))


def metered_storage(root: Path) -> FileStorage:
    return FileStorage(
        root, lambda path: MeteredTransport(FolderTransport(str(path)), lambda _: None)
    )


def ssh_storage(host: SshHost, flavour: str, root: Path) -> FileStorage:
    location = host.location(root, flavour)
    return FileStorage(
        root,
        lambda _: open_transport(location, host.ssh_command, host.runtime),
        hashes=flavour != "box-bare",
    )


def put_of(name: str, *pieces: bytes) -> Put:
    """A put of fresh bytes."""
    return Put(name, lambda: iter([Block(piece) for piece in pieces]))


def write_all(transport: Transport, *puts: Put) -> list[Written]:
    """Write, and insist that all of it worked."""
    answers = list(transport.write(puts))
    assert [answer.error for answer in answers] == [None] * len(puts)
    assert [answer.name for answer in answers] == [put.name for put in puts]
    return answers


def entry_of(transport: Transport, name: str) -> Entry:
    """A file as it is listed."""
    return {entry.name: entry for entry in transport.list_files().entries}[name]


def read_one(transport: Transport, get: Get) -> bytes:
    """The bytes of one get."""
    (got,) = (b"".join(got.blocks) for got in transport.read([get]))
    return got


def whole(name: str, stamp: Stamp | None = None) -> Get:
    """Ask for all of a file."""
    return Get(name, [Range(0, -1)], stamp)
