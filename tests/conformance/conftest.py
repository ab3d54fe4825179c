from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from capabilities import LINUX, require_linux
from claude_sync.transports.base import MARKER_NAME, Transport
from claude_sync.transports.ssh import pipes as ssh_pipes
from conformance.clouds import KINDS, Clouds, CloudStorage, running_clouds
from conformance.page_example import ExampleStorage
from conformance.sshd import FLAVOURS, SshHost, running_sshd
from conformance.storages import (
    MARKER,
    FileStorage,
    MemoryStorage,
    SealedStorage,
    Storage,
    folder_storage,
    metered_storage,
    put_of,
    ssh_storage,
    write_all,
)

FILE_STORAGES = ["folder", "metered", "box", "box-busybox", "box-bare", "box by threads"]
"""``box…`` are hosts over ssh; "by threads" as on systems whose pipes can't be polled."""


@pytest.fixture(scope="session")
def host_if_any(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshHost | None]:
    """A real sshd, with an open connection to each flavour that the suite runs over.

    None off Linux, where the other kinds of storage are tried all the same.
    """
    if not LINUX:
        yield None
        return
    with running_sshd(tmp_path_factory.mktemp("sshd")) as host:
        for kind in (*FILE_STORAGES, "box-deaf"):
            if kind in FLAVOURS:
                host.share(kind)
        yield host


@pytest.fixture
def ssh_host(host_if_any: SshHost | None) -> SshHost:
    """The sshd itself."""
    return _there(host_if_any)


def _there(host: SshHost | None) -> SshHost:
    if host is None:
        require_linux("an sshd that runs as this user")
    assert host is not None
    return host


def _storage(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path, host: SshHost | None
) -> Iterator[FileStorage]:
    if kind in ("folder", "metered"):
        storage = folder_storage if kind == "folder" else metered_storage
        yield storage(tmp_path / "the store")
        return
    flavour, _, threads = kind.partition(" by ")
    if threads:
        patch = request.getfixturevalue("monkeypatch")
        patch.setattr(ssh_pipes, "PolledPipes", ssh_pipes.ThreadedPipes)
    yield ssh_storage(_there(host), flavour, tmp_path / "the store")


@pytest.fixture(scope="session")
def clouds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clouds]:
    """What `rclone serve` serves, of every kind."""
    with running_clouds(tmp_path_factory.mktemp("clouds")) as running:
        yield running


CLOUDS = [f"rclone {kind}" for kind in KINDS]


def _cloud_storage(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path, clouds: Clouds
) -> CloudStorage:
    patch: pytest.MonkeyPatch = request.getfixturevalue("monkeypatch")
    patch.setenv("RCLONE_CONFIG", str(clouds.config))
    name = f"store {os.urandom(4).hex()}"
    return CloudStorage(clouds, kind.removeprefix("rclone "), name, tmp_path / "run")


SEALED_STORAGES = ["sealed memory", "sealed folder", "sealed box", "sealed box-bare"]


@pytest.fixture(
    params=["memory", "example of TRANSPORTS.md", *FILE_STORAGES, *CLOUDS, *SEALED_STORAGES]
)
def storage(
    request: pytest.FixtureRequest, tmp_path: Path, host_if_any: SshHost | None, clouds: Clouds
) -> Iterator[Storage]:
    """A storage that isn't there yet."""
    _, _, beneath = request.param.partition("sealed ")
    if beneath == "memory":
        yield SealedStorage(MemoryStorage())
    elif beneath:
        for storage in _storage(beneath, request, tmp_path, host_if_any):
            yield SealedStorage(storage)
    elif request.param == "memory":
        yield MemoryStorage()
    elif request.param == "example of TRANSPORTS.md":
        yield ExampleStorage(tmp_path / "the store.db")
    elif request.param in CLOUDS:
        yield _cloud_storage(request.param, request, tmp_path, clouds)
    else:
        yield from _storage(request.param, request, tmp_path, host_if_any)


@pytest.fixture(params=FILE_STORAGES)
def file_storage(
    request: pytest.FixtureRequest, tmp_path: Path, host_if_any: SshHost | None
) -> Iterator[FileStorage]:
    """A storage made of real files that isn't there yet."""
    yield from _storage(request.param, request, tmp_path, host_if_any)


def _set_up(storage: Storage) -> Iterator[Transport]:
    transport = storage.open()
    transport.create()
    write_all(transport, put_of(MARKER_NAME, MARKER))
    yield transport
    transport.close()


@pytest.fixture
def store(storage: Storage) -> Iterator[Transport]:
    """A transport over the storage, set up with a marker."""
    yield from _set_up(storage)


@pytest.fixture
def file_store(file_storage: FileStorage) -> Iterator[Transport]:
    """The same over a storage made of real files."""
    yield from _set_up(file_storage)
