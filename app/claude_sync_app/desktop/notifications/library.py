"""Notifications through desktop-notifier: D-Bus, the Windows Runtime, bundles of macOS."""

from __future__ import annotations

import asyncio
import importlib
import logging
from collections.abc import Callable, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from claude_sync_app.desktop.notifications.values import (
    Answer,
    AnswerKind,
    Button,
    Notification,
)
from claude_sync_app.shown_text import one_line
from claude_sync_app.tray.icons.icons import application_image

if TYPE_CHECKING:
    from claude_sync_app.desktop.loop import Loop

_MOST_BUTTONS = {"lxqt-notificationd": 2}
"""How many there may be: of more, a list to choose from is made, with a button "OK" beside it."""


class LibraryNotifier:
    """Shows notifications with buttons.

    The library is imported, and connects, with the first notification. If that fails it is given
    up, and connects again with the next, so that a daemon that starts late, or a bus that
    restarts, is found.

    Args:
        name: the application's.
        loop: carries it.
        answered: called in the loop's thread.
        body_is_markup: whether the system reads ``<b>`` and ``&amp;`` in a body.
    """

    has_buttons = True

    def __init__(
        self, name: str, loop: Loop, answered: Callable[[Answer], None], *, body_is_markup: bool
    ) -> None:
        self._name = name
        self._loop = loop
        self._answered = answered
        self._body_is_markup = body_is_markup
        self._library: Any = None
        self._notifier: Any = None
        self._identifiers: dict[str, str] = {}
        self._numbers: dict[str, int] = {}
        self._one_at_a_time: asyncio.Lock | None = None

    def show(self, notification: Notification) -> None:
        self._loop.call(lambda: self._loop.spawn(self._show(notification)))

    def withdraw(self, key: str) -> None:
        self._loop.call(lambda: self._loop.spawn(self._withdraw(key)))

    def close(self) -> None:
        self._loop.submit(self._give_up()).result()

    # --- in the loop's thread ---

    async def _show(self, notification: Notification) -> None:
        if self._one_at_a_time is None:
            self._one_at_a_time = asyncio.Lock()
        async with self._one_at_a_time:
            shown: list[bool] = []
            try:
                await self._clear(notification.key)
                notifier = await self._ready()
                buttons = await self._fitting(notification.buttons)
                made = self._made(notification, buttons, lambda: shown.append(True))
                await notifier.send_notification(made)
            except (OSError, RuntimeError, ImportError):
                # A Windows without its notification service: Server, LTSC.
                shown.clear()
            if shown:
                self._identifiers[notification.key] = made.identifier
                self._note_number(notification.key, made.identifier)
            else:
                await self._give_up()
        kind = AnswerKind.SHOWN if shown else AnswerKind.FAILED
        self._answered(Answer(notification.key, kind))

    async def _ready(self) -> Any:
        if self._library is None:
            # Importing takes a tenth of a second, in which the menu has to answer.
            self._library = await asyncio.to_thread(importlib.import_module, "desktop_notifier")
            # It would log the texts of notifications, and we report its failures ourselves.
            logging.getLogger("desktop_notifier").setLevel(logging.CRITICAL)
        if self._notifier is None:
            icon = self._library.Icon(path=application_image())
            self._notifier = self._library.DesktopNotifier(self._name, icon)
        return self._notifier

    async def _fitting(self, buttons: Sequence[Button]) -> Sequence[Button]:
        """The first ones of these, as many as are shown as buttons here.

        Raises:
            OSError: nothing shows notifications.
        """
        if not hasattr(self._backend, "interface"):
            return buttons  # not over D-Bus
        from dbus_fast.errors import DBusError

        try:
            await self._notifier.get_capabilities()  # connects
            name, *_ = await self._backend.interface.call_get_server_information()
        except DBusError as error:
            raise OSError(error.text) from error
        return buttons[: _MOST_BUTTONS.get(name, len(buttons))]

    @property
    def _backend(self) -> Any:
        return getattr(self._notifier, "_backend", None)

    def _made(
        self,
        notification: Notification,
        fitting: Sequence[Button],
        dispatched: Callable[[], None],
    ) -> Any:
        library, key = self._library, notification.key

        def answering(kind: AnswerKind, button: str = "") -> Callable[[], None]:
            return lambda: self._answer(Answer(key, kind, button))

        buttons = tuple(
            library.Button(
                one_line(button.label), answering(AnswerKind.BUTTON, button.key), button.key
            )
            for button in fitting
        )
        body = "\n".join(one_line(line) for line in notification.body.splitlines())
        return library.Notification(
            title=one_line(notification.title),
            message=escape(body, quote=False) if self._body_is_markup else body,
            urgency=library.Urgency.Critical if notification.urgent else library.Urgency.Normal,
            buttons=buttons,
            on_dispatched=dispatched,
            on_clicked=answering(AnswerKind.BODY),
            on_dismissed=answering(AnswerKind.DISMISSED),
        )

    def _note_number(self, key: str, identifier: str) -> None:
        """Note what a notification is called over D-Bus: the library forgets it with an answer."""
        known = getattr(self._backend, "_platform_to_interface_notification_identifier", None)
        number = known.inverse.get(identifier) if known is not None else None
        if number is not None:
            self._numbers[key] = number

    def _answer(self, answer: Answer) -> None:
        self._identifiers.pop(answer.key, None)
        number = self._numbers.pop(answer.key, None)
        if number is not None and answer.kind is not AnswerKind.DISMISSED:
            self._loop.spawn(self._close_answered(number))
        self._answered(answer)

    async def _close_answered(self, number: int) -> None:
        """Take away what was answered: some (mako) leave it on the screen, with its buttons."""
        interface = getattr(self._backend, "interface", None)
        if interface is None:
            return
        from dbus_fast.errors import DBusError

        try:
            await interface.call_close_notification(number)
        except (DBusError, OSError, EOFError):
            pass  # it is closed already

    async def _withdraw(self, key: str) -> None:
        await self._clear(key)

    async def _clear(self, key: str) -> None:
        identifier = self._identifiers.pop(key, None)
        if identifier is None or self._notifier is None:
            return
        if identifier in await self._notifier.get_current_notifications():
            await self._notifier.clear(identifier)

    async def _give_up(self) -> None:
        notifier, self._notifier = self._notifier, None
        self._identifiers.clear()
        self._numbers.clear()
        # The library never closes its connection to the session bus.
        bus = getattr(getattr(notifier, "_backend", None), "bus", None)
        if bus is not None:
            from claude_sync_app.desktop import dbus

            await dbus.disconnect(bus)
