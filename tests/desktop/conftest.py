from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from claude_sync_app.desktop.loop import Loop
from desktop.logind import Logind
from desktop.notification_servers import NotificationServer
from desktop.panel import Panel
from desktop.programs import PrivateBus, Programs, install, start_display
from desktop.tray_program import TrayMachine
from machines import PlayedMachine, World
from programs import require

# It can't be started. What starts and fails is told from what works by the time it takes.
_NOT_THERE = "#!/nowhere/sh\n"


@pytest.fixture
def programs() -> Iterator[Programs]:
    """Starts programs; what still runs is ended after the test."""
    programs = Programs()
    yield programs
    programs.end_all()


@pytest.fixture
def bus(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> PrivateBus:
    """A session bus of the test's own, named in the environment."""
    bus = PrivateBus(programs, Path(os.environ["XDG_RUNTIME_DIR"]), "session-bus")
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", bus.address)
    return bus


@pytest.fixture
def no_bus(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment names a bus that isn't there."""
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent")


@pytest.fixture
def display(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> str:
    """An X display of the test's own, named in the environment."""
    name = start_display(programs)
    monkeypatch.setenv("DISPLAY", name)
    return name


@pytest.fixture
def panel(bus: PrivateBus) -> Iterator[Panel]:
    """A panel on the test's bus."""
    panel = Panel(bus.address)
    yield panel
    panel.close()


@pytest.fixture
def loop() -> Iterator[Loop]:
    """The loop that carries what is tested."""
    loop = Loop()
    loop.start()
    yield loop
    loop.stop()


@pytest.fixture
def server(bus: PrivateBus) -> Iterator[NotificationServer]:
    """What shows notifications on the test's bus."""
    server = NotificationServer(bus.address)
    yield server
    server.close()


@pytest.fixture
def fresh(world: World) -> TrayMachine:
    """A machine on which nothing is set up."""
    require("git")  # without it, the doctor warns on every start
    return TrayMachine(world, "laptop")


@pytest.fixture
def laptop(fresh: TrayMachine) -> TrayMachine:
    """A machine that is set up with a shared folder."""
    fresh.set_up()
    (fresh.claude / "projects").mkdir()
    return fresh


@pytest.fixture
def desktop(laptop: TrayMachine) -> PlayedMachine:
    """Another machine with the same shared folder."""
    return laptop.world.machine("desktop")


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[Path]]:
    """What was opened with the system's programs, by an opener that only takes notes."""
    notes = tmp_path / "opened"
    install(tmp_path, monkeypatch, "xdg-open", f'#!/bin/sh\nprintf "%s\\n" "$1" >> {notes}\n')
    install(tmp_path, monkeypatch, "google-chrome", _NOT_THERE)
    return lambda: [Path(line) for line in notes.read_text().splitlines()] if notes.exists() else []


@pytest.fixture
def no_browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing opens a page, so what the window would show is asked in dialogs."""
    for name in ("google-chrome", "xdg-open"):
        install(tmp_path, monkeypatch, name, _NOT_THERE)


@pytest.fixture
def system_bus(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> PrivateBus:
    """A system bus of the test's own."""
    bus = PrivateBus(programs, Path(os.environ["XDG_RUNTIME_DIR"]), "system-bus")
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.address)
    return bus


@pytest.fixture
def logind(system_bus: PrivateBus) -> Iterator[Logind]:
    """Signals that the machine sleeps and wakes."""
    logind = Logind(system_bus.address)
    yield logind
    logind.close()
