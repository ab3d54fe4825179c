"""What is said where no icon can be seen."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from Xlib import X
from Xlib.display import Display

from claude_sync_app.tray.backends import Presence, advice


@pytest.fixture
def older_tray(display: str) -> Iterator[None]:
    """A panel that takes only icons of the older kind (XEmbed): it owns the screen's tray."""
    screen = Display(display)
    window = screen.screen().root.create_window(0, 0, 1, 1, 0, X.CopyFromParent)
    window.set_selection_owner(screen.intern_atom("_NET_SYSTEM_TRAY_S0"), X.CurrentTime)
    screen.sync()
    yield
    screen.close()


@pytest.mark.usefixtures("older_tray")
def test_a_panel_that_shows_only_older_icons_is_told_from_one_that_shows_none() -> None:
    said = advice(Presence.NO_PANEL)
    assert "snixembed" in said
    assert "python3-gi" in said


@pytest.mark.usefixtures("display")
def test_elsewhere_it_is_said_what_shows_icons(monkeypatch: pytest.MonkeyPatch) -> None:
    assert advice(Presence.SHOWN) == ""
    assert "add a system tray" in advice(Presence.NO_PANEL)
    assert "no session bus" in advice(Presence.NO_BUS)
    monkeypatch.setenv("XDG_CURRENT_DESKTOP", "ubuntu:GNOME")
    assert "gnome-shell-extension-appindicator" in advice(Presence.NO_PANEL)
