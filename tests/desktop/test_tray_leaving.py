"""Leaving a machine and coming back to it; a host that is down and comes back."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from claude_sync.state import preferences
from claude_sync.sync.setup import set_up
from conformance.sshd import SshHost, running_sshd
from desktop.logind import Logind
from desktop.notification_servers import NotificationServer
from desktop.panel import Panel
from desktop.programs import Programs
from desktop.tray_program import Tray, TrayMachine, await_notice, prefer, row_beginning
from machines import OTHER, SESSION, PlayedMachine, said
from waiting import PATIENCE_SECONDS, until

_A_LOT = 60_000_000


@pytest.fixture
def nas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshHost]:
    """A host of this test's own."""
    with running_sshd(tmp_path_factory.mktemp("sshd")) as host:
        yield host


def _says(panel: Panel, beginning: str) -> None:
    until(lambda: panel.menu().rows[0].label, lambda label: label.startswith(beginning))


# --- sleep -------------------------------------------------------------------------------------


def test_what_changed_is_pushed_before_a_sleep_and_the_next_one_waits_too(
    programs: Programs, panel: Panel, logind: Logind, laptop: TrayMachine
) -> None:
    prefer(laptop, quiet_seconds=600, pull_interval_seconds=3600)
    Tray(programs, laptop)
    logind.asked.wait()
    _says(panel, "Up to date")
    laptop.write(SESSION, said("the last word"))
    assert logind.is_held()
    logind.sleep(True)
    until(lambda: not logind.is_held())
    assert laptop.bundle().exists()
    logind.sleep(False)
    logind.asked.wait(2)
    assert logind.is_held()


def test_a_pause_holds_before_a_sleep_too(
    programs: Programs, panel: Panel, logind: Logind, laptop: TrayMachine
) -> None:
    prefer(laptop, paused_until=float("inf"))
    Tray(programs, laptop)
    logind.asked.wait()
    _says(panel, "Paused")
    laptop.write(SESSION, said("not for others yet"))
    logind.sleep(True)
    until(lambda: not logind.is_held())
    assert not laptop.bundle().exists()


def test_what_did_not_fit_before_the_sleep_is_said_on_waking(
    programs: Programs,
    panel: Panel,
    server: NotificationServer,
    logind: Logind,
    laptop: TrayMachine,
) -> None:
    logind.wait_at_most(0.1)
    prefer(laptop, quiet_seconds=600)
    Tray(programs, laptop)
    logind.asked.wait()
    _says(panel, "Up to date")
    laptop.write(SESSION, said('"' * _A_LOT))
    logind.sleep(True)
    until(lambda: not logind.is_held())
    assert not laptop.bundle().exists(), "it takes longer than there was time"
    logind.sleep(False)
    assert "1 session" in str(await_notice(server, "before sleep")["summary"])


# --- a host ------------------------------------------------------------------------------------


def _meet_on(nas: SshHost, machine: TrayMachine, root: Path) -> None:
    prefer(machine, ssh_command=nas.ssh_command, pull_interval_seconds=3600)
    with machine.here():
        set_up(machine.paths, nas.location(root), name=machine.name)


def test_a_host_that_goes_down_is_offline_until_it_is_back(
    programs: Programs, panel: Panel, laptop: TrayMachine, nas: SshHost, tmp_path: Path
) -> None:
    root = nas.root / tmp_path.name
    _meet_on(nas, laptop, root)
    Tray(programs, laptop)
    _says(panel, "Up to date")
    assert nas.process is not None
    arguments = nas.process.args
    assert isinstance(arguments, list)
    nas.end_connections()
    nas.process.terminate()
    nas.process.wait(PATIENCE_SECONDS)
    laptop.write(SESSION, said("written meanwhile"))
    panel.tell("opened", 0)
    panel.tell("closed", 0)
    _says(panel, "Offline")
    nas.process = subprocess.Popen([str(one) for one in arguments], stdin=subprocess.DEVNULL)

    def again() -> bool:
        row = row_beginning(panel, "Try again")
        if row is not None:
            panel.tell("clicked", row.number)
        return bool(list(root.glob("*/*.ccsync")))

    until(again)
    _says(panel, "Up to date")


def _wake(logind: Logind) -> None:
    logind.sleep(True)
    logind.sleep(False)


def _have_a_network(logind: Logind) -> None:
    logind.network(70)


@pytest.mark.parametrize("come_back", [Logind.unlock, _wake, _have_a_network])
def test_coming_back_looks_at_once_and_a_log_out_pushes_nothing_over_ssh(
    come_back: Callable[[Logind], None],
    programs: Programs,
    panel: Panel,
    server: NotificationServer,
    logind: Logind,
    laptop: TrayMachine,
    desktop: PlayedMachine,
    nas: SshHost,
    tmp_path: Path,
) -> None:
    root = nas.root / tmp_path.name
    _meet_on(nas, laptop, root)
    prefer(laptop, quiet_seconds=600)
    tray = Tray(programs, laptop)
    logind.asked.wait()
    _says(panel, "Up to date")
    desktop.write(OTHER, said("from the desktop"))
    desktop.push()
    (there,) = desktop.world.bundles()
    target = root / there.relative_to(desktop.world.store)
    target.parent.mkdir()
    target.write_bytes(there.read_bytes())
    come_back(logind)
    await_notice(server, "desktop")

    laptop.write(SESSION, said("the last word"))
    tray.process.send_signal(signal.SIGTERM)
    assert tray.ended(5) == 0
    assert [path.name for path in root.glob("*/*.ccsync")] == [target.name]
    assert preferences.load(laptop.paths).location == nas.location(root)
    assert os.path.exists(laptop.path(SESSION))
