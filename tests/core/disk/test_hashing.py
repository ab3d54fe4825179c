"""The hash of bytes that pass: the same as if they were hashed at once, whatever happens beside."""

from __future__ import annotations

import gc
import hashlib
import threading
from collections.abc import Iterator

import pytest

from claude_sync.disk.hashing import PassingHash

MANY = 12 << 20


def _blocks(size: int, block: int) -> Iterator[bytes]:
    for number in range(size // block):
        yield number.to_bytes(4, "big") * (block // 4)


def _hashing() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "claude-sync hash"]


@pytest.mark.parametrize("size", [0, 1 << 10, MANY])
@pytest.mark.parametrize("block", [1 << 10, 1 << 18, 1 << 20])
def test_it_is_the_hash_of_all_bytes_in_their_order(size: int, block: int) -> None:
    hashed = PassingHash()
    for data in _blocks(size, block):
        hashed.add(data)
    assert hashed.hexdigest() == hashlib.sha256(b"".join(_blocks(size, block))).hexdigest()
    assert not _hashing()


@pytest.mark.parametrize(("size", "block"), [(1 << 10, 1 << 10), (MANY, 1 << 10), (MANY, 1 << 18)])
def test_it_notes_the_hash_of_each_beginning_that_is_asked_for(size: int, block: int) -> None:
    whole = b"".join(_blocks(size, block))
    marks = [size, 0, 7, size // 2, size // 2, size // 2 + 1, size + 1]
    hashed = PassingHash(marks)
    for data in _blocks(size, block):
        hashed.add(data)
    assert hashed.hexdigest() == hashlib.sha256(whole).hexdigest()
    assert hashed.noted == {
        mark: hashlib.sha256(whole[:mark]).hexdigest() for mark in marks if mark <= len(whole)
    }


def test_few_bytes_cost_no_thread_and_many_cost_one() -> None:
    hashed = PassingHash()
    hashed.add(b"x" * 1000)
    assert not _hashing()
    for data in _blocks(MANY, 1 << 20):
        hashed.add(data)
    assert len(_hashing()) == 1
    hashed.close()
    assert not _hashing()


def test_its_thread_ends_with_it_where_the_bytes_end_early() -> None:
    hashed = PassingHash()
    for data in _blocks(MANY, 1 << 20):
        hashed.add(data)
    [thread] = _hashing()
    del hashed, data
    gc.collect()
    thread.join(60)
    assert not thread.is_alive()
