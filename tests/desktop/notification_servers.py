"""Two that show notifications: a small one of the test's own, and dunst."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from dbus_fast import Message
from dbus_fast.aio import MessageBus
from dbus_fast.annotations import DBusInt32, DBusSignature, DBusStr, DBusUInt32
from dbus_fast.service import ServiceInterface, dbus_method, dbus_signal

from claude_sync_app.desktop import dbus
from claude_sync_app.desktop.loop import Loop
from desktop.programs import Heard, Programs
from waiting import PATIENCE_SECONDS, until

NAME = "org.freedesktop.Notifications"
_Strings = Annotated[list[str], DBusSignature("as")]
_Hints = Annotated[dict[str, Any], DBusSignature("a{sv}")]


class _Service(ServiceInterface):
    def __init__(self, name: str) -> None:
        super().__init__(NAME)
        self._name = name
        self.shown: Heard[dict[str, Any]] = Heard()
        self.closed: Heard[int] = Heard()

    @dbus_method(name="Notify")
    def notify(
        self,
        application: DBusStr,
        replaces: DBusUInt32,
        icon: DBusStr,
        summary: DBusStr,
        body: DBusStr,
        actions: _Strings,
        hints: _Hints,
        timeout: DBusInt32,
    ) -> DBusUInt32:
        number = len(self.shown) + 1
        self.shown(
            {
                "number": number,
                "application": application,
                "icon": icon,
                "summary": summary,
                "body": body,
                "actions": dict(zip(actions[::2], actions[1::2], strict=True)),
                "urgency": hints["urgency"].value,
            }
        )
        return number

    @dbus_method(name="CloseNotification")
    def close_notification(self, number: DBusUInt32) -> None:
        self.closed(number)
        self.notification_closed(number, 3)

    @dbus_method(name="GetCapabilities")
    def get_capabilities(self) -> _Strings:
        return ["body", "body-markup", "actions", "icon-static", "persistence"]

    @dbus_method(name="GetServerInformation")
    def get_server_information(self) -> Annotated[list[str], DBusSignature("ssss")]:
        return [self._name, "test", "1", "1.2"]

    @dbus_signal(name="NotificationClosed")
    def notification_closed(
        self, number: int, reason: int
    ) -> Annotated[list[int], DBusSignature("uu")]:
        return [number, reason]

    @dbus_signal(name="ActionInvoked")
    def action_invoked(self, number: int, key: str) -> Annotated[list[Any], DBusSignature("us")]:
        return [number, key]


class NotificationServer:
    """Shows nothing, remembers everything, and presses what the test says.

    Args:
        address: of the bus.
        name: what it says that it is.
    """

    def __init__(self, address: str, name: str = "test") -> None:
        self._loop = Loop("notifications")
        self._loop.start()
        self._service = _Service(name)
        self.shown = self._service.shown
        self.closed = self._service.closed
        self._client = ""
        self._loop.submit(self._connect(address)).result(PATIENCE_SECONDS)

    async def _connect(self, address: str) -> None:
        self._bus = await MessageBus(bus_address=address).connect()
        self._bus.export("/org/freedesktop/Notifications", self._service)
        self._bus.add_message_handler(self._note_client)
        await self._bus.request_name(NAME)

    def _note_client(self, message: Message) -> None:
        if message.member == "Notify" and message.sender:
            self._client = message.sender

    def press(self, number: int, key: str) -> None:
        """Press a button, or "default": the body."""
        self._say(self._service.action_invoked, number, key)

    def dismiss(self, number: int) -> None:
        self._say(self._service.notification_closed, number, 2)

    def expire(self, number: int) -> None:
        self._say(self._service.notification_closed, number, 1)

    def _say(self, signal: Callable[..., object], *arguments: object) -> None:
        self._loop.submit(self._say_later(signal, *arguments)).result(PATIENCE_SECONDS)

    async def _say_later(self, signal: Callable[..., object], *arguments: object) -> None:
        # No person is as fast as a test: a signal that comes together with the number of the
        # notification it is about would find that number unknown.
        ping = Message(
            destination=self._client,
            path="/",
            interface="org.freedesktop.DBus.Peer",
            member="Ping",
        )
        await self._bus.call(ping)
        signal(*arguments)

    def close(self) -> None:
        self._loop.submit(self._disconnect()).result(PATIENCE_SECONDS)
        self._loop.stop()

    async def _disconnect(self) -> None:
        self._bus.disconnect()
        await dbus.until_gone(self._bus)


_CONFIGURATION = """\
[global]
 origin = top-right
 width = 360
 height = 300
 markup = full
 idle_threshold = 0
 sticky_history = yes
 dmenu = {folder}/pick
 mouse_left_click = do_action, close_current
[spy]
 summary = "*"
 script = {folder}/spy
"""
_SPY = """\
#!/usr/bin/python3
import json, os
shown = {{k[6:].lower(): v for k, v in os.environ.items() if k.startswith("DUNST_")}}
with open({log!r}, "a") as file:
    file.write(json.dumps(shown) + chr(10))
"""
_PICK = """\
#!/usr/bin/python3
import sys
wanted = open({wanted!r}).read()
print(next(line for line in sys.stdin.read().splitlines() if line.startswith("#" + wanted)))
"""


class Dunst:
    """A real notification daemon, on the test's display and bus."""

    def __init__(self, programs: Programs, folder: Path) -> None:
        self._log = folder / "shown"
        self._wanted = folder / "wanted"
        self._log.touch()
        for name, text in (
            ("spy", _SPY.format(log=str(self._log))),
            ("pick", _PICK.format(wanted=str(self._wanted))),
            ("dunstrc", _CONFIGURATION.format(folder=folder)),
        ):
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)
        programs.start(["dunst", "-config", str(folder / "dunstrc")])
        until(lambda: self._control("is-paused").returncode == 0)

    def _control(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["dunstctl", *arguments],
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )

    def shown(self) -> list[dict[str, str]]:
        """Everything that was shown so far: summary, body, app_name, urgency, …"""
        return [json.loads(line) for line in self._log.read_text().splitlines()]

    def click_body(self) -> None:
        assert self._control("action", "0").returncode == 0

    def press(self, label: str) -> None:
        self._wanted.write_text(label)
        assert self._control("context").returncode == 0

    def dismiss(self) -> None:
        """Close all that are shown, as a person does."""
        assert self._control("close-all").returncode == 0
