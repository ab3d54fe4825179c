from __future__ import annotations

import itertools
import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bundles import cut, packed
from claude_sync.bundle.codec import Decoder, decode, encode, encoded_size, settled_size
from claude_sync.bundle.head import read_head
from claude_sync.bundle.unpack import SidecarData, TranscriptData, Unpacked, read_whole, unpack
from claude_sync.errors import BundleCorrupt, BundleError, BundleIncomplete
from programs import require
from randomness import examples

# Bytes that are dense in what matters: escapes, parts of characters, controls, quotes.
_SCRAPS = [b"\\", b'"', b"u", b"n", b"d", b"8", b"0", b"\n", b"\0", b"\x1b", b"\x7f", b"a", b"/"]
_SCRAPS += [b"\xe4", b"\xb8", b"\xad", b"\xf0", b"\x9f", b"\x98", b"\x80", b"\xed", b"\xff"]
_SCRAPS += ["é".encode(), "中".encode(), "😀".encode(), b"\xed\xa0\x80", rb"\udcff", rb"\ud83d"]
dense = st.lists(st.sampled_from(_SCRAPS), max_size=20).map(b"".join)
transcripts = dense | st.binary() | st.text().map(str.encode)
sizes = st.integers(1, 40)
paths = st.text("abcdé", min_size=1, max_size=6)
texts = st.text(st.characters(exclude_categories=["Cs"]))

# One JSON string spelled in any valid way: plain characters, and every kind of escape.
_UNITS = st.one_of(
    st.characters(exclude_categories=["Cs"]).filter(lambda c: c >= " " and c not in '"\\'),
    st.sampled_from([r"\"", r"\\", r"\/", r"\b", r"\f", r"\n", r"\r", r"\t"]),
    st.integers(0, 0xD7FF).map(lambda unit: f"\\u{unit:04x}"),
    st.integers(0xDC80, 0xDCFF).map(lambda unit: f"\\u{unit:04X}"),
    st.characters(min_codepoint=0x10000).map(lambda c: json.dumps(c)[1:-1]),
)
spellings = st.lists(_UNITS, max_size=20).map("".join).map(str.encode)


def encoded(data: bytes) -> bytes:
    return b"".join(encode([data]))


@settings(max_examples=examples(400))
@given(transcripts, sizes, sizes)
def test_any_bytes_come_back_at_any_cut(data: bytes, size: int, other: int) -> None:
    inside = b"".join(encode(cut(data, size)))
    assert inside == encoded(data)
    assert encoded_size(cut(data, other)) == len(inside)
    assert b"".join(decode(cut(inside, other))) == data


@given(transcripts)
def test_any_bytes_become_the_json_that_python_reads_as_they_are(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    assert json.loads(b'"' + encoded(data) + b'"') == text


@settings(max_examples=examples(300))
@given(transcripts, transcripts)
def test_the_encoding_of_a_prefix_is_a_prefix_of_the_encoding(data: bytes, more: bytes) -> None:
    prefix, whole = encoded(data), encoded(data + more)
    assert whole.startswith(prefix[: settled_size(len(prefix))])
    if more[:1] < b"\x80" or more[:1] >= b"\xc0":  # no character goes on in what was added
        assert whole.startswith(prefix)


@settings(max_examples=examples(300))
@given(spellings, sizes)
def test_any_json_spelling_is_read_as_python_reads_it(inside: bytes, size: int) -> None:
    text = json.loads(b'"' + inside + b'"')
    data = text.encode("utf-8", "surrogateescape")
    assert b"".join(decode(cut(inside, size))) == data
    decoder = Decoder()
    for block in cut(inside + b'"', size):
        decoder.feed(block)
    assert decoder.canonical_size == len(encoded(data))
    assert decoder.canonical == (encoded(data) == inside)


@settings(max_examples=examples(400))
@given(dense | st.binary(), sizes)
def test_what_is_read_is_json_and_what_is_not_json_is_not_read(inside: bytes, size: int) -> None:
    try:
        expected = json.loads(b'"' + inside + b'"').encode("utf-8", "surrogateescape")
    except ValueError:
        with pytest.raises((BundleCorrupt, BundleIncomplete)):
            list(decode(cut(inside, size)))
    else:
        assert b"".join(decode(cut(inside, size))) == expected


@given(transcripts, st.dictionaries(paths, transcripts, max_size=4), sizes)
def test_any_bundle_comes_back_at_any_cut(
    transcript: bytes, sidecar: dict[str, bytes], size: int
) -> None:
    sidecar = {path.lower(): data for path, data in sidecar.items()}
    data, made = packed(transcript, sidecar)
    assert json.loads(data)["size"] == len(transcript)
    events = list(unpack(cut(data, size)))
    assert b"".join(e.data for e in events if isinstance(e, TranscriptData)) == transcript
    together = b"".join(sidecar[path] for path in sorted(sidecar))
    assert b"".join(e.data for e in events if isinstance(e, SidecarData)) == together
    assert events[-1] == Unpacked(made.head, made.sidecar)
    assert read_head(data, b"", len(data)) == made.head


@settings(max_examples=examples(300))
@given(st.data())
def test_no_damage_passes_and_no_damage_breaks_the_reader(data: st.DataObject) -> None:
    bundle, made = packed(data.draw(dense), {"a": data.draw(dense)})
    at = data.draw(st.integers(0, len(bundle)))
    gone = data.draw(st.integers(0, 30))
    damaged = bundle[:at] + data.draw(dense | st.binary(max_size=30)) + bundle[at + gone :]
    try:
        assert read_whole([damaged]).head.version == made.head.version
    except BundleError:
        pass
    try:
        read_head(damaged[:4096], b"", len(damaged))
    except BundleError:
        pass


@given(st.binary(max_size=200) | dense)
def test_arbitrary_bytes_are_never_a_bundle(data: bytes) -> None:
    for blocks in ([data], [b"{" + data], [b'{"' + data]):
        with pytest.raises(BundleError):
            read_whole(blocks)


# --- with jq, and no claude-sync at hand -------------------------------------------------------


@settings(max_examples=examples(40), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts)
def test_jq_prints_a_transcript_byte_for_byte(tmp_path: Path, text: str) -> None:
    require("jq")
    file = tmp_path / "one.ccsync"
    transcript = text.encode()
    file.write_bytes(packed(transcript)[0])
    done = subprocess.run(["jq", "-j", ".transcript", file], capture_output=True, check=True)
    if sys.platform == "win32":
        transcript = transcript.replace(b"\n", b"\r\n")
    assert done.stdout == transcript


@settings(max_examples=examples(25))
@given(texts, st.dictionaries(paths, texts.map(str.encode), max_size=2), st.integers(0, 2**62))
@example("", {}, 9_999_999_999_999_999)
@example("", {}, 10**18)
def test_what_jq_makes_of_a_bundle_is_the_same_bundle(
    text: str, sidecar: dict[str, bytes], mtime_ns: int
) -> None:
    require("jq")
    data, made = packed(text.encode(), sidecar, mtime_ns=mtime_ns, title=text)
    for options in ([], ["-S"], ["-c"]):
        done = subprocess.run(["jq", *options, "."], input=data, capture_output=True, check=True)
        found = read_whole(itertools.chain(cut(done.stdout, 100)))
        assert found == Unpacked(made.head._replace(start=0), made.sidecar)
