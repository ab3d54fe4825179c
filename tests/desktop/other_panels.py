"""Panels and notifications of other desktops than Xfce's, as Debian's packages have them.

Sway is one without X. It refuses to be root, so where the tests are, it runs as nobody: in a
namespace of users in which root isn't.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from desktop.programs import Programs
from desktop.screen import Screen
from programs import require
from waiting import PATIENCE_SECONDS, until

_LXQT = """\
[General]
panels=panel1
iconTheme=Adwaita

[panel1]
animation-duration=0
hidable=false
iconSize=22
lineCount=1
lockPanel=true
panelSize=32
plugins=spacer, statusnotifier
position=Top
width=100
width-percent=true

[spacer]
alignment=Left
expandable=true
type=spacer

[statusnotifier]
alignment=Right
type=statusnotifier
"""
_MATE = """\
[org/mate/panel/general]
toplevel-id-list=['top']
object-id-list=['notification-area']

[org/mate/panel/toplevels/top]
expand=true
orientation='top'
size=28

[org/mate/panel/objects/notification-area]
object-type='applet'
applet-iid='NotificationAreaAppletFactory::NotificationArea'
toplevel-id='top'
position=10
panel-right-stick=true
locked=true
"""
_WAYBAR = """\
{"position": "top", "height": 28, "modules-right": ["tray"], "tray": {"icon-size": 22}}
"""
_NO_SCREEN = {
    "WLR_BACKENDS": "headless",
    "WLR_LIBINPUT_NO_DEVICES": "1",
    "WLR_RENDERER": "pixman",
    "DISPLAY": "",
}
_GTK_OF_PYTHON = (
    "/usr/lib/python3/dist-packages/gi/__init__.py",
    "/usr/lib/x86_64-linux-gnu/girepository-1.0/Gtk-3.0.typelib",
)
_QUIET = {"NO_AT_BRIDGE": "1", "GDK_BACKEND": "x11", "GIO_USE_VFS": "local"}
_LXQT_ENVIRONMENT = {**_QUIET, "QT_QPA_PLATFORM": "xcb", "XDG_CURRENT_DESKTOP": "LXQt"}
_PLASMAS_OTHER_PARTS = (
    "/usr/lib/x86_64-linux-gnu/libexec/kactivitymanagerd",
    "/usr/share/plasma/shells/org.kde.plasma.desktop/metadata.json",
)
_PLASMA_ENVIRONMENT = {
    **_QUIET,
    "QT_QPA_PLATFORM": "xcb",
    "QT_QUICK_BACKEND": "software",
    "LIBGL_ALWAYS_SOFTWARE": "1",
    "XDG_CURRENT_DESKTOP": "KDE",
    "KDE_FULL_SESSION": "true",
    "KDE_SESSION_VERSION": "5",
}
_MATE_ENVIRONMENT = {**_QUIET, "GSETTINGS_BACKEND": "keyfile", "XDG_CURRENT_DESKTOP": "MATE"}


def lxqt_desk(programs: Programs, home: Path) -> Screen:
    """LXQt's panel with nothing but icons."""
    require("lxqt-panel", "openbox")
    _write(home / ".config/lxqt/panel.conf", _LXQT)
    programs.start(["openbox"], _QUIET)
    programs.start(["lxqt-panel"], _LXQT_ENVIRONMENT)
    return Screen()


def mate_desk(programs: Programs, home: Path) -> Screen:
    """MATE's panel with nothing but icons, in a process of their own as Debian has it."""
    require("mate-panel", "openbox")
    _write(home / ".config/glib-2.0/settings/keyfile", _MATE)
    programs.start(["openbox"], _QUIET)
    programs.start(["/usr/lib/mate-panel/notification-area-applet"], _MATE_ENVIRONMENT)
    programs.start(["mate-panel"], _MATE_ENVIRONMENT)
    return Screen()


def plasma_desk(programs: Programs, home: Path) -> Screen:
    """Plasma's whole desktop, with its panel at the lower edge."""
    del home
    require("plasmashell", "kded5", "gdbus", "openbox", *_PLASMAS_OTHER_PARTS)
    programs.start(["openbox"], _QUIET)
    for command, name in (
        (_PLASMAS_OTHER_PARTS[0], "org.kde.ActivityManager"),
        ("kded5", "org.kde.StatusNotifierWatcher"),
        ("plasmashell", "org.kde.plasmashell"),
    ):
        programs.start([command], _PLASMA_ENVIRONMENT)
        subprocess.run(
            ["gdbus", "wait", "--session", f"--timeout={PATIENCE_SECONDS:.0f}", name], check=True
        )
    return Screen()


def older_desk(programs: Programs, home: Path) -> Screen:
    """A panel that knows only the older kind of icon (XEmbed)."""
    del home
    require("trayer", "openbox", *_GTK_OF_PYTHON)
    programs.start(["openbox"], _QUIET)
    programs.start(["trayer", "--edge", "top", "--align", "right", "--height", "28"], _QUIET)
    return Screen()


def start_notifications(
    programs: Programs, command: Sequence[str], environment: Mapping[str, str] | None = None
) -> Screen:
    """Start one that shows notifications, and the window manager that it wants."""
    require(command[0], "openbox")
    programs.start(["openbox"], _QUIET)
    quiet = {**_QUIET, "GSETTINGS_BACKEND": "memory"}
    programs.start(command, {**quiet, **(environment or {})})
    return Screen()


class Sway:
    """A Wayland desktop on a screen that nobody sees.

    Args:
        programs: starts it.
        folder: its settings are written there.
    """

    def __init__(self, programs: Programs, folder: Path) -> None:
        require("sway", "grim", "unshare")
        settings = folder / "sway.conf"
        settings.write_text("output HEADLESS-1 resolution 800x400\n")
        nobody = ["unshare", "--user"] if os.geteuid() == 0 else []
        programs.start([*nobody, "sway", "-c", str(settings)], _NO_SCREEN)
        runtime = Path(os.environ["XDG_RUNTIME_DIR"])
        sockets = until(lambda: [one for one in runtime.glob("wayland-*") if one.is_socket()])
        self._programs = programs
        self._inside = {"WAYLAND_DISPLAY": sockets[0].name}

    def start(self, program: str) -> subprocess.Popen[bytes]:
        """Start a program there."""
        require(program)
        return self._programs.start([program], self._inside)

    def start_panel(self, home: Path) -> subprocess.Popen[bytes]:
        """Start waybar with nothing but icons."""
        _write(home / ".config/waybar/config", _WAYBAR)
        return self.start("waybar")

    def picture(self) -> Image.Image:
        """The whole screen as it is at this moment."""
        return Image.open(io.BytesIO(self._run("grim", "-"))).convert("RGB")

    def shown(self) -> list[dict[str, Any]]:
        """What mako shows, newest first: summary, body, id, actions, …"""
        (found,) = json.loads(self._run("makoctl", "list"))["data"]
        return [{name: value["data"] for name, value in one.items()} for one in found]

    def answer(self, *arguments: str) -> None:
        """Click or close what mako shows: `makoctl`'s arguments."""
        self._run("makoctl", *arguments)

    def _run(self, *arguments: str) -> bytes:
        done = subprocess.run(
            arguments,
            env={**os.environ, **self._inside},
            stdout=subprocess.PIPE,
            timeout=PATIENCE_SECONDS,
            check=True,
        )
        return done.stdout


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
