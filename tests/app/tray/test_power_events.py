"""Leaving a machine that couldn't be asked to wait."""

from __future__ import annotations

import pytest

from claude_sync.service.service import Service
from claude_sync.state.paths import paths
from claude_sync_app.desktop.loop import Loop
from claude_sync_app.desktop.session_events import Leaving, Way
from claude_sync_app.tray.power_events import PowerEvents


@pytest.mark.parametrize("way", list(Way))
def test_where_the_system_does_not_wait_it_is_released_at_once(way: Way) -> None:
    loop = Loop()
    released: list[Way] = []
    power_events = PowerEvents(loop, Service(paths()), woke=lambda: None, unpushed=lambda _: None)
    power_events.leaving(Leaving(way, 0.0, lambda: released.append(way)))
    assert released == [way]
    loop.stop()
