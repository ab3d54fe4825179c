from __future__ import annotations

import itertools
import json
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from hashlib import sha256

import pytest

from bundles import TRANSCRIPTS, crafted, cut, packed
from claude_sync.bundle.codec import encode, encoded_size
from claude_sync.bundle.members import AFTER_TRANSCRIPT, BEFORE_BACK, MEMBERS
from claude_sync.bundle.unpack import (
    KnownPrefix,
    SidecarData,
    SidecarEnd,
    SidecarStart,
    TranscriptData,
    Unpacked,
    UnpackEvent,
    read_whole,
    unpack,
)
from claude_sync.errors import (
    BundleCorrupt,
    BundleError,
    BundleIncomplete,
    BundleTooNew,
    BundleUnsafe,
)
from claude_sync.model import SidecarFile
from programs import require_listed

TEXT = b'{"type":"user","text":"\\n \x1b \x7f"}\n' + "é中😀\0".encode()
SIDECAR = {"a/b.txt": b"\t\x1f}\n", "c": b""}


def joined(events: list[UnpackEvent]) -> list[UnpackEvent]:
    """The events, neighbours that only continue each other made one."""
    found: list[UnpackEvent] = []
    for event in events:
        if isinstance(event, (TranscriptData, SidecarData)):
            last = found.pop() if found and type(found[-1]) is type(event) else None
            before = last.data if isinstance(last, (TranscriptData, SidecarData)) else b""
            event = type(event)(before + event.data)
        found.append(event)
    return found


@pytest.mark.parametrize("size", [1, 2, 13, 1 << 20])
def test_the_events_tell_the_bundle_in_the_order_of_the_file(size: int) -> None:
    data, made = packed(TEXT, SIDECAR)
    first, second = made.sidecar
    assert joined(list(unpack(cut(data, size)))) == [
        TranscriptData(TEXT),
        SidecarStart(),
        SidecarData(SIDECAR["a/b.txt"]),
        SidecarEnd(first),
        SidecarStart(),
        SidecarEnd(second),
        Unpacked(made.head, made.sidecar),
    ]


@pytest.mark.parametrize("name", TRANSCRIPTS)
def test_a_transcript_that_has_begun_here_needs_only_its_rest(name: str) -> None:
    text = TRANSCRIPTS[name] + b"\n" + TEXT
    data, made = packed(text, SIDECAR)
    start = made.head.start
    for end in {TRANSCRIPTS[name].rfind(b"\n") + 1, len(TRANSCRIPTS[name]) + 1}:
        here = text[:end]
        size = encoded_size([here])
        rest = data[:start] + data[start + size :]
        found = joined(list(unpack(cut(rest, 7), KnownPrefix(cut(here, 5), size))))
        assert found == joined(list(unpack([data])))


@pytest.mark.parametrize("here", [b"b\n", b"a\na\n", b"", b"\n\n", b'"\n'])
def test_a_beginning_that_is_not_the_files_is_seen(here: bytes) -> None:
    data, made = packed(b"a\n" + TEXT, SIDECAR)
    start, size = made.head.start, encoded_size([here])
    rest = data[:start] + data[start + 3 :]
    with pytest.raises((BundleCorrupt, BundleIncomplete)):
        list(unpack([rest], KnownPrefix([here], size)))


def without_sidecar(data: bytes) -> bytes:
    """A bundle of ours as it comes where its sidecar files are here."""
    begin = data.index(AFTER_TRANSCRIPT) + len(AFTER_TRANSCRIPT)
    return data[:begin] + data[data.rindex(BEFORE_BACK) :]


def test_sidecar_files_that_are_here_need_not_come() -> None:
    data, made = packed(TEXT, SIDECAR)
    events = list(unpack([without_sidecar(data)], sidecar=made.sidecar))
    assert joined(events) == [TranscriptData(TEXT), Unpacked(made.head, made.sidecar)]


@pytest.mark.parametrize("kept", [0, 1])
def test_sidecar_files_that_are_not_the_bundles_are_seen(kept: int) -> None:
    data, made = packed(TEXT, SIDECAR)
    others = (*made.sidecar[:kept], SidecarFile("a/c.txt", 1, "0" * 64))
    with pytest.raises(BundleCorrupt, match="sidecar"):
        list(unpack([without_sidecar(data)], sidecar=others))


def test_the_hashes_of_a_transcripts_beginnings_are_told() -> None:
    data, _ = packed(TEXT, SIDECAR)
    marks = [0, 3, len(TEXT), len(TEXT) + 1]
    last = list(unpack(cut(data, 5), marks=marks))[-1]
    assert isinstance(last, Unpacked)
    assert last.noted == {mark: sha256(TEXT[:mark]).hexdigest() for mark in marks[:3]}


