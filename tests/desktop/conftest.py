from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from claude_sync_app.desktop.loop import Loop
from desktop.panel import Panel
from desktop.programs import PrivateBus, Programs, start_display


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
