"""What nobody asked for in a bundle is skipped as JSON, in bounded work and memory."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bundles import crafted, cut, packed, sidecar_entry
from claude_sync.bundle.json_reader import LEAST_SKIPPED_BYTES, MAX_SKIPPED_BYTES, JsonReader
from claude_sync.bundle.json_skipper import JsonSkipper
from claude_sync.bundle.unpack import read_whole
from claude_sync.errors import BundleCorrupt, BundleError, BundleIncomplete

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(), max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=20,
)  # fmt: skip
PIECES = [b'"a"', b'"\\u00e9"', b'"\xc3\xa9"', b"\xff", b"null", b"true", b'"a":1', b"\\u12"]
PIECES += [bytes((byte,)) for byte in b'[]{},:"\\ 1-e.\0']


def skipped(text: bytes, size: int) -> None:
    """Skip a member's value that comes in blocks of one size, and read what follows it."""
    reader = JsonReader(cut(b'{"a":' + text + b',"b":7}', size))
    names = reader.members()
    assert next(names) == "a"
    reader.skip()
    assert next(names, None) == "b"
    assert reader.scalar() == 7


@given(value=ANYTHING, plain=st.booleans(), spaced=st.booleans(), size=st.integers(1, 40))
def test_any_value_is_skipped_to_its_end_however_it_is_cut(
    value: object, plain: bool, spaced: bool, size: int
) -> None:
    try:
        text = json.dumps(value, ensure_ascii=plain, indent=1 if spaced else None).encode()
    except UnicodeEncodeError:
        text = json.dumps(value).encode()
    skipped(text, size)


@example(pieces=[b'"a"', b"}"], size=1)
@example(pieces=[b"1", b",", b'"a":1'], size=1)
@given(pieces=st.lists(st.sampled_from(PIECES), min_size=1, max_size=9), size=st.integers(1, 12))
def test_what_is_skipped_is_json_or_refused(pieces: list[bytes], size: int) -> None:
    text = b"".join(pieces)
    try:
        json.loads(text.decode())
    except ValueError:
        # It may end the object, or go on with another member than the one that was to follow.
        with pytest.raises((BundleError, AssertionError)):
            skipped(text, size)
    else:
        skipped(text, size)


def member(size: int) -> bytes:
    """A good bundle with an unknown member of so many bytes, its name included."""
    around = len(b'"news":""')
    return packed(b"x")[0][:-1] + b',"news":"' + b"x" * (size - around) + b'"}'


def test_a_mebibyte_that_is_not_known_is_ignored_and_more_is_corrupt() -> None:
    assert read_whole([member(MAX_SKIPPED_BYTES)]).head.size == 1
    with pytest.raises(BundleCorrupt, match="isn't known"):
        read_whole([member(MAX_SKIPPED_BYTES + 1)])


def test_it_counts_wherever_it_stands_and_the_smallest_counts_as_well() -> None:
    entries = [sidecar_entry(f"tool-results/{number}") for number in range(40)]
    few = MAX_SKIPPED_BYTES // LEAST_SKIPPED_BYTES // len(entries)
    for count, good in ((few, True), (few + 1, False)):
        many = [{**entry, **{f"{n:x}": 0 for n in range(count)}} for entry in entries]
        data = crafted(packed(b"x", {"tool-results/x": b""})[0], sidecar=many)
        with pytest.raises(BundleCorrupt, match="is not what it says" if good else "isn't known"):
            read_whole([data])


def test_blocks_of_one_byte_do_not_make_a_long_string_be_looked_at_often(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[int] = []
    skip = JsonSkipper.skip

    def counted(skipper: JsonSkipper, buffer: bytes, start: int) -> int:
        seen.append(len(buffer) - start)
        return skip(skipper, buffer, start)

    monkeypatch.setattr(JsonSkipper, "skip", counted)
    data = member(MAX_SKIPPED_BYTES // 2)
    read_whole(cut(data, 1))
    assert sum(seen) < 4 * len(data)


def test_what_never_ends_is_given_up_after_a_mebibyte() -> None:
    for unit in (b"x", b"[", b"1,", b"\\n", b" ", b'{"":'):
        taken = 0

        def blocks(unit: bytes = unit) -> Iterator[bytes]:
            nonlocal taken
            yield b'{"news":[' + (b'"' if unit in (b"x", b"\\n") else b"")
            while True:
                taken += 4096
                yield unit * (4096 // len(unit))

        with pytest.raises(BundleCorrupt):
            read_whole(blocks())
        assert taken <= 4 * MAX_SKIPPED_BYTES, unit


@pytest.mark.parametrize("text", [b'"abc', b'"a\\', b'"a\\u00', b"[1", b"12", b'{"a"', b"tru", b""])
def test_a_value_that_ends_early_is_incomplete(text: bytes) -> None:
    with pytest.raises(BundleIncomplete):
        read_whole([b'{"news":' + text])
