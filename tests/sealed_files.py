"""Whole sealed files, for tests: sealed and opened in one piece."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from claude_sync.sealed.file import (
    HEADER_BYTES,
    TRAILER_BYTES,
    Identity,
    Opener,
    Sealer,
    index_length,
    read_identity,
    read_index,
)
from claude_sync.sealed.keys import Master


def sealed_whole(master: Master, identity: Identity, cuts: Iterable[bytes]) -> bytes:
    """A whole sealed file."""
    sealer = Sealer(master, identity)
    segments = [sealer.seal(cut, hashlib.sha256(cut).digest()) for cut in cuts]
    return b"".join([sealer.header(), *segments, sealer.end()])


def opened_whole(master: Master, data: bytes) -> bytes:
    """What a whole sealed file holds.

    Raises:
        BundleError: as `read_identity`, `read_index` and `Opener.open` do.
    """
    identity = read_identity(master, data[:HEADER_BYTES], data[-TRAILER_BYTES:])
    length = index_length(data, len(data))
    end = len(data) - TRAILER_BYTES
    index = read_index(master, identity, data[end - length : end], len(data))
    opener, places = Opener(master, index), index.places()
    return b"".join(
        opener.open(place, data[places[place] : until]) for place, until in enumerate(places[1:])
    )
