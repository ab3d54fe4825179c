"""A store's folder as it is met in the world: full, read-only, gone, and full of surprises."""

from __future__ import annotations

import errno
import os
import socket
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from claude_sync.disk import files
from claude_sync.errors import (
    FileGone,
    FileUnreadable,
    StoreDenied,
    StoreFull,
    StoreOffline,
    TransportError,
)
from claude_sync.transports import open_transport
from claude_sync.transports.base import MARKER_NAME, Block, Get, Put, Range, Transport
from claude_sync.transports.folder import transport as folder_module
from claude_sync.transports.folder.transport import FolderTransport
from conformance.storages import MARKER, put_of, read_one, whole, write_all
from failing_calls import failing
from faults.disks import ordinary_permissions, read_only, small_disk

MIB = 1 << 20


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def store(root: Path) -> FolderTransport:
    transport = FolderTransport(str(root))
    transport.create()
    write_all(transport, put_of(MARKER_NAME, MARKER), put_of("p/a.ccsync", b"a"))
    return transport


def names(transport: Transport) -> list[str]:
    return [entry.name for entry in transport.list_files().entries]


def everything_under(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*")}


# --- permissions and disks ---------------------------------------------------------------------


def test_what_it_makes_is_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        transport = FolderTransport(str(tmp_path / "new" / "deep"))
        transport.create()
        write_all(transport, put_of("p/a.ccsync", b"a"))
    finally:
        os.umask(before)
    for path in (tmp_path / "new", tmp_path / "new/deep", tmp_path / "new/deep/p"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "new/deep/p/a.ccsync").stat().st_mode) == 0o600


def test_a_read_only_folder_can_be_read_and_says_what_is_wrong(
    store: FolderTransport, root: Path
) -> None:
    with read_only(root):
        assert names(store) == ["p/a.ccsync"]
        (got,) = (b"".join(got.blocks) for got in store.read([Get("p/a.ccsync", [Range(0, -1)])]))
        assert got == b"a"
        answers = list(store.write([put_of("p/b.ccsync", b"b"), put_of("q/c.ccsync", b"c")]))
        for answer in answers:
            assert isinstance(answer.error, StoreDenied)
            assert not answer.error.passing
            assert str(root) in str(answer.error)
        with pytest.raises(StoreDenied):
            store.remove(["p/a.ccsync"])
        with pytest.raises(StoreDenied):
            FolderTransport(str(root / "inner")).create()
    assert names(store) == ["p/a.ccsync"]


def test_a_full_disk_costs_the_put_that_did_not_fit_and_leaves_nothing_of_it(
    tmp_path: Path,
) -> None:
    with small_disk(tmp_path / "small") as point:
        store = FolderTransport(str(point))
        write_all(store, put_of(MARKER_NAME, MARKER), put_of("p/old.ccsync", b"old"))
        first, big, last = store.write(
            [
                put_of("p/first.ccsync", b"1" * 1000),
                put_of("p/old.ccsync", *[b"2" * MIB] * 3),
                put_of("p/last.ccsync", b"3" * 1000),
            ]
        )
        assert first.error is None
        assert isinstance(big.error, StoreFull)
        assert last.error is None
        assert (point / "p/old.ccsync").read_bytes() == b"old"
        assert not list(point.glob("*/.ccsync-*"))


def test_a_folder_that_may_not_be_read_is_denied(store: FolderTransport, root: Path) -> None:
    root.chmod(0o300)
    try:
        with ordinary_permissions(), pytest.raises(StoreDenied):
            store.list_files()
    finally:
        root.chmod(0o700)


def test_a_project_that_may_not_be_read_is_unseen_and_never_written_to(
    store: FolderTransport, root: Path
) -> None:
    write_all(store, put_of("q/b.ccsync", b"b"))
    (root / "p").chmod(0o300)
    try:
        with ordinary_permissions():
            assert names(store) == ["q/b.ccsync"]
            assert store.list_files().unseen == ("p",)
            denied, fine = store.write([put_of("p/a.ccsync", b"new"), put_of("q/b.ccsync", b"B")])
    finally:
        (root / "p").chmod(0o700)
    assert isinstance(denied.error, StoreDenied)
    assert fine.error is None
    assert (root / "p/a.ccsync").read_bytes() == b"a"


_OF_DISKS = (errno.EIO, errno.ESTALE, errno.ENOTCONN, errno.ETIMEDOUT)