def test_in_another_order_the_events_follow_the_file() -> None:
    data, made = packed(TEXT, SIDECAR)
    shuffled = json.dumps(json.loads(data), sort_keys=True, ensure_ascii=False).encode()
    events = joined(list(unpack([shuffled])))
    assert [type(event) for event in events] == [
        SidecarStart,
        SidecarData,
        SidecarEnd,
        SidecarStart,
        SidecarEnd,
        TranscriptData,
        Unpacked,
    ]
    assert events[-1] == Unpacked(made.head._replace(start=0), made.sidecar)


def test_a_sidecar_in_another_order_is_the_same_sidecar() -> None:
    data, made = packed(TEXT, SIDECAR)
    values = json.loads(data)
    values["sidecar"].reverse()
    assert read_whole([crafted(data, sidecar=values["sidecar"])]) == Unpacked(
        made.head._replace(start=0), made.sidecar[::-1]
    )


def test_a_part_that_is_here_already_can_stand_in_for_the_same_part_of_the_file() -> None:
    data, made = packed(TEXT * 50, SIDECAR)
    here = b"".join(encode([TEXT * 30]))
    stream = [data[: made.head.start], here, data[made.head.start + len(here) :]]
    assert read_whole(stream).head == made.head
    stream[1] = b"".join(encode([TEXT[:-1] + b"\1" + TEXT * 29]))
    with pytest.raises(BundleCorrupt):
        read_whole(stream)


# --- cut, flipped, changed ---------------------------------------------------------------------


def test_a_bundle_cut_at_any_byte_is_incomplete() -> None:
    data, _ = packed(TEXT, SIDECAR)
    for end in range(len(data)):
        with pytest.raises(BundleIncomplete):
            read_whole([data[:end]])


@pytest.mark.parametrize("options", [{"indent": 2}, {"sort_keys": True, "indent": 1}], ids=str)
def test_another_spelling_cut_at_any_byte_is_incomplete(options: dict[str, int]) -> None:
    data = json.dumps(json.loads(packed(TEXT, SIDECAR)[0]), **options).encode()  # type: ignore[arg-type]
    for end in range(len(data)):
        with pytest.raises(BundleIncomplete):
            read_whole(cut(data[:end], 100))


def test_any_single_flipped_bit_is_refused() -> None:
    data, _ = packed(b"\x1b\n\\\xff\x7f\xc3\xa9", {"a": b"\x1f"}, title="\x1f")
    for position, bit in itertools.product(range(len(data)), range(8)):
        flipped = bytearray(data)
        flipped[position] ^= 1 << bit
        with pytest.raises(BundleError):
            read_whole([bytes(flipped)])


def test_space_that_is_reserved_and_not_filled_yet_counts_as_incomplete() -> None:
    data, _ = packed(TEXT * 500, SIDECAR)
    for end in (0, 10, 3000, data.index(BEFORE_BACK), len(data) - 20):
        for size in (64, 1 << 20):
            with pytest.raises(BundleIncomplete):
                read_whole(cut(data[:end] + bytes(len(data) - end), size))


def test_a_hole_in_the_middle_is_corrupt() -> None:
    data, _ = packed(TEXT * 500, SIDECAR)
    with pytest.raises(BundleCorrupt):
        read_whole([data[:3000] + bytes(100) + data[3100:]])


@pytest.mark.parametrize(
    "garbage",
    [
        b"x",
        b"\xff\xfe",
        b"\xef\xbb\xbf{}",
        b"[1]",
        b'"text"',
        b"1",
        b"{]",
        b"{1:2}",
        b"{,}",
        b"<html>",
    ],
)
def test_garbage_is_corrupt(garbage: bytes) -> None:
    with pytest.raises(BundleCorrupt):
        read_whole([garbage])


def test_nothing_may_follow_but_white_space() -> None:
    data, made = packed(TEXT)
    assert read_whole([data, b" \r\n\t"]).head.version == made.head.version
    for more in (b"x", b"{}", b",", b"\n\n}", data):
        with pytest.raises(BundleCorrupt):
            read_whole([data, more])


