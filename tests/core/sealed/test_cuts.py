"""Where a bundle is cut."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from claude_sync.bundle import members
from claude_sync.sealed import cuts
from claude_sync.sealed.cuts import CUT_BYTES, Cutter

FRONT = b'{"schema":1,"session_id":"x"' + cuts.AFTER_FRONT
BACK = b'],"sidecar_sha256":"","check":""}'
KIB, MIB = 1 << 10, 1 << 20


def cut(data: bytes, step: int = 300_000) -> list[bytes]:
    """The cuts of some bytes that come in blocks of a size."""
    cutter, found = Cutter(), list[bytes]()
    for at in range(0, len(data), step):
        found += cutter.feed(data[at : at + step])
    return [*found, *cutter.end()]


def file(size: int) -> bytes:
    return b'{"path":"subagents/a","data":"' + b"s" * size + b'"}'


def bundle(transcript: bytes, files: Iterable[bytes] = ()) -> bytes:
    return FRONT + transcript + cuts.AFTER_TRANSCRIPT + b",".join(files) + BACK


def test_the_marks_are_those_of_the_format() -> None:
    assert members.AFTER_FRONT == cuts.AFTER_FRONT
    assert members.AFTER_TRANSCRIPT == cuts.AFTER_TRANSCRIPT
    assert members.BEFORE_BACK == cuts.BEFORE_BACK


@pytest.mark.parametrize("step", [1, 7, 4096, 300_000, 5 * MIB])
def test_cuts_are_the_same_whatever_blocks_come(step: int) -> None:
    small = bundle(b"t" * 3000, [file(100), file(90 * KIB), file(10)])
    assert cut(small, step) == cut(small)
    assert b"".join(cut(small, step)) == small


def test_a_transcript_is_cut_at_fixed_places_from_its_beginning() -> None:
    transcript = bytes(range(97, 123)) * (100 * KIB)
    found = cut(bundle(transcript))
    assert found[0] == FRONT
    assert found[1] == transcript[:MIB]
    assert found[2] == transcript[MIB : 2 * MIB]
    assert found[3] == transcript[2 * MIB :]
    assert found[4] == cuts.AFTER_TRANSCRIPT + BACK
    assert len(found) == 5


@pytest.mark.parametrize("more", [0, 1, 12, 13, 14])
def test_the_end_of_a_transcript_is_found_at_the_edge_of_a_cut(more: int) -> None:
    for size in (MIB - more, MIB + more):
        data = bundle(b"t" * size)
        for step in (MIB, 65_536, 999_983):
            found = cut(data, step)
            assert b"".join(found) == data
            assert found[-1] == cuts.AFTER_TRANSCRIPT + BACK


def test_of_a_transcript_that_grew_only_its_last_cut_is_another() -> None:
    old, new = b"t" * (3 * MIB + 5), b"t" * (3 * MIB + 5) + b"more"
    before, after = cut(bundle(old, [file(80 * KIB)])), cut(bundle(new, [file(80 * KIB)]))
    assert [x == y for x, y in zip(before, after, strict=True)] == [
        True, True, True, True, False, True, True,
    ]  # fmt: skip


def test_big_sidecar_files_have_cuts_of_their_own_and_small_ones_share_one() -> None:
    big, small = file(200 * KIB), file(100)
    found = cut(bundle(b"t", [big, small, small, big, big]))
    assert found[2] == cuts.AFTER_TRANSCRIPT + big + b","
    assert found[3].startswith(small + b"," + small)
    assert len(found) == 6


def test_a_sidecar_file_that_changes_changes_its_own_cut() -> None:
    files = [file(70 * KIB) for _ in range(4)]
    before = cut(bundle(b"t", files))
    after = cut(bundle(b"t", [*files[:1], file(71 * KIB), *files[2:]]))
    assert sum(x != y for x, y in zip(before, after, strict=True)) == 1


def test_no_cut_is_longer_than_its_bound_whatever_comes() -> None:
    for data in (
        bundle(b"t" * 5 * MIB, [file(3 * MIB), file(1)]),
        b"x" * (3 * MIB + 1),
        FRONT + b"y" * 3 * MIB,
        cuts.AFTER_TRANSCRIPT * 300_000,
        FRONT + cuts.AFTER_TRANSCRIPT + cuts.BEFORE_FILE * 400_000,
        b"",
    ):
        found = cut(data)
        assert b"".join(found) == data
        assert all(0 < len(one) <= CUT_BYTES for one in found)


def test_marks_within_strings_cut_nothing() -> None:
    quoted = cuts.AFTER_TRANSCRIPT.replace(b'"', b'\\"') + cuts.BEFORE_BACK.replace(b'"', b'\\"')
    found = cut(bundle(quoted * 1000, [file(10)]))
    assert found[1] == quoted * 1000
