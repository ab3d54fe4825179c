"""What the panel behind the icon looks like: light or dark, as far as the system says."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from claude_sync_app.desktop import dbus
from claude_sync_app.tray.icons.icons import Theme

if TYPE_CHECKING:
    from claude_sync_app.desktop.loop import Loop

_READ = dbus.Method(
    "org.freedesktop.portal.Desktop",
    "/org/freedesktop/portal/desktop",
    "org.freedesktop.portal.Settings",
    "Read",
)
_PREFERS_LIGHT = 2


def panel_theme(loop: Loop) -> Theme:
    """Which variant of the icon to begin with; asks the system, which may take a moment."""
    if sys.platform == "darwin":
        return _of_macos()
    if sys.platform == "win32":
        return _of_windows()
    return loop.submit(_of_linux()).result()


def _of_macos() -> Theme:
    from claude_sync_app.desktop.launching import run

    # The key isn't there while the appearance is light.
    return Theme.DARK if run(["defaults", "read", "-g", "AppleInterfaceStyle"]) else Theme.LIGHT


def _of_windows() -> Theme:
    if sys.platform != "win32":
        return Theme.DARK
    import winreg

    key = r"Software\Microsoft\Windows\CurrentVersion\Themes\Personalize"
    try:
        with winreg.OpenKey(winreg.HKEY_CURRENT_USER, key) as opened:
            is_light, _ = winreg.QueryValueEx(opened, "SystemUsesLightTheme")
    except OSError:
        return Theme.DARK
    return Theme.LIGHT if is_light else Theme.DARK


async def _of_linux() -> Theme:
    """Dark unless it is known to be light: GNOME's bar is dark, whatever its windows look like.

    https://flatpak.github.io/xdg-desktop-portal/docs/doc-org.freedesktop.portal.Settings.html
    """
    if "GNOME" in os.environ.get("XDG_CURRENT_DESKTOP", "").upper():
        return Theme.DARK
    bus = await dbus.connect()
    if bus is None:
        return Theme.DARK
    try:
        reply = await dbus.call(bus, _READ, "ss", "org.freedesktop.appearance", "color-scheme")
    finally:
        await dbus.disconnect(bus)
    value: Any = reply.body[0] if reply is not None else None
    # Older portals wrap it twice.
    while hasattr(value, "value"):
        value = value.value
    return Theme.LIGHT if value == _PREFERS_LIGHT else Theme.DARK
