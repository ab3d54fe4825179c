"""Seals what is written through another transport, and opens what is read.

Names pass as they are: whoever writes asks `claude_sync.sealed.names` for them. So do files at the
root, the marker and the probe. A file that doesn't open is the answer about that file: foreign,
incomplete or corrupt.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from claude_sync.errors import (
    BundleError,
    ClaudeSyncError,
    FileGone,
    Stopped,
    StoreOffline,
    TransportError,
)
from claude_sync.sealed.file import (
    HEADER_BYTES,
    OVERHEAD_BYTES,
    TRAILER_BYTES,
    Identity,
    Index,
    Opener,
)
from claude_sync.sealed.keys import Master
from claude_sync.transports.base import (
    Cut,
    Ends,
    Entry,
    Get,
    Got,
    Put,
    Range,
    Transport,
    Written,
    is_same_file,
    no_ends,
    stopped,
)
from claude_sync.transports.passing import PassingTransport
from claude_sync.transports.sealed.reading import (
    Counted,
    Found,
    Indexes,
    Pieces,
    Reading,
    check_owner,
    index_of,
    plan_reading,
)
from claude_sync.transports.sealed.writing import SealedPut

_NAMES_AT_ONCE = 100
_BYTES_AT_ONCE = 8 << 20
# What sealing may add to what an end has, and room for an index.
_MORE_HEAD = HEADER_BYTES + OVERHEAD_BYTES + 512
_MORE_TAIL = TRAILER_BYTES + 2 * OVERHEAD_BYTES + (4 << 10)
_INDEX_HEAD, _INDEX_TAIL = 4 << 10, 16 << 10
_WHOLE_BYTES = 64 << 10
"""A file of so many bytes that is wanted whole comes with its index, in one reading."""
_NO_INDEX = Index(Identity(b"", b""), (), (), hashes=(), tags=(), stored_hashes=())
"""Of a file that isn't sealed."""


