"""pystray's icon for the menu bar of macOS, with what a menu that changes needs."""

from __future__ import annotations

import io
import signal
from collections.abc import Callable
from typing import Any

from claude_sync_app.tray.backends.pystray_icon import Tags

_POINTS = 18
"""Of 22 that the menu bar is high: https://developer.apple.com/design/human-interface-guidelines"""


def new_icon(name: str) -> Any:
    """A pystray icon for macOS; call it in the main thread."""
    import AppKit
    import Foundation
    from PyObjCTools import AppHelper, MachSignals
    from pystray import _darwin

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

        def in_its_thread(self, function: Callable[[], object]) -> None:
            AppHelper.callAfter(function)

        def _run(self) -> None:
            # While AppKit's loop runs, Python's own signal handlers wait for it to end.
            MachSignals.signal(signal.SIGTERM, lambda *_: self.stop())
            super()._run()

        def _update_menu(self) -> None:
            self._tags.begin()
            menu = self._create_menu(self.menu, self._tags)
            if menu is not None:
                menu.setDelegate_(self._menu_delegate)
            self._status_item.setMenu_(menu)
            self._menu_handle = (menu, self._tags)

        def _assert_image(self) -> None:
            """Hand over all pixels: pystray reduces to points, which blurs where they are fine."""
            png = io.BytesIO()
            self._icon.save(png, "png")
            data = Foundation.NSData.dataWithBytes_length_(png.getvalue(), len(png.getvalue()))
            self._icon_image = AppKit.NSImage.alloc().initWithData_(data)
            self._icon_image.setSize_((_POINTS, _POINTS))
            self._status_item.button().setImage_(self._icon_image)

    return MacIcon()
