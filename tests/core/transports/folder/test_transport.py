"""What is a folder's own among transports; the rest is in `conformance` and `faults`."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest

from claude_sync.disk.snapshot import BLOCK_SIZE
from claude_sync.errors import FileGone
from claude_sync.transports.base import Get, Range
from claude_sync.transports.folder.transport import FolderTransport
from claude_sync.wording import short_path


@pytest.mark.parametrize("inside", ["", "Dropbox", "a/b", "../elsewhere"])
def test_it_is_named_as_any_path_is_to_a_person(home: Path, inside: str) -> None:
    folder = os.path.normpath(home / inside)
    transport = FolderTransport(folder)
    assert transport.label == short_path(folder)
    assert transport.label.startswith("~") is (inside != "../elsewhere")
    transport.close()


def test_a_stream_that_is_left_is_closed_though_somebody_still_has_it(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "x").write_bytes(bytes(3 * BLOCK_SIZE))
    transport = FolderTransport(str(tmp_path))
    left = []
    for got in transport.read([Get("p/x", [Range(0, -1)])] * 2):
        next(got.blocks)
        left.append(got.blocks)
    assert str(tmp_path / "p" / "x") not in [file.path for file in psutil.Process().open_files()]
    for blocks in left:
        with pytest.raises(FileGone):
            next(blocks)
    transport.close()


def test_a_program_that_mirrors_the_folder_may_take_away_what_is_being_read(tmp_path: Path) -> None:
    whole = bytes(3 * BLOCK_SIZE)
    for name in ("renamed", "removed"):
        (tmp_path / "p").mkdir(exist_ok=True)
        (tmp_path / "p" / name).write_bytes(whole)
    transport = FolderTransport(str(tmp_path))
    gets = [Get(f"p/{name}", [Range(0, -1)]) for name in ("renamed", "removed")]
    for got in transport.read(gets):
        read = next(got.blocks)
        path = tmp_path / got.name
        if path.name == "renamed":
            path.rename(tmp_path / "elsewhere")
        else:
            path.unlink()
        assert read + b"".join(got.blocks) == whole
        assert not path.exists()
    transport.close()
