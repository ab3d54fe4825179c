"""pystray's own icons (macOS, Windows, GTK) showing the same menu of values.

A menu that is open is left alone altogether: these systems can't change one that is being shown
without closing it, or worse, without mixing up what a click means.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Protocol

from claude_sync.values import NamedTuple
from claude_sync_app.shown_text import left_to_right, one_line, shortened
from claude_sync_app.tray.backends.callbacks import IconCallbacks, Presence
from claude_sync_app.tray.backends.pystray_base import pystray_base
from claude_sync_app.tray.icons.icons import Picture, image
from claude_sync_app.tray.menu.model import Item
from claude_sync_app.tray.verbs import Action

IMAGE_SIZE = 64
"""Pixels; each system reduces it to what it needs."""

TOOLTIP_LIMIT = 127
"""Characters; what Windows has room for."""


class SystemIcon(Protocol):
    """A pystray icon with what ours adds to it for one system."""

    icon: Any
    title: str
    menu: Any
    visible: bool
    menu_opened: Callable[[bool], None]
    click_opens_menu: bool

    def in_its_thread(self, function: Callable[[], object]) -> None:
        """Call a function in the thread in which the system wants all this."""

    def run(self, setup: Callable[[Any], None]) -> None: ...

    def stop(self) -> None: ...


class _Shown(NamedTuple):
    menu: Item
    picture: Picture
    tooltip: str


class PystrayIcon:
    """Shows a menu of values through pystray.

    Args:
        icon: for this system.
        callbacks: what it calls, in the system's thread.
        picture: the first icon.
        escape: doubles the character by which the system marks an access key.
    """

    def __init__(
        self,
        icon: SystemIcon,
        callbacks: IconCallbacks,
        picture: Picture,
        *,
        escape: Callable[[str], str] = str,
    ) -> None:
        self._icon = icon
        self._callbacks = callbacks
        self._escape = escape
        self._left_click: Action | None = None
        self._wanted = _Shown(Item("menu"), picture, "")
        self._shown: tuple[_Shown, Action | None] | None = None
        self._is_open = False
        self._lock = threading.Lock()
        icon.menu_opened = self._opened

    def run(self) -> None:
        """Show it until `stop`; in the main thread."""
        self._icon.run(setup=lambda _: self._icon.in_its_thread(self._begin))

    def stop(self) -> None:
        self._icon.stop()

    def show(self, menu: Item, icon: Picture, tooltip: str, attention: bool = False) -> None:
        """Show all this from now on; returns at once. These systems know no attention."""
        del attention
        with self._lock:
            self._wanted = _Shown(menu, icon, tooltip)
        if self._shown is not None:
            self._icon.in_its_thread(self._apply)

    def react(self, left_click: Action | None) -> None:
        """Change what a click on the icon asks for; None opens the menu."""
        with self._lock:
            self._left_click = left_click
        if self._shown is not None:
            self._icon.in_its_thread(self._apply)

    def close_menu(self) -> None:
        """Nothing: these systems tell when a menu is closed."""

    # --- in the system's thread ---

    def _begin(self) -> None:
        self._apply()
        self._icon.visible = True
        self._callbacks.presence(Presence.SHOWN)

    def _apply(self) -> None:
        with self._lock:
            wanted = (self._wanted, self._left_click)
        if self._is_open or wanted == self._shown:
            return
        (menu, picture, tooltip), left_click = wanted
        before = self._shown[0] if self._shown else None
        self._shown = wanted
        self._icon.click_opens_menu = left_click is None
        if before is None or picture != before.picture:
            self._icon.icon = image(picture, IMAGE_SIZE)
        self._icon.title = shortened(one_line(tooltip), TOOLTIP_LIMIT)
        self._icon.menu = pystray_menu(menu, self._callbacks.clicked, self._escape, left_click)

    def _opened(self, is_open: bool) -> None:
        self._is_open = is_open
        self._callbacks.opened(is_open)
        if not is_open:
            self._icon.in_its_thread(self._apply)


def pystray_menu(
    menu: Item,
    clicked: Callable[[Action], None],
    escape: Callable[[str], str] = str,
    left_click: Action | None = None,
) -> Any:
    """A menu of values as pystray's.

    Args:
        menu: its children are the rows.
        clicked: what a click on an entry calls.
        escape: applied to each label.
        left_click: what a click on the icon asks for, as a hidden entry.
    """
    base = pystray_base()

    def rows(item: Item) -> list[Any]:
        return [row(child) for child in item.children]

    def row(item: Item) -> Any:
        if item.separator:
            return base.Menu.SEPARATOR
        return base.MenuItem(
            escape(left_to_right(one_line(item.label))),
            base.Menu(*rows(item)) if item.children else _calling(clicked, item.action),
            checked=None if item.checked is None else _answering(item.checked),
            radio=item.radio,
            enabled=item.enabled,
        )

    own = base.MenuItem("", _calling(clicked, left_click), default=True, visible=False)
    return base.Menu(*rows(menu), *([own] if left_click else []))


def _calling(clicked: Callable[[Action], None], action: Action | None) -> Callable[[], None]:
    def call() -> None:
        if action is not None:
            clicked(action)

    return call


def _answering(answer: bool) -> Callable[[Any], bool]:
    return lambda _: answer


class Tags:
    """What clicks call, under numbers of which none is ever used twice.

    A system may deliver a click after its menu was replaced: it still finds what it was meant for,
    or nothing. Only the last two menus are remembered.
    """

    def __init__(self) -> None:
        self._next = 1
        self._now: dict[int, Callable[[Any], None]] = {}
        self._before: dict[int, Callable[[Any], None]] = {}

    def begin(self) -> None:
        """A new menu follows."""
        self._before, self._now = self._now, {}

    def __len__(self) -> int:
        return self._next

    def append(self, callback: Callable[[Any], None]) -> None:
        self._now[self._next] = callback
        self._next += 1

    def __getitem__(self, tag: int) -> Callable[[Any], None]:
        return self._now.get(tag) or self._before.get(tag) or (lambda _: None)
