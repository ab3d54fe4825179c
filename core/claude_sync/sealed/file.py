"""The sealed file (FORMAT.md, "The sealed file").

::

    "ccsync-sealed 1\\n"     16 bytes
    identity                64 bytes: file id (16) ‖ salt (32) ‖ tag (16)
    segment …               each: nonce (12) ‖ AES-256-GCM(zstd(cut))
    index                   nonce (12) ‖ AES-256-GCM(JSON)
    identity                the same again
    index length ‖ "ccsi"   8 + 4 bytes

A segment is encrypted for its place in its file; the index says how many there are, how long each
is, and what each holds. So nothing can be cut off, exchanged, mixed or put into another order but a
whole file for an older one, which its revision tells.

A file's size depends on its cuts only, so that one that is sealed twice has the size that was told
of it; the index, which holds random bytes, is therefore not compressed.

The identity's tag is made with the store's key, and stands at both ends: of a file of which only a
part has arrived it tells that one of our machines wrote it. Anything else is foreign.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from itertools import accumulate
from typing import TYPE_CHECKING

from claude_sync.errors import (
    BundleCorrupt,
    BundleForeign,
    BundleIncomplete,
    BundleTooNew,
)
from claude_sync.sealed.cuts import CUT_BYTES
from claude_sync.sealed.keys import ID_BYTES, NONCE_BYTES, TAG_BYTES, Master
from claude_sync.values import NamedTuple

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    from claude_sync.sealed.compression import Compressor

MAGIC = b"ccsync-sealed 1\n"
_ANY_VERSION = rb"ccsync-sealed [0-9]\n"
END = b"ccsi"
SALT_BYTES = 32
IDENTITY_BYTES = ID_BYTES + SALT_BYTES + TAG_BYTES
HEADER_BYTES = len(MAGIC) + IDENTITY_BYTES
_LENGTH_BYTES = 8
TRAILER_BYTES = IDENTITY_BYTES + _LENGTH_BYTES + len(END)
OVERHEAD_BYTES = NONCE_BYTES + TAG_BYTES
"""What encryption adds to a segment."""
# zstd may add a little to what can't be compressed.
_LONGEST_STORED = CUT_BYTES + (CUT_BYTES >> 8) + 1024
_LONGEST_INDEX = 16 << 20
_HASH_BYTES = 32


class Identity(NamedTuple):
    """Whose file it is, and under which key.

    Attributes:
        file_id: of the session and the machine.
        salt: random; the same while the file grows.
    """

    file_id: bytes
    salt: bytes

    @classmethod
    def new(cls, file_id: bytes) -> Identity:
        """Of a file that begins anew."""
        return cls(file_id, os.urandom(SALT_BYTES))

    def sealed(self, master: Master, magic: bytes = MAGIC) -> bytes:
        """As it stands in a file."""
        data = self.file_id + self.salt
        return data + master.identity_tag(magic + data)


class Index(NamedTuple):
    """What a file's segments are.

    Attributes:
        identity: of the file.
        stored: of each segment its length in the file.
        sizes: of each its cut's length.
        hashes: of each its cut's SHA-256: whether a cut has changed.
        tags: of each its GCM tag: whether it is that segment, and not one of another age.
        stored_hashes: of each its SHA-256 as it lies there: so that a host can prove that.
    """

    identity: Identity
    stored: tuple[int, ...]
    sizes: tuple[int, ...]
    hashes: tuple[bytes, ...]
    tags: tuple[bytes, ...]
    stored_hashes: tuple[bytes, ...]

    @property
    def size(self) -> int:
        """Of what was sealed, bytes."""
        return sum(self.sizes)

    def places(self) -> list[int]:
        """Where each segment begins in the file, and where the last one ends."""
        return list(accumulate(self.stored, initial=HEADER_BYTES))

    def offsets(self) -> list[int]:
        """Where each cut begins in what was sealed, and where the last one ends."""
        return list(accumulate(self.sizes, initial=0))


class Sealer:
    """Seals the cuts of one file, one after the other.

    Args:
        master: the store's key.
        identity: the file's; an older one's where that goes on.
        compressor: what compresses the cuts, one for many files: making one costs half of what
            compressing a small file does. None for one of its own.
    """

    def __init__(
        self, master: Master, identity: Identity, compressor: Compressor | None = None
    ) -> None:
        from claude_sync.sealed.compression import Compressor

        self.identity = identity
        self._sealed_identity = identity.sealed(master)
        self._cipher = _cipher(master, identity)
        self._compressor = compressor or Compressor()
        self._stored: list[int] = []
        self._sizes: list[int] = []
        self._hashes: list[bytes] = []
        self._tags: list[bytes] = []
        self._stored_hashes: list[bytes] = []

    @property
    def place(self) -> int:
        """Of the next segment."""
        return len(self._sizes)

    def header(self) -> bytes:
        """The file's first bytes."""
        return MAGIC + self._sealed_identity

    def seal(self, cut: bytes, digest: bytes) -> bytes:
        """The next segment; `digest` is the cut's SHA-256."""
        segment = self.sealed(self.place, cut)
        self.add(segment, len(cut), digest)
        return segment

    def sealed(self, place: int, cut: bytes) -> bytes:
        """The segment of a cut at its place; it isn't in the index before it was added."""
        frame = self._compressor.compress(cut)
        return _encrypted(self._cipher, frame, _segment_data(self.identity, place))

    def add(self, segment: bytes, size: int, digest: bytes) -> None:
        """The next segment is this one; of its cut, the length and the SHA-256."""
        self._stored.append(len(segment))
        self._sizes.append(size)
        self._hashes.append(digest)
        self._tags.append(segment[-TAG_BYTES:])
        self._stored_hashes.append(hashlib.sha256(segment).digest())

    def keep(self, older: Index) -> None:
        """The next segment is the one at its place in an older index of this file."""
        place = self.place
        self._stored.append(older.stored[place])
        self._sizes.append(older.sizes[place])
        self._hashes.append(older.hashes[place])
        self._tags.append(older.tags[place])
        self._stored_hashes.append(older.stored_hashes[place])

    def index(self) -> Index:
        """What was sealed."""
        return Index(
            self.identity,
            stored=tuple(self._stored),
            sizes=tuple(self._sizes),
            hashes=tuple(self._hashes),
            tags=tuple(self._tags),
            stored_hashes=tuple(self._stored_hashes),
        )

    def end(self) -> bytes:
        """The file's last bytes: the index and what tells where it begins."""
        text = json.dumps(
            {
                "stored": self._stored,
                "sizes": self._sizes,
                "sha256": base64.b64encode(b"".join(self._hashes)).decode(),
                "tags": base64.b64encode(b"".join(self._tags)).decode(),
                "stored_sha256": base64.b64encode(b"".join(self._stored_hashes)).decode(),
            },
            separators=(",", ":"),
        )
        index = _encrypted(self._cipher, text.encode(), _index_data(self.identity))
        return index + self._sealed_identity + len(index).to_bytes(_LENGTH_BYTES, "big") + END


