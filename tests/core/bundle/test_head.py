from __future__ import annotations

import hashlib
import json

import pytest

from bundles import crafted, cut, packed
from capabilities import require_posix
from claude_sync.bundle.file_names import bundle_file_name, encoded_key
from claude_sync.bundle.head import HEAD_SIZE, TAIL_SIZE, read_head
from claude_sync.bundle.members import AFTER_TRANSCRIPT, BEFORE_BACK
from claude_sync.bundle.unpack import read_whole
from claude_sync.errors import (
    BundleCorrupt,
    BundleError,
    BundleIncomplete,
    BundleReserved,
    BundleTooNew,
)
from claude_sync.model import BundleHead

LONG = b'{"type":"user","text":"\\n \x1b \xff"}\n' * 2000


def from_ends(data: bytes) -> BundleHead | None:
    """What a listing learns that reads only both ends."""
    tail = data[-TAIL_SIZE:] if len(data) > HEAD_SIZE else b""
    return read_head(data[:HEAD_SIZE], tail, len(data))


# --- names in the store ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("git:github.com/you/app", "git+github.com+you+app"),
        ("name:~", "name+%7E"),
        ("name:my app", "name+my%20app"),
        ("name:a+b%c", "name+a%2Bb%25c"),
        ("name:é", "name+%C3%A9"),
        ("name:v1.", "name+v1%2E"),
        ("name:..", "name+.%2E"),
        ("name:con", "name+con"),
        ("name:/", "name++"),
        ("git:h/a\\b*?<>|\"'", "git+h+a%5Cb%2A%3F%3C%3E%7C%22%27"),
        ("git:h/" + "x" * 114, "git+h+" + "x" * 114),
    ],
)
def test_a_key_becomes_a_directory_name_that_every_system_takes(key: str, name: str) -> None:
    assert encoded_key(key) == name


@pytest.mark.parametrize("key", ["git:h/" + "x" * 115, "name:" + "é" * 400, "git:h/" + "a/" * 300])
def test_a_long_key_is_cut_and_ends_in_its_own_hash(key: str) -> None:
    name = encoded_key(key)
    assert len(name) == 117
    assert name[100:] == "-" + hashlib.sha256(key.encode()).hexdigest()[:16]
    assert encoded_key(key + "x")[100:] != name[100:]


def test_one_key_has_one_directory_however_it_was_typed() -> None:
    assert encoded_key("git:GitHub.com/You/App") == "git+github.com+you+app"
    assert encoded_key("name:e\u0301") == encoded_key("name:é")


def test_a_bundle_is_named_for_its_session_and_its_machine() -> None:
    assert bundle_file_name("0f-4c", "my-laptop") == "0f-4c-my-laptop.ccsync"


# --- both ends ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sidecar",
    [{}, {"a": b""}, {"a": b"x"}, {"a/b": LONG, "b": b"1"}],
    ids=lambda one: str(one)[:40],
)
@pytest.mark.parametrize("transcript", [b"", b"x", LONG, b"x" * 16_000], ids=len)
def test_both_ends_tell_what_the_packer_said(transcript: bytes, sidecar: dict[str, bytes]) -> None:
    data, made = packed(transcript, sidecar)
    assert from_ends(data) == made.head
    assert made.head.start == data.index(b'"transcript":"') + len(b'"transcript":"')


def test_the_ends_are_read_alike_wherever_the_file_is_cut_into_them() -> None:
    # Around these sizes the sidecar's beginning lies on the edge of the tail.
    for size in range(TAIL_SIZE - 700, TAIL_SIZE + 40):
        data, made = packed(b"x" * 3000, {"a": b"y" * (size - 3000)})
        assert from_ends(data) == made.head


def test_a_title_that_looks_like_a_bundle_is_a_title() -> None:
    require_posix("quotation marks in names")
    title = ']},],"sidecar_sha256":"a","transcript":"'
    data, made = packed(b"x", subpath='a,"transcript":"', title=title)
    assert from_ends(data) == made.head


