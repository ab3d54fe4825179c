"""Sleep, shutdown, unlock and network on Linux, from logind and NetworkManager.

https://www.freedesktop.org/software/systemd/man/latest/org.freedesktop.login1.html
https://systemd.io/INHIBITOR_LOCKS
https://networkmanager.dev/docs/api/latest/nm-dbus-types.html#NMState
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from claude_sync_app.desktop import dbus
from claude_sync_app.desktop.session_events.values import Leaving, Return, Way

if TYPE_CHECKING:
    from dbus_fast import Message
    from dbus_fast.aio import MessageBus

    from claude_sync_app.desktop.loop import Loop

LOGIND = "org.freedesktop.login1"
LOGIND_PATH = "/org/freedesktop/login1"
MANAGER = "org.freedesktop.login1.Manager"
SESSION = "org.freedesktop.login1.Session"
NETWORK_MANAGER = "org.freedesktop.NetworkManager"
_PROPERTIES = "org.freedesktop.DBus.Properties"
_INHIBIT = dbus.Method(LOGIND, LOGIND_PATH, MANAGER, "Inhibit")
_GET = dbus.Method(LOGIND, LOGIND_PATH, _PROPERTIES, "Get")

_RULES = (
    f"type='signal',sender='{LOGIND}',interface='{MANAGER}'",
    f"type='signal',sender='{LOGIND}',interface='{SESSION}',member='Unlock'",
    # Some lock screens say it only by a property when they end.
    f"type='signal',sender='{LOGIND}',interface='{_PROPERTIES}',arg0='{SESSION}'",
    f"type='signal',sender='{NETWORK_MANAGER}',interface='{NETWORK_MANAGER}',member='StateChanged'",
)
_WAYS = {"PrepareForSleep": Way.SLEEP, "PrepareForShutdown": Way.SHUTDOWN}
_CONNECTED = 60
_USUAL_DELAY_SECONDS = 5.0
_MARGIN = 0.8
_RETRY_SECONDS = 60.0


class _Inhibitor:
    """A lock that delays sleep and shutdown until it is closed."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @property
    def is_held(self) -> bool:
        return self._descriptor >= 0

    def close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


class LinuxListener:
    """Listens on the system's bus; connects again when that restarts.

    Args:
        name: shown as what delays, by ``systemd-inhibit --list``.
        loop: carries it.
        leaving: called in the loop's thread when the machine is about to sleep or shut down.
        returned: called in the loop's thread when the user is back.
        address: another bus than the system's.
    """

    def __init__(
        self,
        name: str,
        loop: Loop,
        leaving: Callable[[Leaving], None],
        returned: Callable[[Return], None],
        address: str = "",
    ) -> None:
        self._name = name
        self._loop = loop
        self._leaving = leaving
        self._returned = returned
        self._address = address
        self._bus: MessageBus | None = None
        self._lock: _Inhibitor | None = None
        self._seconds = 0.0
        self._unready: Way | None = None
        self._listening: Future[None] | None = None

    def start(self) -> None:
        self._listening = self._loop.submit(self._listen())

    def stop(self) -> None:
        if self._listening is not None:
            self._listening.cancel()

    # --- in the loop's thread ---

    async def _listen(self) -> None:
        while True:
            bus = await dbus.connect(system=True, address=self._address, descriptors=True)
            if bus is not None:
                await self._listen_on(bus)
            await asyncio.sleep(_RETRY_SECONDS)

    async def _listen_on(self, bus: MessageBus) -> None:
        self._bus = bus
        try:
            bus.add_message_handler(self._hear)
            for rule in _RULES:
                await dbus.listen(bus, rule)
            # logind may start later than we do, or restart.
            await dbus.listen(bus, dbus.owner_rule(LOGIND))
            await self._inhibit()
            await dbus.until_gone(bus)
        finally:
            self._bus = None
            self._release()
            await dbus.disconnect(bus)

    def _hear(self, message: Message) -> None:
        member, body = message.member, message.body
        if message.interface == MANAGER and member in _WAYS:
            self._prepare(_WAYS[member], begins=bool(body[0]))
        elif (message.interface == SESSION and member == "Unlock") or (
            message.interface == _PROPERTIES and _is_unlocked(body)
        ):
            self._returned(Return.UNLOCKED)
        elif message.interface == NETWORK_MANAGER and member == "StateChanged":
            if body[0] >= _CONNECTED:
                self._returned(Return.NETWORK)
        elif member == "NameOwnerChanged" and body[0] == LOGIND and body[2]:
            self._loop.spawn(self._inhibit())

    def _prepare(self, way: Way, *, begins: bool) -> None:
        if begins:
            # This lock, not the one that replaces it after a wake.
            lock, self._lock = self._lock or _Inhibitor(-1), None
            self._unready = None if lock.is_held else way
            seconds = self._seconds if lock.is_held else 0.0
            self._leaving(Leaving(way, seconds, lambda: self._loop.call(lock.close)))
            return
        self._unready = None
        # Awake again, or cancelled. The next time needs a new lock.
        self._loop.spawn(self._inhibit())
        if way is Way.SLEEP:
            self._returned(Return.WOKE)

    async def _inhibit(self) -> None:
        """Ask logind to wait for us the next time."""
        bus = self._bus
        if bus is None:
            return
        what = ("sleep:shutdown", self._name, "Pushing changed sessions", "delay")
        reply = await dbus.call(bus, _INHIBIT, "ssss", *what)
        seconds = await _longest_delay(bus)
        self._release()
        if reply is None or not reply.unix_fds:
            return
        self._lock = _Inhibitor(reply.unix_fds[reply.body[0]])
        self._seconds = seconds
        if bus is not self._bus:
            self._release()
        elif self._unready is not None:
            # It was granted just as the sleep or shutdown began: logind waits for us after all.
            self._prepare(self._unready, begins=True)

    def _release(self) -> None:
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.close()


async def _longest_delay(bus: MessageBus) -> float:
    """How long logind waits, less a margin to release it in time; seconds."""
    name = "InhibitDelayMaxUSec"
    reply = await dbus.call(bus, _GET, "ss", MANAGER, name)
    seconds = reply.body[0].value / 1e6 if reply is not None else _USUAL_DELAY_SECONDS
    return float(_MARGIN * seconds)


def _is_unlocked(body: list[Any]) -> bool:
    hint = body[1].get("LockedHint") if len(body) > 1 and body[0] == SESSION else None
    return hint is not None and hint.value is False