class Opener:
    """Opens segments of one file.

    Args:
        master: the store's key.
        index: the file's.
    """

    def __init__(self, master: Master, index: Index) -> None:
        self._cipher = _cipher(master, index.identity)
        self._index = index

    def open(self, place: int, segment: bytes) -> bytes:
        """The cut that a segment holds.

        Args:
            place: which segment.
            segment: its bytes.

        Raises:
            BundleIncomplete: it hasn't arrived.
            BundleCorrupt: it isn't what was sealed.
        """
        size = self._index.sizes[place]
        cut = _uncompressed(self._frame(place, segment), size)
        if len(cut) != size:
            raise _corrupt()
        return cut

    def check(self, place: int, segment: bytes) -> None:
        """Prove that a segment is what was sealed, as `open` does, without opening it.

        Raises:
            BundleIncomplete, BundleCorrupt: as `open`.
        """
        self._frame(place, segment)

    def _frame(self, place: int, segment: bytes) -> bytes:
        frame = _decrypted(self._cipher, segment, _segment_data(self._index.identity, place))
        if segment[-TAG_BYTES:] != self._index.tags[place]:
            raise _corrupt()
        return frame


# --- reading the ends --------------------------------------------------------------------------


def read_identity(master: Master, head: bytes, tail: bytes) -> Identity:
    """Whose file it is, from its first `HEADER_BYTES` and its last `TRAILER_BYTES` at least.

    Raises:
        BundleForeign: neither end was written by a machine that has the key.
        BundleTooNew: a newer claude-sync wrote it.
        BundleIncomplete: only one end has arrived.
        BundleCorrupt: one end was damaged, or they are of two files.
    """
    magic = head[: len(MAGIC)]
    has_end = len(tail) >= TRAILER_BYTES and tail.endswith(END)
    first = _identity(master, magic, head[len(MAGIC) : HEADER_BYTES])
    if first is not None and magic != MAGIC:
        raise BundleTooNew(
            "a newer claude-sync made this bundle", todo="update claude-sync on this machine"
        )
    at_end = tail[-TRAILER_BYTES:][:IDENTITY_BYTES] if has_end else b""
    if first is not None and at_end == head[len(MAGIC) : HEADER_BYTES]:
        return first
    last = _identity(master, MAGIC, at_end)
    if first is None and last is None:
        raise foreign()
    if first is None:
        raise _corrupt() if head.strip(b"\0") else _incomplete()
    if last is None:
        raise _incomplete()
    if first != last:
        raise _corrupt()
    return first


