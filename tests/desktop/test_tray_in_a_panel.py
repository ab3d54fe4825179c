"""The whole application in a real panel, with a real notification daemon, by mouse and keys."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from desktop.notification_servers import Dunst
from desktop.programs import PrivateBus, Programs
from desktop.tray_program import Tray, TrayMachine
from desktop.windows import xdotool
from desktop.xfce import XfceDesk
from machines import OTHER, PlayedMachine, said
from waiting import until

WAITING = (0x78, 0xAE, 0xED)
PIXELS = 1 << 16
_ATTEMPTS = 4


def _has(picture: Image.Image, colour: tuple[int, int, int]) -> bool:
    counts = picture.getcolors(PIXELS) or []
    return sum(count for count, found in counts if found == colour) > 40


def _choose(desk: XfceDesk, keys: tuple[str, ...], done: Callable[[], bool]) -> None:
    """Choose a row of the menu, which is open, by keys; again where the panel missed them."""
    for _ in range(_ATTEMPTS - 1):
        xdotool("key", "--delay", "100", *keys, "Return")
        try:
            until(done, seconds=20)
            return
        except AssertionError:
            # What opened on the screen may have been a notification, before the menu was there.
            xdotool("key", "Escape")
            desk.open_menu()
    xdotool("key", "--delay", "100", *keys, "Return")
    until(done)


def test_a_day_in_a_panel(
    programs: Programs,
    bus: PrivateBus,
    display: str,
    home: Path,
    tmp_path: Path,
    laptop: TrayMachine,
    desktop: PlayedMachine,
) -> None:
    desk = XfceDesk(programs, home)
    dunst = Dunst(programs, tmp_path)
    tray = Tray(programs, laptop)
    title = json.dumps({"type": "custom-title", "customTitle": "Refactor the parser"})
    desktop.write(OTHER, title.encode() + b"\n", said("from the desktop"))
    desktop.push()
    until(lambda: _has(desk.icon(), WAITING))
    until(lambda: "Refactor the parser" in str(dunst.shown()))
    dunst.dismiss()

    left, top, right, _ = desk.open_menu()
    desk.keep("tray-menu")
    # What can be clicked: Open claude-sync, Pull.
    _choose(desk, ("Down", "Down"), lambda: laptop.has(OTHER))
    assert laptop.read(OTHER) == desktop.read(OTHER)
    assert right - left > 100
    assert top > 0

    until(lambda: not _has(desk.icon(), WAITING))
    desk.open_menu()
    desk.keep("tray-menu-up-to-date")
    _choose(desk, ("Up",), lambda: tray.process.poll() is not None)
    assert tray.ended() == 0
