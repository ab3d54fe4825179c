"""The one room that writes: whole files under final names, durable in the right order."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from claude_sync.disk import files
from claude_sync.disk.snapshot import BLOCK_SIZE, Snapshot, open_regular, read_small
from claude_sync.errors import BundleUnsafe, SessionChanging
from faults.disks import ordinary_permissions, small_disk

posix = pytest.mark.skipif(os.name != "posix", reason="modes and FIFOs are POSIX'")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "folder").mkdir()
    return tmp_path / "folder"


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the system is asked for, in order, as words."""
    found: list[str] = []

    def watch(name: str, word: str) -> None:
        real = getattr(os, name)

        def called(*arguments: Any, **named: Any) -> Any:
            kind = word
            if name == "fsync":
                kind = "sync " + (
                    "folder" if stat.S_ISDIR(os.fstat(arguments[0]).st_mode) else "file"
                )
            found.append(kind)
            return real(*arguments, **named)

        monkeypatch.setattr(os, name, called)

    for name, word in (("fsync", ""), ("replace", "rename"), ("link", "link"), ("write", "write")):
        watch(name, word)
    return found


# --- replacing ---------------------------------------------------------------------------------


def test_a_file_is_written_synced_renamed_and_its_folder_synced(
    folder: Path, calls: list[str]
) -> None:
    files.replace(folder / "x", [b"one ", b"two"])
    assert (folder / "x").read_bytes() == b"one two"
    folders = ["sync folder"] if os.name == "posix" else []  # Windows can't
    assert calls == ["write", "write", "sync file", "rename", *folders]
    assert os.listdir(folder) == ["x"]


@posix
def test_what_is_made_is_private_whatever_the_umask(folder: Path) -> None:
    before = os.umask(0)
    try:
        files.make_private(folder / "a" / "b")
        files.replace(folder / "a" / "b" / "x", b"")
    finally:
        os.umask(before)
    assert stat.S_IMODE((folder / "a" / "b").stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "a" / "b" / "x").stat().st_mode) == 0o600


@posix
def test_a_mode_is_what_it_was_asked_to_be_whatever_the_umask(folder: Path) -> None:
    before = os.umask(0o777)
    try:
        files.replace(folder / "x", b"", mode=0o644)
    finally:
        os.umask(before)
    assert stat.S_IMODE((folder / "x").stat().st_mode) == 0o644


def test_a_time_can_be_given(folder: Path) -> None:
    stamp = files.replace(folder / "x", b"x", mtime_ns=123_456_700)
    assert stamp.mtime_ns == (folder / "x").stat().st_mtime_ns == 123_456_700


def test_bytes_that_fail_on_their_way_leave_the_old_file_and_nothing_else(folder: Path) -> None:
    def failing() -> Iterator[bytes]:
        yield b"half"
        raise RuntimeError("no more")

    (folder / "x").write_bytes(b"old")
    with pytest.raises(RuntimeError):
        files.replace(folder / "x", failing())
    assert (folder / "x").read_bytes() == b"old"
    assert os.listdir(folder) == ["x"]


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        files.replace(disk / "x", b"old")
        with pytest.raises(OSError, match=r".") as caught:
            files.replace(disk / "x", [bytes(1 << 20)] * 4)
        assert caught.value.errno in (errno.ENOSPC, errno.EFBIG)
        assert (disk / "x").read_bytes() == b"old"
        assert os.listdir(disk) == ["x"]


def test_a_link_is_replaced_and_not_followed(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "precious").write_bytes(b"precious")
    (folder / "x").symlink_to(tmp_path / "precious")
    files.replace(folder / "x", b"new")
    assert (tmp_path / "precious").read_bytes() == b"precious"
    assert not (folder / "x").is_symlink()


# --- giving a name that nothing may bear -------------------------------------------------------


@pytest.mark.parametrize("links", [True, False], ids=["with second names", "without"])
def test_a_new_name_is_never_taken_from_another_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    if not links:
        monkeypatch.setattr(os, "link", refuse)
    staged = files.stage(folder, [b"new"])
    files.commit_new(staged, folder / "x")
    assert (folder / "x").read_bytes() == b"new"
    staged = files.stage(folder, [b"newer"])
    with pytest.raises(FileExistsError):
        files.commit_new(staged, folder / "x")
    files.discard(staged)
    assert (folder / "x").read_bytes() == b"new"
    assert os.listdir(folder) == ["x"]


def test_a_second_name_is_the_same_file(folder: Path) -> None:
    (folder / "x").write_bytes(b"one")
    assert files.link_or_copy(folder / "x", folder / "y")
    with (folder / "x").open("ab") as file:
        file.write(b" two")
    assert (folder / "y").read_bytes() == b"one two"
    with pytest.raises(FileExistsError):
        files.link_or_copy(folder / "x", folder / "y")


def test_many_files_are_made_durable_at_once(folder: Path) -> None:
    staged = [files.stage(folder, [b"%d" % number]) for number in range(20)]
    files.sync(staged)
    for number, one in enumerate(staged):
        files.commit(one, folder / str(number))
    assert len(os.listdir(folder)) == 20


