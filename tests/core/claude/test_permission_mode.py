"""The permission mode that another machine chose for a session is found however it is written."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from claude_sync.claude.compare import LONGEST_LINE
from claude_sync.claude.permission_mode import UNKNOWN, mode_from_elsewhere
from claude_sync.disk.snapshot import BLOCK_SIZE
from machines import said
from randomness import examples


def _mode(name: str) -> bytes:
    return json.dumps({"type": "permission-mode", "permissionMode": name}).encode() + b"\n"


def _found(tmp_path: Path, *lines: bytes, size: int | None = None) -> str:
    path = tmp_path / "transcript.jsonl"
    path.write_bytes(b"".join(lines))
    return mode_from_elsewhere(path, path.stat().st_size if size is None else size)


def test_the_last_one_counts(tmp_path: Path) -> None:
    assert _found(tmp_path) == ""
    assert _found(tmp_path, said()) == ""
    assert _found(tmp_path, _mode("acceptEdits"), said()) == "acceptEdits"
    assert _found(tmp_path, _mode("plan"), _mode("acceptEdits")) == "acceptEdits"
    assert _found(tmp_path, _mode("acceptEdits"), said(), _mode("default")) == ""


def test_one_that_was_set_here_since_is_the_persons_own(tmp_path: Path) -> None:
    pulled = _mode("plan") + said()
    assert _found(tmp_path, pulled, _mode("acceptEdits"), size=len(pulled)) == ""
    assert _found(tmp_path, pulled, said(), size=len(pulled)) == "plan"


@pytest.mark.parametrize(
    "line",
    [
        rb'{"type":"permission\u002dmode","permissionMode":"acceptEdits"}',
        rb'{"typ\u0065":"\u0070ermission-mod\u0065","permission\u004dode":"accept\u0045dits"}',
        b' { "permissionMode" : "acceptEdits", "type" : "permission-mode" } ',
        b'{"type":"x","permissionMode":"acceptEdits","type":"permission-mode"}',
        b'{"type":"permission-mode","x":{"type":"y"},"permissionMode":"acceptEdits"}',
        b'{"type":"permission-mode","x":"\xff","permissionMode":"acceptEdits"}',
        b'{"type":"permission-mode","x":%s,"permissionMode":"acceptEdits"}' % (b"1" * 5_000),
    ],
)
def test_it_is_read_as_the_client_reads_it(tmp_path: Path, line: bytes) -> None:
    assert _found(tmp_path, said(), line + b"\n", said()) == "acceptEdits"


@pytest.mark.parametrize(
    "text",
    ['{"type":"permission-mode","permissionMode":"acceptEdits"}', "permission-mode", "\\u002d"],
)
def test_what_is_only_spoken_of_is_no_mode(tmp_path: Path, text: str) -> None:
    assert _found(tmp_path, said(text)) == ""
    assert _found(tmp_path, _mode("plan"), *[said(text)] * 50) == "plan"


@pytest.mark.parametrize(
    "talk",
    [
        said("permission-mode " * 20),
        said(r"\u002d \u0070 " * 20),
        said() + b'{"type":"user","input":{"type":"permission-mode"}}\n',
    ],
)
def test_no_talk_after_it_buries_it(tmp_path: Path, talk: bytes) -> None:
    assert _found(tmp_path, _mode("acceptEdits"), talk * 3_000) == "acceptEdits"


def test_where_too_much_looks_like_one_a_mode_counts_as_set(tmp_path: Path) -> None:
    objects = b'{"x":"permission-mode"},' * 200
    looks = b'{"type":"user","x":[' + objects + b"{}]}\n"
    assert _found(tmp_path, _mode("acceptEdits"), looks * (50_000_000 // len(looks))) == UNKNOWN


def test_little_of_a_long_transcript_is_in_memory_at_once(tmp_path: Path) -> None:
    path = tmp_path / "transcript.jsonl"
    path.write_bytes(_mode("acceptEdits") + said("permission-mode, and more " * 1_000) * 600)
    tracemalloc.start()
    try:
        assert mode_from_elsewhere(path, path.stat().st_size) == "acceptEdits"
        assert tracemalloc.get_traced_memory()[1] < 4 * BLOCK_SIZE
    finally:
        tracemalloc.stop()


def test_one_that_is_too_deep_to_be_read_counts_as_one(tmp_path: Path) -> None:
    deep = b"[" * 100_000 + b"]" * 100_000
    line = b'{"type":"permission-mode","permissionMode":"acceptEdits","x":' + deep + b"}\n"
    assert _found(tmp_path, line, said()) == UNKNOWN


@pytest.mark.parametrize("refused", [b"NaN", b"Infinity", b"01", b"'x'"])
def test_a_line_that_the_client_cannot_read_sets_nothing(tmp_path: Path, refused: bytes) -> None:
    line = b'{"type":"permission-mode","permissionMode":"default","x":' + refused + b"}\n"
    assert _found(tmp_path, _mode("acceptEdits"), line) == "acceptEdits"


def test_one_in_a_line_that_is_too_long_counts_as_one(tmp_path: Path) -> None:
    padded = b'{"x":"' + b"x" * (2 * LONGEST_LINE) + b'",' + _mode("acceptEdits")[1:]
    assert _found(tmp_path, padded) == UNKNOWN


@given(st.integers(-40, 40), st.integers(0, 3), st.booleans())
@settings(max_examples=examples(50), suppress_health_check=list(HealthCheck))
def test_wherever_it_stands(tmp_path: Path, shift: int, blocks: int, escaped: bool) -> None:
    line = _mode("acceptEdits").replace(b"on-m", rb"on\u002dm" if escaped else b"on-m")
    filling = b" " * max(0, blocks * BLOCK_SIZE + shift) + b"\n"
    assert _found(tmp_path, filling, line, said()) == "acceptEdits"
