"""Which of two transcripts extends the other, in every spelling, and what counts as said."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from claude_sync.claude.compare import Divergence, Extent, compare
from claude_sync.claude.transcript import is_said
from claude_sync.disk.snapshot import BLOCK_SIZE

SAID = b'{"uuid":"%d"}\n'
NOTED = b'{"type":"cost-state","n":%d}\n'


def parted(folder: Path, x: bytes, y: bytes) -> Divergence:
    (folder / "x").write_bytes(x)
    (folder / "y").write_bytes(y)
    return compare(Extent(folder / "x", len(x)), Extent(folder / "y", len(y)))


def test_a_longer_one_extends_a_shorter(tmp_path: Path) -> None:
    one, two = SAID % 1, SAID % 1 + SAID % 2
    found = parted(tmp_path, two, one)
    assert (found.common, found.extends, found.extended) == (len(one), True, False)
    assert (found.said, found.answered, found.x_lines, found.y_lines) == (True, False, 1, 0)
    assert parted(tmp_path, one, two).extended


def test_two_that_went_on_apart_extend_neither(tmp_path: Path) -> None:
    base = SAID % 1
    found = parted(tmp_path, base + SAID % 2 + SAID % 3, base + NOTED % 2)
    assert not found.extends
    assert not found.extended
    assert (found.said, found.answered, found.x_lines, found.y_lines) == (True, False, 2, 1)


def test_an_unfinished_last_line_does_not_count(tmp_path: Path) -> None:
    base = SAID % 1
    found = parted(tmp_path, base + SAID % 2, base + b'{"uu')
    assert (found.extends, found.extended) == (True, False)
    assert parted(tmp_path, base, base + b'{"uu').extended


@pytest.mark.parametrize(("x", "y"), [(b"a", b"ab"), (b"ab", b"ac"), (b"", b"a"), (b"zz", b"a")])
def test_of_two_that_differ_in_unfinished_lines_only_one_and_the_same_extends(
    tmp_path: Path, x: bytes, y: bytes
) -> None:
    for base in (b"", SAID % 1):
        one, other = parted(tmp_path, base + x, base + y), parted(tmp_path, base + y, base + x)
        assert one.extends != one.extended
        assert (one.extends, one.extended) == (other.extended, other.extends)
        if len(x) != len(y):
            assert one.extends == (len(x) > len(y))


def test_lines_are_whole_though_a_difference_stands_in_their_middle(tmp_path: Path) -> None:
    found = parted(tmp_path, b'{"uuid":"10"}\n', b'{"uuid":"11"}\n')
    assert (found.common, found.said, found.answered) == (10, True, True)


@pytest.mark.parametrize("offset", [-1, 0, 1])
def test_differences_at_the_edge_of_a_block_are_found(tmp_path: Path, offset: int) -> None:
    base = b"a" * (BLOCK_SIZE + offset - 1) + b"\n"
    found = parted(tmp_path, base + SAID % 1, base + SAID % 2)
    assert found.common == len(base) + 9
    assert (found.x_lines, found.y_lines) == (1, 1)


@given(some.binary(max_size=40), some.binary(max_size=20), some.binary(max_size=20))
def test_what_is_common_is_what_both_begin_with(
    tmp_path_factory: pytest.TempPathFactory, base: bytes, x: bytes, y: bytes
) -> None:
    folder = tmp_path_factory.mktemp("divergence")
    if x == y:
        return
    found = parted(folder, base + x, base + y)
    common = found.common
    assert (base + x)[:common] == (base + y)[:common]
    assert (base + x)[common : common + 1] != (base + y)[common : common + 1]
    if (base + x).startswith(base + y):
        assert found.extends


def test_only_as_much_as_was_asked_for_is_read(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(SAID % 1 + b"more")
    (tmp_path / "y").write_bytes(SAID % 2)
    size = len(SAID % 1)
    found = compare(Extent(tmp_path / "x", size), Extent(tmp_path / "y", size))
    assert found.x_lines == 1


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b'{"type":"user","uuid":"1"}', True),
        (b'{"uuid":null}', True),
        (b'{"type":"cost-state"}', False),
        (b'{"type":"cost-state","uuid":"1"}', True),
        (b'{"type":"cost-state","message":{}}', True),
        (b'{"type":"custom-title","customTitle":"x"}', False),
        (b'{"type":"of a client to come"}', True),
        (b'{"type":["cost-state"]}', True),
        (b'{"message":{"uuid":"1"}}', True),
        (b"{}", True),
        (b'{"type":"user","uuid":"1","queueTranscriptOnly":true}', False),
        (b'{"type":"user","uuid":"1","queueTranscriptOnly":false}', True),
        (b'{"type":"assistant","uuid":"1","queueTranscriptOnly":true}', True),
        (b"", False),
        (b" \r", False),
        (b"\0\0\0", False),
        (b"\0\0\0{", True),
        (b"{", True),
        (b"\xff", True),
        (b"[]", True),
        (b"1", True),
        (b"[" * 100_000, True),
        (b'{"a":1}{"uuid":1}', True),
    ],
    ids=lambda case: str(case)[:40],
)
def test_whatever_is_not_known_to_be_bookkeeping_counts_as_said(line: bytes, said: bool) -> None:
    assert is_said(line) is said
