"""The protocol of what reaches a store: bytes and ranges of named files, never bundles.

TRANSPORTS.md explains how to write one, with an example.

A store is a flat tree of exactly two levels: files at the root (the marker), and directories at
the root with files in them. A *name* is ``file`` or ``directory/file``, with ``/`` on every
system. What a listing brings is hostile; names that can't be used (`is_usable_name`: control
characters, invalid Unicode) are left out of it, and so are names that begin with a dot: sync
tools keep their own things there, and no project and no bundle has such a name.

Invariants that every transport keeps, and one conformance suite checks:

1. A reader sees a file's old bytes or its new bytes, never a mixture and never a part.
2. `write` yields a name only after its bytes are as durable as the storage can make them.
3. A temporary of a write that died is never listed, and is removed after a day.
4. Nothing is created before `create`: a store that vanished is StoreOffline, not made again.
   (Directories below an existing root are made as they are needed, mode 0700; files 0600.)
5. Links, FIFOs, devices and directories are never opened as files; directories that are
   links are skipped.
6. Each error says whether it is passing. A failed put costs that put, not the others, unless
   the store itself is gone.
7. If the last listing of this transport had a marker, a write needs it to be there still: a disk
   that was unmounted meanwhile leaves an empty mount point behind.
8. A name that isn't usable names no file: reading it gives FileGone, writing or removing it
   BundleUnsafe.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from claude_sync.errors import BundleUnsafe, ClaudeSyncError, FileArrived, Stopped
from claude_sync.model import Stamp
from claude_sync.values import NamedTuple

if TYPE_CHECKING:
    from typing import TypeGuard

    from claude_sync.sealed.keys import Master

MARKER_NAME = ".ccsync-store"
"""The file at the root that tells a store from an empty mount point."""

MARKER_BYTES = 1024
"""As much of the marker as a listing reads."""

PLACEHOLDER_SUFFIX = ".icloud"
"""How a file ends that stands for one which iCloud keeps elsewhere."""

_UNUSABLE = "[\x00-\x1f\x7f-\x9f\ud800-\udfff/]"


class Entry(NamedTuple):
    """One regular file of a listing.

    Attributes:
        name: ``directory/file``.
        stamp: what it was when listed.
        placeholder: a cloud keeps its bytes elsewhere; opening it would fetch them.
    """

    name: str
    stamp: Stamp
    placeholder: bool = False


def is_usable_part(part: str) -> bool:
    """Whether a string may be one part of a name: a directory's, or a file's in it."""
    if part == "" or part[0] == ".":
        return False
    if part.isascii() and part.isprintable():  # as most are, and sooner said than searched for
        return "/" not in part
    return re.search(_UNUSABLE, part) is None


def is_usable_name(name: str) -> bool:
    """Whether a string may be a name: the marker, ``file`` or ``directory/file``."""
    if name == MARKER_NAME:
        return True
    parts = name.split("/")
    return len(parts) <= 2 and all(map(is_usable_part, parts))


def placeholder_for(file: str) -> str:
    """The file that iCloud keeps elsewhere and for which ``.name.icloud`` stands; else ""."""
    if file.startswith(".") and file.endswith(PLACEHOLDER_SUFFIX):
        name = file[1 : -len(PLACEHOLDER_SUFFIX)]
        return name if is_usable_part(name) else ""
    return ""


def unusable_name() -> BundleUnsafe:
    """The error for a name that can't be written or removed; it isn't quoted."""
    return BundleUnsafe("a name can't be used for a file", todo="nothing was touched")


def stopped() -> Stopped:
    """The error for work that `interrupt` ended."""
    return Stopped("the work was stopped", todo="what was finished stays, the rest can be redone")


def arrived(where: str) -> FileArrived:
    """The error for a put whose place another file has taken since the listing."""
    return FileArrived(
        "another file arrived there since it was looked at, and wasn't written over",
        where=where,
        todo="it is looked at again next time",
    )


def is_same_file(seen: Stamp, now: Stamp) -> bool:
    """Whether two stamps are one file's; an inode of 0 is unknown (listings on Windows)."""
    same_number = seen.inode == now.inode or seen.inode == 0 or now.inode == 0
    return same_number and seen.size == now.size and seen.mtime_ns == now.mtime_ns


class Listing(NamedTuple):
    """All regular files one level below the root.

    Attributes:
        marker: the marker's bytes (its first 1 KiB), None where there is none.
        entries: sorted by name.
        digest: equal digests mean equal listings, marker included; "" where there is none.
        unseen: folders that are there and couldn't be listed, sorted: what lies in them is
            unknown, and must not be taken for missing. "" means that it may be any of them.
        duplicates: names that several files bear, of which only one can be reached, sorted.
    """

    marker: bytes | None
    entries: tuple[Entry, ...]
    digest: str = ""
    unseen: tuple[str, ...] = ()
    duplicates: tuple[str, ...] = ()


class Range(NamedTuple):
    """``length`` bytes at ``offset``; a length of -1 reaches to the end."""

    offset: int
    length: int


