"""What a host is asked to make durable before anything counts as written there."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from claude_sync.errors import StoreFull, StoreOffline
from claude_sync.transports import open_transport
from claude_sync.transports.base import MARKER_NAME, Transport
from conformance.places import MARKER, put_of, write_all
from conformance.sshd import SshHost, write_program

SYNC = "box-bare.bin/sync"


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
def sync(ssh_host: SshHost) -> Iterator[Path]:
    """The program `sync` of a host, to be replaced."""
    program = ssh_host.directory / SYNC
    own = program.readlink()
    program.unlink()
    yield program
    program.unlink()
    program.symlink_to(own)


def test_files_are_synced_before_they_take_their_places_and_their_folders_after(
    store: Transport, sync: Path, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    write_program(sync, f'{{ ls -d */*; echo $#: "$@"; }} >>{shlex.quote(str(log))}')
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
    store: Transport, sync: Path, tmp_path: Path, said: str, kind: type[Exception]
) -> None:
    # Without names it knows of no trouble: a disk tells of it once.
    write_program(sync, f"[ $# = 0 ] || {{ echo 'sync: error syncing: {said}' >&2; exit 1; }}")
    (written,) = store.write([put_of("p/old", b"new")])
    assert isinstance(written.error, kind)
    assert (tmp_path / "store/p/old").read_bytes() == b"old"
    assert list((tmp_path / "store/p").iterdir()) == [tmp_path / "store/p/old"]


def test_a_sync_that_takes_no_names_is_asked_for_everything(
    store: Transport, sync: Path, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    write_program(sync, f"[ $# = 0 ] || exit 1; echo all >>{shlex.quote(str(log))}")
    write_all(store, put_of("p/old", b"new"))
    assert log.read_text() == "all\nall\n"
    assert (tmp_path / "store/p/old").read_bytes() == b"new"
