"""Start at login on Windows, by the Run key of the registry.

https://learn.microsoft.com/windows/win32/setupapi/run-and-runonce-registry-keys
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from typing import Protocol

from claude_sync_app.desktop.autostart.status import APPLICATION, AutostartStatus

RUN = r"Software\Microsoft\Windows\CurrentVersion\Run"
APPROVED = r"Software\Microsoft\Windows\CurrentVersion\Explorer\StartupApproved\Run"


class WindowsRegistry(Protocol):
    """Values of keys under HKEY_CURRENT_USER."""

    def read(self, key: str, name: str) -> str | bytes | None:
        """A value, None if there is none."""

    def write(self, key: str, name: str, value: str) -> None:
        """Set a value."""

    def remove(self, key: str, name: str) -> None:
        """Remove a value; one that isn't there is no error."""


class RunKey:
    """Start at login by a value of the Run key."""

    def __init__(self, registry: WindowsRegistry) -> None:
        self._registry = registry

    def status(self) -> AutostartStatus:
        line = self._registry.read(RUN, APPLICATION)
        if not isinstance(line, str):
            return AutostartStatus(False)
        approved = self._registry.read(APPROVED, APPLICATION)
        # The task manager and the settings keep the entry, and mark it by an odd first byte.
        refused = isinstance(approved, bytes) and len(approved) > 0 and approved[0] % 2 == 1
        where = rf"HKEY_CURRENT_USER\{RUN}\{APPLICATION}"
        return AutostartStatus(not refused, where, program_of(line))

    def enable(self, command: Sequence[str]) -> None:
        self._registry.write(RUN, APPLICATION, subprocess.list2cmdline(command))
        self._registry.remove(APPROVED, APPLICATION)

    def disable(self) -> None:
        self._registry.remove(RUN, APPLICATION)
        self._registry.remove(APPROVED, APPLICATION)


def program_of(line: str) -> str:
    """The program that a command line begins with; a path can't hold a quotation mark."""
    line = line.lstrip()
    if line.startswith('"'):
        return line[1:].partition('"')[0]
    return line.partition(" ")[0]


class CurrentUser:
    """The registry itself."""

    def read(self, key: str, name: str) -> str | bytes | None:
        if sys.platform != "win32":
            return None
        import winreg

        try:
            with winreg.OpenKey(winreg.HKEY_CURRENT_USER, key) as opened:
                value, _ = winreg.QueryValueEx(opened, name)
        except FileNotFoundError:
            return None
        return value if isinstance(value, (str, bytes)) else None

    def write(self, key: str, name: str, value: str) -> None:
        if sys.platform == "win32":
            import winreg

            with winreg.CreateKey(winreg.HKEY_CURRENT_USER, key) as opened:
                winreg.SetValueEx(opened, name, 0, winreg.REG_SZ, value)

    def remove(self, key: str, name: str) -> None:
        if sys.platform == "win32":
            import winreg

            try:
                with winreg.OpenKey(
                    winreg.HKEY_CURRENT_USER, key, 0, winreg.KEY_SET_VALUE
                ) as opened:
                    winreg.DeleteValue(opened, name)
            except FileNotFoundError:
                pass
