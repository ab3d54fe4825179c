from __future__ import annotations

import itertools
import json
import subprocess
import sys

import pytest

from bundles import TRANSCRIPTS, cut
from claude_sync.bundle.codec import (
    BIGGEST_ESCAPE,
    MAX_UNSETTLED,
    Decoder,
    decode,
    encode,
    encoded_size,
    settled_size,
)
from claude_sync.errors import BundleCorrupt, BundleIncomplete


def encoded(data: bytes) -> bytes:
    return b"".join(encode([data]))


def decoded(data: bytes) -> bytes:
    return b"".join(decode([data]))


@pytest.mark.parametrize(
    ("data", "inside"),
    [
        (b'"', rb"\""),
        (b"\\", rb"\\"),
        (b"\b\t\n\f\r", rb"\b\t\n\f\r"),
        (b"\0\x01\x0b\x1b\x1f", rb"\u0000\u0001\u000b\u001b\u001f"),
        (b"/\x7f", b"/\x7f"),
        ("é中😀\u2028".encode(), "é中😀\u2028".encode()),
        (b"\x80\xff", rb"\udc80\udcff"),
        (b"\xe4\xb8", rb"\udce4\udcb8"),
        (b"\xed\xa0\x80", rb"\udced\udca0\udc80"),
        (b"\xff\"\\\n\x1b'", rb"\udcff\"\\\n\u001b'"),
    ],
)
def test_only_what_must_be_is_escaped_and_always_in_the_same_way(
    data: bytes, inside: bytes
) -> None:
    assert encoded(data) == inside
    assert decoded(inside) == data


@pytest.mark.parametrize("name", TRANSCRIPTS)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_any_transcript_comes_back_however_it_was_cut(name: str, size: int) -> None:
    data = TRANSCRIPTS[name]
    inside = b"".join(encode(cut(data, size)))
    assert inside == encoded(data)
    assert b"".join(decode(cut(inside, size))) == data


@pytest.mark.parametrize("name", TRANSCRIPTS)
def test_the_encoding_is_json_that_other_readers_read_alike(name: str) -> None:
    data = TRANSCRIPTS[name]
    text = json.loads(b'"' + encoded(data) + b'"')
    assert text.encode("utf-8", "surrogateescape") == data


def test_every_pair_of_bytes_comes_back() -> None:
    data = b"".join(bytes(pair) + b" " for pair in itertools.product(range(256), repeat=2))
    assert decoded(encoded(data)) == data
    assert encoded_size([data]) == len(encoded(data))


@pytest.mark.parametrize("name", TRANSCRIPTS)
def test_what_is_settled_of_an_encoding_stays_when_the_transcript_grows(name: str) -> None:
    data = TRANSCRIPTS[name]
    for size in range(max(0, len(data) - 300), len(data) + 1):
        prefix = encoded(data[:size])
        assert encoded(data).startswith(prefix[: settled_size(len(prefix))])


def test_no_more_is_unsettled_than_a_character_that_lacks_its_last_byte() -> None:
    assert len(encoded("😀".encode()[:3])) == MAX_UNSETTLED
    assert settled_size(MAX_UNSETTLED) == settled_size(3) == 0


def test_an_encoding_is_never_shorter_than_its_bytes_nor_more_than_six_times_as_long() -> None:
    for byte in range(256):
        assert 1 <= len(encoded(bytes((byte,)))) <= BIGGEST_ESCAPE


def test_a_line_of_three_megabytes_comes_back_in_pieces_of_bounded_size() -> None:
    data = b'{"text":"' + '\\n "中'.encode() * 400_000 + b'"}\n'
    inside = list(encode([data]))
    assert max(map(len, inside)) < 4 << 20
    pieces = list(decode([b"".join(inside)]))
    assert b"".join(pieces) == data
    assert max(map(len, pieces)) < 2 << 20


