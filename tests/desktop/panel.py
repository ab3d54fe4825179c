"""A panel: owns the watcher, reads an item and its whole menu, and clicks."""

from dataclasses import dataclass, field
from typing import Annotated, Any

from dbus_fast import Message, MessageType, PropertyAccess, Variant
from dbus_fast.aio import MessageBus
from dbus_fast.annotations import DBusBool, DBusInt32, DBusSignature, DBusStr
from dbus_fast.service import ServiceInterface, dbus_method, dbus_property

from claude_sync_app.desktop import dbus
from claude_sync_app.desktop.loop import Loop
from waiting import PATIENCE_SECONDS, until

WATCHER = "org.kde.StatusNotifierWatcher"
ITEM = "org.kde.StatusNotifierItem"
MENU = "com.canonical.dbusmenu"


class Refused(Exception):
    """The application answered with an error."""


@dataclass
class Row:
    number: int
    properties: dict[str, Any]
    rows: list["Row"] = field(default_factory=list)

    @property
    def label(self) -> str:
        return str(self.properties.get("label", "---"))

    def find(self, *labels: str) -> "Row":
        row = self
        for label in labels:
            row = next(child for child in row.rows if child.label == label)
        return row

    @property
    def labels(self) -> list[str]:
        return [row.label for row in self.rows]


class _Watcher(ServiceInterface):
    def __init__(self) -> None:
        super().__init__(WATCHER)
        self.registered: list[str] = []
        self.lost: list[str] = []
        self.asked = 0
        self._forgets = False

    def forget_next(self) -> None:
        """Lose the next item that registers."""
        self._forgets = True

    @dbus_method(name="RegisterStatusNotifierItem")
    def register_item(self, service: DBusStr) -> None:
        (self.lost if self._forgets else self.registered).append(service)
        self._forgets = False

    @dbus_property(PropertyAccess.READ, name="RegisteredStatusNotifierItems")
    def registered_items(self) -> Annotated[list[str], DBusSignature("as")]:
        self.asked += 1
        return [f"{name}/StatusNotifierItem" for name in self.registered]

    @dbus_method(name="RegisterStatusNotifierHost")
    def register_host(self, service: DBusStr) -> None:
        pass

    @dbus_property(PropertyAccess.READ, name="IsStatusNotifierHostRegistered")
    def has_host(self) -> DBusBool:
        return True

    @dbus_property(PropertyAccess.READ, name="ProtocolVersion")
    def protocol_version(self) -> DBusInt32:
        return 0


class Panel:
    """Lives in a thread of its own, as a panel lives in a process of its own."""

    def __init__(self, address: str = "") -> None:
        self._loop = Loop("panel")
        self._loop.start()
        self._address = address
        self.signals: list[tuple[str, list[Any]]] = []
        self.appear()

    # --- being there ---

    def appear(self) -> None:
        self.watcher = _Watcher()
        self._loop.submit(self._connect()).result(PATIENCE_SECONDS)

    def vanish(self) -> None:
        self._loop.submit(self._disconnect()).result(PATIENCE_SECONDS)

    def take(self, name: str) -> None:
        """Be known on the bus by another name, as the panels of desktops are."""
        self._loop.submit(self.bus.request_name(name)).result(PATIENCE_SECONDS)

    def close(self) -> None:
        self.vanish()
        self._loop.stop()

    async def _connect(self) -> None:
        self.bus = await MessageBus(bus_address=self._address or None).connect()
        self.bus.export("/StatusNotifierWatcher", self.watcher)
        self.bus.add_message_handler(self._hear)
        for interface in (ITEM, MENU):
            await self._call_bus("AddMatch", f"type='signal',interface='{interface}'")
        await self.bus.request_name(WATCHER)

    async def _disconnect(self) -> None:
        self.bus.disconnect()
        await dbus.until_gone(self.bus)

    async def _call_bus(self, member: str, argument: str) -> None:
        bus = "org.freedesktop.DBus"
        message = Message(
            destination=bus,
            path="/org/freedesktop/DBus",
            interface=bus,
            member=member,
            signature="s",
            body=[argument],
        )
        reply = await self.bus.call(message)
        assert reply.message_type is MessageType.METHOD_RETURN

    def _hear(self, message: Message) -> None:
        if message.message_type is MessageType.SIGNAL and message.interface in (ITEM, MENU):
            self.signals.append((str(message.member), message.body))

    # --- reading ---

    def item(self) -> str:
        """The name of the item that registered last, once there is one."""
        return until(lambda: self.watcher.registered)[-1]

    def call(
        self, path: str, interface: str, member: str, signature: str = "", *body: Any
    ) -> list[Any]:
        message = Message(
            destination=self.item(),
            path=path,
            interface=interface,
            member=member,
            signature=signature,
            body=list(body),
        )
        reply = self._loop.submit(self._ask(message)).result(PATIENCE_SECONDS)
        if reply.message_type is MessageType.ERROR:
            raise Refused(f"{reply.error_name}: {reply.body}")
        return reply.body

    async def _ask(self, message: Message) -> Message:
        return await self.bus.call(message)

    def properties(self, interface: str = ITEM, path: str = "/StatusNotifierItem") -> Any:
        body = self.call(path, "org.freedesktop.DBus.Properties", "GetAll", "s", interface)
        return {name: variant.value for name, variant in body[0].items()}

    def of_item(self, member: str, signature: str = "", *body: Any) -> list[Any]:
        return self.call("/StatusNotifierItem", ITEM, member, signature, *body)

    def of_menu(self, member: str, signature: str = "", *body: Any) -> list[Any]:
        return self.call(self.properties()["Menu"], MENU, member, signature, *body)

    def menu(self, depth: int = -1) -> Row:
        """The menu, as a panel reads it."""
        _, layout = self.of_menu("GetLayout", "iias", 0, depth, [])
        return _row(layout)

    def tell(self, kind: str, number: int) -> None:
        self.of_menu("Event", "isvu", number, kind, Variant("i", 0), 0)

    def click(self, *labels: str) -> None:
        """Click the entry that these labels lead to, as it is at this moment."""
        self.tell("clicked", self.menu().find(*labels).number)

    def heard(self, member: str) -> list[list[Any]]:
        """The bodies of all signals of this name that came so far."""
        return [body for name, body in list(self.signals) if name == member]


def _row(layout: list[Any]) -> Row:
    number, properties, rows = layout
    return Row(
        number,
        {name: variant.value for name, variant in properties.items()},
        [_row(variant.value) for variant in rows],
    )