@pytest.mark.parametrize("code", _OF_DISKS, ids=errno.errorcode.get)
def test_a_disk_that_fails_at_one_file_costs_that_file_while_the_folder_answers(
    store: FolderTransport, root: Path, code: int
) -> None:
    write_all(store, put_of("p/b.ccsync", b"b"))
    store.list_files()
    asked = ["p/a.ccsync", "p/b.ccsync"]
    with failing(root / "p/a.ccsync", code, "open"):
        bad, good = store.ends(asked, 10, 10)
        assert isinstance(bad.error, FileUnreadable)
        assert bad.error.where == str(root / "p/a.ccsync")
        assert bad.error.todo
        assert good.head == b"b"
        gots = iter(store.read(map(whole, asked)))
        with pytest.raises(FileUnreadable):
            list(next(gots).blocks)
        assert [list(got.blocks) for got in gots] == [[b"b"]]
        with failing(root / MARKER_NAME, code, "open"):
            with pytest.raises(StoreOffline):
                list(store.ends(asked, 10, 10))
            with pytest.raises(StoreOffline):
                read_one(store, whole("p/a.ccsync"))


@pytest.mark.parametrize("code", _OF_DISKS, ids=errno.errorcode.get)
def test_a_disk_that_fails_where_one_file_is_written_costs_that_file_while_the_folder_answers(
    store: FolderTransport, root: Path, code: int
) -> None:
    store.list_files()
    puts = [put_of("q/c.ccsync", b"c"), put_of("p/a.ccsync", b"A")]
    with failing(root / "q", code, "mkdir"):
        bad, good = store.write(puts)
        assert isinstance(bad.error, TransportError)
        assert not isinstance(bad.error, StoreOffline)
        assert str(root / "q/c.ccsync") in str(bad.error)
        assert good.error is None
        with failing(root / MARKER_NAME, code, "open"), pytest.raises(StoreOffline):
            list(store.write(puts))
    assert (root / "p/a.ccsync").read_bytes() == b"A"


# --- the place itself --------------------------------------------------------------------------


def test_a_missing_folder_is_offline_and_not_made_by_anything(root: Path) -> None:
    store = open_transport(str(root), [], root)
    with pytest.raises(StoreOffline):
        list(store.write([put_of("p/a.ccsync", b"a")]))
    assert not root.exists()


def test_a_file_where_the_folder_should_be_is_denied(root: Path) -> None:
    root.write_bytes(b"a file")
    store = FolderTransport(str(root))
    for work in (store.list_files, store.create, lambda: list(store.write([put_of("p/a", b"a")]))):
        with pytest.raises(StoreDenied) as caught:
            work()
        assert not caught.value.passing
    assert root.read_bytes() == b"a file"


def test_a_folder_that_is_a_link_to_one_works(store: FolderTransport, root: Path) -> None:
    link = root.with_name("link")
    link.symlink_to(root)
    assert names(FolderTransport(str(link))) == ["p/a.ccsync"]
    link.unlink()
    link.symlink_to(root.with_name("nowhere"))
    with pytest.raises(StoreOffline):
        FolderTransport(str(link)).list_files()


def test_an_empty_mount_point_is_not_written_to(store: FolderTransport, root: Path) -> None:
    store.list_files()
    root.rename(root.with_name("the disk, unmounted"))
    root.mkdir()
    with pytest.raises(StoreOffline):
        list(store.write([put_of("p/a.ccsync", b"a")]))
    assert everything_under(root) == set()
    assert store.list_files().marker is None


def test_a_folder_that_vanishes_before_the_group_is_finished_is_offline(
    store: FolderTransport, root: Path
) -> None:
    def puts() -> Iterator[Put]:
        yield put_of("p/b.ccsync", b"b")
        root.rename(root.with_name("gone"))
        yield put_of("q/c.ccsync", b"c")

    with pytest.raises(StoreOffline):
        list(store.write(puts()))
    assert not root.exists()


def test_a_project_folder_that_another_machine_removes_meanwhile_is_made_again(
    store: FolderTransport, root: Path
) -> None:
    def puts() -> Iterator[Put]:
        yield put_of("q/b.ccsync", b"b")
        for path in (root / "q").iterdir():
            path.unlink()
        (root / "q").rmdir()
        yield put_of("q/c.ccsync", b"c")

    lost, made = store.write(puts())
    assert isinstance(lost.error, StoreOffline)
    assert made.error is None
    assert (root / "q/c.ccsync").read_bytes() == b"c"


# --- what else lies there ----------------------------------------------------------------------


