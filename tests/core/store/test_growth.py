"""A bundle that only grew, for a store that takes its unchanged beginning unseen."""

from __future__ import annotations

import os
import random
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from bundles import label
from claude_sync.bundle.codec import encode
from claude_sync.disk.snapshot import stamp_of
from claude_sync.errors import SessionChanging
from claude_sync.model import Bundle, LocalSession, Stamp, Version
from claude_sync.sealed.cuts import CUT_BYTES
from claude_sync.sealed.keys import Master
from claude_sync.store.packing import Outgoing, Packing
from claude_sync.store.upload import send
from claude_sync.transports.base import Block, Reuse
from claude_sync.transports.folder.transport import FolderTransport
from claude_sync.transports.sealed.transport import SealedTransport
from machines import SESSION, World, said
from randomness import examples
from sealed_files import opened_whole

SMALL_CUT_BYTES = 4096

ALL_KINDS = 'plain "quoted" \\ \x1b中文é'.encode() + b"\xff\n"
TRANSCRIPTS = {
    "lines": ALL_KINDS * (3_000_000 // len(ALL_KINDS)),
    "one line": b"\xff" * 800_000 + b"x" * 1_500_000,
    "that ends within a character": ALL_KINDS * 60_000 + "中".encode()[:2],
}


def outgoing(path: Path) -> Outgoing:
    """The session that lies in a file, to be written."""
    local = LocalSession(SESSION, path, path.parent.name, stamp_of(path.stat()))
    return Outgoing(f"p/{SESSION}.ccsync", local, label(), expected=None)


def packed(one: Outgoing) -> tuple[bytes, Outgoing]:
    """Its bundle, and the same session to be written once more, with that as its base."""
    packing = Packing(one, lambda: None)
    data = b"".join(block.data for block in packing.blocks())
    assert packing.packed is not None
    return data, one._replace(base=Bundle(one.name, Stamp(len(data), 1, 1), packing.packed.head))


def put_together(parts: Iterator[Block | Reuse], base: bytes) -> tuple[bytes, int]:
    """The file that parts make, and how many of its bytes weren't made."""
    made, kept = b"", 0
    for part in parts:
        if isinstance(part, Reuse):
            made += base[part.base_offset :][: part.length]
            kept += part.length
        else:
            made += part.data
    return made, kept


@pytest.mark.parametrize("kind", TRANSCRIPTS)
def test_it_is_the_bundle_that_would_be_made_of_all_its_bytes(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "transcript"
    path.write_bytes(TRANSCRIPTS[kind])
    base, again = packed(outgoing(path))
    for more in (b"", "中".encode()[2:], said("more") + b"\n", TRANSCRIPTS["lines"]):
        with path.open("ab") as file:
            file.write(more)
        whole, after = packed(again)
        packing = Packing(again, lambda: None)
        made, kept = put_together(packing.growth(), base)
        assert (made, packing.packed and packing.packed.head) == (
            whole,
            after.base and after.base.head,
        )
        assert kept >= CUT_BYTES
        assert kept % CUT_BYTES == 0
        assert len(base) - kept < CUT_BYTES + 2_000


def test_of_one_that_does_not_begin_like_that_everything_is_made(tmp_path: Path) -> None:
    path = tmp_path / "transcript"
    path.write_bytes(TRANSCRIPTS["lines"])
    base, again = packed(outgoing(path))
    with path.open("r+b") as file:
        file.write(b"P")
    assert put_together(Packing(again, lambda: None).growth(), base) == (packed(again)[0], 0)
    path.write_bytes(TRANSCRIPTS["lines"][:-1])
    assert put_together(Packing(again, lambda: None).growth(), base) == (packed(again)[0], 0)


def test_what_is_rewritten_after_it_was_proved_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "transcript"
    path.write_bytes(TRANSCRIPTS["lines"])
    _, again = packed(outgoing(path))
    parts = Packing(again, lambda: None).growth()
    assert [type(next(parts)), type(next(parts))] == [Block, Reuse]
    status = path.stat()
    with path.open("r+b") as file:
        file.seek(-len(ALL_KINDS), os.SEEK_END)
        file.write(b"P")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    with pytest.raises(SessionChanging):
        list(parts)


def test_what_is_not_what_was_decided_about_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "transcript"
    path.write_bytes(TRANSCRIPTS["lines"])
    _, again = packed(outgoing(path))
    with path.open("ab") as file:
        file.write(b"more")
    other = Version(path.stat().st_size - 1, "0" * 64)
    with pytest.raises(SessionChanging):
        list(Packing(again._replace(expected=other), lambda: None).growth())


@pytest.fixture
def small_cuts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small transcript has many cuts."""
    for module in ("sealed.cuts", "sealed.file", "store.packing"):
        monkeypatch.setattr(f"claude_sync.{module}.CUT_BYTES", SMALL_CUT_BYTES)
    monkeypatch.setattr("claude_sync.transports.sealed.writing.LEAST_REUSE_BYTES", 64)


def something(chance: random.Random) -> bytes:
    """What a transcript may hold next: whole characters, parts of them, marks of a bundle."""
    odd = [*map(str.encode, '中é😀\\"\n\0\x1b'), b"\xff", b"\xed\xa0\x80", b'","sidecar":[']
    parts = [part[: chance.randint(1, len(part))] for part in chance.choices(odd, k=30)]
    return chance.choice(
        [
            said("x" * chance.randrange(SMALL_CUT_BYTES)),
            chance.randbytes(chance.randrange(SMALL_CUT_BYTES)),
            chance.choice(odd)[1:] or b"\n",
            chance.choice(parts) * chance.randrange(1, SMALL_CUT_BYTES),
            b"".join(parts),
        ]
    )


@pytest.mark.parametrize("seed", range(examples(40)))
def test_whatever_becomes_of_a_transcript_the_sealed_file_holds_what_packing_all_of_it_makes(
    tmp_path: Path, small_cuts: None, seed: int
) -> None:
    chance, master, path = random.Random(seed), Master.new(), tmp_path / "transcript"
    transport = SealedTransport(FolderTransport(str(tmp_path / "store")), master)
    transport.create()
    path.write_bytes(said("begin"))
    base: Bundle | None = None
    for _ in range(40):
        data = path.read_bytes()
        if chance.random() < 0.2:
            at = chance.randrange(len(data))
            data = data[:at] + chance.choice([b"", b"P" + data[at + 1 :]])
        path.write_bytes(data + something(chance))
        one = outgoing(path)
        replaces = base.stamp if base is not None else None
        [sent] = send(transport, [one._replace(base=base, replaces=replaces)], lambda: None)
        assert sent.error is None
        assert sent.bundle is not None
        base = sent.bundle
        stored = (tmp_path / "store" / one.name).read_bytes()
        assert opened_whole(master, stored) == packed(one)[0]


def test_a_character_that_was_cut_off_where_a_cut_ends_is_made_again(
    tmp_path: Path, small_cuts: None
) -> None:
    path, character = tmp_path / "transcript", "😀".encode()
    for size in range(SMALL_CUT_BYTES - 20, SMALL_CUT_BYTES + 2):
        for part in (1, 2, 3):
            path.write_bytes(b"x" * size + character[:part])
            base, again = packed(outgoing(path))
            path.write_bytes(b"x" * size + character)
            made, _ = put_together(Packing(again, lambda: None).growth(), base)
            assert made == packed(again)[0]


def test_an_encrypted_folder_is_given_only_what_is_new(
    encrypted_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop, desktop = encrypted_world.machines("laptop", "desktop")
    laptop.write(SESSION, *[said("x" * 1000)] * 4000)
    laptop.push()
    encoded: list[int] = []

    def counted(blocks: Iterable[bytes]) -> Iterator[bytes]:
        for block in encode(blocks):
            encoded.append(len(block))
            yield block

    monkeypatch.setattr("claude_sync.bundle.pack.encode", counted)
    whole = laptop.write(SESSION, said("more"))
    laptop.push()
    assert 0 < sum(encoded) < 1.1 * CUT_BYTES
    assert encrypted_world.opened(laptop.bundle()).transcript == whole
    desktop.pull()
    assert desktop.read() == whole
