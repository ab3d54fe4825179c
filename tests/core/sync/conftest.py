from __future__ import annotations

from pathlib import Path

import pytest

from machines import SESSION, PlayedMachine, World, said


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def pair(world: World) -> tuple[PlayedMachine, PlayedMachine]:
    """Two machines that both have a session; the laptop has pushed it."""
    laptop, desktop = world.machines("laptop", "desktop")
    laptop.write(SESSION, said("first"))
    laptop.push()
    desktop.pull()
    return laptop, desktop


@pytest.fixture
def apart(
    pair: tuple[PlayedMachine, PlayedMachine],
) -> tuple[PlayedMachine, PlayedMachine]:
    """The same session gone on with on both; both have pushed."""
    for machine in pair:
        machine.write(SESSION, said(f"on {machine.name}"))
        machine.push()
    return pair