def test_links_fifos_sockets_devices_and_directories_are_not_listed_nor_opened(
    store: FolderTransport, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = root / "p"
    (project / "link.ccsync").symlink_to(project / "a.ccsync")
    os.mkfifo(project / "fifo.ccsync")
    (project / "folder.ccsync").mkdir()
    (project / "folder.ccsync" / "deep.ccsync").write_bytes(b"deep")
    (project / "device.ccsync").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as listener:
        monkeypatch.chdir(project)  # its address would be too long
        listener.bind("socket.ccsync")
    assert names(store) == ["p/a.ccsync"]
    odd = [f"p/{kind}.ccsync" for kind in ("link", "fifo", "folder", "device", "socket")]
    for end in store.ends(odd, 10, 10):
        assert isinstance(end.error, FileGone)
    for got in store.read([Get(name, [Range(0, 10)]) for name in odd]):
        with pytest.raises(FileGone):
            list(got.blocks)
    assert store.digests([Get(name, [Range(0, 10)]) for name in odd]) == [None] * 5


def test_a_write_over_a_link_replaces_the_link_and_spares_what_it_points_to(
    store: FolderTransport, root: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "precious"
    outside.write_bytes(b"precious")
    (root / "p/link.ccsync").symlink_to(outside)
    write_all(store, put_of("p/link.ccsync", b"new"))
    assert outside.read_bytes() == b"precious"
    assert not (root / "p/link.ccsync").is_symlink()


def test_a_write_over_a_folder_fails_alone(store: FolderTransport, root: Path) -> None:
    (root / "p/b.ccsync").mkdir()
    blocked, fine = store.write([put_of("p/b.ccsync", b"b"), put_of("p/c.ccsync", b"c")])
    assert isinstance(blocked.error, StoreDenied)
    assert fine.error is None
    assert everything_under(root) == {MARKER_NAME, "p", "p/a.ccsync", "p/b.ccsync", "p/c.ccsync"}


@pytest.mark.parametrize("kind", ["link", "dangling link", "file", "fifo"])
def test_nothing_is_listed_or_written_through_what_is_no_folder(
    store: FolderTransport, root: Path, tmp_path: Path, kind: str
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "b.ccsync").write_bytes(b"b")
    if kind == "link":
        (root / "q").symlink_to(elsewhere)
    elif kind == "dangling link":
        (root / "q").symlink_to(tmp_path / "nowhere")
    elif kind == "file":
        (root / "q").write_bytes(b"a file")
    else:
        os.mkfifo(root / "q")
    assert names(store) == ["p/a.ccsync"]
    (answer,) = store.write([put_of("q/b.ccsync", b"new")])
    assert isinstance(answer.error, StoreDenied)
    (end,) = store.ends(["q/b.ccsync"], 10, 10)
    assert end.error is not None
    store.remove(["q/b.ccsync"]) if kind != "link" else None
    assert (elsewhere / "b.ccsync").read_bytes() == b"b"
    assert not (tmp_path / "nowhere").exists()


def test_a_removal_does_not_go_through_a_link(
    store: FolderTransport, root: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "b.ccsync").write_bytes(b"b")
    (root / "q").symlink_to(elsewhere)
    store.remove(["q/b.ccsync"])
    assert (elsewhere / "b.ccsync").exists()


def test_a_marker_that_is_a_link_or_a_folder_is_none(root: Path) -> None:
    root.mkdir()
    store = FolderTransport(str(root))
    (root / MARKER_NAME).symlink_to("/etc/passwd")
    assert store.list_files().marker is None
    (root / MARKER_NAME).unlink()
    (root / MARKER_NAME).mkdir()
    assert store.list_files().marker is None
    (root / MARKER_NAME).rmdir()
    os.mkfifo(root / MARKER_NAME)
    assert store.list_files().marker is None


def test_names_with_newlines_or_bytes_that_are_no_text_are_left_out(
    store: FolderTransport, root: Path
) -> None:
    base = os.fsencode(root)
    for odd in (b"new\nline", b"\xff\xfe", b"tab\t", b"esc\x1b[2J", b"\x7f"):
        os.mkdir(base + b"/" + odd)
        for file in (odd + b".ccsync", b"fine.ccsync"):
            with open(base + b"/" + odd + b"/" + file, "wb") as made:
                made.write(b"x")
        with open(base + b"/p/" + odd + b".ccsync", "wb") as made:
            made.write(b"x")
    assert names(store) == ["p/a.ccsync"]


def test_names_of_255_bytes_work_to_the_last(store: FolderTransport) -> None:
    directory, file = "d" * 255, "é" * 127 + "f"
    write_all(store, put_of(f"{directory}/{file}", b"long"))
    assert f"{directory}/{file}" in names(store)
    (answer,) = store.write([put_of(f"{directory}/{file}g", b"too long")])
    assert isinstance(answer.error, StoreDenied)


def test_what_icloud_keeps_elsewhere_is_listed_under_its_name_and_not_opened(
    store: FolderTransport, root: Path
) -> None:
    (root / "p/.b.ccsync.icloud").write_bytes(b"bplist")
    (root / "p/.a.ccsync.icloud").write_bytes(b"stale: a itself is here")
    (root / "p/.icloud").write_bytes(b"")
    (root / "p/..icloud").write_bytes(b"")
    (root / "p/..hidden.icloud").write_bytes(b"")
    listed = {entry.name: entry.placeholder for entry in store.list_files().entries}
    assert listed == {"p/a.ccsync": False, "p/b.ccsync": True}
    (end,) = store.ends(["p/b.ccsync"], 10, 10)
    assert isinstance(end.error, FileGone)


def test_a_marker_that_icloud_keeps_elsewhere_is_a_passing_trouble(root: Path) -> None:
    root.mkdir()
    (root / f".{MARKER_NAME}.icloud").write_bytes(b"bplist")
    with pytest.raises(StoreOffline, match="iCloud"):
        FolderTransport(str(root)).list_files()


@pytest.mark.parametrize(
    ("status", "elsewhere"),
    [
        ({"st_flags": 0x40000000}, True),
        ({"st_flags": 0x40}, False),
        ({"st_file_attributes": 0x00400000 | 0x20}, True),
        ({"st_file_attributes": 0x00001000}, True),
        ({"st_file_attributes": 0x20}, False),
        ({}, False),
    ],
)
def test_the_flags_of_dataless_and_recalled_files_are_known(
    status: dict[str, int], elsewhere: bool
) -> None:
    given = cast(os.stat_result, SimpleNamespace(**status))
    assert folder_module._is_elsewhere(given) is elsewhere


# --- temporaries -------------------------------------------------------------------------------


def test_temporaries_are_never_listed_and_old_ones_go_at_the_next_write(
    store: FolderTransport, root: Path
) -> None:
    old, young, root_old, probe = (
        root / "p/.ccsync-1111.tmp",
        root / "p/.ccsync-2222.tmp",
        root / ".ccsync-3333.tmp",
        root / "claude-sync-probe-4444.tmp",
    )
    for path in (old, young, root_old, probe):
        path.write_bytes(b"half")
    two_days_ago = time.time() - 2 * 86_400
    for path in (old, root_old, probe):
        os.utime(path, (two_days_ago, two_days_ago))
    assert names(store) == ["p/a.ccsync"]
    write_all(store, put_of("p/b.ccsync", b"b"), put_of(MARKER_NAME, MARKER))
    assert not old.exists()
    assert not root_old.exists()
    assert not probe.exists()
    assert young.exists()


def test_nothing_is_left_of_puts_that_fail_or_are_left(store: FolderTransport, root: Path) -> None:
    def blocks() -> Iterator[Block]:
        yield Block(b"x" * MIB)
        raise RuntimeError("a defect")

    with pytest.raises(RuntimeError):
        list(store.write([put_of("p/b.ccsync", b"b"), Put("p/c.ccsync", blocks)]))
    assert everything_under(root) == {MARKER_NAME, "p", "p/a.ccsync"}


def test_data_is_durable_before_its_name_and_the_name_before_the_answer(
    store: FolderTransport, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    for name in ("stage", "sync", "commit", "sync_directory"):
        real = getattr(files, name)

        def noted(*arguments: object, name: str = name, real: object = real, **named: object):  # type: ignore[no-untyped-def]
            steps.append(name)
            return real(*arguments, **named)  # type: ignore[operator]

        monkeypatch.setattr(files, name, noted)
    for _ in store.write([put_of("p/b.ccsync", b"b"), put_of("p/c.ccsync", b"c")]):
        steps.append("answer")
    assert steps == [
        *["stage", "stage", "sync", "commit", "commit", "sync_directory", "answer", "answer"]
    ]


def test_a_group_whose_sync_fails_is_not_said_to_be_written(
    store: FolderTransport, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(staged: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(files, "sync", failing)
    answers = list(store.write([put_of("p/a.ccsync", b"new"), put_of("p/b.ccsync", b"b")]))
    assert [answer.stamp for answer in answers] == [None, None]
    assert all("disk reports an error" in str(answer.error) for answer in answers)
    assert everything_under(root) == {MARKER_NAME, "p", "p/a.ccsync"}
    assert (root / "p/a.ccsync").read_bytes() == b"a"
