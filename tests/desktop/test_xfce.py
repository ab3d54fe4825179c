"""The icon and its menu in a real panel, seen and clicked as a person does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from claude_sync_app.desktop.loop import Loop
from claude_sync_app.tray import backends
from claude_sync_app.tray.backends.callbacks import IconCallbacks, Presence
from claude_sync_app.tray.backends.status_notifier import StatusNotifierIcon
from claude_sync_app.tray.icons.icons import IconState, Picture
from claude_sync_app.tray.menu.model import Item, separator
from claude_sync_app.tray.verbs import Action, Verb
from desktop.programs import Heard, PrivateBus, Programs
from desktop.xfce import XfceDesk
from waiting import until

MENU = Item(
    "menu",
    children=(
        Item("status", "2 waiting from desktop", enabled=False),
        separator("line 1"),
        Item("push", "Push 3 sessions", action=Action(Verb.PUSH)),
        Item("pull", "Pull 2 sessions", action=Action(Verb.PULL)),
        separator("line 2"),
        Item("quit", "Quit", action=Action(Verb.QUIT)),
    ),
)
RED = (0xC0, 0x1C, 0x28)
AMBER = (0xE5, 0xA5, 0x0A)
PIXELS = 1 << 16


@pytest.fixture
def desk(programs: Programs, bus: PrivateBus, display: str, home: Path) -> XfceDesk:
    return XfceDesk(programs, home)


class Tray:
    def __init__(self, loop: Loop) -> None:
        self.clicked: Heard[Action] = Heard()
        self.opened: Heard[bool] = Heard()
        self.presence: Heard[Presence] = Heard()
        events = IconCallbacks(self.clicked, self.opened, self.presence)
        icon = backends.choose("claude-sync", loop, events, Picture(IconState.UP_TO_DATE))
        assert isinstance(icon, StatusNotifierIcon)
        self.icon = icon
        icon.show(MENU, Picture(IconState.ERROR), "2 waiting from desktop")
        icon.run_detached()


@pytest.fixture
def tray(desk: XfceDesk, loop: Loop) -> Iterator[Tray]:
    tray = Tray(loop)
    until(lambda: tray.presence[-1:] == [Presence.SHOWN])
    yield tray
    tray.icon.stop()


def _has(picture: Image.Image, colour: tuple[int, int, int]) -> bool:
    counts = picture.getcolors(PIXELS) or []
    return sum(count for count, found in counts if found == colour) > 40


def test_the_icon_is_seen_follows_the_state_and_opens_a_menu_that_is_clicked(
    desk: XfceDesk, tray: Tray
) -> None:
    until(lambda: _has(desk.icon(), RED))
    tray.icon.show(MENU, Picture(IconState.ATTENTION), "", attention=True)
    until(lambda: _has(desk.icon(), AMBER))

    left, _, right, bottom = desk.open_menu()
    desk.keep("menu")
    assert tray.opened == [True]
    quit_row = ((left + right) // 2, bottom - 14)
    tray.icon.show(
        Item("menu", children=(Item("new", "New", action=Action(Verb.HELP)), *MENU.children)),
        Picture(IconState.ATTENTION),
        "",
    )
    desk.settled()
    desk.click(*quit_row)
    assert tray.clicked.wait() == [Action(Verb.QUIT)], "the row under the mouse stayed what it was"
    assert tray.opened.wait(2) == [True, False]


def test_a_panel_that_restarts_shows_the_icon_again(desk: XfceDesk, tray: Tray) -> None:
    until(lambda: _has(desk.icon(), RED))
    before = len(tray.presence)
    desk.restart_panel()
    since = tray.presence.wait(before + 2)[before:]
    assert since == [Presence.NO_PANEL, Presence.SHOWN]
    until(lambda: _has(desk.icon(), RED))
