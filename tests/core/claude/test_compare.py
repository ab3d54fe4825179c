"""How two transcripts diverge, and what each holds after that."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import pytest

from claude_sync.claude.compare import LONGEST_LINE, Divergence, Extent, compare, line_start
from machines import bookkeeping, said


def written(folder: Path, name: str, *lines: bytes) -> Extent:
    data = b"".join(lines)
    path = folder / name
    path.write_bytes(data)
    return Extent(path, len(data))


ONE, TWO, THREE = said("one"), said("two"), said("three")
NOTE = bookkeeping()


@pytest.mark.parametrize(
    ("x", "y", "divergence"),
    [
        ([ONE], [ONE, TWO], (False, True, False, True, 0, 1)),
        ([ONE, TWO, THREE], [ONE], (True, False, True, False, 2, 0)),
        ([ONE, TWO], [ONE, THREE], (False, False, True, True, 1, 1)),
        ([ONE, NOTE], [ONE, THREE], (False, False, False, True, 1, 1)),
        ([ONE, NOTE], [ONE, b"\n"], (False, False, False, False, 1, 1)),
        ([ONE, b'{"torn'], [ONE], (True, False, True, False, 1, 0)),
        ([ONE, TWO[:-1]], [ONE, TWO], (False, True, True, True, 1, 1)),
        ([], [ONE], (False, True, False, True, 0, 1)),
    ],
)
def test_how_far_each_goes_on_and_whether_anything_was_said(
    tmp_path: Path,
    x: list[bytes],
    y: list[bytes],
    divergence: tuple[bool, bool, bool, bool, int, int],
) -> None:
    common = 0
    whole_x, whole_y = b"".join(x), b"".join(y)
    while whole_x[common : common + 1] == whole_y[common : common + 1] != b"":
        common += 1
    extents = written(tmp_path, "x", *x), written(tmp_path, "y", *y)
    assert compare(*extents) == Divergence(common, *divergence)


def test_a_line_begins_after_the_last_line_end(tmp_path: Path) -> None:
    extent = written(tmp_path, "x", b"one\n", b"two\n", b"three")
    starts = [line_start(extent, position) for position in (0, 3, 4, 7, 8, 13, 99)]
    assert starts == [0, 0, 4, 4, 8, 8, 8]


def long_line(size: int) -> bytes:
    """Bookkeeping of so many bytes, its line end not counted."""
    empty = json.dumps({"type": "cost-state", "text": ""}).encode()
    return empty[:-2] + b"x" * (size - len(empty)) + empty[-2:] + b"\n"


@pytest.mark.parametrize(
    ("size", "is_said"),
    [(LONGEST_LINE - 1, False), (LONGEST_LINE, False), (LONGEST_LINE + 1, True)],
)
def test_a_line_that_is_too_long_to_be_read_counts_as_said(
    tmp_path: Path, size: int, is_said: bool
) -> None:
    x = written(tmp_path, "x", ONE, long_line(size), NOTE)
    y = written(tmp_path, "y", ONE, THREE)
    found = compare(x, y)
    assert (found.said, found.x_lines, found.y_lines) == (is_said, 2, 1)


def test_memory_does_not_grow_with_a_line(tmp_path: Path) -> None:
    x = written(tmp_path, "x", ONE, b"x" * (40 << 20))
    y = written(tmp_path, "y", ONE, b"y" * (40 << 20))
    tracemalloc.start()
    try:
        found = compare(x, y)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (found.said, found.x_lines) == (True, 1)
    assert peak < 4 * LONGEST_LINE
