"""What is said where the connection to a host ends while the doctor looks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from claude_sync.doctor import examine, open_read_only
from claude_sync.model import Finding, Level
from claude_sync.state import preferences
from claude_sync.sync.setup import set_up
from conformance.sshd import SshHost, running_sshd
from examined import Patient
from machines import OTHER, SESSION, PlayedMachine, said


@pytest.fixture
def host(tmp_path: Path) -> Iterator[SshHost]:
    """A host of this test's own, as it will refuse every login."""
    folder = tmp_path / "sshd"
    folder.mkdir()
    with running_sshd(folder) as host:
        yield host


def _meet_on(host: SshHost, *machines: PlayedMachine) -> None:
    for machine in machines:
        machine.set_up()
        with machine.here():
            preferences.change(machine.paths, ssh_command=host.command_alone())
            set_up(machine.paths, host.location(host.root / "sessions"), name=machine.name)


def _shut_out(host: SshHost) -> None:
    """Refuse every login from now on, and cut every connection."""
    (host.directory / "authorized_keys").write_text("")
    host.end_connections()


def _let_in(host: SshHost, keys: str) -> None:
    (host.directory / "authorized_keys").write_text(keys)


def _of(findings: list[Finding], code: str) -> list[Finding]:
    return [one for one in findings if one.code == code]


def test_reading_through_is_broken_off(newcomer: Patient, host: SshHost) -> None:
    _meet_on(host, newcomer)
    for session in (SESSION, OTHER):
        newcomer.write(session, *(said("x" * 100_000) for _ in range(60)))
    newcomer.push()
    keys = (host.directory / "authorized_keys").read_text()
    with open_read_only(newcomer.paths, on_progress=lambda _: _shut_out(host)) as context:
        found = examine(context, deep=True)
    (broken,) = _of(found, "deep-broken-off")
    assert broken.level is Level.WARNING
    assert "1 of 2 were checked" in broken.detail
    assert "doctor --deep" in broken.fix
    _let_in(host, keys)
    assert newcomer.is_well("deep-broken-off", deep=True)
    assert newcomer.the("own-bundles", Level.OK, deep=True).title.startswith("2 bundles")


def test_judging_sessions_is_broken_off(newcomer: Patient, host: SshHost) -> None:
    desktop = newcomer.world.machine("desktop")
    _meet_on(host, newcomer, desktop)
    newcomer.write(SESSION, said())
    newcomer.push()
    desktop.pull()
    desktop.write(SESSION, said())
    desktop.push()
    newcomer.write(SESSION, said())
    keys = (host.directory / "authorized_keys").read_text()
    looked: list[bool] = []

    def shut_out_after_the_look() -> bool:
        if not looked:
            _shut_out(host)
        looked.append(True)
        return False

    with open_read_only(newcomer.paths, should_stop=shut_out_after_the_look) as context:
        found = examine(context)
    (broken,) = _of(found, "sessions-unjudged")
    assert broken.level is Level.WARNING
    assert _of(found, "conflict") == []
    assert _of(found, "projects") != []
    _let_in(host, keys)
    assert newcomer.is_well("sessions-unjudged")
    newcomer.the("conflict", Level.WARNING)
