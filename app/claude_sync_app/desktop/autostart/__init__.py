"""Start at login: what the system has, not what we wrote once. One file per system."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from claude_sync_app.desktop.autostart.status import Autostart, AutostartStatus
from claude_sync_app.desktop.launching import DesktopError

__all__ = ["Autostart", "AutostartStatus", "choose", "start_at_login", "tray_command"]


def choose() -> Autostart:
    """The autostart of this system, for this user."""
    if sys.platform == "darwin":
        from claude_sync_app.desktop.autostart.macos import LaunchAgent

        return LaunchAgent(Path.home() / "Library" / "LaunchAgents")
    if sys.platform == "win32":
        from claude_sync_app.desktop.autostart.windows import CurrentUser, RunKey

        return RunKey(CurrentUser())
    from claude_sync_app.desktop.autostart.xdg import XdgAutostart, folders

    return XdgAutostart(*folders(os.environ))


def start_at_login(*, on: bool | None = None) -> AutostartStatus:
    """Have the system start the tray at login, or not.

    Args:
        on: whether it does from now on; None to change nothing.

    Returns:
        what the system has then.

    Raises:
        DesktopError: it can't be changed, or looked at.
    """
    system = choose()
    try:
        if on is not None:
            if on:
                system.enable(tray_command())
            else:
                system.disable()
        return system.status()
    except OSError as error:
        raise DesktopError(
            f"the start at login can't be set up ({error.strerror})",
            where=str(error.filename or ""),
            todo="make that folder writable",
        ) from error


def tray_command(
    system: str = sys.platform, executable: str = "", folders: Iterable[str] | None = None
) -> list[str]:
    """The command that starts the tray application, as it is installed here.

    Args:
        system: as `sys.platform` has it.
        executable: the Python that runs, or the program that it is bundled in; "" for this one.
        folders: where else scripts of this installation may lie; None for where pip puts them.
    """
    executable = executable or sys.executable
    name = "claude-sync-tray.exe" if system == "win32" else "claude-sync-tray"
    beside = os.path.dirname(executable)
    for folder in (beside, *(_script_folders() if folders is None else folders)):
        script = Path(folder, name)
        if script.is_absolute() and script.is_file():
            return [str(script)]
    if getattr(sys, "frozen", False):
        return [executable]
    if system == "win32":
        # With python.exe a console would open at each login, and end the icon when it is closed.
        without_console = Path(beside, "pythonw.exe")
        if without_console.is_file():
            executable = str(without_console)
    return [executable, "-m", "claude_sync_app", "tray"]


def _script_folders() -> Iterator[str]:
    """Where pip puts scripts: with this program, of this Python, of this user."""
    import sysconfig

    started = os.path.dirname(sys.argv[0] if sys.argv else "")
    if os.path.isabs(started):
        yield started
    yield sysconfig.get_path("scripts")
    yield sysconfig.get_path("scripts", sysconfig.get_preferred_scheme("user"))
