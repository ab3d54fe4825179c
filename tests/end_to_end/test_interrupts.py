"""Ctrl-C while a host keeps one waiting: the command ends now, not when the host answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from conformance.sshd import SshHost, running_sshd
from end_to_end.machine import Machine, interrupt
from waiting import until


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshHost]:
    """A host, one of whose logins greets and then never says a word.

    It is given ten minutes for that, longer than whoever interrupts waits for the end.
    """
    with running_sshd(tmp_path_factory.mktemp("sshd")) as host:
        yield host


@pytest.fixture
def kept_waiting(new_laptop: Machine, host: SshHost, tmp_path: Path) -> Machine:
    """A machine whose host fell silent after it was set up."""
    new_laptop.does("config", "set", "ssh_command", json.dumps(host.command_alone()))
    new_laptop.does("init", host.location(tmp_path / "store"), "--name", "laptop")
    file = Path(new_laptop.does("config", "path").strip())
    chosen = json.loads(file.read_text())
    chosen["location"] = host.location(tmp_path / "store", "box-busy")
    file.write_text(json.dumps(chosen))
    return new_laptop


@pytest.mark.parametrize("command", [("doctor",), ("pull", "--all"), ("status",)])
def test_a_silent_host_keeps_nobody(kept_waiting: Machine, command: tuple[str, ...]) -> None:
    process = kept_waiting.start(*command)
    started = psutil.Process(process.pid)
    until(lambda: any(child.name() == "ssh" for child in started.children()))
    assert process.poll() is None
    done = interrupt(process)
    assert done.status == 130
    assert done.out == ""
    assert done.err.startswith("claude-sync: ")
    assert len(done.err.splitlines()) == 1
