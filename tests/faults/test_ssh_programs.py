"""What a host's small programs are asked for, and what happens there while they run.

One host has a folder of its own for them, in which a test replaces one.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from claude_sync.errors import FileGone, StoreFull, StoreOffline
from claude_sync.transports import open_transport
from claude_sync.transports.base import MARKER_NAME, Get, Range, Transport
from conformance.sshd import SshHost, write_program
from conformance.storages import MARKER, put_of, write_all

Replace = Callable[[str, str], None]


@pytest.fixture
def store(ssh_host: SshHost, tmp_path: Path) -> Iterator[Transport]:
    """A store on a host whose programs are links that a test may replace."""
    location = ssh_host.location(tmp_path / "store", "box-bare")
    command = ssh_host.command_alone()
    with closing(open_transport(location, command, tmp_path / "run")) as transport:
        transport.create()
        write_all(transport, put_of(MARKER_NAME, MARKER), put_of("p/old", b"old"))
        yield transport


@pytest.fixture
def replace(ssh_host: SshHost) -> Iterator[Replace]:
    """Has a program of the host be a shell script, which finds the real one as ``$REAL``."""
    before: dict[Path, Path] = {}

    def replace(name: str, script: str) -> None:
        program = ssh_host.directory / "box-bare.bin" / name
        before[program] = program.readlink()
        program.unlink()
        write_program(program, f"REAL={shlex.quote(str(before[program]))}\n{script}")

    yield replace
    for program, real in before.items():
        program.unlink()
        program.symlink_to(real)


def test_files_are_synced_before_they_take_their_places_and_their_folders_after(
    store: Transport, replace: Replace, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    replace("sync", f'{{ ls -d */*; echo $#: "$@"; }} >>{shlex.quote(str(log))}')
    write_all(store, put_of("p/a", b"a"), put_of("p/b", b"b"), put_of("q/c", b"c"))
    said = log.read_text().splitlines()
    syncs = [at for at, line in enumerate(said) if line.partition(": ")[0].isdecimal()]
    of_files, of_folders = (said[at].split()[1:] for at in syncs)
    assert said[: syncs[0]] == ["p/old"]
    assert [name.rsplit("/", 1)[0] for name in of_files] == ["./p", "./p", "./q"]
    assert all(name.endswith(".tmp") for name in of_files)
    assert said[syncs[0] + 1 : syncs[1]] == ["p/a", "p/b", "p/old", "q/c"]
    assert of_folders == ["./p", "./q"]


@pytest.mark.parametrize(
    ("said", "kind"),
    [("Input/output error", StoreOffline), ("No space left on device", StoreFull)],
)
def test_what_a_disk_would_not_keep_takes_no_place(
    store: Transport, replace: Replace, tmp_path: Path, said: str, kind: type[Exception]
) -> None:
    # Without names it knows of no trouble: a disk tells of it once.
    replace("sync", f"[ $# = 0 ] || {{ echo 'sync: error syncing: {said}' >&2; exit 1; }}")
    (written,) = store.write([put_of("p/old", b"new")])
    assert isinstance(written.error, kind)
    assert (tmp_path / "store/p/old").read_bytes() == b"old"
    assert list((tmp_path / "store/p").iterdir()) == [tmp_path / "store/p/old"]


def test_a_sync_that_takes_no_names_is_asked_for_everything(
    store: Transport, replace: Replace, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    replace("sync", f"[ $# = 0 ] || exit 1; echo all >>{shlex.quote(str(log))}")
    write_all(store, put_of("p/old", b"new"))
    assert log.read_text() == "all\nall\n"
    assert (tmp_path / "store/p/old").read_bytes() == b"new"


def test_a_disk_that_is_unmounted_while_files_are_synced_is_seen_before_they_take_their_places(
    store: Transport, replace: Replace, tmp_path: Path
) -> None:
    store.list_files()
    replace("sync", f"rm -f {MARKER_NAME}")
    with pytest.raises(StoreOffline, match="marker"):
        list(store.write([put_of("p/old", b"new")]))
    assert (tmp_path / "store/p/old").read_bytes() == b"old"


# --- files that change while they are read ------------------------------------------------------

_GROWS = 'echo more >>p/old; exec "$REAL" "$@"'
GETS = [Get("p/old", [Range(0, 3)]), Get("p/b", [Range(0, 1)])]


def test_ends_are_of_one_moment_though_a_file_changes_while_they_are_read(
    store: Transport, replace: Replace, tmp_path: Path
) -> None:
    write_all(store, put_of("p/b", b"b"))
    replace("tail", '[ ! -e ../grown ] || exec "$REAL" "$@"; : >../grown; ' + _GROWS)
    old, other = store.ends(["p/old", "p/b"], 100, 100)
    assert (old.head, old.stamp.size, old.error) == (b"oldmore\n", 8, None)
    assert (other.head, other.error) == (b"b", None)
    assert (tmp_path / "grown").exists()


def test_a_file_that_never_rests_costs_only_itself(store: Transport, replace: Replace) -> None:
    write_all(store, put_of("p/b", b"b"))
    replace("tail", _GROWS)
    old, other = store.ends(["p/old", "p/b"], 100, 100)
    assert isinstance(old.error, FileGone)
    assert (other.head, other.error) == (b"b", None)


@pytest.mark.parametrize("gets", [GETS, GETS[:1]], ids=["among others", "alone"])
def test_a_file_that_changes_while_it_is_read_is_not_taken_for_whole(
    store: Transport, replace: Replace, gets: list[Get]
) -> None:
    write_all(store, put_of("p/b", b"b"))
    for program in ("cat", "head"):
        replace(program, _GROWS)
    answers = store.read(gets)
    with pytest.raises(FileGone):
        list(next(answers).blocks)
    assert [list(got.blocks) for got in answers] == [[b"b"]] * (len(gets) - 1)
