"""Where the files of a bundle's sidecar lie, found without unpacking it."""

from __future__ import annotations

import itertools

import pytest

from claude_sync.bundle.codec import decode
from claude_sync.bundle.sidecar_parts import BEFORE_FIRST, sidecar_parts
from machines import SESSION, World, opened, said

FILES = {
    "subagents/agent-1.jsonl": b'{"text":"quotes \\"},{\\"path\\":\\" and more"}\n' * 300,
    "subagents/agent-2.jsonl": b"",
    "tool-results/a.txt": b'","size":7,"sha256":"\x00\xff\\',
    "tool-results/b \u00fc.txt": b'",' + "ü\n".encode() * 9,
}


@pytest.fixture
def behind(world: World) -> bytes:
    """A bundle's bytes from its first sidecar file on."""
    laptop = world.machine("laptop")
    laptop.write(SESSION, said("hello"))
    for path, data in FILES.items():
        laptop.write_sidecar(SESSION, path, data)
    laptop.push()
    head = opened(laptop.bundle()).head
    return laptop.bundle().read_bytes()[head.start + head.encoded_size + BEFORE_FIRST :]


@pytest.mark.parametrize("block", [1, 7, 100, 1 << 20])
def test_every_file_is_found_however_the_bytes_are_cut(behind: bytes, block: int) -> None:
    blocks = (behind[at : at + block] for at in range(0, len(behind), block))
    parts = list(sidecar_parts(blocks, 10))
    assert [part.path for part in parts] == sorted(FILES)
    for part in parts:
        encoded = behind[part.start : part.start + part.encoded_size]
        assert b"".join(decode([encoded])) == FILES[part.path]
        assert part.size == len(FILES[part.path])
        assert part.beginning == encoded[:10]


def test_what_ends_early_or_makes_no_sense_ends_the_search(behind: bytes) -> None:
    for end in range(0, len(behind), 97):
        found = list(sidecar_parts(iter([behind[:end]]), 0))
        assert [part.path for part in found] == sorted(FILES)[: len(found)]
    for odd in (b"", b"]", b'{"path":"\\ud80","data":"","size":1,"sha256":"0"}', b"x"):
        assert list(sidecar_parts(iter([odd]), 0)) == []


def test_little_is_held_of_a_file_that_is_passed_over() -> None:
    data = (b'{"path":"a","data":"' + b"x" * 1_000 for _ in range(1))
    rest = itertools.repeat(b"x" * 1_000, 2_000)
    end = [b'","size":1,"sha256":"0"}']
    [part] = sidecar_parts(itertools.chain(data, rest, end), 5)
    assert (part.encoded_size, part.beginning) == (2_001_000, b"xxxxx")
