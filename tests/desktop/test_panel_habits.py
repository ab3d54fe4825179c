"""What each panel was seen to call, replayed over a real bus to the whole application.

Seen with Xfce 4.18, LXQt 1.2, MATE 1.27, Cinnamon 5.6, Plasma 5.27, GNOME 43 with its extension and
waybar 0.9; test_real_panels.py starts some of them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from desktop.notification_servers import NotificationServer
from desktop.panel import Panel, Refused, Row
from desktop.programs import Programs
from desktop.tray_program import (
    Tray,
    TrayMachine,
    await_notice,
    await_row,
    press,
    row_beginning,
)
from machines import OTHER, PlayedMachine, said
from waiting import until


class Habits(NamedTuple):
    """How a panel goes about an icon and its menu.

    Attributes:
        known_as: its name on the bus, "" where it has none.
        activates: whether a left click calls Activate, whatever the item says that it is.
        depth: how deep it reads the menu.
        asks: how it asks before it shows a menu: by "AboutToShow", or by "AboutToShowGroup".
        tells: whether it tells that the menu was opened and closed.
    """

    known_as: str
    activates: bool
    depth: int
    asks: str
    tells: bool


XFCE = Habits("", activates=False, depth=-1, asks="AboutToShowGroup", tells=False)
LXQT = Habits("", activates=True, depth=1, asks="AboutToShow", tells=True)
MATE = Habits("", activates=True, depth=-1, asks="AboutToShowGroup", tells=False)
CINNAMON = Habits("", activates=True, depth=-1, asks="AboutToShow", tells=True)
PLASMA = Habits("org.kde.plasmashell", activates=True, depth=1, asks="AboutToShow", tells=True)
GNOME = Habits("org.gnome.Shell", activates=True, depth=-1, asks="AboutToShow", tells=True)


class PlayedPanel:
    """A panel with these habits."""

    def __init__(self, panel: Panel, habits: Habits) -> None:
        self.panel, self.habits = panel, habits
        if habits.known_as:
            panel.take(habits.known_as)

    def click_left(self) -> bool:
        """Whether the panel opens the menu: the item is one, or doesn't know the click."""
        if not self.habits.activates:
            return bool(self.panel.properties()["ItemIsMenu"])
        try:
            self.panel.of_item("Activate", "ii", 100, 100)
        except Refused:
            return self.habits.known_as != ""
        return False

    def open(self, number: int = 0) -> Row:
        """Read a menu and show it, as after a click with the right button."""
        argument = ("ai", [number]) if self.habits.asks == "AboutToShowGroup" else ("i", number)
        self.panel.of_menu(self.habits.asks, *argument)
        if self.habits.tells:
            self.panel.tell("opened", number)
        return self._read(number)

    def _read(self, number: int) -> Row:
        whole = self.panel.menu(self.habits.depth)
        if number == 0:
            return whole
        self.panel.of_menu("GetLayout", "iias", number, self.habits.depth, [])
        return next(row for row in self.panel.menu().rows if row.number == number)

    def close(self, number: int = 0) -> None:
        if self.habits.tells:
            self.panel.tell("closed", number)


@pytest.fixture
def tray(programs: Programs, panel: Panel, laptop: TrayMachine) -> Tray:
    """The application, once its menu is there."""
    tray = Tray(programs, laptop)
    await_row(panel, "Quit")
    return tray


@pytest.mark.parametrize(
    ("habits", "opens_menu"),
    [
        (XFCE, True),
        (LXQT, False),
        (MATE, False),
        (CINNAMON, False),
        (PLASMA, True),
        (GNOME, True),
    ],
    ids=["Xfce", "LXQt", "MATE", "Cinnamon", "Plasma", "GNOME"],
)
@pytest.mark.usefixtures("server")
def test_each_panel_gets_a_click_that_does_something_and_a_menu_that_stands_still(
    panel: Panel,
    opened: Callable[[], list[Path]],
    tray: Tray,
    habits: Habits,
    opens_menu: bool,
) -> None:
    played = PlayedPanel(panel, habits)
    assert played.click_left() is opens_menu
    if not opens_menu:
        assert until(opened), "the window is there in its place"

    menu = played.open()
    before = menu.labels
    assert before[-1] == "Quit"
    preferences = menu.find("Preferences")
    panel.signals.clear()
    rows = played.open(preferences.number).labels
    assert "All settings…" in rows
    played.close(preferences.number)
    assert panel.menu().labels == before
    played.close()
    assert played.open().labels[-1] == "Quit"
    panel.tell("clicked", panel.menu().find("Quit").number)
    assert tray.ended() == 0
    assert tray.words() == ""


@pytest.mark.usefixtures("server", "opened", "tray")
def test_plasma_has_read_each_submenu_before_it_shows_one(panel: Panel) -> None:
    played = PlayedPanel(panel, PLASMA)
    panel.signals.clear()
    root = played.open()
    submenus = {row.number for row in root.rows if "children-display" in row.properties}
    assert len(submenus) == 2
    until(lambda: {parent for _, parent in panel.heard("LayoutUpdated")} == submenus)


@pytest.mark.usefixtures("tray")
def test_a_menu_is_closed_once_a_notification_is_clicked_also_where_no_panel_tells_it(
    panel: Panel, server: NotificationServer, desktop: PlayedMachine
) -> None:
    played = PlayedPanel(panel, XFCE)
    preferences = played.open().find("Preferences").number
    played.close()
    desktop.write(OTHER, said("from the desktop"))
    desktop.push()
    notice = await_notice(server, "From desktop")
    assert row_beginning(panel, "↓") is None, "for all that is known, the menu is open"
    press(server, notice, "Later")

    def has_row() -> bool:
        if row_beginning(panel, "↓") is not None:
            return True
        played.open(preferences)  # else it would be let go of at last, whatever is clicked
        return False

    until(has_row)