class Ends(NamedTuple):
    """Both ends of one file, as they were in one moment.

    Attributes:
        name: the file.
        stamp: of the very file that was read.
        head, tail: its first and last bytes; where both overlap, head holds the whole file and
            tail is empty.
        error: why there is nothing, None where there is.
        read_size: how many bytes a reader gets of it, where that isn't what the stamp says.
    """

    name: str
    stamp: Stamp
    head: bytes
    tail: bytes
    error: ClaudeSyncError | None = None
    read_size: int = -1

    @property
    def size(self) -> int:
        """How many bytes a reader gets of the file."""
        return self.stamp.size if self.read_size < 0 else self.read_size


def no_ends(name: str, error: ClaudeSyncError) -> Ends:
    """The answer about a file whose ends can't be read."""
    return Ends(name, Stamp(0, 0, 0), head=b"", tail=b"", error=error)


class Block(NamedTuple):
    """A piece of a file to write.

    Attributes:
        data: the bytes; at most a few `files.BLOCK_SIZE`.
        base_offset: where these very bytes stand in the put's base, -1 where they don't. A hint:
            a transport that pays for bytes may reuse those, and must then prove that they are
            the same.
    """

    data: bytes
    base_offset: int = -1


LEAST_REUSE_BYTES = 4 << 10
"""Below this, sending bytes costs less than having a host cut them out of an older file."""


class Reuse(NamedTuple):
    """Bytes of a file to write that are taken from the put's base and aren't given.

    Attributes:
        base_offset: where they stand.
        length: how many, at least `LEAST_REUSE_BYTES`.
    """

    base_offset: int
    length: int


class PreparedPut(NamedTuple):
    """A file to write, put together in advance.

    Attributes:
        parts: the file's parts in order.
        size: of the file, bytes.
        sha256: of the file, in hex: it tells whether the base was the right one.
    """

    parts: Sequence[Block | Reuse]
    size: int
    sha256: str


class Predecessor(NamedTuple):
    """What may lie where a file is to be written: this, or nothing.

    Attributes:
        stamp: of the file that was listed there, None where none was.
    """

    stamp: Stamp | None


class Put(NamedTuple):
    """A file to write.

    Attributes:
        name: where to.
        blocks: makes the stream of its bytes, afresh at every call: a transport may have to
            start over. May raise any ClaudeSyncError: then this put fails with it.
        base: the older file at that name that hints refer to, None where there is none.
        prepared: what a transport that reuses bytes may take instead of `blocks`; None where
            there is none.
        predecessor: what may be replaced. It is looked at again just before the new file takes its
            place, as narrowly as the store allows; the put fails with FileArrived where it is
            another one. None where whatever lies there may be replaced.
        unproved: makes the file's parts where most stand in the base and nobody here knows what
            those bytes are: whoever reads them proves them. A transport that reuses bytes may
            take this instead of `blocks`, without a hash of the whole; it is only taken where
            `predecessor` is the base, which is looked at again. None where there is none.
        growth: makes the file's parts, in which as much of the base's beginning as possible isn't
            made again: it is proved by what the base says of itself. Only a transport that proves
            the base's bytes by that, too, may take this instead of `blocks`. None where there is
            none.
    """

    name: str
    blocks: Callable[[], Iterator[Block]]
    base: Entry | None = None
    prepared: PreparedPut | None = None
    predecessor: Predecessor | None = None
    unproved: Callable[[], Iterator[Block | Reuse]] | None = None
    growth: Callable[[], Iterator[Block | Reuse]] | None = None


class Written(NamedTuple):
    """What became of one put.

    Attributes:
        name: of the put.
        stamp: of the new file, None where it failed.
        sent: bytes that went through the transport.
        error: why it failed, None where it didn't.
    """

    name: str
    stamp: Stamp | None
    sent: int
    error: Exception | None = None


class Get(NamedTuple):
    """Ranges of a file to read. ``stamp`` is what it was when listed: None to take any."""

    name: str
    ranges: Sequence[Range]
    stamp: Stamp | None = None


class Got(NamedTuple):
    """The stream of one get's bytes, its ranges one after the other.

    The stream must be used up or left before the next Got is asked for. It raises FileGone if the
    file is gone or is another one by now, and FileUnreadable if it is there and only this one can't
    be read; the next Got can be. Whether a bundle is whole is for the caller to find out.

    Attributes:
        name: of the get.
        blocks: the stream.
        passed: how many bytes went through the transport for it so far, where those aren't the
            stream's; None where they are.
    """

    name: str
    blocks: Iterator[bytes]
    passed: Callable[[], int] | None = None


