"""A logind, and a NetworkManager's voice, of the test's own on a bus of its own."""

import os
from typing import Annotated

from dbus_fast import Message, PropertyAccess, Variant
from dbus_fast.aio import MessageBus
from dbus_fast.annotations import DBusBool, DBusSignature, DBusStr, DBusUInt64
from dbus_fast.service import ServiceInterface, dbus_method, dbus_property, dbus_signal

from claude_sync_app.desktop import dbus
from claude_sync_app.desktop.loop import Loop
from claude_sync_app.desktop.session_events.linux import LOGIND, MANAGER, NETWORK_MANAGER, SESSION
from desktop.programs import Heard
from waiting import PATIENCE_SECONDS

_Descriptor = Annotated[int, DBusSignature("h")]


class _Manager(ServiceInterface):
    def __init__(self) -> None:
        super().__init__(MANAGER)
        self.asked: Heard[tuple[str, ...]] = Heard()
        self.reading = self._writing = -1
        self.delay_seconds = 10.0
        self.sleeps_when_asked = False

    @dbus_method(name="Inhibit")
    def inhibit(self, what: DBusStr, who: DBusStr, why: DBusStr, mode: DBusStr) -> _Descriptor:
        if self.reading >= 0:
            os.close(self.reading)
        self.reading, writing = os.pipe()
        os.set_blocking(self.reading, False)
        self._writing = writing
        self.asked((what, who, why, mode))
        if self.sleeps_when_asked:
            self.sleeps_when_asked = False
            self.prepare_for_sleep(True)
        return writing

    def forget(self) -> None:
        """Close our copy of the lock that was handed out."""
        if self._writing >= 0:
            os.close(self._writing)
            self._writing = -1

    @dbus_property(PropertyAccess.READ, name="InhibitDelayMaxUSec")
    def inhibit_delay(self) -> DBusUInt64:
        return int(self.delay_seconds * 1e6)

    @dbus_signal(name="PrepareForSleep")
    def prepare_for_sleep(self, begins: bool) -> DBusBool:
        return begins

    @dbus_signal(name="PrepareForShutdown")
    def prepare_for_shutdown(self, begins: bool) -> DBusBool:
        return begins


class Logind:
    """Lends locks and signals that the machine sleeps, wakes, is unlocked, has a network."""

    def __init__(self, address: str) -> None:
        self._loop = Loop("logind")
        self._loop.start()
        self._manager = _Manager()
        self.asked = self._manager.asked
        self._loop.submit(self._connect(address)).result(PATIENCE_SECONDS)

    async def _connect(self, address: str) -> None:
        self._bus = await MessageBus(bus_address=address, negotiate_unix_fd=True).connect()
        self._bus.export("/org/freedesktop/login1", self._manager)
        for name in (LOGIND, NETWORK_MANAGER):
            await self._bus.request_name(name)

    def wait_at_most(self, seconds: float) -> None:
        """How long it waits for locks from now on; say it before the lock is asked for."""
        self._manager.delay_seconds = seconds

    def sleep_when_asked(self) -> None:
        """Have the machine go to sleep at the very moment that a lock is lent."""
        self._manager.sleeps_when_asked = True

    def is_held(self) -> bool:
        """Whether the lock that was lent last is still open."""
        # In the loop's thread the answer that lends it has been sent by now.
        self._loop.submit(self._forget()).result(PATIENCE_SECONDS)
        try:
            return os.read(self._manager.reading, 1) != b""
        except BlockingIOError:
            return True

    async def _forget(self) -> None:
        self._manager.forget()

    def sleep(self, begins: bool) -> None:
        self._loop.call(self._manager.prepare_for_sleep, begins)

    def shut_down(self, begins: bool) -> None:
        self._loop.call(self._manager.prepare_for_shutdown, begins)

    def unlock(self) -> None:
        path = "/org/freedesktop/login1/session/_31"
        self._signal(path, SESSION, "Unlock")

    def hint(self, locked: bool) -> None:
        body = [SESSION, {"LockedHint": Variant("b", locked)}, []]
        path = "/org/freedesktop/login1/session/_31"
        self._signal(
            path, "org.freedesktop.DBus.Properties", "PropertiesChanged", "sa{sv}as", *body
        )

    def network(self, state: int) -> None:
        path = "/org/freedesktop/NetworkManager"
        self._signal(path, NETWORK_MANAGER, "StateChanged", "u", state)

    def _signal(
        self, path: str, interface: str, member: str, signature: str = "", *body: object
    ) -> None:
        message = Message.new_signal(path, interface, member, signature, list(body))
        self._loop.call(self._bus.send, message)

    def close(self) -> None:
        self._loop.submit(self._disconnect()).result(PATIENCE_SECONDS)
        self._loop.stop()
        self._manager.forget()
        if self._manager.reading >= 0:
            os.close(self._manager.reading)

    async def _disconnect(self) -> None:
        self._bus.disconnect()
        await dbus.until_gone(self._bus)