# --- other writers' spellings ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inside", "data"),
    [
        (rb"\u0041\/", b"A/"),
        (rb"\u000a\u0022\u005C", b'\n"\\'),
        (rb"\u001B\u00E9\u00e9", "\x1béé".encode()),
        (rb"\ud83d\ude00\uD83D\uDE00", "😀😀".encode()),
        (rb"\u007f\u2028\uffff", "\x7f\u2028\uffff".encode()),
        (rb"\uDCFF\udc80", b"\xff\x80"),
        (rb"\udce4\udcb8\udcad", "中".encode()),
        (rb"\\\u0041\\u0041", rb"\A\u0041"),
        (rb"\\\\\/", rb"\\/"),
    ],
)
def test_any_valid_json_spelling_is_read_however_it_is_cut(inside: bytes, data: bytes) -> None:
    for size in range(1, len(inside) + 1):
        assert b"".join(decode(cut(inside, size))) == data


@pytest.mark.parametrize(
    "inside",
    [
        b"a\nb",
        b"\0",
        b"\x1f",
        b"\x01\x02",
        b'"',
        b'a"b',
        rb"\\" + b'"',
        rb"\x41",
        rb"\q",
        rb"\'",
        rb"\101",
        rb"\a",
        rb"\N{DIGIT ONE}",
        rb"\U0001f600",
        b"\\\n",
        rb"\u12g4",
        rb"\u 123",
        rb"\u+123",
        rb"\ud800",
        rb"\ud800\ud800",
        rb"\ud800a",
        rb"\udbff\u0041",
        rb"\ude00",
        rb"\udc00",
        rb"\udc7f",
        rb"\udd00",
        b"\xff",
        b"\x80",
        b"\xc0\x80",
        b"\xe4\xb8a",
        b"\xed\xa0\x80",
        b"\xf5\x80\x80\x80",
    ],
)
def test_what_is_no_json_string_or_stands_for_no_byte_is_refused(inside: bytes) -> None:
    for before in (b"", b"a" * 5000, rb"\u0041"):
        with pytest.raises(BundleCorrupt):
            decoded(before + inside + b"more")


@pytest.mark.parametrize(
    "inside", [b"\\", rb"\u", rb"\u00", rb"\u004", rb"\ud83d", "中".encode()[:2]]
)
def test_a_string_that_ends_within_a_character_is_incomplete(inside: bytes) -> None:
    for size in (1, 2, 100):
        with pytest.raises(BundleIncomplete):
            list(decode(cut(b"abc" + inside, size)))


def test_nothing_is_said_to_the_user_about_escapes_that_python_does_not_know() -> None:
    script = (
        "from claude_sync.bundle.codec import decode\n"
        "assert b''.join(decode([rb'\\/'])) == b'/'\n"
        "try: list(decode([rb'\\q']))\n"
        "except Exception as error: print(type(error).__name__)\n"
    )
    for warnings in ("ignore", "error"):
        done = subprocess.run(
            [sys.executable, "-W", warnings, "-c", script], capture_output=True, check=True
        )
        assert (done.stdout.strip(), done.stderr) == (b"BundleCorrupt", b"")


# --- the decoder -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TRANSCRIPTS)
@pytest.mark.parametrize("size", [1, 5, 1 << 20])
def test_the_decoder_stops_at_the_closing_quote(name: str, size: int) -> None:
    inside = encoded(TRANSCRIPTS[name])
    decoder = Decoder()
    data = b""
    blocks = cut(inside + b'","next":"\n', size)
    while decoder.rest is None:
        data += decoder.feed(next(blocks))
    assert data == TRANSCRIPTS[name]
    assert decoder.rest + b"".join(blocks) == b',"next":"\n'
    assert (decoder.encoded_size, decoder.canonical_size) == (len(inside), len(inside))
    assert decoder.canonical


@pytest.mark.parametrize(
    ("inside", "canonical_size"),
    [
        (rb"\u0041", 1),
        (rb"\/\/", 2),
        (rb"\u001B", 6),
        (rb"\udcFF", 6),
        (rb"\udce4\udcb8\udcad", 3),
        (rb"\udce4\udcb8", 12),
        (rb"\udce4\udcb8\u4e2d", 15),
        (rb"\udcf0\udc9f\udc98\udc80!", 5),
    ],
)
def test_the_decoder_tells_another_spelling_whatever_the_cuts(
    inside: bytes, canonical_size: int
) -> None:
    for size in range(1, len(inside) + 2):
        decoder = Decoder()
        for block in cut(inside + b'"', size):
            decoder.feed(block)
        assert decoder.encoded_size == len(inside)
        assert decoder.canonical_size == canonical_size
        assert decoder.canonical == (inside == rb"\udce4\udcb8")
