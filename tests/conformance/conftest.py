from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from claude_sync.transports.base import MARKER_NAME, Transport
from claude_sync.transports.ssh import pipes as ssh_pipes
from conformance.locations import (
    MARKER,
    FileHouse,
    MemoryHouse,
    Place,
    folder_house,
    metered_house,
    put_of,
    ssh_house,
    write_all,
)
from conformance.sshd import FLAVOURS, SshHost, running_sshd

FILE_PLACES = ["folder", "metered", "box", "box-busybox", "box-bare", "box by threads"]
"""``box…`` are hosts over ssh; "by threads" as on systems whose pipes can't be polled."""


@pytest.fixture(scope="session")
def ssh_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshHost]:
    """A real sshd, with an open connection to each flavour that the suite runs over."""
    with running_sshd(tmp_path_factory.mktemp("sshd")) as host:
        for kind in FILE_PLACES:
            if kind in FLAVOURS:
                host.share(kind)
        yield host


def _house(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path, host: SshHost
) -> Iterator[FileHouse]:
    if kind in ("folder", "metered"):
        house = folder_house if kind == "folder" else metered_house
        yield house(tmp_path / "the store")
        return
    flavour, _, threads = kind.partition(" by ")
    if threads:
        patch = request.getfixturevalue("monkeypatch")
        patch.setattr(ssh_pipes, "PolledPipes", ssh_pipes.ThreadedPipes)
    yield ssh_house(host, flavour, tmp_path / "the store")


@pytest.fixture(params=["memory", *FILE_PLACES])
def place(request: pytest.FixtureRequest, tmp_path: Path, ssh_host: SshHost) -> Iterator[Place]:
    """A place that isn't there yet."""
    if request.param == "memory":
        yield MemoryHouse()
    else:
        yield from _house(request.param, request, tmp_path, ssh_host)


@pytest.fixture(params=FILE_PLACES)
def file_place(
    request: pytest.FixtureRequest, tmp_path: Path, ssh_host: SshHost
) -> Iterator[FileHouse]:
    """A place made of real files that isn't there yet."""
    yield from _house(request.param, request, tmp_path, ssh_host)


def _set_up(place: Place) -> Iterator[Transport]:
    transport = place.open()
    transport.create()
    write_all(transport, put_of(MARKER_NAME, MARKER))
    yield transport
    transport.close()


@pytest.fixture
def store(place: Place) -> Iterator[Transport]:
    """A transport over the place, set up with a marker."""
    yield from _set_up(place)


@pytest.fixture
def file_store(file_place: FileHouse) -> Iterator[Transport]:
    """The same over a place made of real files."""
    yield from _set_up(file_place)
