"""A running service for tests, on a machine of `machines`; waiting for what it does."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from claude_sync.service.service import Service
from claude_sync.state import preferences
from machines import PlayedMachine

PATIENCE_SECONDS = 60.0
"""For what comes at once on an idle machine; eight test runs at once take their time."""

QUIET_SECONDS = 0.2


def until(condition: Callable[[], Any], seconds: float = PATIENCE_SECONDS) -> None:
    """Wait for something to come true."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.005)


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
