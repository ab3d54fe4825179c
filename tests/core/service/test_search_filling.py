"""A watching service keeps the index of what was said, as long as it is wanted."""

from __future__ import annotations

import pytest

from claude_sync.errors import SearchError
from claude_sync.search.searching import search_sessions
from claude_sync.service import search_filling
from claude_sync.state import preferences
from claude_sync.sync.read_only import open_read_only
from machines import OTHER, SESSION, PlayedMachine, World, said
from services import prepare, serving
from waiting import until


def is_found(machine: PlayedMachine, text: str) -> bool:
    with open_read_only(machine.paths) as context:
        try:
            return bool(search_sessions(context, text).hits)
        except SearchError:
            return False  # it is written at this moment, or isn't wanted


def has_index(machine: PlayedMachine) -> bool:
    return any(machine.paths.state.glob("search*.sqlite*"))


def test_what_is_said_can_be_found_soon_on_either_machine(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_filling, "FIRST_SECONDS", 0.1)
    monkeypatch.setattr(search_filling, "SOON_SECONDS", 0.1)
    laptop, desktop = world.machines("laptop", "desktop")
    prepare(laptop)
    laptop.write(SESSION, said("about the cookie"))
    with serving(laptop) as service:
        until(lambda: is_found(laptop, "cookie"))
        until(lambda: service.indexed == 1)
        laptop.write(SESSION, said("about the login"))
        until(lambda: is_found(laptop, "login"))
        until(lambda: service.indexed > 1)
        desktop.write(OTHER, said("elsewhere"))
        desktop.push()
        until(lambda: is_found(laptop, "elsewhere"))
        preferences.change(laptop.paths, search=False)
        until(lambda: not has_index(laptop))
        preferences.change(laptop.paths, search=True)
        until(lambda: is_found(laptop, "cookie login"))
        desktop.forget(OTHER)
        # The others of those whose words had to go are read again.
        until(lambda: not is_found(laptop, "elsewhere") and is_found(laptop, "cookie"))
