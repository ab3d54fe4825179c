"""Ranges of files over the real thing: read, or left where they stand in the older file."""

from __future__ import annotations

import hashlib
import random

import pytest

from claude_sync.transports.base import Block, Get, PreparedPut, Put, Range, Reuse, Transport
from conformance.storages import Storage, entry_of, put_of, read_one, write_all

MIB = 1 << 20


def test_big_ranges_are_cut_anywhere(store: Transport, storage: Storage) -> None:
    data = random.Random(5).randbytes(2 * MIB + 77)
    write_all(store, put_of("p/a", data))
    offsets = [0, 1, MIB, MIB + 5, len(data)]
    ranges = [Range(x, y - x) for x in offsets for y in offsets if x < y]
    wanted = b"".join(data[offset : offset + length] for offset, length in ranges)
    assert read_one(store, Get("p/a", ranges)) == wanted
    base = entry_of(store, "p/a")
    blocks = [Block(data[offset : offset + length], offset) for offset, length in ranges]
    (written,) = write_all(store, Put("p/a", lambda: iter(blocks), base))
    assert written.error is None
    assert storage.bytes_of("p/a") == wanted


def test_hints_never_change_what_is_written(store: Transport, storage: Storage) -> None:
    old = bytes(range(256)) * 4096
    write_all(store, put_of("p/a", old))
    base = entry_of(store, "p/a")
    blocks = [Block(old[:MIB], 0), Block(b"new"), Block(old[:1000], 0), Block(old[-9:], MIB - 9)]
    (written,) = write_all(store, Put("p/a", lambda: iter(blocks), base))
    new = old[:MIB] + b"new" + old[:1000] + old[-9:]
    assert storage.bytes_of("p/a") == new
    assert written.stamp is not None
    assert written.stamp.size == storage.size_of("p/a")


def test_hints_about_a_base_that_changed_are_checked(store: Transport, storage: Storage) -> None:
    old = b"a" * MIB
    write_all(store, put_of("p/a", old))
    base = entry_of(store, "p/a")
    storage.plant("p/a", b"b" * MIB)
    blocks = [Block(old, 0), Block(b"new")]
    write_all(store, Put("p/a", lambda: iter(blocks), base))
    assert storage.bytes_of("p/a") == old + b"new"


def test_hints_about_a_base_that_is_gone_are_checked(store: Transport, storage: Storage) -> None:
    old = b"a" * MIB
    write_all(store, put_of("p/a", old))
    base = entry_of(store, "p/a")
    store.remove(["p/a"])
    write_all(store, Put("p/a", lambda: iter([Block(old, 0), Block(b"new")]), base))
    assert storage.bytes_of("p/a") == old + b"new"


def test_wrong_hints_are_not_believed(store: Transport, storage: Storage) -> None:
    write_all(store, put_of("p/a", b"a" * MIB))
    base = entry_of(store, "p/a")
    blocks = [Block(b"c" * MIB, 0), Block(b"d" * 10, 2 * MIB), Block(b"e" * 10, MIB - 5)]
    write_all(store, Put("p/a", lambda: iter(blocks), base))
    assert storage.bytes_of("p/a") == b"c" * MIB + b"d" * 10 + b"e" * 10


@pytest.mark.parametrize("there", ["the base", "another file", "nothing"])
def test_what_was_prepared_is_what_the_blocks_make_whatever_lies_there(
    store: Transport, storage: Storage, there: str
) -> None:
    old = bytes(range(256)) * 4096
    write_all(store, put_of("p/a", old))
    base = entry_of(store, "p/a")
    if there == "another file":
        storage.plant("p/a", old[::-1])
    elif there == "nothing":
        store.remove(["p/a"])
    blocks = [Block(b"front"), Block(old[100:], 100), Block(b"new")]
    new = b"".join(block.data for block in blocks)
    parts: list[Block | Reuse] = [blocks[0], Reuse(100, len(old) - 100), blocks[2]]
    prepared = PreparedPut(parts, len(new), hashlib.sha256(new).hexdigest())
    (written,) = write_all(store, Put("p/a", lambda: iter(blocks), base, prepared))
    assert storage.bytes_of("p/a") == new
    assert written.stamp is not None
    assert written.stamp.size == storage.size_of("p/a")