class SealedTransport(PassingTransport):
    """A `Transport` that keeps nothing readable in the store.

    Args:
        beneath: what reaches the store.
        master: the store's key.

    Attributes:
        master: the same.
    """

    def __init__(self, beneath: Transport, master: Master) -> None:
        super().__init__(beneath)
        self.master = master
        self._indexes = Indexes()
        self._stopped = False

    # --- reading -------------------------------------------------------------------------------

    def ends(self, names: Sequence[str], head: int, tail: int) -> Iterator[Ends]:
        for at in range(0, len(names), _NAMES_AT_ONCE):
            batch = names[at : at + _NAMES_AT_ONCE]
            found = list(self.beneath.ends(batch, head + _MORE_HEAD, tail + _MORE_TAIL))
            for stored in found:
                yield self._opened_ends(stored, head, tail)

    def _opened_ends(self, stored: Ends, head: int, tail: int) -> Ends:
        if stored.error is not None:
            return stored
        if _is_plain(stored.name):
            return _cut_ends(stored, stored.head, stored.tail, head, tail)
        try:
            pieces = Pieces(stored)
            index = self._read_index(pieces)
            first, last = self._end_cuts(index, pieces, head, tail)
        except (Stopped, StoreOffline):
            raise
        except (BundleError, TransportError) as error:
            return no_ends(stored.name, error)._replace(stamp=stored.stamp)
        return _cut_ends(stored._replace(read_size=index.size), first, last, head, tail)

    def _end_cuts(self, index: Index, pieces: Pieces, head: int, tail: int) -> tuple[bytes, bytes]:
        """The file's first and its last bytes; all of them are the first, where that is short.

        At least the first and the last cut, which are all that a bundle's ends need.
        """
        count, places = len(index.sizes), index.places()
        wanted = list(range(count)) if index.size <= head + tail else [*{0, count - 1}]
        spans = [(places[place], places[place + 1]) for place in wanted]
        pieces.fetch(self.beneath, spans)
        opener = Opener(self.master, index)
        cuts = [
            opener.open(place, pieces.bytes_at(*span))
            for place, span in zip(wanted, spans, strict=True)
        ]
        if not cuts:
            return b"", b""
        check_owner(self.master, index, cuts[0])
        return (b"".join(cuts), b"") if len(cuts) == count else (cuts[0], cuts[-1])

    def _read_index(self, pieces: Pieces) -> Index:
        index = self._indexes.get(pieces.name, pieces.stamp)
        if index is None:
            index = index_of(self.master, self.beneath, pieces)
            self._indexes.put(pieces.name, pieces.stamp, index)
        return index

    def read_size(self, entry: Entry) -> int:
        """See `claude_sync.transports.base.SealingTransport`."""
        return entry.stamp.size if _is_plain(entry.name) else self._index(entry).size

    def cuts(self, entry: Entry) -> list[Cut]:
        """See `claude_sync.transports.base.SealingTransport`."""
        index = self._index(entry)
        return list(map(Cut, index.offsets(), index.sizes, index.hashes))

    def _index(self, entry: Entry) -> Index:
        [found] = self._found([Get(entry.name, [], entry.stamp)])
        if isinstance(found, ClaudeSyncError):
            raise found
        return found.of

    def digests(self, gets: Sequence[Get]) -> list[str | None]:
        """None of what is sealed: a host can't hash what it can't read."""
        asked = [get if _is_plain(get.name) else get._replace(ranges=[]) for get in gets]
        answers = self.beneath.digests(asked)
        return [
            answer if _is_plain(get.name) else None
            for get, answer in zip(gets, answers, strict=True)
        ]

    def read(self, gets: Iterable[Get]) -> Iterator[Got]:
        for batch in _batches(gets):
            plans = [
                plan_reading(found.of, get.ranges, found.whole)
                if isinstance(found, Found)
                else found
                for get, found in zip(batch, self._found(batch), strict=True)
            ]
            answers = self.beneath.read(
                get if _is_plain(get.name) else get._replace(ranges=plan.ranges)
                for get, plan in zip(batch, plans, strict=True)
                if isinstance(plan, Reading) and plan.here is None
            )
            for get, plan in zip(batch, plans, strict=True):
                if not isinstance(plan, Reading):
                    yield Got(get.name, _failing(plan))
                elif _is_plain(get.name):
                    yield next(answers)
                else:
                    stored = Counted(next(answers).blocks if plan.here is None else plan.here)
                    blocks = self._until_stopped(plan.blocks(self.master, stored))
                    yield Got(get.name, blocks, stored.count)
            for _ in answers:
                pass  # read to its end, a connection can be used again

    def _until_stopped(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        for block in blocks:
            if self._stopped:
                raise stopped()
            yield block

    def _found(self, gets: Sequence[Get]) -> list[Found | ClaudeSyncError]:
        """What is known of each get's file; why there is nothing. Of a plain one no index."""
        found: dict[int, Found | ClaudeSyncError] = {}
        small: list[int] = []
        others: list[int] = []
        for number, get in enumerate(gets):
            known = self._indexes.get(get.name, get.stamp) if get.stamp is not None else None
            if known is not None or _is_plain(get.name):
                found[number] = Found(known or _NO_INDEX)
            else:
                (small if _is_small(get) else others).append(number)
        for numbers, tail in ((small, _WHOLE_BYTES - _INDEX_HEAD), (others, _INDEX_TAIL)):
            names = [gets[number].name for number in numbers]
            read = list(self.beneath.ends(names, _INDEX_HEAD, tail)) if names else []
            for number, ends in zip(numbers, read, strict=True):
                found[number] = self._found_in(ends, gets[number])
        return [found[number] for number in range(len(gets))]

    def _found_in(self, ends: Ends, get: Get) -> Found | ClaudeSyncError:
        if ends.error is not None:
            return ends.error
        if get.stamp is not None and not is_same_file(get.stamp, ends.stamp):
            return FileGone("a file has changed since it was listed", where=get.name)
        try:
            index = self._read_index(Pieces(ends))
            return Found(index, ends.head if len(ends.head) == ends.stamp.size else None)
        except (Stopped, StoreOffline):
            raise
        except (BundleError, TransportError) as error:
            return error

    # --- writing -------------------------------------------------------------------------------

    def write(self, puts: Iterable[Put]) -> Iterator[Written]:
        under_way: dict[str, SealedPut] = {}
        from claude_sync.sealed.compression import Compressor  # most looks write nothing

        compressor = Compressor()

        def sealed() -> Iterator[Put]:
            for put in puts:
                if _is_plain(put.name):
                    yield put
                else:
                    one = SealedPut(self.master, self.beneath, put, self._index_of_base, compressor)
                    under_way[put.name] = one
                    yield one.put()

        for written in self.beneath.write(sealed()):
            one = under_way.pop(written.name, None)
            if one is not None and one.index is not None and written.stamp is not None:
                self._indexes.put(written.name, written.stamp, one.index)
            yield written

    def _index_of_base(self, base: Entry) -> Index | None:
        [found] = self._found([Get(base.name, [], base.stamp)])
        return None if isinstance(found, ClaudeSyncError) else found.of

    def interrupt(self) -> None:
        self._stopped = True
        super().interrupt()


def _is_plain(name: str) -> bool:
    """Whether a file lies there as it is: the marker and the probe, at the root."""
    return "/" not in name


def _is_small(get: Get) -> bool:
    """Whether all of a small file is wanted."""
    stamp = get.stamp
    return stamp is not None and stamp.size <= _WHOLE_BYTES and list(get.ranges) == [Range(0, -1)]


def _cut_ends(stored: Ends, first: bytes, last: bytes, head: int, tail: int) -> Ends:
    """Both ends, no longer than was asked for; `last` is empty where `first` is the whole file."""
    if stored.size <= head + tail:
        return stored._replace(head=first, tail=b"")
    last = last or first
    return stored._replace(head=first[:head], tail=last[max(0, len(last) - tail) :])


def _failing(error: ClaudeSyncError) -> Iterator[bytes]:
    raise error
    yield b""


def _batches(gets: Iterable[Get]) -> Iterator[list[Get]]:
    """Gets whose indexes are asked for together."""
    batch: list[Get] = []
    size = 0
    for get in gets:
        batch.append(get)
        size += get.stamp.size if get.stamp is not None else _BYTES_AT_ONCE // _NAMES_AT_ONCE
        if len(batch) >= _NAMES_AT_ONCE or size >= _BYTES_AT_ONCE:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
