"""How long a panel has to come before it is said that the icon can't be seen."""

from __future__ import annotations

from claude_sync_app.tray.backends.callbacks import Presence
from claude_sync_app.tray.panel_wait import PanelWait


def test_a_panel_has_a_minute_to_come_and_to_come_back() -> None:
    now = [100.0]
    wait = PanelWait(lambda: now[0])
    now[0] += 59
    wait.see(Presence.NO_PANEL)
    assert not wait.was_in_vain, "at a login the panel may start after us"
    now[0] += 1
    assert wait.was_in_vain
    wait.see(Presence.SHOWN)
    assert not wait.was_in_vain
    now[0] += 500
    wait.see(Presence.NO_PANEL)
    now[0] += 59
    wait.see(Presence.NO_BUS)
    assert not wait.was_in_vain
    now[0] += 1
    assert wait.was_in_vain
