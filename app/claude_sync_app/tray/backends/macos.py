"""pystray's icon for the menu bar of macOS, with what a menu that changes needs."""

from __future__ import annotations

import io
import signal
from collections.abc import Callable
from typing import Any

from claude_sync_app.tray.backends.pystray_icon import Tags

_POINTS = 18
"""Of 22 that the menu bar is high: https://developer.apple.com/design/human-interface-guidelines"""


# NSEvent.h: types, the mask of those that are the end of a click, the control key.
_RIGHT_BUTTON = (3, 4)
_BUTTONS_UP = 1 << 2 | 1 << 4
_CONTROL = 1 << 18


def new_icon(name: str) -> Any:
    """A pystray icon for macOS; call it in the main thread."""
    import AppKit
    import Foundation
    from PyObjCTools import AppHelper, MachSignals
    from pystray import _darwin

    # Pythons that are application bundles would have an icon in the Dock as well.
    AppKit.NSApplication.sharedApplication().setActivationPolicy_(
        AppKit.NSApplicationActivationPolicyAccessory
    )

    class MenuDelegate(Foundation.NSObject):  # type: ignore[misc]
        def menuWillOpen_(self, _: Any) -> None:  # noqa: N802 -- AppKit's name
            self.icon.menu_opened(True)

        def menuDidClose_(self, _: Any) -> None:  # noqa: N802
            self.icon.menu_opened(False)

    class MacIcon(_darwin.Icon):  # type: ignore[misc]
        menu_opened: Callable[[bool], None] = staticmethod(lambda _: None)
        click_opens_menu = True

        def __init__(self) -> None:
            super().__init__(name)
            self._tags = Tags()
            self._menu_delegate = MenuDelegate.alloc().init()
            self._menu_delegate.icon = self
            self._status_item.button().sendActionOn_(_BUTTONS_UP)

        def in_its_thread(self, function: Callable[[], object]) -> None:
            AppHelper.callAfter(function)

        def _run(self) -> None:
            """As pystray's, which has Ctrl-C end the process with nothing put in order."""
            self._mark_ready()
            # While AppKit's loop runs, Python's own signal handlers wait for it to end.
            for name in ("SIGTERM", "SIGINT", "SIGHUP"):
                number = getattr(signal, name)
                if signal.getsignal(number) is not signal.SIG_IGN:
                    MachSignals.signal(number, lambda *_: self.stop())
            try:
                self._app.run()
            finally:
                self._status_bar.removeStatusItem_(self._status_item)

        def _update_menu(self) -> None:
            self._tags.begin()
            menu = self._create_menu(self.menu, self._tags)
            if menu is not None:
                menu.setDelegate_(self._menu_delegate)
            # With a menu of its own the item opens that at every click, and asks nobody.
            self._status_item.setMenu_(menu if self.click_opens_menu else None)
            self._menu_handle = (menu, self._tags)

        def __call__(self) -> None:
            """The icon was clicked, and isn't to open its menu: the right button still does."""
            event = self._app.currentEvent()
            held = event.modifierFlags() & _CONTROL if event is not None else 0
            if event is None or not (held or event.type() in _RIGHT_BUTTON):
                super().__call__()
                return
            menu, _ = self._menu_handle
            self._status_item.setMenu_(menu)
            self._status_item.button().performClick_(None)
            self._status_item.setMenu_(None)

        def _assert_image(self) -> None:
            """Hand over all pixels: pystray reduces to points, which blurs where they are fine."""
            png = io.BytesIO()
            self._icon.save(png, "png")
            data = Foundation.NSData.dataWithBytes_length_(png.getvalue(), len(png.getvalue()))
            self._icon_image = AppKit.NSImage.alloc().initWithData_(data)
            self._icon_image.setSize_((_POINTS, _POINTS))
            self._status_item.button().setImage_(self._icon_image)

    return MacIcon()
