"""What is no plain file in a store is neither listed nor opened, and never leads outside."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from claude_sync.errors import FileGone
from claude_sync.transports.base import MARKER_NAME, Get, Range, Transport
from conformance.storages import FileStorage, put_of, write_all

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="FIFOs are POSIX'")

SECRET = b"nobody's business"
NAMES = ["p/link", "p/nowhere", "p/fifo", "p/folder", "linked/secret"]


@pytest.fixture
def outside(file_store: Transport, file_storage: FileStorage, tmp_path: Path) -> Path:
    """A folder beside the store, to which links in it lead; the store has the file p/a."""
    write_all(file_store, put_of("p/a", b"a"))
    outside, inside = tmp_path / "outside", file_storage.root / "p"
    outside.mkdir()
    (outside / "secret").write_bytes(SECRET)
    (file_storage.root / "linked").symlink_to(outside)
    (inside / "link").symlink_to(outside / "secret")
    (inside / "nowhere").symlink_to(outside / "nothing")
    (inside / "folder").mkdir()
    os.mkfifo(inside / "fifo")
    return outside


@pytest.mark.usefixtures("outside")
def test_only_plain_files_are_listed(file_store: Transport) -> None:
    assert [entry.name for entry in file_store.list_files().entries] == ["p/a"]


@pytest.mark.parametrize("kind", ["link", "fifo", "folder"])
def test_a_marker_that_is_no_plain_file_is_none(
    file_store: Transport, file_storage: FileStorage, tmp_path: Path, kind: str
) -> None:
    marker = file_storage.root / MARKER_NAME
    marker.rename(tmp_path / "elsewhere")
    if kind == "link":
        marker.symlink_to(tmp_path / "elsewhere")
    elif kind == "fifo":
        os.mkfifo(marker)
    else:
        marker.mkdir()
    assert file_store.list_files().marker is None


@pytest.mark.usefixtures("outside")
def test_nothing_else_is_opened(file_store: Transport) -> None:
    ends = list(file_store.ends([*NAMES, "p/a"], 10, 10))
    assert [(end.name, type(end.error)) for end in ends[:-1]] == [(n, FileGone) for n in NAMES]
    assert ends[-1].head == b"a"
    gets = [Get(name, [Range(0, -1)]) for name in [*NAMES, "p/a"]]
    answers = file_store.read(gets)
    for _ in NAMES:
        with pytest.raises(FileGone):
            list(next(answers).blocks)
    assert list(next(answers).blocks) == [b"a"]
    assert file_store.digests(gets)[:-1] == [None] * len(NAMES)


def test_writing_and_removing_never_lead_outside(
    file_store: Transport, file_storage: FileStorage, outside: Path
) -> None:
    (through,) = file_store.write([put_of("linked/new", b"new")])
    assert through.error is not None
    file_store.remove(["linked/secret"])
    write_all(file_store, put_of("p/link", b"mine"))
    assert file_storage.bytes_of("p/link") == b"mine"
    assert not (file_storage.root / "p/link").is_symlink()
    file_store.remove(["p/nowhere"])
    assert not (file_storage.root / "p/nowhere").is_symlink()
    assert {path.name: path.read_bytes() for path in outside.iterdir()} == {"secret": SECRET}
