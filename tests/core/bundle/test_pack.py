from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bundles import TRANSCRIPTS, cut, label, packed
from claude_sync.bundle import members
from claude_sync.bundle.codec import encode, settled_size
from claude_sync.bundle.members import MEMBERS, SIDECAR_MEMBERS, compact
from claude_sync.bundle.pack import FRAME, TRANSCRIPT, Packer, Piece, sidecar_section
from claude_sync.bundle.unpack import SidecarData, TranscriptData, unpack
from claude_sync.disk.snapshot import Snapshot
from claude_sync.errors import BundleCorrupt, BundleUnsafe, SessionChanging
from claude_sync.model import Version

LINE = b'{"type":"user","text":"\\n \x1b"}\n'


@pytest.mark.parametrize("name", TRANSCRIPTS)
def test_a_bundle_holds_the_transcript_and_the_sidecar_as_they_were(name: str) -> None:
    transcript, sidecar = TRANSCRIPTS[name], TRANSCRIPTS["invalid UTF-8"]
    data, _ = packed(transcript, {"a/b.txt": sidecar, "c": b""})
    events = list(unpack([data]))
    assert b"".join(e.data for e in events if isinstance(e, TranscriptData)) == transcript
    assert b"".join(e.data for e in events if isinstance(e, SidecarData)) == sidecar


def test_a_bundle_is_compact_json_in_the_order_of_the_format() -> None:
    data, _ = packed(LINE, {"b": b"1", "a": b"2"}, title="Mend the røof", open=True)
    values = json.loads(data)
    assert tuple(values) == MEMBERS
    assert [tuple(file) for file in values["sidecar"]] == [SIDECAR_MEMBERS] * 2
    assert [file["path"] for file in values["sidecar"]] == ["a", "b"]
    assert data == compact(values)


def test_the_same_input_makes_the_same_bytes_however_it_is_cut() -> None:
    whole, _ = packed(LINE * 400)
    for size in (1, 7, 5000):
        packer = Packer(label(), cut(LINE * 400, size))
        assert b"".join(piece.data for piece in packer.pieces()) == whole


def test_the_packer_says_where_everything_lies() -> None:
    files = {"a": b"x" * 9000, "b/c": b"", "d": b"\n"}
    data, made = packed(LINE, files)
    assert made.size == len(data)
    assert [(file.path, file.size) for file in made.sidecar] == [("a", 9000), ("b/c", 0), ("d", 1)]
    assert made.layout.keys() == {TRANSCRIPT, *map(sidecar_section, files)}
    for section, content in [(TRANSCRIPT, LINE), *((sidecar_section(p), files[p]) for p in files)]:
        start, size = made.layout[section]
        assert data[start : start + size] == b"".join(encode([content]))
        assert data[start - 1 : start] == data[start + size : start + size + 1] == b'"'
    assert made.layout[TRANSCRIPT] == (made.head.start, made.head.encoded_size)


def test_what_was_made_is_told_only_at_the_end() -> None:
    packer = Packer(label(), [LINE])
    for _ in packer.pieces():
        pass
    assert packer.packed.head.size == len(LINE)
    with pytest.raises(RuntimeError):
        _ = Packer(label(), [LINE]).packed


# --- pieces ------------------------------------------------------------------------------------


def pieces_of(packer: Packer) -> list[Piece]:
    return list(packer.pieces())


def test_each_piece_knows_where_in_its_section_it_stands() -> None:
    transcript, file = LINE * 150_000, LINE * 80_000
    packer = Packer(label(), cut(transcript, 1 << 20), [("a", lambda: cut(file, 1 << 20))])
    pieces = pieces_of(packer)
    data = b"".join(piece.data for piece in pieces)
    position = 0
    for piece in pieces:
        span = packer.packed.layout.get(piece.section)
        assert position == piece.offset + (span.start if span else 0)
        assert 0 < len(piece.data) <= 1 << 20
        position += len(piece.data)
    assert {piece.section for piece in pieces} == {FRAME, TRANSCRIPT, sidecar_section("a")}
    assert position == packer.packed.size == len(data)


