"""FORMAT.md suffices for a second implementation: one written from it alone and ours agree."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundles import TRANSCRIPTS, cut, label, packed
from claude_sync.bundle.codec import encode, settled_size
from claude_sync.bundle.head import HEAD_SIZE, TAIL_SIZE, read_head
from claude_sync.bundle.unpack import SidecarData, TranscriptData, Unpacked, unpack
from claude_sync.errors import BundleError
from independent_bundle import characters, read_bundle, string, write_bundle
from programs import require

_FILES = {
    "subagents/agent-1.jsonl": TRANSCRIPTS["invalid UTF-8"],
    "tool-results/é 中.txt": TRANSCRIPTS["control characters"],
    "custom-title.json": b'{"title":"\\u0000"}',
    "Z": b"",
}
_TITLE = 'Mend the "røof" \\ \x7f\x1f\U0001f600'

scraps = [b"\\", b'"', b"\n", b"\0", b"\x1b", b"\x7f", b"a", b"/", b"\xe4\xb8\xad", b"\xe4\xb8"]
scraps += [b"\xf0\x9f\x98\x80", b"\xf0\x9f", b"\xed\xa0\x80", b"\xed\xb2\x80", b"\xff", b"\xc0\x80"]
transcripts = st.binary(max_size=60) | st.lists(st.sampled_from(scraps)).map(b"".join)
paths = st.text("abé中/", min_size=1, max_size=5).filter(lambda path: "" not in path.split("/"))
sidecars = st.dictionaries(paths, transcripts, max_size=3).filter(
    lambda files: not any(f"{a}/" in f"{b}/" for a in files for b in files if a != b)
)


def _members(**changes: object) -> dict[str, object]:
    members = asdict(label(**changes))
    return members | {"supersedes": list(members["supersedes"])}


def _read_by_ours(data: bytes) -> tuple[Unpacked, bytes, dict[str, bytes]]:
    events = list(unpack(cut(data, 50)))
    transcript = b"".join(e.data for e in events if isinstance(e, TranscriptData))
    files, waiting = {}, b"".join(e.data for e in events if isinstance(e, SidecarData))
    whole = events[-1]
    assert isinstance(whole, Unpacked)
    for file in whole.sidecar:
        files[file.path], waiting = waiting[: file.size], waiting[file.size :]
    return whole, transcript, files


def test_the_second_implementation_knows_nothing_of_ours() -> None:
    source = Path(__file__).parents[2] / "independent_bundle.py"
    assert "claude_sync" not in source.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", TRANSCRIPTS)
def test_both_write_the_very_same_bytes(name: str) -> None:
    changes = {"title": _TITLE, "open": True, "supersedes": ("a" * 64, "0" * 64), "decision": 7}
    ours, _ = packed(TRANSCRIPTS[name], _FILES, **changes)
    assert write_bundle(_members(**changes), TRANSCRIPTS[name], _FILES) == ours


@given(transcripts, sidecars)
def test_each_reads_what_the_other_wrote(transcript: bytes, files: dict[str, bytes]) -> None:
    theirs = write_bundle(_members(title=_TITLE), transcript, files)
    whole, *found = _read_by_ours(theirs)
    assert found == [transcript, files]
    assert whole.head.title == _TITLE
    ours, made = packed(transcript, files, title=_TITLE)
    members, *found = read_bundle(ours)
    assert found == [transcript, files]
    told = made.head._asdict() | {"supersedes": [], "start": None}
    assert {name: members.get(name) for name in told} == told
    assert read_head(theirs[:HEAD_SIZE], theirs[-TAIL_SIZE:], len(theirs)) == whole.head


@given(transcripts, transcripts)
def test_the_encoding_of_a_prefix_is_a_prefix_for_both(data: bytes, more: bytes) -> None:
    short, long = string(characters(data))[1:-1], string(characters(data + more))[1:-1]
    assert long.startswith(short[: settled_size(len(short))])
    assert long == b"".join(encode(cut(data + more, 3)))


@given(transcripts, st.floats(0, 1, exclude_max=True), st.integers(0, 7))
def test_neither_believes_a_bundle_with_a_flipped_bit(
    transcript: bytes, part: float, bit: int
) -> None:
    data = bytearray(write_bundle(_members(), transcript, {"a": b"\xff\x1b"}))
    data[int(part * len(data))] ^= 1 << bit
    with pytest.raises((ValueError, LookupError, TypeError, AttributeError)):
        read_bundle(bytes(data))
    with pytest.raises(BundleError):
        list(unpack([bytes(data)]))


@given(transcripts, sidecars)
def test_both_read_other_spellings(transcript: bytes, files: dict[str, bytes]) -> None:
    members, *_ = read_bundle(packed(transcript, files, title=_TITLE)[0])
    turned = dict(reversed(members.items())) | {"of another version": [{}, None]}
    spelled = json.dumps(turned, indent=1).encode()
    assert list(read_bundle(spelled)[1:]) == [transcript, files]
    whole, *found = _read_by_ours(spelled)
    assert found == [transcript, files]
    assert whole.head.start == 0


def test_jq_prints_the_transcript_byte_for_byte(tmp_path: Path) -> None:
    require("jq")
    transcript = '{"text":"é 中 \U0001f600 \\u0000 \\"quoted\\""}\n'.encode() * 50
    file = tmp_path / "FILE.ccsync"
    file.write_bytes(write_bundle(_members(), transcript, {}))
    done = subprocess.run(["jq", "-j", ".transcript", file], capture_output=True, check=True)
    ends = b"\r\n" if sys.platform == "win32" else b"\n"
    assert done.stdout == transcript.replace(b"\n", ends)
