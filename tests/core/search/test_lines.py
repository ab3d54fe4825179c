"""A transcript's lines from either end, out of a file and out of a bundle."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claude_sync.bundle.codec import encode
from claude_sync.claude.turns import MAX_LINE_BYTES
from claude_sync.errors import BundleCorrupt, SessionVanished
from claude_sync.search import lines as room
from claude_sync.search.lines import EncodedLines, FileLines, Line, Lines
from randomness import examples

LONG = b"x" * (MAX_LINE_BYTES + 1)


def expected(data: bytes) -> list[Line]:
    found, at = [], 0
    for line in data.splitlines(keepends=True) if b"\r" not in data else data.split(b"\n"):
        if b"\r" in data:
            line += b"\n" if at + len(line) < len(data) else b""
        if line:
            kept = line.removesuffix(b"\n")
            found.append(Line(at, at + len(line), kept if len(kept) <= MAX_LINE_BYTES else None))
        at += len(line)
    return found


def encoded_lines(data: bytes, size: int | None = None) -> EncodedLines:
    encoded = b"".join(encode([data]))

    def read(offset: int, length: int) -> Iterator[bytes]:
        for at in range(offset, offset + length, 1 << 18):
            yield encoded[at : min(at + (1 << 18), offset + length)]

    return EncodedLines(read, len(data) if size is None else size, len(encoded))


@pytest.fixture(params=["file", "bundle"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[bytes], Lines]]:
    files: list[FileLines] = []

    def make(data: bytes) -> Lines:
        if request.param == "bundle":
            return encoded_lines(data)
        path = tmp_path / f"{len(files)}.jsonl"
        path.write_bytes(data)
        files.append(FileLines(path))
        return files[-1]

    yield make
    for file in files:
        file.close()


TRANSCRIPTS = {
    "nothing": b"",
    "one line": b"one\n",
    "unfinished": b"one\ntwo",
    "blank lines": b"\n\none\n\n",
    "escapes": b'{"a":"\\\\n\\"\\n"}\n\\\\\\\n\\\n\xff\xc3\n\xe2\x82\xac\x00\x1f\n',
    "many blocks": b"".join(
        b'{"n":%d,"t":"\\n%s"}\n' % (n, b"\\" * (n % 70)) for n in range(20_000)
    ),
    "a long line first": LONG + b"\nlast\n",
    "a long line last": b"first\n" + LONG,
    "a long line between": b"first\n" + LONG + b"\nlast\n",
    "backslashes": b"first\n" + b"\\" * 700_001 + b"\nlast\n",
    "backslashes first": b"\\" * 700_001 + b"\nlast\n",
}


@pytest.mark.parametrize("name", TRANSCRIPTS)
def test_every_line_is_found_from_both_ends(name: str, opened: Callable[[bytes], Lines]) -> None:
    data = TRANSCRIPTS[name]
    lines, wanted = opened(data), expected(data)
    assert lines.size == len(data)
    assert list(lines.forward(0)) == wanted
    assert list(lines.back(len(data))) == wanted[::-1]
    # And from where one of them begins, whether it was met before or not.
    for index in {0, len(wanted) // 2, len(wanted) - 1} if wanted else ():
        middle = wanted[index].offset
        assert list(lines.forward(middle)) == wanted[index:]
        assert list(lines.back(middle)) == wanted[:index][::-1]


@given(
    st.lists(
        st.binary(max_size=30)
        | st.integers(1, 40).map(lambda count: b"\\" * count)
        | st.just(b"\n"),
        max_size=12,
    )
)
@settings(max_examples=examples(300))
def test_random_bytes_are_cut_into_the_same_lines(pieces: list[bytes]) -> None:
    data = b"\n".join(pieces)
    before = room._FIRST_BLOCK, room._BLOCK
    room._FIRST_BLOCK, room._BLOCK = 3, 7  # so that blocks end everywhere
    try:
        lines = encoded_lines(data)
        wanted = list(lines.forward(0))
        assert b"".join((line.data or b"") + b"\n" for line in wanted)[: len(data)] == data
        assert list(lines.back(len(data))) == wanted[::-1]
    finally:
        room._FIRST_BLOCK, room._BLOCK = before


def test_only_what_is_wanted_of_a_bundle_is_read() -> None:
    data = b"".join(b"line %d of many%s\n" % (number, b"." * 100) for number in range(60_000))
    encoded = b"".join(encode([data]))
    asked: list[int] = []

    def read(offset: int, length: int) -> Iterator[bytes]:
        asked.append(length)
        yield encoded[offset : offset + length]

    lines = EncodedLines(read, len(data), len(encoded))
    found = list(zip(range(50), lines.back(len(data)), strict=False))
    assert len(found) == 50
    assert sum(asked) <= 64 << 10
    # The page before that begins where this one ended, and not at the end of all.
    reached = list(lines.back(len(data)))[40_000].offset
    asked.clear()
    wanted = next(lines.back(reached))
    assert sum(asked) <= 3 << 20
    # Another reader is told where to begin.
    other = EncodedLines(read, len(data), len(encoded))
    other.know(*lines.near(reached))
    asked.clear()
    assert next(other.back(reached)) == wanted
    assert sum(asked) <= 3 << 20
    for wrong in ((-1, 5), (5, -1), (10**12, 5), (5, 10**12), lines.near(reached)):
        other.know(*wrong)
        assert next(other.back(reached)) == wanted


@pytest.mark.parametrize("lie", [-5, 5])
def test_a_bundle_that_lies_about_its_length_is_refused(lie: int) -> None:
    data = b"one\ntwo\n"
    with pytest.raises(BundleCorrupt, match="not as long as it says"):
        list(encoded_lines(data, len(data) + lie).back(len(data) + lie))


def test_a_file_that_became_shorter_is_an_error_and_not_less_text(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"one\ntwo\n")
    lines = FileLines(path)
    path.write_bytes(b"one\n")
    with pytest.raises(SessionVanished, match="shorter than it was"):
        list(lines.back(lines.size))
    lines.close()