def test_bytes_that_become_six_each_make_no_big_pieces() -> None:
    pieces = pieces_of(Packer(label(), [b"\x01" * (1 << 20)]))
    assert max(len(piece.data) for piece in pieces) <= 1 << 20


def test_thousands_of_tiny_files_make_few_pieces() -> None:
    sources = [(f"d/{number}", lambda: [b"tiny"]) for number in range(2_000)]
    pieces = pieces_of(Packer(label(), [LINE], sources))
    assert len(pieces) < 10
    assert {piece.section for piece in pieces} == {FRAME}


def test_what_a_grown_transcript_shares_with_the_older_bundle_stands_at_the_same_offset() -> None:
    old, file = LINE * 9000 + "é".encode()[:1], b"y" * 70_000
    older, before = packed(old, {"a": file})
    packer = Packer(
        label(revision=4),
        [old + b"\xa9" + LINE * 500],
        [("a", lambda: [file]), ("b", lambda: [b""])],
    )
    same = 0
    kept = {
        TRANSCRIPT: settled_size(before.head.encoded_size),
        sidecar_section("a"): before.layout[sidecar_section("a")].size,
    }
    for data, section, offset in packer.pieces():
        known = max(0, min(len(data), kept.get(section, 0) - offset))
        if known:
            start = before.layout[section].start + offset
            assert older[start : start + known] == data[:known]
            same += known
    assert same == sum(kept.values())


# --- what is refused, and what passes through --------------------------------------------------


@pytest.mark.parametrize(
    ("member", "value"),
    [("session_id", "../x"), ("machine", "con"), ("subpath", "/etc"), ("project_key", "x")],
)
def test_a_name_that_a_reader_would_refuse_is_never_written(member: str, value: str) -> None:
    with pytest.raises(BundleUnsafe):
        packed(LINE, None, **{member: value})


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("revision", -1),
        ("revision", True),
        ("machine_id", "x"),
        ("supersedes", ("a" * 64,) * 65),
        ("mtime_ns", 1 << 63),
        ("pushed_at", "now"),
    ],
)
def test_a_member_that_a_reader_would_refuse_is_never_written(member: str, value: object) -> None:
    with pytest.raises(BundleCorrupt):
        packed(LINE, None, **{member: value})


def test_sidecar_paths_that_a_reader_would_refuse_are_never_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for paths in (["../a"], ["a", "A"], ["a", "a/b"]):
        with pytest.raises(BundleUnsafe):
            packed(LINE, dict.fromkeys(paths, b""))
    monkeypatch.setattr(members, "MAX_SIDECAR_FILES", 20)
    packed(LINE, {str(number): b"" for number in range(20)})
    with pytest.raises(BundleCorrupt):
        packed(LINE, {str(number): b"" for number in range(21)})


def test_a_title_is_clipped_and_made_valid() -> None:
    _, made = packed(LINE, title="\ud800é" + "😀" * 400)
    assert made.head.title == "?é" + "😀" * 298


def test_a_snapshot_is_hashed_once_and_may_object_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "0f.jsonl"
    path.write_bytes(LINE)
    with Snapshot(path) as snapshot:
        packer = Packer(label(), snapshot.blocks(), settle=snapshot.settle)
        assert pieces_of(packer)
        assert packer.packed.head.version == snapshot.settle()

    def changing() -> Version:
        raise SessionChanging("the file is being rewritten while it is read")

    packer = Packer(label(), [LINE], settle=changing)
    with pytest.raises(SessionChanging):
        pieces_of(packer)


def test_what_goes_wrong_with_a_source_passes_through() -> None:
    def vanishing() -> Iterator[bytes]:
        yield LINE
        raise FileNotFoundError

    with pytest.raises(FileNotFoundError):
        pieces_of(Packer(label(), vanishing()))
    with pytest.raises(FileNotFoundError):
        pieces_of(Packer(label(), [LINE], [("a", vanishing)]))
