"""The sealed file: what it holds comes out, and nothing else ever does."""

from __future__ import annotations

import base64
import hashlib
import json
import sys
import tracemalloc

import pytest

from claude_sync.errors import (
    BundleCorrupt,
    BundleError,
    BundleForeign,
    BundleIncomplete,
    BundleTooNew,
)
from claude_sync.sealed import file as sealed_file
from claude_sync.sealed.compression import Compressor, decompress
from claude_sync.sealed.file import (
    END,
    HEADER_BYTES,
    MAGIC,
    TRAILER_BYTES,
    Identity,
    Index,
    Opener,
    Sealer,
    index_length,
    read_identity,
    read_index,
)
from claude_sync.sealed.keys import Master
from sealed_files import opened_whole, sealed_whole

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MASTER = Master(bytes(range(32)))
OTHERS = Master(bytes(range(1, 33)))
ID = b"sixteen byte id."
CUTS = (b"front", b"the transcript " * 10, b"back")


def sealed(cuts: tuple[bytes, ...] = CUTS, identity: Identity | None = None) -> bytes:
    return sealed_whole(MASTER, identity or Identity.new(ID), cuts)


def index(data: bytes) -> Index:
    identity = read_identity(MASTER, data, data)
    end = len(data) - TRAILER_BYTES
    return read_index(MASTER, identity, data[end - index_length(data, len(data)) : end], len(data))


def segments(data: bytes) -> list[bytes]:
    places = index(data).places()
    return [data[places[place] : end] for place, end in enumerate(places[1:])]


def test_what_was_sealed_comes_out() -> None:
    for cuts in (CUTS, (), (b"x",), (b"y" * (1 << 20),) * 3):
        assert opened_whole(MASTER, sealed(cuts)) == b"".join(cuts)


def test_no_two_files_of_the_same_bytes_are_alike() -> None:
    one, other = sealed(), sealed()
    assert one != other
    assert segments(one)[1] != segments(other)[1]
    same = Identity.new(ID)
    assert sealed(identity=same) != sealed(identity=same), "each segment has a new nonce"


def test_what_is_sealed_again_is_as_long_as_it_was() -> None:
    cuts = tuple(bytes([number]) * 100 for number in range(40))
    assert len({len(sealed(cuts)) for _ in range(50)}) == 1


def test_nothing_of_what_was_sealed_can_be_read() -> None:
    secret = b"SECRET-TRANSCRIPT"
    data = sealed((secret * 50, secret))
    for spelled in (secret, secret.hex().encode(), base64.b64encode(secret)[:20]):
        assert spelled not in data
    assert hashlib.sha256(secret).digest() not in data


def test_every_flipped_bit_is_refused() -> None:
    data = sealed()
    for bit in range(8 * len(data)):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(BundleError):
            opened_whole(MASTER, bytes(damaged))


def test_a_file_cut_at_any_byte_is_refused_and_ours_is_still_arriving() -> None:
    data = sealed()
    for size in range(len(data)):
        expected = BundleForeign if size < HEADER_BYTES else BundleIncomplete
        with pytest.raises(expected):
            opened_whole(MASTER, data[:size])
        with pytest.raises(BundleError):
            opened_whole(MASTER, data[len(data) - size :])


def test_a_file_of_which_a_part_is_nothing_yet_is_still_arriving() -> None:
    data = sealed()
    places = index(data).places()
    for start, end in (
        (len(data) - 300, len(data)),  # the end
        (0, 200),  # the beginning
        (0, HEADER_BYTES),
        (places[1], places[2]),  # a segment
        (places[1] + 5, places[3]),
    ):
        holed = data[:start] + bytes(end - start) + data[end:]
        with pytest.raises(BundleIncomplete):
            opened_whole(MASTER, holed)


def test_what_nobody_with_the_key_wrote_is_foreign() -> None:
    plain = b'{"schema":1,"session_id":"x","transcript":"'
    for data in (
        b"",
        plain * 20,
        bytes(4096),
        MAGIC,
        MAGIC + bytes(500) + END,
        sealed_whole(OTHERS, Identity.new(ID), CUTS),
    ):
        with pytest.raises(BundleForeign, match="not written by one of your machines"):
            opened_whole(MASTER, data)


def test_a_newer_file_of_ours_is_told_from_a_strangers() -> None:
    magic = b"ccsync-sealed 2\n"
    ours = magic + Identity.new(ID).sealed(MASTER, magic) + bytes(300)
    with pytest.raises(BundleTooNew):
        opened_whole(MASTER, ours)
    with pytest.raises(BundleForeign):
        opened_whole(MASTER, magic + Identity.new(ID).sealed(OTHERS, magic) + bytes(300))


