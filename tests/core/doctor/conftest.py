from __future__ import annotations

from collections.abc import Iterator

import pytest

from conformance.sshd import SshHost, running_sshd
from examined import Patient
from machines import World


@pytest.fixture
def patient(world: World) -> Patient:
    """This machine, set up: with the world's store as its shared folder."""
    patient = Patient(world)
    patient.set_up()
    return patient


@pytest.fixture
def newcomer(world: World) -> Patient:
    """This machine with nothing set up."""
    return Patient(world)


@pytest.fixture(scope="session")
def ssh_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshHost]:
    """A real sshd."""
    with running_sshd(tmp_path_factory.mktemp("sshd")) as host:
        yield host