@pytest.mark.parametrize("size", [b"x" * 100, LONG], ids=len)
def test_a_file_that_ends_early_is_never_taken_for_a_bundle(size: bytes) -> None:
    data, _ = packed(size, {"a": b"}"})
    for end in [
        *range(0, len(data), max(1, len(data) // 2000)),
        *range(len(data) - 900, len(data)),
    ]:
        try:
            assert from_ends(data[:end]) is None
        except BundleIncomplete:
            pass


def test_a_file_still_arriving_is_mostly_known_by_its_ends_alone() -> None:
    data, _ = packed(LONG)
    for early in (b"", data[:5], data[:200], data[: len(data) // 2], data[:-1], data[:-5]):
        with pytest.raises(BundleIncomplete):
            from_ends(early)
    with pytest.raises(BundleIncomplete):
        from_ends(data[:70_000] + bytes(len(data) - 70_000))


def test_no_flipped_bit_in_either_end_is_believed() -> None:
    data, made = packed(b"x" * 5, {"a": b"y"}, title="\x1b é", supersedes=("a" * 64,))
    between = range(made.head.start, data.index(BEFORE_BACK))
    for position in set(range(len(data))) - set(between):
        for bit in range(8):
            flipped = bytearray(data)
            flipped[position] ^= 1 << bit
            try:
                assert from_ends(bytes(flipped)) is None
            except BundleError:
                pass


def test_a_flipped_bit_in_a_name_is_said_at_once() -> None:
    data, _ = packed(LONG)
    with pytest.raises(BundleCorrupt):
        from_ends(data.replace(b'"machine":"laptop"', b'"machine":"lap4op"'))


def test_another_spelling_has_to_be_read_in_full() -> None:
    data, made = packed(LONG, {"a": b"x"})
    values = json.loads(data)
    spellings = [
        json.dumps(values, indent=2).encode(),
        json.dumps(values, sort_keys=True).encode(),
        data + b"\n",
        b" " + data,
        crafted(data, colour="green"),
        data.replace(b'"machine":"l', b'"machine":"\\u006c'),
        data.replace(b'"title":"M', b'"title":"\\u004d'),
    ]
    for spelling in spellings:
        assert from_ends(spelling) is None
        assert read_whole(cut(spelling, 5000)).head == made.head._replace(start=0)


def test_a_transcript_respelled_in_place_has_to_be_read_in_full() -> None:
    data, made = packed(b"a\x7fb")
    respelled = data.replace(b"\x7f", rb"\u007f")
    assert from_ends(respelled) is None
    assert read_whole([respelled]).head == made.head._replace(start=0)


def test_a_time_that_was_rounded_to_a_double_is_found_again() -> None:
    data, made = packed(b"x", {"a": b"x"}, mtime_ns=1763822400123456789)
    rounded = data.replace(b"1763822400123456789", b"1763822400123456800")
    assert from_ends(rounded) is None
    assert read_whole([rounded]).head == made.head._replace(start=0)
    for other in (b"1763822400123456788", b"1763822400123457000", b"1763822400123456900"):
        changed = data.replace(b"1763822400123456789", other)
        with pytest.raises(BundleCorrupt):
            from_ends(changed)
        with pytest.raises(BundleCorrupt):
            read_whole([changed])


def test_sizes_that_do_not_fit_the_file_are_not_believed() -> None:
    data, made = packed(LONG, {"a": b"x" * 20_000})
    for claimed in (made.head.encoded_size + 20_200, 6 * len(LONG)):
        assert from_ends(crafted(data, encoded_size=claimed)) is None
    for claimed in (6 * len(LONG) + 1, 2 << 30, (1 << 63) - 1):
        with pytest.raises(BundleCorrupt):
            from_ends(crafted(data, encoded_size=claimed))
    plain, _ = packed(LONG)
    assert from_ends(plain.replace(AFTER_TRANSCRIPT, b"!!!" + AFTER_TRANSCRIPT)) is None
    assert from_ends(crafted(plain, sidecar_sha256="a" * 64)) is None


def test_a_newer_bundle_is_known_from_its_first_bytes() -> None:
    for data in (
        b'{"schema":2,',
        b'{"schema":10,"anything":[',
        b'{"schema":2,"x":1}' + bytes(9000),
    ):
        with pytest.raises(BundleTooNew):
            from_ends(data)


@pytest.mark.parametrize("data", [b"x", b"[]", b"{}", b"{}" * 25_000, b"\xff" * 99])
def test_what_is_no_bundle_at_all_is_left_to_the_full_reading(data: bytes) -> None:
    assert from_ends(data) is None


def test_deep_nesting_in_an_end_is_no_trouble() -> None:
    data, _ = packed(LONG)
    front = b'{"schema":1,"session_id":' + b"[" * 3000 + b',"transcript":"'
    assert from_ends(front + data[data.index(b'"transcript"') :]) is None
    back = BEFORE_BACK + b"[" * 12_000 + b"}"
    assert from_ends(data[: data.index(BEFORE_BACK)] + back) is None


@pytest.mark.parametrize(
    ("head", "tail"),
    [
        (b"\0", b"\0"),
        (b"PK", b"\0"),
        (b'{ "schema": 1, "session_id": "', b"\0"),
        (b'{ "schema": 1, "session_id": "', b"x"),
        (b"\0", b'"check":"0"}'),
    ],
)
def test_what_has_not_come_yet_is_known_by_the_ends_alone(head: bytes, tail: bytes) -> None:
    size = 1 << 30
    with pytest.raises(BundleIncomplete) as caught:
        read_head(head.ljust(HEAD_SIZE, b"\0"), tail.rjust(TAIL_SIZE, b"\0"), size)
    assert isinstance(caught.value, BundleReserved) == (head == tail)


def test_white_space_around_a_bundle_is_no_sign_of_a_cut() -> None:
    data, made = packed(LONG)
    for around in (b" " * HEAD_SIZE + data, data + b" \n" * TAIL_SIZE):
        assert from_ends(around) is None
        assert read_whole([around]).head.version == made.head.version
