"""Makes the README's pictures from the running program: `python assets/make_pictures.py [FOLDER]`.

It starts the program on made-up machines (`demo_sessions.py`), with a panel, a notification daemon
and terminals on a display of its own, and Chromium for the window. What is seen is what is there,
but for one thing: Claude Code is played by a stand-in, which prints a session and waits.

The pictures are kept in the repository. The tests' helpers start the desktop's programs, and
packaging/test-programs names their packages.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / part) for part in ("core", "app", "tests", "assets")]

from demo_sessions import ORDERS, Demo, DemoMachine  # noqa: E402
from PIL import Image, ImageChops, ImageDraw, ImageFont  # noqa: E402

from desktop.programs import PrivateBus, Programs, start_display  # noqa: E402
from desktop.xfce import XfceDesk  # noqa: E402
from waiting import until  # noqa: E402

SCREEN = (960, 500)
_BACKDROP = (0x2F, 0x48, 0x58)
CAPTION_HEIGHT = 40
_NOTICE = (SCREEN[0] - 375, 34, SCREEN[0], 190)
_LOWER = (0, 300, SCREEN[0], SCREEN[1])
"""Where notifications show, and where nothing but a terminal does."""
_LIGHT = [0] * 200 + [255] * 56
FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
_NOTIFYD = "/usr/lib/x86_64-linux-gnu/xfce4/notifyd/xfce4-notifyd"
_CLIENT = """\
#!/usr/bin/env python3
# Stands in for Claude Code: prints the session that it is given, and waits.
import json, pathlib, sys, time
if "--resume" not in sys.argv:
    sys.exit()
session = sys.argv[sys.argv.index("--resume") + 1]
(path,) = (pathlib.Path.home() / ".claude" / "projects").glob(f"*/{session}.jsonl")
print()
for line in path.read_text().splitlines():
    event = json.loads(line)
    said = event.get("message", {}).get("content")
    if isinstance(said, str):
        print(f" \\x1b[2m>\\x1b[0m {said}\\n")
    elif said:
        print(f" \\x1b[33m●\\x1b[0m {said[0]['text']}\\n")
print(" \\x1b[2m> \\x1b[0m", end="", flush=True)
time.sleep(600)
"""
# Types a line as a person does, and runs it.
_TYPIST = """\
import subprocess, sys, time
prompt = "\\x1b[1;34mserver\\x1b[0m:\\x1b[1m~/code/weather-station\\x1b[0m$ "
print(prompt, end="", flush=True)
time.sleep(0.8)
for one in "claude-sync push":
    print(one, end="", flush=True)
    time.sleep(0.06)
print()
subprocess.run([sys.executable, "-m", "claude_sync_app", "push"])
print(prompt, end="", flush=True)
time.sleep(600)
"""


# --- the desk ----------------------------------------------------------------------------------


class Desk:
    """A screen with a panel and notifications, on which one machine's icon runs."""

    def __init__(self, programs: Programs, machine: DemoMachine) -> None:
        self.programs = programs
        self.machine = machine
        os.environ.update(machine.environment)
        os.environ["XDG_CURRENT_DESKTOP"] = "XFCE"
        os.environ["DISPLAY"] = start_display(programs, "{}x{}x24".format(*SCREEN))
        bus = PrivateBus(programs, machine.runtime, "bus")
        os.environ["DBUS_SESSION_BUS_ADDRESS"] = bus.address
        look = json.dumps(_terminal("laptop", "84x12+60+222"))
        machine.run("config", "set", "terminal", look)
        client = machine.home / ".local" / "bin" / "claude"
        client.parent.mkdir(parents=True)
        client.write_text(_CLIENT)
        client.chmod(0o755)
        os.environ["PATH"] = f"{client.parent}:{os.environ['PATH']}"
        os.environ["SHELL"] = "/bin/sh"
        _paint_backdrop()
        self.screen = XfceDesk(programs, machine.home)
        programs.start([_NOTIFYD])

    def start_icon(self) -> None:
        """Start the tray application, and wait for its icon."""
        said = (self.machine.home / "said").open("wb")
        command = [sys.executable, "-m", "claude_sync_app", "tray"]
        self.programs.start(command, output=said)
        # It is light on a dark panel.
        until(lambda: self.screen.icon().convert("L").point(_LIGHT).getbbox())
        self.screen.settled()

    def terminal(self, title: str, command: list[str], machine: DemoMachine) -> None:
        """Open a terminal that runs a command on a machine."""
        look = _terminal(title, "64x7+20+50")
        environment = {**machine.environment, "DISPLAY": os.environ["DISPLAY"], "COLUMNS": ""}
        self.programs.start([shutil.which(look[0]) or look[0], *look[1:], *command], environment)