def test_a_staged_file_can_move_to_another_folder(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    staged = files.stage(folder, [b"words"], mtime_ns=500)
    moved = files.restage(staged, tmp_path / "other")
    assert moved.path.read_bytes() == b"words"
    assert moved.path.stat().st_mtime_ns == 500
    assert os.listdir(folder) == []
    assert files.restage(moved, tmp_path / "other") == moved


def test_a_staged_file_can_move_to_another_disk(folder: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        moved = files.restage(files.stage(folder, [b"words"], mtime_ns=500), disk)
        assert moved.path.parent == disk
        assert moved.path.read_bytes() == b"words"
        assert moved.path.stat().st_mtime_ns == 500
    assert os.listdir(folder) == []


# --- paths -------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["..", "../x", "/x", "a/../x", "", "a//b", "a\\b", "C:x", "a\0"])
def test_a_path_that_leads_elsewhere_is_refused(folder: Path, path: str) -> None:
    with pytest.raises(BundleUnsafe):
        files.descend(folder, path)


def test_a_path_through_a_link_or_a_file_is_refused(folder: Path, tmp_path: Path) -> None:
    (folder / "link").symlink_to(tmp_path)
    (folder / "dangling").symlink_to(tmp_path / "none")
    (folder / "file").write_bytes(b"")
    for path in ("link", "link/x", "dangling", "dangling/x", "file/x"):
        with pytest.raises(BundleUnsafe):
            files.descend(folder, path)
    (tmp_path / "root").symlink_to(folder)
    with pytest.raises(BundleUnsafe):
        files.descend(tmp_path / "root", "x")
    assert files.descend(folder, "file") == folder / "file"
    assert files.descend(folder, "a/b/c") == folder / "a" / "b" / "c"


def test_names_of_nothing_are_none(folder: Path) -> None:
    assert files.names_in(folder / "none") == []
    (folder / "x").write_bytes(b"")
    assert files.names_in(folder) == ["x"]


# --- what a crash leaves -----------------------------------------------------------------------


def test_above_what_is_not_there_or_can_not_be_seen_lies_a_folder_that_is(folder: Path) -> None:
    shut = folder / "shut"
    (shut / "inside").mkdir(parents=True)
    assert files.nearest_existing(folder) == folder
    assert files.nearest_existing(folder / "a" / "b") == folder
    root = Path(folder.anchor)
    assert files.nearest_existing(root / "is nowhere at all" / "x") == root
    shut.chmod(0)
    with ordinary_permissions():
        assert files.nearest_existing(shut / "inside") == shut
    shut.chmod(0o700)


def test_only_old_temporaries_of_ours_are_removed(folder: Path) -> None:
    old = files.temporary_path(folder)
    new = files.temporary_path(folder)
    for path in (old, new, folder / "x.tmp", folder / ".ccsync-store"):
        path.write_bytes(b"")
    for path in folder.iterdir():
        if path != new:
            os.utime(path, (0, 0))
    (folder / ".ccsync-folder.tmp").mkdir()
    os.utime(folder / ".ccsync-folder.tmp", (0, 0))
    assert files.remove_leftovers(folder, older_than_seconds=3600) == 1
    assert not old.exists()
    assert len(os.listdir(folder)) == 4
    assert files.remove_leftovers(folder / "none", older_than_seconds=0) == 0


def test_removing_is_no_error_where_there_is_nothing(folder: Path) -> None:
    files.remove(folder / "none")
    files.remove_empty(folder / "none")
    (folder / "a").mkdir()
    (folder / "a" / "x").write_bytes(b"")
    files.remove_empty(folder / "a")
    assert (folder / "a" / "x").exists()


# --- reading -----------------------------------------------------------------------------------


@posix
def test_only_regular_files_are_opened_and_nothing_holds_us_up(folder: Path) -> None:
    (folder / "real").write_bytes(b"real")
    (folder / "link").symlink_to(folder / "real")
    os.mkfifo(folder / "fifo")
    for name in ("link", "fifo", "none", "."):
        with pytest.raises(OSError, match=r"."):
            open_regular(folder / name)
    assert read_small(folder / "real", 3) == b"rea"


@pytest.mark.parametrize("leave", [os.remove, lambda path: os.rename(path, f"{path}.away")])
def test_a_file_that_is_read_can_be_renamed_and_removed(
    folder: Path, leave: Callable[[Path], None]
) -> None:
    path = folder / "x"
    path.write_bytes(b"one" * BLOCK_SIZE)
    with Snapshot(path) as snapshot:
        blocks = snapshot.blocks()
        read = next(blocks)
        leave(path)
        assert read + b"".join(blocks) == b"one" * BLOCK_SIZE
        assert snapshot.settle().size == 3 * BLOCK_SIZE
    assert not path.exists()


def test_what_cannot_be_opened_is_named(folder: Path) -> None:
    for name, error in (("none", FileNotFoundError), ("folder", OSError)):
        (folder / "folder").mkdir(exist_ok=True)
        with pytest.raises(error) as raised:
            open_regular(folder / name)
        assert raised.value.filename == str(folder / name)


def test_a_snapshot_is_what_was_there_when_it_was_opened(folder: Path) -> None:
    path = folder / "x"
    path.write_bytes(b"one\ntwo")
    with Snapshot(path) as snapshot:
        with path.open("ab") as file:
            file.write(b" and more")
        assert b"".join(snapshot.blocks()) == b"one\ntwo"
        assert snapshot.settle().size == 7
    with Snapshot(path, whole_lines=True) as snapshot:
        assert b"".join(snapshot.blocks()) == b"one\n"


@pytest.mark.parametrize("data", [b"", b"onE\ntwo"], ids=["cut", "rewritten"])
def test_a_snapshot_of_a_file_that_was_rewritten_says_so(folder: Path, data: bytes) -> None:
    path = folder / "x"
    path.write_bytes(b"one\ntwo")
    with Snapshot(path) as snapshot:
        read = b"".join(snapshot.blocks())
        path.write_bytes(data)
        os.utime(path, ns=(1, 1))
        with pytest.raises(SessionChanging, match=re.escape(str(path))):
            snapshot.settle()
    assert read == b"one\ntwo"
