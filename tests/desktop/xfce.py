"""A real panel: Xfce's, on the test's display, to be looked at and clicked."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from PIL import Image, ImageChops

from desktop.programs import Programs
from desktop.screen import Screen
from programs import require
from waiting import until

PANEL_HEIGHT = 28

_CONFIGURATION = """\
<?xml version="1.0" encoding="UTF-8"?>
<channel name="xfce4-panel" version="1.0">
  <property name="configver" type="int" value="2"/>
  <property name="panels" type="array">
    <value type="int" value="1"/>
    <property name="dark-mode" type="bool" value="true"/>
    <property name="panel-1" type="empty">
      <property name="position" type="string" value="p=6;x=0;y=0"/>
      <property name="length" type="uint" value="100"/>
      <property name="position-locked" type="bool" value="true"/>
      <property name="size" type="uint" value="{height}"/>
      <property name="icon-size" type="uint" value="0"/>
      <property name="plugin-ids" type="array">
        <value type="int" value="1"/>
        <value type="int" value="2"/>
      </property>
    </property>
  </property>
  <property name="plugins" type="empty">
    <property name="plugin-1" type="string" value="separator">
      <property name="expand" type="bool" value="true"/>
      <property name="style" type="uint" value="0"/>
    </property>
    <property name="plugin-2" type="string" value="systray"/>
  </property>
</channel>
"""


def configuration_daemon() -> str:
    """Where Debian keeps the daemon that the panel reads its settings from."""
    (path,) = Path("/usr/lib").glob("*/xfce4/xfconf/xfconfd")
    return str(path)


class XfceDesk(Screen):
    """A window manager and a panel with nothing in it but icons, at its right end."""

    def __init__(self, programs: Programs, home: Path) -> None:
        require("xfce4-panel", "openbox", "import", "xdotool")
        self._programs = programs
        channel = home / ".config/xfce4/xfconf/xfce-perchannel-xml/xfce4-panel.xml"
        channel.parent.mkdir(parents=True)
        channel.write_text(_CONFIGURATION.format(height=PANEL_HEIGHT))
        self._environment = {"NO_AT_BRIDGE": "1", "GDK_BACKEND": "x11", "GIO_USE_VFS": "local"}
        programs.start([configuration_daemon()], self._environment)
        programs.start(["openbox"], self._environment)
        self._panel = self._start_panel()

    def _start_panel(self) -> subprocess.Popen[bytes]:
        return self._programs.start(
            [shutil.which("xfce4-panel") or "xfce4-panel", "--disable-wm-check"],
            self._environment,
        )

    def restart_panel(self) -> None:
        self._programs.end(self._panel)
        self._panel = self._start_panel()

    def icon(self) -> Image.Image:
        """What the panel shows at its right end."""
        screen = self.picture()
        left = screen.width - PANEL_HEIGHT
        return screen.crop((left, 0, screen.width, PANEL_HEIGHT))

    def open_menu(self) -> tuple[int, int, int, int]:
        """Click the icon; the box that the menu fills."""
        before = self.settled()
        self.click(before.width - PANEL_HEIGHT // 2, PANEL_HEIGHT // 2)

        def below_the_panel() -> tuple[int, int, int, int] | None:
            box = (0, PANEL_HEIGHT, before.width, before.height)
            found = ImageChops.difference(before.crop(box), self.settled().crop(box)).getbbox()
            if found is None or found[3] - found[1] < 20:
                return None
            left, top, right, bottom = found
            return left, top + PANEL_HEIGHT, right, bottom + PANEL_HEIGHT

        box = until(below_the_panel)
        assert box is not None
        return box
