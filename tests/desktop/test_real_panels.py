"""The whole application in panels and notifications of several desktops, by mouse and keys.

Left out unless asked for with ``-m slow``; what each panel calls is replayed over D-Bus in
test_panel_habits.py at every run.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from claude_sync_app.tray.backends.dbusmenu import HOLD_SECONDS
from desktop.other_panels import (
    Sway,
    lxqt_desk,
    mate_desk,
    older_desk,
    plasma_desk,
    start_notifications,
)
from desktop.programs import PrivateBus, Programs
from desktop.screen import Screen, find_colour
from desktop.tray_program import Tray, TrayMachine
from desktop.windows import xdotool
from desktop.xfce import XfceDesk, configuration_daemon
from machines import OTHER, PlayedMachine, said
from waiting import until

pytestmark = pytest.mark.slow

WAITING = (0x78, 0xAE, 0xED)
_ROW_HEIGHT = 14


def _titled(text: str) -> bytes:
    return json.dumps({"type": "custom-title", "customTitle": text}).encode() + b"\n"


def _icon(screen: Screen) -> tuple[int, int]:
    """Where the icon is, once it shows that something waits."""
    left, top, right, bottom = until(lambda: screen.find(WAITING, 10)) or (0, 0, 0, 0)
    return (left + right) // 2, (top + bottom) // 2


def _click_until(screen: Screen, at: tuple[int, int], done: Callable[[], object]) -> None:
    """Click with the left button, again where a panel that is new there missed it."""
    for _ in range(3):
        screen.click(*at)
        try:
            until(done, seconds=15)
        except AssertionError:
            continue
        return
    screen.click(*at)
    until(done)


@pytest.fixture
def arrived(desktop: PlayedMachine) -> PlayedMachine:
    """Another machine that pushed a session."""
    desktop.write(OTHER, _titled("Tune the queries"), said("from the desktop"))
    desktop.push()
    return desktop


@pytest.mark.parametrize(
    ("start", "button", "opens_window"),
    [
        (XfceDesk, 1, False),
        (lxqt_desk, 3, True),
        (mate_desk, 3, True),
        (plasma_desk, 1, False),
        (older_desk, 1, False),
    ],
    ids=["Xfce", "LXQt", "MATE", "Plasma", "trayer"],
)
@pytest.mark.usefixtures("display", "bus")
def test_in_each_panel_the_icon_is_seen_and_its_clicks_do_something(
    programs: Programs,
    home: Path,
    laptop: TrayMachine,
    arrived: PlayedMachine,
    opened: Callable[[], list[Path]],
    request: pytest.FixtureRequest,
    start: Callable[[Programs, Path], Screen],
    button: int,
    opens_window: bool,
) -> None:
    screen = start(programs, home)
    if start is older_desk:
        # Nothing tells that it is there, and no icon of that kind comes later.
        until(lambda: xdotool("search", "--class", "trayer").strip())
    tray = Tray(programs, laptop)
    _icon(screen)
    before = screen.settled()
    x, y = _icon(screen)  # where it has come to rest
    if opens_window:
        _click_until(screen, (x, y), opened)
    screen.click(x, y, button)
    left, top, right, bottom = screen.await_change(before)
    screen.keep(f"menu-{request.node.callspec.id}")
    # Fourteen rows and more, of which the last are whole.
    assert bottom - top > 14 * _ROW_HEIGHT
    assert right - left > 150
    xdotool("key", "--delay", "150", "Up", "Return")
    assert tray.ended() == 0, "the last row is Quit"


@pytest.mark.usefixtures("display", "bus")
def test_a_menu_that_grew_while_it_was_closed_is_shown_whole(
    programs: Programs, home: Path, laptop: TrayMachine, arrived: PlayedMachine
) -> None:
    """Xfce pops a menu up in the size that it had when it was asked for."""
    screen = XfceDesk(programs, home)
    tray = Tray(programs, laptop)
    x, y = _icon(screen)
    before = screen.settled()
    screen.click(x, y)
    small = screen.await_change(before)
    for number in range(3):
        session = f"9a2b3c4{number}-1111-4222-8333-444455556666"
        arrived.write(session, _titled(f"Number {number}"), said("x"))
    arrived.push()
    xdotool("key", "Escape")
    # Xfce doesn't tell that it was closed, so the rows wait for a while.
    closed_at = time.monotonic()
    until(lambda: time.monotonic() > closed_at + HOLD_SECONDS + 1)
    before = screen.settled()
    screen.click(x, y)
    now = screen.await_change(before)
    screen.keep("menu-grown")
    assert now[3] > small[3] + 2 * _ROW_HEIGHT, "the new rows came"
    xdotool("key", "--delay", "150", "Up", "Return")
    assert tray.ended() == 0, "the last row is still Quit"


@pytest.mark.usefixtures("bus", "arrived")
def test_waybar_shows_the_icon_and_shows_it_again_after_a_restart(
    programs: Programs, home: Path, laptop: TrayMachine, tmp_path: Path
) -> None:
    sway = Sway(programs, tmp_path)
    waybar = sway.start_panel(home)
    Tray(programs, laptop)
    left, top, _, bottom = until(lambda: find_colour(sway.picture(), WAITING, 10)) or (0, 0, 0, 0)
    assert left > 700
    assert 0 < top < bottom < 28
    programs.end(waybar)
    until(lambda: not find_colour(sway.picture(), WAITING, 10))
    sway.start_panel(home)
    until(lambda: find_colour(sway.picture(), WAITING, 10))


_LXQT = {"QT_QPA_PLATFORM": "xcb"}


@pytest.mark.parametrize(
    ("command", "environment", "at"),
    [
        (["/usr/lib/x86_64-linux-gnu/xfce4/notifyd/xfce4-notifyd"], {}, (0.17, 0.73)),
        (["/usr/lib/mate-notification-daemon/mate-notification-daemon"], {}, (0.48, 0.77)),
        (["lxqt-notificationd"], _LXQT, (0.33, 0.77)),
    ],
    ids=["Xfce", "MATE", "LXQt"],
)
@pytest.mark.usefixtures("display", "bus", "opened")
def test_in_each_desktop_a_session_is_pulled_by_the_notifications_button(
    programs: Programs,
    bus: PrivateBus,
    laptop: TrayMachine,
    arrived: PlayedMachine,
    request: pytest.FixtureRequest,
    command: list[str],
    environment: dict[str, str],
    at: tuple[float, float],
) -> None:
    """Where the button is, as parts of what the notification fills."""
    if "xfce4" in command[0]:
        programs.start([configuration_daemon()])
    screen = start_notifications(programs, command, environment)
    before = screen.settled()
    Tray(programs, laptop)
    left, top, right, bottom = screen.await_change(before)
    screen.keep(f"notification-{request.node.callspec.id}")
    x, y = left + int(at[0] * (right - left)), top + int(at[1] * (bottom - top))
    assert not laptop.has(OTHER)
    screen.click(x, y)
    until(lambda: laptop.has(OTHER))
    assert laptop.read(OTHER) == arrived.read(OTHER)
