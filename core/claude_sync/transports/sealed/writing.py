"""One file on its way into the store: cut, and what changed of it sealed.

A cut that is what its place in the older file holds isn't sealed again; that of a transcript's
beginning which is known not to have changed isn't even made. Where bytes cost, the host takes that
segment from there, and hashes some of them, so that damage isn't carried on for ever; where they
don't, it is read, opened and proved, and written again.
"""

from __future__ import annotations

import hashlib
import os
from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING

from claude_sync.disk.beside import done_beside
from claude_sync.disk.snapshot import BLOCK_SIZE
from claude_sync.errors import BundleError, SessionChanging, TransportError
from claude_sync.sealed.cuts import Cutter
from claude_sync.sealed.file import Identity, Index, Opener, Sealer
from claude_sync.sealed.keys import Master
from claude_sync.sealed.names import file_id_for
from claude_sync.transports.base import (
    LEAST_REUSE_BYTES,
    Block,
    Entry,
    Get,
    Put,
    Range,
    Reuse,
    Transport,
)
from claude_sync.values import NamedTuple

if TYPE_CHECKING:
    from claude_sync.sealed.compression import Compressor

_FEW_CUTS = 4
"""So many cuts, of up to 1 MiB each, aren't worth a thread."""
_PROVED_AT_ONCE = 8
"""How many segments a host hashes for one push: for each it starts programs, some 30 ms."""


class SealedPut:
    """One put, sealed.

    Args:
        master: the store's key.
        transport: what reaches the store.
        put: what is to be written.
        index_of: finds the index of the put's base; None where it has none that can be used.
        compressor: what compresses, for all puts together.

    Attributes:
        index: of what was sealed last, None before.
    """

    def __init__(
        self,
        master: Master,
        transport: Transport,
        put: Put,
        index_of: Callable[[Entry], Index | None],
        compressor: Compressor,
    ) -> None:
        self._compressor = compressor
        self._master = master
        self._transport = transport
        self._put = put
        self._index_of = index_of
        self._file_id = file_id_for(master, put.name)
        self.index: Index | None = None

    def put(self) -> Put:
        """The same for the transport beneath."""
        put = self._put
        base = put.base
        is_replaced = (
            base is not None and put.predecessor is not None and put.predecessor.stamp == base.stamp
        )
        reuses = self._transport.remote and is_replaced
        return Put(
            put.name,
            self.blocks,
            base=base,
            predecessor=put.predecessor,
            unproved=self.parts if reuses else None,
        )

    def blocks(self) -> Iterator[Block]:
        """The whole sealed file."""
        base = None if self._transport.remote else self._base()
        waiting: list[bytes] = []
        length = 0
        for part in self._sealed(base):
            assert isinstance(part, Block)
            waiting.append(part.data)
            length += len(part.data)
            if length >= BLOCK_SIZE:
                yield Block(b"".join(waiting))
                waiting, length = [], 0
        if waiting:
            yield Block(b"".join(waiting))

    def parts(self) -> Iterator[Block | Reuse]:
        """The same, without what stands in the base."""
        return self._sealed(self._base())

    def _base(self) -> Index | None:
        base = self._put.base
        index = self._index_of(base) if base is not None else None
        return index if index is not None and index.identity.file_id == self._file_id else None

    def _sealed(self, base: Index | None) -> Iterator[Block | Reuse]:
        identity = base.identity if base is not None else Identity.new(self._file_id)
        sealer = Sealer(self._master, identity, self._compressor)
        kept = _Kept(self._master, self._transport, self._put, base) if base is not None else None
        yield Block(sealer.header())

        def worked_on(one: tuple[int, bytes | Block | Reuse]) -> _Cut | Block | Reuse:
            place, cut = one
            if not isinstance(cut, bytes):
                return cut
            digest = hashlib.sha256(cut).digest()
            holds = base is not None and _holds(base, place, cut, digest)
            return _Cut(cut, digest, None if holds else sealer.sealed(place, cut))

        growth = self._put.growth
        made = self._cuts() if kept is None or growth is None else self._growth(kept, growth())
        cuts = done_beside(worked_on, enumerate(made), worth_a_thread_from=_FEW_CUTS)
        with closing(cuts):
            for cut in cuts:
                part = cut if isinstance(cut, Block | Reuse) else None
                if isinstance(cut, _Cut) and cut.segment is None and kept is not None:
                    part = kept.part(sealer.place)
                if part is not None:
                    assert base is not None
                    sealer.keep(base)
                    yield part
                    continue
                assert isinstance(cut, _Cut)
                segment = cut.segment or sealer.sealed(sealer.place, cut.data)
                sealer.add(segment, len(cut.data), cut.digest)
                yield Block(segment)
        yield Block(sealer.end())
        self.index = sealer.index()

    def _cuts(self) -> Iterator[bytes]:
        cutter = Cutter()
        for block in self._put.blocks():
            yield from cutter.feed(block.data)
        yield from cutter.end()

    def _growth(
        self, kept: _Kept, parts: Iterator[Block | Reuse]
    ) -> Iterator[bytes | Block | Reuse]:
        """The cuts; in the place of those that aren't made, their segments."""
        cutter, place = Cutter(), 0
        for part in parts:
            if isinstance(part, Block):
                for cut in cutter.feed(part.data):
                    yield cut
                    place += 1
                continue
            places = kept.places_of(part)
            if places is None or places.start != place or not cutter.pass_over(part.length):
                yield from self._cuts_from(place, kept, range(0))
                return
            for place in places:
                segment = kept.part(place)
                if segment is None:
                    yield from self._cuts_from(place, kept, range(places.start, place))
                    return
                yield segment
            place = places.stop
        yield from cutter.end()

    def _cuts_from(self, first: int, kept: _Kept, passed: range) -> Iterator[bytes]:
        """The cuts from a place on; those that weren't made before must be what was kept."""
        for place, cut in enumerate(self._cuts()):
            if place >= first:
                yield cut
            elif place in passed and not kept.is_cut(place, cut):
                raise SessionChanging(
                    "the session was rewritten while it was read", todo="it is tried again later"
                )


