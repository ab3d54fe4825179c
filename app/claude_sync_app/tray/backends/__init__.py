"""Shows icon and menu on this system; the backend is chosen once, at the start."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Protocol

from claude_sync_app.tray.backends.callbacks import IconCallbacks, Presence
from claude_sync_app.tray.icons.icons import Picture
from claude_sync_app.tray.menu.model import Item
from claude_sync_app.tray.verbs import Action

if TYPE_CHECKING:
    from claude_sync_app.desktop.loop import Loop

__all__ = ["Backend", "IconCallbacks", "Presence", "advice", "choose"]


class Backend(Protocol):
    """An icon with a menu. All but `run` may be called in any thread."""

    def run(self) -> None:
        """Show it until `stop`; returns then. In the main thread, as macOS requires."""

    def show(self, menu: Item, icon: Picture, tooltip: str, attention: bool = False) -> None:
        """Show all this from now on; returns at once.

        Args:
            menu: its children are the rows. While the menu is open, its rows wait.
            icon: which picture.
            tooltip: a sentence of plain text, of which 127 characters are shown.
            attention: whether the panel should highlight it, if it can.
        """

    def react(self, left_click: Action | None) -> None:
        """Change what a click on the icon asks for; None opens the menu."""

    def close_menu(self) -> None:
        """Show the rows that wait: a person clicked something else, so no menu is open."""

    def stop(self) -> None:
        """Take it away and let `run` return."""


def choose(name: str, loop: Loop, callbacks: IconCallbacks, picture: Picture) -> Backend | None:
    """The icon for this system, not shown yet; None if there can't be one.

    On Linux it is our own if there is a session bus and a panel for it, or no panel of any kind
    yet: it appears when a panel does. Only a panel that knows nothing but the older system tray
    gets pystray's, if GTK is there.

    Args:
        name: the application's, for people.
        loop: carries our own icon; it runs already.
        callbacks: what the icon calls, in its own thread.
        picture: the first icon.
    """
    from claude_sync_app.tray.backends import pystray_icon

    if sys.platform == "darwin":
        from claude_sync_app.tray.backends import macos

        return pystray_icon.PystrayIcon(macos.new_icon(name), callbacks, picture)
    if sys.platform == "win32":
        from claude_sync_app.tray.backends import windows

        icon = windows.new_icon(name)
        return pystray_icon.PystrayIcon(icon, callbacks, picture, escape=_double_ampersands)
    return _choose_on_linux(name, loop, callbacks, picture)


def _choose_on_linux(
    name: str, loop: Loop, callbacks: IconCallbacks, picture: Picture
) -> Backend | None:
    from claude_sync_app.tray.backends import gtk, status_notifier

    presence = loop.submit(status_notifier.find_panel()).result()
    if presence is not Presence.SHOWN and gtk.is_possible():
        from claude_sync_app.tray.backends.pystray_icon import PystrayIcon

        icon = gtk.new_icon(name)
        if icon is not None:
            return PystrayIcon(icon, callbacks, picture)
    if presence is Presence.NO_BUS:
        return None
    ours: Backend = status_notifier.StatusNotifierIcon(name, loop, callbacks, picture)
    return ours


def _double_ampersands(label: str) -> str:
    """Windows underlines the letter after one."""
    return label.replace("&", "&&")


def advice(presence: Presence) -> str:
    """Why no icon can be seen and what to do about it, a sentence; "" if one is seen.

    It asks the display, so not in the loop's thread.
    """
    if presence is Presence.SHOWN:
        return ""
    if presence is Presence.NO_BUS:
        return (
            "No icon: there is no session bus, so most likely no desktop either; "
            "start it from within one, or use `claude-sync watch`."
        )
    if "GNOME" in os.environ.get("XDG_CURRENT_DESKTOP", "").upper():
        return (
            "No icon: GNOME shows none by itself; install the extension “AppIndicator and "
            "KStatusNotifierItem Support” (Debian, Ubuntu and Fedora have it as "
            "gnome-shell-extension-appindicator) and log in again."
        )
    from claude_sync_app.tray.backends import gtk

    if gtk.has_older_tray():
        return (
            "No icon: this panel shows only icons of the older kind; install GTK for Python "
            "(Debian and Ubuntu have it as python3-gi and gir1.2-gtk-3.0) and start claude-sync "
            "again, or run snixembed, which shows the newer kind in such panels."
        )
    return (
        "No icon: this desktop's panel shows none; add a system tray (“Status Tray Plugin” in "
        "Xfce, “tray” in waybar) to it. It will appear then without a restart."
    )
