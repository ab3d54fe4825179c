"""Our own icon for Linux: StatusNotifierItem and dbusmenu over D-Bus, without any toolkit.

It needs a session bus and nothing else, so it works on X11 and Wayland alike; it registers again
whenever a panel appears, restarts or has lost it, and connects again when the bus does.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from claude_sync_app.desktop import dbus
from claude_sync_app.tray.backends.callbacks import IconCallbacks, Presence
from claude_sync_app.tray.backends.pystray_base import pystray_base
from claude_sync_app.tray.icons.icons import Picture, image
from claude_sync_app.tray.menu.model import Item
from claude_sync_app.tray.verbs import Action, Verb

if TYPE_CHECKING:
    from dbus_fast import Message
    from dbus_fast.aio import MessageBus

    from claude_sync_app.desktop.loop import Loop

WATCHER = "org.kde.StatusNotifierWatcher"
ITEM_PATH = "/StatusNotifierItem"
MENU_PATH = "/MenuBar"

_REGISTER = dbus.Method(WATCHER, "/StatusNotifierWatcher", WATCHER, "RegisterStatusNotifierItem")

_GET = dbus.Method(WATCHER, "/StatusNotifierWatcher", "org.freedesktop.DBus.Properties", "Get")

OPENS_WINDOW = Action(Verb.OPEN_WINDOW)

MENU_OPENERS = ("org.kde.plasmashell", "org.gnome.Shell")
"""Names on the bus of panels that call Activate first and open the menu where that is an error.