def _terminal(title: str, place: str) -> list[str]:
    look = ["-fa", "DejaVu Sans Mono", "-fs", "10", "-bg", "#1d2021", "-fg", "#ebdbb2", "-b", "8"]
    return ["xterm", *look, "-geometry", place, "-title", title, "-e"]


def _paint_backdrop() -> None:
    from Xlib import display

    connection = display.Display()
    root = connection.screen().root
    root.change_attributes(background_pixel=int.from_bytes(_BACKDROP, "big"))
    root.clear_area(0, 0, *SCREEN)
    connection.sync()


def _differ(one: Image.Image, other: Image.Image, box: tuple[int, int, int, int]) -> bool:
    return ImageChops.difference(one.crop(box), other.crop(box)).getbbox() is not None


# --- the window --------------------------------------------------------------------------------


def picture_window(machine: DemoMachine, images: Path) -> None:
    """The window's sessions in light and dark, and a conflict."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        for scheme in ("light", "dark"):
            context = browser.new_context(
                viewport={"width": 1360, "height": 680}, color_scheme=scheme
            )
            page = context.new_page()
            page.goto(machine.run("open", "--print").strip().splitlines()[-1])
            page.wait_for_url("**/sessions")
            for row in ("Sort the recipes by season", "Conflict"):
                page.get_by_text(row).first.wait_for()
            page.wait_for_load_state("networkidle")
            _keep(page.screenshot(), images / f"window-{scheme}.png")
            if scheme == "light":
                page.goto(f"{page.url.rpartition('/')[0]}/conflict/{ORDERS}")
                page.wait_for_load_state("networkidle")
                _keep(page.screenshot(), images / "conflict.png")
            context.close()
        browser.close()


def _keep(png: bytes, path: Path) -> None:
    path.write_bytes(png)
    with Image.open(path) as picture:
        flat = picture.convert("RGB").quantize(192, dither=Image.Dither.NONE)
    flat.save(path, optimize=True)


# --- menu and notification ---------------------------------------------------------------------


def picture_menu(desk: Desk, images: Path) -> None:
    """The menu in the panel."""
    left, _, _, bottom = desk.screen.open_menu()
    desk.screen.point_at(left + 40, bottom + 30)
    shown = desk.screen.settled()
    shown.crop((left - 40, 0, SCREEN[0], min(bottom + 20, SCREEN[1]))).save(
        images / "tray-menu.png", optimize=True
    )
    subprocess.run(["xdotool", "key", "Escape"], check=True)


# --- the moving picture ------------------------------------------------------------------------


class Film:
    """Frames of the screen, each with what it shows, kept as an animated WebP."""

    def __init__(self, screen: XfceDesk) -> None:
        self._screen = screen
        self._frames: list[Image.Image] = []
        self._times: list[int] = []
        self._font = ImageFont.truetype(FONT, 17)

    def take(self, words: str, milliseconds: int) -> None:
        """Add a frame."""
        frame = Image.new("RGB", (SCREEN[0], SCREEN[1] + CAPTION_HEIGHT), "#16242d")
        frame.paste(self._screen.picture(), (0, 0))
        drawing = ImageDraw.Draw(frame)
        at = (SCREEN[0] // 2, SCREEN[1] + CAPTION_HEIGHT // 2)
        drawing.text(at, words, fill="#f2f2f2", font=self._font, anchor="mm")
        self._frames.append(frame)
        self._times.append(milliseconds)

    def roll(self, words: str, until_so: Callable[[], bool], hold: int = 1_500) -> None:
        """Add frames as things change, until something is so; the last one is held."""
        end = time.monotonic() + 30
        while not until_so() and time.monotonic() < end:
            self.take(words, 120)
            time.sleep(0.08)
        self._screen.settled()
        self.take(words, hold)

    def save(self, path: Path) -> None:
        """Write it; frames that show the same become one."""
        frames, times = [self._frames[0]], [self._times[0]]
        for frame, shown in zip(self._frames[1:], self._times[1:], strict=True):
            if ImageChops.difference(frame, frames[-1]).getbbox() is None:
                times[-1] += shown
            else:
                frames.append(frame)
                times.append(shown)
        times = [min(shown, 3_000) for shown in times]
        frames[0].save(
            path,
            save_all=True,
            append_images=frames[1:],
            duration=times,
            loop=0,
            quality=70,
            method=4,
            minimize_size=True,
        )


def film(demo: Demo, desk: Desk, images: Path) -> None:
    """Push on one machine, arrival on another, pull, and resume; and a picture of the arrival."""
    made = Film(desk.screen)
    demo.begin_rain()
    empty = desk.screen.settled()
    station = demo.server.home / "code" / "weather-station"
    typed = ["sh", "-c", 'cd "$1" && exec "$2" -c "$0"', _TYPIST, str(station), sys.executable]
    desk.terminal("server", typed, demo.server)
    words = "On the server: push"
    made.roll(words, lambda: _differ(empty, desk.screen.picture(), _NOTICE), hold=900)
    notice = _notice(empty, desk.screen.settled())
    arrived = "On the laptop: the icon tells what arrived"
    made.take(arrived, 3_000)
    desk.screen.picture().crop((notice[0] - 30, 0, SCREEN[0], notice[3] + 20)).save(
        images / "notification.png", optimize=True
    )
    # The middle one of three buttons.
    button = (notice[0] + notice[2]) // 2 + 10, notice[3] - 31
    desk.screen.point_at(*button)
    desk.screen.settled()
    made.take(arrived, 900)
    before = desk.screen.settled()
    desk.screen.click(*button)
    resumed = "Pull and resume: it goes on here"
    made.roll(resumed, lambda: _differ(before, desk.screen.picture(), _LOWER), hold=300)
    made.roll(resumed, lambda: desk.screen.settled() is not None, hold=3_000)
    made.save(images / "push-and-resume.webp")
    _close_terminals()


def _notice(before: Image.Image, now: Image.Image) -> tuple[int, int, int, int]:
    """Where the notification is."""
    left, top, *_ = _NOTICE
    found = ImageChops.difference(before.crop(_NOTICE), now.crop(_NOTICE)).getbbox()
    assert found is not None
    return found[0] + left, found[1] + top, found[2] + left, found[3] + top


def _close_terminals() -> None:
    found = subprocess.run(
        ["xdotool", "search", "--class", "xterm"], capture_output=True, text=True, check=False
    )
    for window in found.stdout.split():
        subprocess.run(["xdotool", "windowkill", window], check=False)


@contextmanager
def running() -> Iterator[Programs]:
    """Starts programs, and ends them."""
    programs = Programs()
    try:
        yield programs
    finally:
        programs.end_all()


def main(images: Path) -> None:
    """Make every picture."""
    images.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="claude-sync-demo-") as folder, running() as programs:
        demo = Demo(Path(folder).resolve())
        demo.fill()
        desk = Desk(programs, demo.laptop)
        desk.start_icon()
        film(demo, desk, images)
        demo.diverge()
        demo.arrive()
        picture_window(demo.laptop, images)
        picture_menu(desk, images)
    for picture in images.iterdir():
        picture.chmod(0o644)  # what is in the demonstration's homes is for their user only


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "assets" / "images")