class _Cut(NamedTuple):
    """A cut that was worked on.

    Attributes:
        data: the cut.
        digest: its SHA-256.
        segment: it sealed, None where its place in the base holds it.
    """

    data: bytes
    digest: bytes
    segment: bytes | None


class _Kept:
    """What is kept of the base."""

    def __init__(self, master: Master, transport: Transport, put: Put, base: Index) -> None:
        self._transport = transport
        self._put = put
        self._base = base
        self._opener = Opener(master, base)
        self._places = base.places()
        self._offsets = base.offsets()
        self._damaged = self._asked() if transport.remote else frozenset()

    def _asked(self) -> frozenset[int]:
        """Which segments the host proves not to be what they were; none where it can't hash.

        Of many, as many as cost little, from a random one on: the next pushes ask for others.
        """
        there = self._put.base
        assert there is not None
        base = self._base
        places = [place for place, size in enumerate(base.stored) if size >= LEAST_REUSE_BYTES]
        if len(places) > _PROVED_AT_ONCE:
            first = int.from_bytes(os.urandom(4), "big") % len(places)
            places = [*places[first:], *places[:first]][:_PROVED_AT_ONCE]
        answers = self._transport.digests(
            [
                Get(there.name, [Range(self._places[place], base.stored[place])], there.stamp)
                for place in places
            ]
        )
        return frozenset(
            place
            for place, answer in zip(places, answers, strict=True)
            if answer is not None and answer != base.stored_hashes[place].hex()
        )

    def places_of(self, part: Reuse) -> range | None:
        """The segments whose cuts are a part of what the base holds; None where none are."""
        start, end = part.base_offset, part.base_offset + part.length
        first, after = (bisect_left(self._offsets, offset) for offset in (start, end))
        cut_there = self._offsets[first : first + 1] + self._offsets[after : after + 1]
        return range(first, after) if cut_there == [start, end] else None

    def is_cut(self, place: int, cut: bytes) -> bool:
        """Whether a cut is the one that a place holds."""
        return hashlib.sha256(cut).digest() == self._base.hashes[place]

    def part(self, place: int) -> Block | Reuse | None:
        """A segment: where it stands, for a host to take it from there, else its bytes.

        None where it isn't what the base's index says.
        """
        part = Reuse(self._places[place], self._base.stored[place])
        if self._transport.remote:
            return None if place in self._damaged else part
        try:
            segment = self._stored(part)
            self._opener.check(place, segment)
        except (BundleError, TransportError):
            return None
        return Block(segment)

    def _stored(self, part: Reuse) -> bytes:
        base = self._put.base
        assert base is not None
        get = Get(base.name, [Range(part.base_offset, part.length)], base.stamp)
        [data] = (b"".join(got.blocks) for got in self._transport.read([get]))
        return data


def _holds(base: Index, place: int, cut: bytes, digest: bytes) -> bool:
    """Whether a place of the base holds a cut, and it is worth being taken from there."""
    return (
        place < len(base.sizes)
        and base.stored[place] >= LEAST_REUSE_BYTES
        and base.sizes[place] == len(cut)
        and base.hashes[place] == digest
    )
