"""pystray's GTK icon, for panels on X11 that know nothing but the older system tray (XEmbed)."""

from __future__ import annotations

import importlib.util
import os
import signal
import sys
import sysconfig
from collections.abc import Callable
from typing import Any

_DEBIANS = "/usr/lib/python3/dist-packages/gi/__init__.py"
"""Where Debian has it (python3-gi), which an environment of our own doesn't look at."""


def is_possible() -> bool:
    """Whether an icon of this kind would be seen: GTK is installed and such a panel runs."""
    return _has_gi() and has_older_tray()


def _has_gi() -> bool:
    if importlib.util.find_spec("gi") is not None:
        return True
    # Its extension is built for one version of Python.
    suffix = sysconfig.get_config_var("EXT_SUFFIX") or ""
    return os.path.exists(os.path.join(os.path.dirname(_DEBIANS), f"_gi{suffix}"))


def _find_gi() -> None:
    """Have `import gi` find Debian's where there is no other, and nothing else from there."""
    if importlib.util.find_spec("gi") is not None or not _has_gi():
        return
    folder = [os.path.dirname(_DEBIANS)]
    spec = importlib.util.spec_from_file_location("gi", _DEBIANS, submodule_search_locations=folder)
    if spec is None or spec.loader is None:
        return
    module = sys.modules["gi"] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception:
        del sys.modules["gi"]
        raise


def has_older_tray() -> bool:
    """Whether a program owns the system tray of the screen.

    https://specifications.freedesktop.org/systemtray-spec/latest/
    """
    if not os.environ.get("DISPLAY"):
        return False
    from Xlib.display import Display
    from Xlib.error import DisplayError

    try:
        display = Display()
    except (DisplayError, OSError):
        return False
    try:
        atom = display.intern_atom(f"_NET_SYSTEM_TRAY_S{display.get_default_screen()}")
        return bool(display.get_selection_owner(atom))
    finally:
        display.close()


def new_icon(name: str) -> Any:
    """A pystray icon for GTK; None if GTK can't be used after all."""
    try:
        _find_gi()
        from gi.repository import GLib
        from pystray import _gtk
    except (ImportError, ValueError):
        return None

    class GtkIcon(_gtk.Icon):  # type: ignore[misc]
        menu_opened: Callable[[bool], None] = staticmethod(lambda _: None)
        click_opens_menu = True

        def in_its_thread(self, function: Callable[[], object]) -> None:
            GLib.idle_add(lambda: bool(function()) and False)

        def _initialize(self) -> None:
            """Without pystray's notifier, which fails or hangs if no daemon or bus answers."""
            for number in (signal.SIGINT, signal.SIGTERM):
                # While GLib's loop runs, Python's own signal handlers wait for it to end.
                GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, number, self.stop)
            self._mark_ready()

        def _finalize(self) -> None:
            self._remove_fs_icon()

        def _on_status_icon_activate(self, status_icon: Any) -> None:
            if self.click_opens_menu:
                self._on_status_icon_popup_menu(status_icon, 0, 0)
            else:
                super()._on_status_icon_activate(status_icon)

        def _on_status_icon_popup_menu(self, status_icon: Any, button: int, at: int) -> None:
            menu = self._menu_handle
            if not menu:
                return
            self.menu_opened(True)
            self._connection = menu.connect("deactivate", self._closed)
            super()._on_status_icon_popup_menu(status_icon, button, at)

        def _closed(self, menu: Any) -> None:
            menu.disconnect(self._connection)
            self.menu_opened(False)

    return GtkIcon(name)