@pytest.mark.parametrize(
    "changes",
    [
        {"size": 2 << 30, "encoded_size": 2 << 30},
        {"size": 2 << 30},
        {"size": 0},
        {"encoded_size": len(TEXT) + 1},
        {"sha256": "a" * 64},
        {"sidecar_sha256": "a" * 64},
        {"transcript": "other"},
        {"sidecar": []},
    ],
    ids=str,
)
def test_what_does_not_fit_what_the_bundle_says_is_corrupt(changes: dict[str, object]) -> None:
    with pytest.raises(BundleCorrupt):
        read_whole([crafted(packed(TEXT, SIDECAR)[0], **changes)])


@pytest.mark.parametrize("name", MEMBERS)
def test_a_repeated_member_is_refused_even_with_the_same_value(name: str) -> None:
    data, _ = packed(TEXT, SIDECAR)
    value = json.dumps(json.loads(data)[name]).encode()
    for spelling in (name, f"\\u{ord(name[0]):04x}{name[1:]}"):
        repeated = data[:-1] + b',"' + spelling.encode() + b'":' + value + b"}"
        with pytest.raises(BundleCorrupt):
            read_whole([repeated])


def test_a_repeated_member_of_a_sidecar_file_is_refused() -> None:
    data, _ = packed(TEXT, SIDECAR)
    for repeated in (b'"path":"c","path":"c"', b'"path":"c","data":"","path":"x"'):
        with pytest.raises(BundleCorrupt):
            read_whole([data.replace(b'"path":"c"', repeated)])


@pytest.mark.parametrize(
    "number", ["1.0", "1e0", "1E3", "1.5e3", "01", "+1", "1.", ".1", "0x1", "１"]
)
def test_an_integer_is_spelled_as_one(number: str) -> None:
    data = crafted(revision=1)
    spelled = data.replace(b'"revision":1,', f'"revision":{number},'.encode())
    assert spelled != data
    with pytest.raises(BundleCorrupt):
        read_whole([spelled])


def test_a_float_is_no_integer_though_the_check_says_so() -> None:
    for value in (3.0, 1e3, -0.0):
        with pytest.raises(BundleCorrupt):
            read_whole([crafted(revision=value)])


@pytest.mark.parametrize(
    "inside",
    [
        rb"\ud800",
        rb"\udfff",
        rb"\udc7f",
        rb"\q",
        rb"\u00",
        b"\xff",
        b"\xed\xb2\x80",
        b"a\nb",
        b"a\tb",
        b"a\0b",
    ],
)
def test_a_transcript_that_is_no_json_string_is_corrupt(inside: bytes) -> None:
    data, _ = packed(b"0123")
    for transcript in (inside, b"x" * 9000 + inside + b"x" * 9000):
        with pytest.raises(BundleCorrupt):
            read_whole([data.replace(b'"0123"', b'"' + transcript + b'"')])


def test_bytes_escaped_one_by_one_that_form_a_character_must_have_been_counted_as_it() -> None:
    data, made = packed("中".encode())
    respelled = data.replace("中".encode(), rb"\udce4\udcb8\udcad")
    assert read_whole([respelled]).head == made.head._replace(start=0)
    with pytest.raises(BundleCorrupt):
        read_whole([crafted(data, encoded_size=18).replace("中".encode(), rb"\udce4\udcb8\udcad")])


# --- what isn't ours ---------------------------------------------------------------------------

ODD_VALUES = [
    "null",
    "true",
    "-0.5e-7",
    "12345678901234567890123456789",
    '"text \\ud800 \\u0000"',
    "[]",
    "{}",
    "[[],{},[{}],[1,2,[3]]]",
    '{"a":{"b":[1,{"c":"]}"}],"schema":2},"transcript":"x"}',
    ' [ 1 , { "a" : [ ] } ] ',
    "[" * 10_000 + "]" * 10_000,
    '{"a":' * 10_000 + "1" + "}" * 10_000,
]


@pytest.mark.parametrize("value", ODD_VALUES, ids=lambda value: value[:20])
@pytest.mark.parametrize("size", [1, 1000])
def test_an_unknown_member_is_passed_over_whatever_it_holds(value: str, size: int) -> None:
    data, made = packed(TEXT, SIDECAR)
    for member in (b'"session_id"', b'"sidecar"', b'"data"'):
        stranger = data.replace(member, b'"colour":' + value.encode() + b"," + member, 1)
        assert read_whole(cut(stranger, size)).head == made.head._replace(start=0)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "nul",
        "NaN",
        "Infinity",
        "-",
        "1 2",
        "'a'",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[}",
        '{"a"}',
        '{"a":}',
        '{"a":1,}',
        '{a:1}',
        '{1:1}',
        "[1}",
        '"\\x"',
        '"\n"',
        "1" * 600,
        "[" * 100_000,
    ],
    ids=lambda value: value[:20],
)  # fmt: skip
def test_an_unknown_member_that_is_no_json_is_refused(value: str) -> None:
    data, _ = packed(TEXT)
    stranger = data.replace(b'"session_id"', b'"colour":' + value.encode() + b',"session_id"')
    with pytest.raises(BundleCorrupt):
        read_whole([stranger])