@runtime_checkable
class Transport(Protocol):
    """What reaches a store. Used by one thread at a time, except for `interrupt`.

    Every method that needs the store raises StoreOffline if that is gone, StoreDenied if it may
    not be used, and Stopped after `interrupt`; an iterator does so at any step. What is wrong with
    one file only is part of the answer about that file.
    """

    @property
    def location(self) -> str:
        """How the preferences spell the store's location; never holds a password."""

    @property
    def label(self) -> str:
        """How to name the store to a person, short."""

    @property
    def remote(self) -> bool:
        """Whether bytes cost: callers then ask for ranges and digests before whole files."""

    def list_files(self, known: Listing | None = None) -> Listing:
        """List all files, in one round trip.

        Args:
            known: an earlier listing; returned itself if nothing has changed since.

        Raises:
            StoreOffline: the root isn't there, or can't be reached.
            StoreDenied: it may not be read.
        """

    def start_listing(self, known: Listing | None = None) -> AbstractContextManager[PendingListing]:
        """Begin to list all files, so that something else can be done meanwhile.

        Args:
            known: as for `list_files`.

        Returns:
            waits for the listing; to be called at most once, and inside. A transport that has
            nothing to wait for lists only then.
        """

    def ends(self, names: Sequence[str], head: int, tail: int) -> Iterator[Ends]:
        """Read both ends of the named files, in one round trip, in their order."""

    def digests(self, gets: Sequence[Get]) -> list[str | None]:
        """SHA-256, in hex, of each get's bytes; None if the host can't tell."""

    def read(self, gets: Iterable[Get]) -> Iterator[Got]:
        """Read ranges of files, one after the other, without a round trip each.

        Leaving the iterator early closes what is read from; the last stream ends then, too.
        """

    def write(self, puts: Iterable[Put]) -> Iterator[Written]:
        """Write files whole, each atomically, in their order.

        Several puts may be gathered before they are made durable together, so an answer can
        come after later puts were taken. Leaving the iterator early drops what isn't written.
        Before it raises StoreOffline or Stopped, puts of which bytes were sent may be answered
        with that very error.
        """

    def remove(self, names: Sequence[str]) -> None:
        """Remove files; one that isn't there is no error. Empty directories go too.

        Raises:
            TransportError: one can't be removed.
        """

    def create(self) -> None:
        """Make the root (mode 0700) if it is missing; only set-up calls this.

        Raises:
            TransportError: it can't be made.
        """

    def interrupt(self) -> None:
        """From any thread: make the call under way raise Stopped soon, and every later one."""

    def close(self) -> None:
        """End processes and connections."""


class Cut(NamedTuple):
    """A part of a sealed file.

    Attributes:
        start, size: where it stands in what readers get.
        sha256: of it.
    """

    start: int
    size: int
    sha256: bytes


class SealingTransport(Transport, Protocol):
    """A transport over another one, whose readers get other bytes than lie in the store."""

    @property
    def beneath(self) -> Transport:
        """The other one."""

    @property
    def master(self) -> Master:
        """The store's key."""

    def read_size(self, entry: Entry) -> int:
        """How many bytes a reader gets of a file.

        Raises:
            BundleError, TransportError: that can't be told.
        """

    def cuts(self, entry: Entry) -> list[Cut]:
        """What a file is made of.

        Raises:
            BundleError, TransportError: that can't be told.
        """


def is_sealing(transport: Transport) -> TypeGuard[SealingTransport]:
    """Whether a transport seals what it writes."""
    return hasattr(transport, "master")


def beneath(transport: Transport) -> Transport:
    """What gives a store's bytes as they lie there."""
    return transport.beneath if is_sealing(transport) else transport


def read_size(transport: Transport, entry: Entry) -> int:
    """How many bytes a reader gets of a file.

    Raises:
        BundleError, TransportError: that can't be told.
    """
    return transport.read_size(entry) if is_sealing(transport) else entry.stamp.size


PendingListing = Callable[[], Listing]
"""Waits for a listing that was begun."""


class ChangeWatch(Protocol):
    """Waits until something in a store may have changed, over a way of its own.

    Used by one thread, except for `end`: another one than the transport's. What it says is a hint
    and nothing more; what changed, and whether anything did, is for a listing to find out.
    """

    def wait(self) -> bool:
        """Wait until something may have changed, or for a minute or so.

        The first call, and the first after an error, says at once that something may have changed:
        nobody has watched until then. After an error the next call starts afresh.

        Returns:
            whether something may have changed since the call before.

        Raises:
            StoreOffline: the store can't be reached, or isn't there.
            StoreDenied: it can't tell of changes, or may not be used.
            Stopped: after `end`.
        """

    def end(self) -> None:
        """From any thread: make the call under way raise Stopped soon, and every later one."""

    def close(self) -> None:
        """End processes and connections."""


@runtime_checkable
class Watchable(Protocol):
    """A transport whose store may be able to tell that something in it has changed."""

    def watch_changes(self) -> ChangeWatch | None:
        """What waits for changes; None where nothing can. Nothing is started yet."""


def change_watch(transport: object) -> ChangeWatch | None:
    """What waits for changes in the store that a transport reaches; None where nothing can."""
    return transport.watch_changes() if isinstance(transport, Watchable) else None


Opener = Callable[[str, Sequence[str]], Transport]
"""Makes a transport from a location and the preference `ssh_command`."""
