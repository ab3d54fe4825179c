"""Panels and notifications of other desktops than Xfce's, as Debian's packages have them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from desktop.programs import Programs
from desktop.screen import Screen
from programs import require

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
_QUIET = {"NO_AT_BRIDGE": "1", "GDK_BACKEND": "x11", "GIO_USE_VFS": "local"}
_LXQT_ENVIRONMENT = {**_QUIET, "QT_QPA_PLATFORM": "xcb", "XDG_CURRENT_DESKTOP": "LXQt"}
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


def older_desk(programs: Programs, home: Path) -> Screen:
    """A panel that knows only the older kind of icon (XEmbed)."""
    del home
    require("trayer", "openbox")
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


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(text)