Those that go by ItemIsMenu (Xfce, waybar) don't call it at all. All others (LXQt, MATE, Cinnamon)
ignore both: there a click would do nothing.
"""

CHECK_SECONDS = (3.0, 10.0, 30.0)
"""When after registering it is made sure that the panel still has the icon: GNOME's extension
drops one now and then."""

_FIRST_DELAY_SECONDS = 1.0
_LONGEST_DELAY_SECONDS = 60.0


async def find_panel() -> Presence:
    """Whether there is a panel that shows icons of this kind, at this moment."""
    bus = await dbus.connect()
    if bus is None:
        return Presence.NO_BUS
    try:
        return Presence.SHOWN if await dbus.has_owner(bus, WATCHER) else Presence.NO_PANEL
    finally:
        await dbus.disconnect(bus)


class StatusNotifierIcon(pystray_base().Icon):  # type: ignore[misc]  # pystray has no types
    """An icon whose menu is made of values.

    Args:
        name: the application's, for people and as the item's id.
        loop: carries it; started before and stopped after it.
        callbacks: what it calls, always in the loop's thread.
        picture: the first icon.
        check_seconds: when after registering to look whether the panel still has the icon.
    """

    HAS_DEFAULT_ACTION = True
    HAS_NOTIFICATION = False

    def __init__(
        self,
        name: str,
        loop: Loop,
        callbacks: IconCallbacks,
        picture: Picture,
        check_seconds: Sequence[float] = CHECK_SECONDS,
    ) -> None:
        from claude_sync_app.tray.backends.dbusmenu import MenuService
        from claude_sync_app.tray.backends.notifier_item import ItemService

        super().__init__(name, icon=image(picture, 64), title=name)
        self._loop = loop
        self._callbacks = callbacks
        self._menu_service = MenuService(loop, callbacks.clicked, callbacks.opened)
        self._item_service = ItemService(name, MENU_PATH, picture)
        self._check_seconds = check_seconds
        self._checks: list[asyncio.TimerHandle] = []
        self._bus: MessageBus | None = None
        self._service_name = ""
        self._presence: Presence | None = None
        self._stopped = threading.Event()
        self._serving: Any = None

    # --- what the application calls, from any thread ---

    def show(self, menu: Item, icon: Picture, tooltip: str, attention: bool = False) -> None:
        """Show all this from now on; returns at once.

        Args:
            menu: its children are the rows. While the menu is open, only labels and
                enabling change, for at most a minute.
            icon: which picture.
            tooltip: a sentence of plain text; what is beyond 127 characters is cut.
            attention: whether the panel should highlight it.
        """
        self._loop.call(self._apply, menu, icon, tooltip, attention)

    def react(self, left_click: Action | None) -> None:
        """Change what a click on the icon asks for; None opens the menu."""
        self._loop.call(self._item_service.react, self._reaction(left_click))

    def close_menu(self) -> None:
        """Show the rows that wait: a person clicked something else, so no menu is open.

        Xfce, MATE and waybar don't tell that it was closed. Their menus have the mouse and the
        keys for as long as they are open.
        """
        self._loop.call(self._menu_service.let_go)

    # --- what pystray's Icon calls ---

    def _run(self) -> None:
        self._run_detached()
        self._stopped.wait()

    def _run_detached(self) -> None:
        self._serving = self._loop.submit(self._serve())
        self._mark_ready()

    def _stop(self) -> None:
        if self._serving is not None:
            self._serving.cancel()
        self._stopped.set()

    def _show(self) -> None:
        """It is shown as long as it runs."""

    def _hide(self) -> None:
        """It is hidden by ending it."""

    def _update_icon(self) -> None:
        """Icon, title and menu come by `show`."""
        self._icon_valid = True

    def _update_title(self) -> None:
        """As `_update_icon`."""

    def _update_menu(self) -> None:
        """As `_update_icon`."""

    # --- in the loop's thread ---

    def _apply(self, menu: Item, icon: Picture, tooltip: str, attention: bool) -> None:
        self._menu_service.show(menu)
        self._item_service.show(icon, tooltip, attention=attention)

    def _reaction(self, left_click: Action | None) -> Callable[[], None] | None:
        if left_click is None:
            return None
        action = left_click
        return lambda: self._callbacks.clicked(action)

    async def _serve(self) -> None:
        """Be on the bus until cancelled; connect again, less and less often, when it is gone."""
        delay = _FIRST_DELAY_SECONDS
        while True:
            bus = await dbus.connect()
            if bus is not None:
                delay = _FIRST_DELAY_SECONDS
                await self._serve_on(bus)
            self._say(Presence.NO_BUS)
            await asyncio.sleep(delay)
            delay = min(2 * delay, _LONGEST_DELAY_SECONDS)

    async def _serve_on(self, bus: MessageBus) -> None:
        self._bus = bus
        try:
            bus.export(ITEM_PATH, self._item_service)
            bus.export(MENU_PATH, self._menu_service)
            self._service_name = await _take_name(bus)
            bus.add_message_handler(self._hear)
            await dbus.listen(bus, dbus.owner_rule(WATCHER))
            await self._register(bus)
            await dbus.until_gone(bus)
        finally:
            self._bus = None
            self._end_checks()
            self._menu_service.end()
            bus.unexport(ITEM_PATH)
            bus.unexport(MENU_PATH)
            await dbus.disconnect(bus)

    def _hear(self, message: Message) -> bool:
        """A message's handler; whether nobody else is to answer it."""
        bus = self._bus
        if bus is None:
            return False
        if message.member == "Activate" and message.path == ITEM_PATH:
            if not self._item_service.is_left_to_the_panel:
                return False
            self._loop.spawn(self._answer_click(bus, message))
            return True
        if message.member == "NameOwnerChanged" and message.sender == dbus.BUS:
            self._on_owner(bus, *message.body)
        return False

    async def _answer_click(self, bus: MessageBus, message: Message) -> None:
        """Let a panel open the menu if it does, else open the window in its place."""
        from dbus_fast import ErrorType, Message

        if await _opens_menus(bus, str(message.sender)):
            reply = Message.new_error(message, ErrorType.UNKNOWN_METHOD, "a click opens the menu")
        else:
            reply = Message.new_method_return(message)
            self._callbacks.clicked(OPENS_WINDOW)
        if bus.connected:
            await bus.send(reply)

    def _on_owner(self, bus: MessageBus, name: str, _: str, owner: str) -> None:
        if name != WATCHER:
            return
        if owner:
            self._loop.spawn(self._register(bus))
        else:
            self._end_checks()
            self._menu_service.end()
            self._say(Presence.NO_PANEL)

    async def _register(self, bus: MessageBus) -> None:
        reply = await dbus.call(bus, _REGISTER, "s", self._service_name)
        self._say(Presence.SHOWN if reply is not None else Presence.NO_PANEL)
        if reply is not None:
            self._end_checks()
            self._checks = [
                self._loop.later(seconds, lambda: self._loop.spawn(self._register_if_lost(bus)))
                for seconds in self._check_seconds
            ]

    async def _register_if_lost(self, bus: MessageBus) -> None:
        """Register again where a panel says which icons it has, and ours isn't among them."""
        reply = await dbus.call(bus, _GET, "ss", WATCHER, "RegisteredStatusNotifierItems")
        known = getattr(reply.body[0], "value", None) if reply is not None else None
        if isinstance(known, list) and not any(self._is_ours(bus, str(one)) for one in known):
            await dbus.call(bus, _REGISTER, "s", self._service_name)

    def _is_ours(self, bus: MessageBus, registered: str) -> bool:
        # Plasma writes name/path, GNOME's extension name@path; the name may be the unique one.
        name = registered.partition("@")[0].partition("/")[0]
        return name in (self._service_name, bus.unique_name)

    def _end_checks(self) -> None:
        for timer in self._checks:
            timer.cancel()
        self._checks = []

    def _say(self, presence: Presence) -> None:
        if presence is not self._presence:
            self._presence = presence
            self._callbacks.presence(presence)


async def _opens_menus(bus: MessageBus, caller: str) -> bool:
    for name in MENU_OPENERS:
        reply = await dbus.call(bus, dbus.bus_method("GetNameOwner"), "s", name)
        if reply is not None and reply.body[0] == caller:
            return True
    return False


async def _take_name(bus: MessageBus) -> str:
    """The name to register under: the customary one, else the connection's own.

    Another process may have our number in another namespace, and the name with it.
    """
    name = f"org.kde.StatusNotifierItem-{os.getpid()}-1"
    do_not_queue, owner = 4, 1
    reply = await dbus.call(bus, dbus.bus_method("RequestName"), "su", name, do_not_queue)
    return name if reply is not None and reply.body[0] == owner else str(bus.unique_name)
