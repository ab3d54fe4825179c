"""A store in this process' memory: for tests, and for programs that embed the library."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from claude_sync.errors import (
    ClaudeSyncError,
    FileGone,
    Stopped,
    StoreOffline,
    TransportError,
)
from claude_sync.model import Stamp
from claude_sync.transports.base import (
    MARKER_BYTES,
    MARKER_NAME,
    Ends,
    Entry,
    Get,
    Got,
    Listing,
    PendingListing,
    Put,
    Range,
    Written,
    arrived,
    is_same_file,
    is_usable_name,
    no_ends,
    stopped,
    unusable_name,
)

_BLOCK_SIZE = 1 << 20


class MemoryFolder:
    """Files in memory. Several transports may share them, as machines share a folder.

    Attributes:
        there: whether the folder exists; False until `create`, and for a test to unplug it.
        files: bytes and stamps by name.
    """

    def __init__(self) -> None:
        self.there = False
        self.files: dict[str, tuple[bytes, Stamp]] = {}
        self._count = 0

    def put(self, name: str, data: bytes) -> Stamp:
        """Put a file there as another program would; its new stamp."""
        self._count += 1
        stamp = Stamp(len(data), time.time_ns(), self._count)
        self.files[name] = (data, stamp)
        return stamp


class MemoryTransport:
    """A `Transport` over a `MemoryFolder`; the bytes go with the process.

    Args:
        folder: a shared one; None for one of its own.
    """

    remote = False

    def __init__(self, folder: MemoryFolder | None = None) -> None:
        self.folder = MemoryFolder() if folder is None else folder
        self._stopped = False
        self._marked = False

    @property
    def location(self) -> str:
        return "memory://"

    @property
    def label(self) -> str:
        return "memory"

    @contextmanager
    def start_listing(self, known: Listing | None = None) -> Iterator[PendingListing]:
        yield lambda: self.list_files(known)

    def list_files(self, known: Listing | None = None) -> Listing:
        self._check()
        files = self.folder.files
        marker = files[MARKER_NAME][0][:MARKER_BYTES] if MARKER_NAME in files else None
        self._marked = marker is not None
        names = sorted(name for name in files if "/" in name and is_usable_name(name))
        listing = Listing(marker, tuple(Entry(name, files[name][1]) for name in names))
        return known if known is not None and _is_same(known, listing) else listing

    def ends(self, names: Sequence[str], head: int, tail: int) -> Iterator[Ends]:
        self._check()
        for name in names:
            self._check()
            try:
                data, stamp = self._file(name)
            except TransportError as error:
                yield no_ends(name, error)
                continue
            whole = len(data) <= head + tail
            yield Ends(
                name,
                stamp,
                data if whole else data[:head],
                b"" if whole else data[len(data) - tail :],
            )

    def digests(self, gets: Sequence[Get]) -> list[str | None]:
        self._check()
        return [self._digest(get) for get in gets]

    def _digest(self, get: Get) -> str | None:
        digest = hashlib.sha256()
        try:
            data, _ = self._file(get.name, get.stamp)
        except TransportError:
            return None
        for piece in get.ranges:
            part = _cut(data, piece)
            if piece.length >= 0 and len(part) != piece.length:
                return None
            digest.update(part)
        return digest.hexdigest()

    def read(self, gets: Iterable[Get]) -> Iterator[Got]:
        self._check()
        for get in gets:
            yield Got(get.name, self._blocks(get))

    def _blocks(self, get: Get) -> Iterator[bytes]:
        data, _ = self._file(get.name, get.stamp)
        for piece in get.ranges:
            part = _cut(data, piece)
            for start in range(0, len(part), _BLOCK_SIZE):
                self._check()
                yield part[start : start + _BLOCK_SIZE]

    def write(self, puts: Iterable[Put]) -> Iterator[Written]:
        self._check()
        for put in puts:
            try:
                stamp = self._put(put)
            except (Stopped, StoreOffline):
                raise
            except ClaudeSyncError as error:
                yield Written(put.name, None, 0, error)
            else:
                yield Written(put.name, stamp, stamp.size)

    def _put(self, put: Put) -> Stamp:
        if not is_usable_name(put.name):
            raise unusable_name()
        pieces = []
        for block in put.blocks():
            self._check()
            pieces.append(block.data)
        self._check()
        if self._marked and put.name != MARKER_NAME and MARKER_NAME not in self.folder.files:
            raise StoreOffline("the store lost its marker", where=self.label)
        if put.predecessor is not None and put.name in self.folder.files:
            expected, there = put.predecessor.stamp, self.folder.files[put.name][1]
            if expected is None or not is_same_file(expected, there):
                raise arrived(put.name)
        return self.folder.put(put.name, b"".join(pieces))

    def remove(self, names: Sequence[str]) -> None:
        self._check()
        for name in names:
            if not is_usable_name(name):
                raise unusable_name()
            self.folder.files.pop(name, None)

    def create(self) -> None:
        if self._stopped:
            raise stopped()
        self.folder.there = True

    def interrupt(self) -> None:
        self._stopped = True

    def close(self) -> None:
        pass

    def _check(self) -> None:
        if self._stopped:
            raise stopped()
        if not self.folder.there:
            raise StoreOffline("the store isn't there", where=self.label)

    def _file(self, name: str, seen: Stamp | None = None) -> tuple[bytes, Stamp]:
        found = self.folder.files.get(name) if is_usable_name(name) else None
        if found is None or (seen is not None and not is_same_file(seen, found[1])):
            raise FileGone("a file is gone, or was replaced meanwhile", where=name)
        return found


def _is_same(known: Listing, listing: Listing) -> bool:
    return known.marker == listing.marker and known.entries == listing.entries


def _cut(data: bytes, piece: Range) -> bytes:
    return data[piece.offset :] if piece.length < 0 else data[piece.offset :][: piece.length]