def test_endless_unknown_members_are_refused() -> None:
    def blocks() -> Iterator[bytes]:
        yield b"{"
        for number in itertools.count():
            yield b'"x%d":0,' % number

    with pytest.raises(BundleCorrupt):
        read_whole(blocks())
    with pytest.raises(BundleCorrupt):
        read_whole(itertools.chain([b'{"'], itertools.repeat(b"x" * 4096)))
    with pytest.raises(BundleCorrupt):
        read_whole(itertools.chain([b'{"title":"'], itertools.repeat(b"x" * 4096)))
    with pytest.raises(BundleCorrupt):
        read_whole(itertools.chain([b'{"revision":'], itertools.repeat(b"1")))
    with pytest.raises(BundleCorrupt):
        read_whole(itertools.chain([b'{"supersedes":['], itertools.repeat(b'"",')))


def test_a_newer_schema_is_seen_before_what_it_may_mean() -> None:
    newer = json.dumps({"sidecar": {"new": 1}, "machine": 3, "schema": 2, "transcript": [1]})
    with pytest.raises(BundleTooNew):
        read_whole([newer.encode()])
    with pytest.raises(BundleTooNew):
        read_whole(itertools.chain([b'{"schema":2,"transcript":"'], itertools.repeat(b"x")))


def test_an_unsafe_path_is_refused_as_soon_as_it_is_known() -> None:
    data, _ = packed(TEXT, {"a": b"x"})
    unsafe = data.replace(b'"path":"a"', b'"path":"../a"')
    end = unsafe.index(b'"sidecar_sha256"') - 2
    with pytest.raises(BundleUnsafe):
        read_whole(itertools.chain([unsafe[:end]], itertools.repeat(b",0")))


def test_memory_does_not_grow_with_what_is_read() -> None:
    def blocks() -> Iterator[bytes]:
        data, _ = packed(b"")
        front, back = data.split(b'"transcript":""')
        yield front + b'"colour":["'
        for _ in range(30):
            yield (rb"\u0041\\x" * 20_000)
        yield b'"],"transcript":"'
        for _ in range(30):
            yield (rb"x\n\"y" * 30_000)
        yield b'"' + back

    tracemalloc.start()
    try:
        with pytest.raises(BundleCorrupt):
            read_whole(blocks())
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


# --- other programs' spellings -----------------------------------------------------------------

PROGRAMS = {
    "jq": ["jq", "."],
    "jq, sorted": ["jq", "-S", "."],
    "jq, compact": ["jq", "-c", "."],
    "jq, compact and sorted": ["jq", "-cS", "."],
    "jq, tabs": ["jq", "--tab", "."],
    "jq, ASCII": ["jq", "-a", "."],
    "json.tool": [sys.executable, "-m", "json.tool"],
    "json.tool, sorted": [sys.executable, "-m", "json.tool", "--sort-keys"],
    "json.tool, compact": [sys.executable, "-m", "json.tool", "--compact"],
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_bundle_that_went_through_another_program_is_valid(program: str) -> None:
    command = PROGRAMS[program]
    require_listed(command[0])
    for mtime_ns in (1763822400123456789, 1763822400000000000, 0, -1, 2**53 + 1):
        data, made = packed(TEXT * 300, SIDECAR, mtime_ns=mtime_ns, supersedes=("a" * 64,))
        rewritten = subprocess.run(command, input=data, capture_output=True, check=True).stdout
        assert rewritten != data
        events = joined(list(unpack(cut(rewritten, 1000))))
        assert TranscriptData(TEXT * 300) in events
        assert events[-1] == Unpacked(made.head._replace(start=0), made.sidecar)


def test_invalid_bytes_survive_a_program_that_keeps_escapes_and_are_refused_after_one_that_does_not(
) -> None:  # fmt: skip
    require_listed("jq")
    data, made = packed(TRANSCRIPTS["invalid UTF-8"])
    for program, survives in (("json.tool", True), ("jq", False)):
        rewritten = subprocess.run(
            PROGRAMS[program], input=data, capture_output=True, check=True
        ).stdout
        if survives:
            assert read_whole([rewritten]).head.version == made.head.version
        else:
            with pytest.raises(BundleCorrupt):
                read_whole([rewritten])
