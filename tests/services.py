"""A running service for tests, on a machine of `machines`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from claude_sync.service.service import Service
from claude_sync.state import preferences
from machines import PlayedMachine
from waiting import PATIENCE_SECONDS, until

QUIET_SECONDS = 0.2


@contextmanager
def serving(machine: PlayedMachine, **options: Any) -> Iterator[Service]:
    """A service on a machine, past its first look; it looks by itself once an hour only."""
    options.setdefault("interval_seconds", 3600.0)
    # Who a machine is depends on its home, so it is the process's as long as the service runs.
    with machine.here():
        service = Service(machine.paths, **options)
        try:
            service.start()
            until(lambda: service.status.started)
            yield service
        finally:
            assert service.stop(PATIENCE_SECONDS)


def prepare(machine: PlayedMachine, **changes: object) -> None:
    """Make a machine ready to be watched: a Claude tree that is there, and little patience."""
    machine.folder.mkdir(parents=True, exist_ok=True)
    changes.setdefault("quiet_seconds", QUIET_SECONDS)
    # Not by the home directory: another machine may be played meanwhile.
    preferences.change(machine.paths, claude_config_dir=machine.claude, **changes)


def log_of(machine: PlayedMachine) -> str:
    """What was written into the log."""
    path = machine.paths.log_file
    return path.read_text() if path.exists() else ""
