"""The whole application in a real panel, with a real notification daemon, by mouse and keys."""

from __future__ import annotations

import json
from pathlib import Path

from PIL import Image

from desktop.notification_servers import Dunst
from desktop.programs import PrivateBus, Programs, until
from desktop.tray_program import Tray, TrayMachine
from desktop.windows import xdotool
from desktop.xfce import XfceDesk
from machines import OTHER, PlayedMachine, said

WAITING = (0x78, 0xAE, 0xED)
PIXELS = 1 << 16


def _has(picture: Image.Image, colour: tuple[int, int, int]) -> bool:
    counts = picture.getcolors(PIXELS) or []
    return sum(count for count, found in counts if found == colour) > 40


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
    until(lambda: _has(desk.icon(), WAITING), seconds=20)
    until(lambda: "Refactor the parser" in str(dunst.shown()))
    dunst.dismiss()

    left, top, right, _ = desk.open_menu()
    desk.keep("tray-menu")
    # The rows are the sentence, a line, Push, Pull.
    xdotool("key", "--delay", "100", "Down", "Return")
    until(lambda: laptop.has(OTHER), seconds=20)
    assert laptop.read(OTHER) == desktop.read(OTHER)
    assert right - left > 100
    assert top > 0

    until(lambda: not _has(desk.icon(), WAITING))
    desk.open_menu()
    desk.keep("tray-menu-up-to-date")
    xdotool("key", "--delay", "100", "Up", "Return")
    assert tray.ended(20) == 0