def index_length(tail: bytes, size: int) -> int:
    """How long the index is, from the end of a file whose identity is known.

    Args:
        tail: the file's last `TRAILER_BYTES` at least.
        size: of the file.

    Raises:
        BundleCorrupt: that can't be.
    """
    length = int.from_bytes(tail[-len(END) - _LENGTH_BYTES : -len(END)], "big")
    fits = OVERHEAD_BYTES < length <= min(_LONGEST_INDEX, size - HEADER_BYTES - TRAILER_BYTES)
    if not fits:
        raise _corrupt()
    return length


def read_index(master: Master, identity: Identity, sealed: bytes, size: int) -> Index:
    """A file's index.

    Args:
        master: the store's key.
        identity: the file's.
        sealed: the index as it stands there.
        size: of the file.

    Raises:
        BundleIncomplete: it hasn't arrived.
        BundleCorrupt: it isn't what was sealed, or doesn't fit the file.
    """
    cipher = _cipher(master, identity)
    text = _decrypted(cipher, sealed, _index_data(identity))
    try:
        document = json.loads(text)
        hashes = _pieces(document["sha256"], _HASH_BYTES)
        tags = _pieces(document["tags"], TAG_BYTES)
        stored_hashes = _pieces(document["stored_sha256"], _HASH_BYTES)
        stored, sizes = tuple(document["stored"]), tuple(document["sizes"])
    except (ValueError, KeyError, TypeError):
        raise _corrupt() from None
    counts = {len(stored), len(sizes), len(hashes), len(tags), len(stored_hashes)}
    if (
        len(counts) != 1
        or not all(type(one) is int and OVERHEAD_BYTES < one <= _LONGEST_STORED for one in stored)
        or not all(type(one) is int and 0 < one <= CUT_BYTES for one in sizes)
        or HEADER_BYTES + sum(stored) + len(sealed) + TRAILER_BYTES != size
    ):
        raise _corrupt()
    return Index(identity, stored, sizes, hashes, tags=tags, stored_hashes=stored_hashes)


def _pieces(text: str, length: int) -> tuple[bytes, ...]:
    """Pieces of one length, from all of them in base64."""
    data = base64.b64decode(text, validate=True)
    return tuple(data[at : at + length] for at in range(0, len(data), length))


def foreign() -> BundleForeign:
    """The error for a file that nobody who has the key wrote."""
    return BundleForeign("not written by one of your machines", todo="it is left alone")


def _identity(master: Master, magic: bytes, sealed: bytes) -> Identity | None:
    import hmac

    if len(sealed) != IDENTITY_BYTES or re.fullmatch(_ANY_VERSION, magic) is None:
        return None
    found = Identity(sealed[:ID_BYTES], sealed[ID_BYTES:-TAG_BYTES])
    return found if hmac.compare_digest(found.sealed(master, magic), sealed) else None


def _incomplete() -> BundleIncomplete:
    return BundleIncomplete(
        "the bundle is incomplete, most likely still arriving", todo="it is looked at again"
    )


def _corrupt() -> BundleCorrupt:
    return BundleCorrupt(
        "the bundle was damaged", todo="push the session again on the machine it came from"
    )


# --- encryption --------------------------------------------------------------------------------


def _cipher(master: Master, identity: Identity) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(master.file_key(identity.salt))


def _segment_data(identity: Identity, place: int) -> bytes:
    """The associated data of a segment."""
    return identity.file_id + place.to_bytes(8, "big") + b"segment"


def _index_data(identity: Identity) -> bytes:
    return identity.file_id + b"index"


def _encrypted(cipher: AESGCM, data: bytes, associated: bytes) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, data, associated)


def _decrypted(cipher: AESGCM, sealed: bytes, associated: bytes) -> bytes:
    """What was sealed; of a cut, still compressed.

    Raises:
        BundleIncomplete: its end hasn't arrived.
        BundleCorrupt: it is something else.
    """
    from cryptography.exceptions import InvalidTag

    try:
        return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], associated)
    except InvalidTag:
        raise (_corrupt() if sealed[-TAG_BYTES:].strip(b"\0") else _incomplete()) from None


def _uncompressed(frame: bytes, most: int) -> bytes:
    """What a frame holds.

    Raises:
        BundleCorrupt: it is more than it may be.
    """
    from claude_sync.sealed.compression import decompress

    try:
        return decompress(frame, most)
    except ValueError:
        raise _corrupt() from None
