"""What we need of D-Bus: a connection or none, a call, a signal. Nothing here hangs or raises.

dbus-fast is imported when the first connection is made, and only on Linux.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

from claude_sync.values import NamedTuple

if TYPE_CHECKING:
    from dbus_fast import Message
    from dbus_fast.aio import MessageBus

ANSWER_SECONDS = 5.0
"""How long programs on the bus, and the bus itself, may take to answer."""

BUS = "org.freedesktop.DBus"
_BUS_PATH = "/org/freedesktop/DBus"


async def connect(
    *, system: bool = False, address: str = "", descriptors: bool = False
) -> MessageBus | None:
    """A new connection to a bus, or None if it can't be had.

    Args:
        system: the system's bus instead of the session's.
        address: another bus than the one that the environment names.
        descriptors: whether open files can be received.
    """
    from dbus_fast import BusType
    from dbus_fast.aio import MessageBus
    from dbus_fast.errors import DBusFastError

    try:
        bus = MessageBus(
            bus_address=address or _usual_address(system=system),
            bus_type=BusType.SYSTEM if system else BusType.SESSION,
            negotiate_unix_fd=descriptors,
        )
        return await asyncio.wait_for(bus.connect(), ANSWER_SECONDS)
    except (DBusFastError, OSError, EOFError, KeyError, asyncio.TimeoutError):
        return None


def _usual_address(*, system: bool) -> str | None:
    """The user's bus if the environment names none: outside a desktop's own processes.

    https://www.freedesktop.org/software/systemd/man/latest/pam_systemd.html, XDG_RUNTIME_DIR
    """
    if system or os.environ.get("DBUS_SESSION_BUS_ADDRESS"):
        return None
    path = os.path.join(os.environ.get("XDG_RUNTIME_DIR", ""), "bus")
    return f"unix:path={path}" if os.path.isabs(path) and os.path.exists(path) else None


async def until_gone(bus: MessageBus) -> None:
    """Return when a connection has ended, on either side."""
    from dbus_fast.errors import DBusFastError

    try:
        await bus.wait_for_disconnect()  # type: ignore[no-untyped-call]
    except (DBusFastError, OSError, EOFError):
        pass


async def disconnect(bus: MessageBus) -> None:
    """End a connection and wait until its socket is closed."""
    bus.disconnect()
    try:
        await asyncio.wait_for(until_gone(bus), 1.0)
    except asyncio.TimeoutError:
        pass


class Method(NamedTuple):
    """A method that a program on the bus offers."""

    name: str
    path: str
    interface: str
    member: str


def bus_method(member: str) -> Method:
    """A method of the bus itself."""
    return Method(BUS, _BUS_PATH, BUS, member)


async def call(bus: MessageBus, method: Method, signature: str = "", *body: Any) -> Message | None:
    """Call a method; the answer, or None if it fails. Starts no service."""
    from dbus_fast import Message, MessageFlag, MessageType
    from dbus_fast.errors import DBusFastError

    message = Message(
        destination=method.name,
        path=method.path,
        interface=method.interface,
        member=method.member,
        signature=signature,
        body=list(body),
        flags=MessageFlag.NO_AUTOSTART,
    )
    try:
        reply = await asyncio.wait_for(bus.call(message), ANSWER_SECONDS)
    except (DBusFastError, OSError, EOFError, asyncio.TimeoutError):
        return None
    return None if reply is None or reply.message_type is MessageType.ERROR else reply


async def has_owner(bus: MessageBus, name: str) -> bool:
    """Whether a name on the bus has an owner."""
    reply = await call(bus, bus_method("NameHasOwner"), "s", name)
    return bool(reply is not None and reply.body[0])


async def listen(bus: MessageBus, rule: str) -> None:
    """Subscribe to the signals that a rule describes; a message handler gets them."""
    await call(bus, bus_method("AddMatch"), "s", rule)


def owner_rule(name: str) -> str:
    """The rule for the signal that a name has a new owner or none."""
    return f"type='signal',sender='{BUS}',interface='{BUS}',member='NameOwnerChanged',arg0='{name}'"
