from __future__ import annotations

from collections.abc import Iterator

import pytest

from conformance.sshd import SshHost, running_sshd


@pytest.fixture(scope="session")
def ssh_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshHost]:
    """A real sshd for tests that break what leads to it: no connection to it is shared."""
    with running_sshd(tmp_path_factory.mktemp("sshd")) as host:
        yield host