def test_segments_of_another_file_place_or_age_are_refused() -> None:
    identity = Identity.new(ID)
    data = sealed((b"a" * 40, b"b" * 40, b"c" * 40), identity)
    older = sealed((b"a" * 40, b"B" * 40, b"c" * 40), identity)
    others = sealed((b"a" * 40, b"b" * 40, b"c" * 40))
    mine = segments(data)
    for place, segment in (
        (0, mine[1]),  # another place
        (1, segments(older)[1]),  # another age
        (1, segments(others)[1]),  # another file
    ):
        for prove in (Opener(MASTER, index(data)).open, Opener(MASTER, index(data)).check):
            with pytest.raises(BundleCorrupt):
                prove(place, segment)


def test_the_index_of_another_age_or_file_is_refused() -> None:
    identity = Identity.new(ID)
    data, older = sealed(CUTS, identity), sealed((*CUTS, b"more"), identity)
    length = index_length(older, len(older))
    body = data[: len(data) - TRAILER_BYTES - index_length(data, len(data))]
    with pytest.raises(BundleError):
        opened_whole(MASTER, body + older[-TRAILER_BYTES - length :])
    other = Identity.new(ID)
    with pytest.raises(BundleCorrupt):
        opened_whole(MASTER, data[:-TRAILER_BYTES] + sealed(CUTS, other)[-TRAILER_BYTES:])


def test_a_cut_that_did_not_change_is_not_sealed_again() -> None:
    old = index(first := sealed())
    sealer = Sealer(MASTER, old.identity)
    kept = segments(first)[:2]
    for place in range(2):
        Opener(MASTER, old).check(place, kept[place])
        sealer.keep(old)
    last = sealer.seal(b"more", hashlib.sha256(b"more").digest())
    data = b"".join([sealer.header(), *kept, last, sealer.end()])
    assert opened_whole(MASTER, data) == CUTS[0] + CUTS[1] + b"more"
    assert index(data) == sealer.index()


def test_no_frame_becomes_more_than_it_may() -> None:
    bomb = Compressor().compress(bytes(64 << 20))
    assert len(bomb) < 10_000
    with pytest.raises(ValueError, match="size"):
        decompress(bomb, 1 << 20)
    with pytest.raises(ValueError, match="size"):
        decompress(Compressor().compress(b"x") * 2, 100)
    with pytest.raises(ValueError, match="zstd"):
        decompress(b"no frame at all", 100)


def test_a_frame_that_wants_a_great_window_is_refused() -> None:
    streamed = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: 27})
    wide = streamed.compress(bytes(1 << 10)) + streamed.flush()
    with pytest.raises(ValueError, match="zstd"):
        decompress(wide, 1 << 20)


def test_of_a_bomb_no_more_comes_out_than_may() -> None:
    bomb = Compressor().compress(bytes(64 << 20))
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="size"):
            decompress(bomb, 1 << 20)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 8 << 20


def test_an_index_that_does_not_add_up_to_the_files_size_is_refused() -> None:
    data = sealed()
    good = index(data)
    end = len(data) - TRAILER_BYTES
    made = data[end - index_length(data, len(data)) : end]
    assert read_index(MASTER, good.identity, made, len(data)) == good
    for size in (len(data) - 1, len(data) + 1):
        with pytest.raises(BundleCorrupt):
            read_index(MASTER, good.identity, made, size)


def test_the_longest_index_that_is_read_is_bounded() -> None:
    tail = sealed()[:-12] + (1 << 30).to_bytes(8, "big") + END
    with pytest.raises(BundleCorrupt):
        index_length(tail, 1 << 40)


@pytest.mark.parametrize(
    "change",
    [
        {"stored": [50]},
        {"stored": [50, 50, -50]},
        {"stored": ["50"] * 3},
        {"sizes": [5, 150, 1 << 40]},
        {"sizes": [0, 150, 4]},
        {"sizes": 5},
        {"sha256": "AAAA"},
        {"sha256": 7},
        {"tags": "AAAA"},
        {"stored_sha256": "AAAA"},
        {},
    ],
)
def test_an_index_that_makes_no_sense_is_refused(change: dict[str, object]) -> None:
    data = sealed()
    good = index(data)
    text: dict[str, object] = {
        "stored": list(good.stored),
        "sizes": list(good.sizes),
        "sha256": base64.b64encode(b"".join(good.hashes)).decode(),
        "tags": base64.b64encode(b"".join(good.tags)).decode(),
        "stored_sha256": base64.b64encode(b"".join(good.stored_hashes)).decode(),
    }
    text = {**text, **change} if change else {"other": 1}
    cipher = sealed_file._cipher(MASTER, good.identity)
    made = sealed_file._encrypted(
        cipher, json.dumps(text).encode(), sealed_file._index_data(good.identity)
    )
    with pytest.raises(BundleCorrupt):
        read_index(MASTER, good.identity, made, len(data))


def test_the_length_of_an_index_is_bounded_by_the_file() -> None:
    data = sealed()
    for length in (0, len(data), 1 << 62):
        forged = data[:-12] + length.to_bytes(8, "big") + END
        with pytest.raises(BundleCorrupt):
            opened_whole(MASTER, forged)
