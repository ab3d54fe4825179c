from __future__ import annotations

from collections.abc import Iterator

import pytest

from conformance.clouds import Clouds, running_clouds
from conformance.sshd import SshHost, running_sshd


@pytest.fixture(scope="session")
def ssh_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshHost]:
    """A real sshd for tests that break what leads to it: no connection to it is shared."""
    with running_sshd(tmp_path_factory.mktemp("sshd")) as host:
        yield host


@pytest.fixture(scope="session")
def clouds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clouds]:
    """Clouds of this machine, for tests that break what leads to them."""
    with running_clouds(tmp_path_factory.mktemp("clouds")) as running:
        yield running
