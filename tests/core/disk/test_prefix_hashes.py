"""Hashes of the beginnings of files."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from claude_sync.disk.prefix_hashes import begins_with, prefix_hashes
from claude_sync.disk.snapshot import BLOCK_SIZE
from claude_sync.model import SidecarFile, Version


def test_hashes_of_beginnings(tmp_path: Path) -> None:
    data = os.urandom(3 * BLOCK_SIZE // 2)
    (tmp_path / "x").write_bytes(data)
    sizes = [0, 1, BLOCK_SIZE, BLOCK_SIZE + 1, len(data), len(data) + 1]
    found = prefix_hashes(tmp_path / "x", sizes)
    assert found == {size: hashlib.sha256(data[:size]).hexdigest() for size in sizes[:-1]}


def test_a_file_begins_with_what_its_first_bytes_are(tmp_path: Path) -> None:
    path, data = tmp_path / "x", b"first\nsecond\n"
    path.write_bytes(data)
    assert begins_with(path, version(data[:6]))
    assert begins_with(path, version(data))
    assert begins_with(path, version(b""))
    assert begins_with(path, SidecarFile("x", *version(data[:3])))
    assert not begins_with(path, version(b"other\n"))
    assert not begins_with(path, version(data + b"third\n"))


def test_looking_for_a_beginning_can_be_stopped(tmp_path: Path) -> None:
    path, data = tmp_path / "x", bytes(2 * BLOCK_SIZE)
    path.write_bytes(data)

    def stop() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        begins_with(path, version(data), stop)


def version(data: bytes) -> Version:
    return Version(len(data), hashlib.sha256(data).hexdigest())
