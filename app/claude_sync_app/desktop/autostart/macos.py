"""Start at login on macOS, by a LaunchAgent: man 5 launchd.plist, man 1 launchctl."""

from __future__ import annotations

import os
import plistlib
import re
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from claude_sync.disk import files
from claude_sync.disk.programs import full_command
from claude_sync_app.desktop.autostart.status import APPLICATION, AutostartStatus

LABEL = f"io.github.{APPLICATION}.tray"


def _launchctl(*arguments: str) -> str:
    try:
        done = subprocess.run(
            full_command(["launchctl", *arguments]), capture_output=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode(errors="replace")


class LaunchAgent:
    """Start at login by a file in the user's folder of agents.

    Args:
        folder: that folder.
        launchctl: runs the command of that name with arguments, and returns its output.
    """

    def __init__(self, folder: Path, launchctl: Callable[..., str] = _launchctl) -> None:
        self._path = folder / f"{LABEL}.plist"
        self._launchctl = launchctl

    def status(self) -> AutostartStatus:
        try:
            agent_file = plistlib.loads(self._path.read_bytes())
        except FileNotFoundError:
            return AutostartStatus(False)
        except (plistlib.InvalidFileException, ValueError):
            return AutostartStatus(False, str(self._path))
        arguments = agent_file.get("ProgramArguments") if isinstance(agent_file, dict) else None
        program = str(arguments[0]) if isinstance(arguments, list) and arguments else ""
        enabled = bool(program) and agent_file.get("RunAtLoad") is True and not self._is_disabled()
        return AutostartStatus(enabled, str(self._path), program)

    def enable(self, command: Sequence[str]) -> None:
        # Not loaded: that would start a second one now.
        files.make_private(self._path.parent)
        files.replace(self._path, agent_file(command), mode=0o644)
        self._launchctl("enable", f"{self._domain()}/{LABEL}")

    def disable(self) -> None:
        files.remove(self._path)

    def _is_disabled(self) -> bool:
        """Whether the user turned it off in the system's settings, which keeps the file."""
        output = self._launchctl("print-disabled", self._domain())
        return re.search(rf'"{re.escape(LABEL)}" => (?:true|disabled)', output) is not None

    def _domain(self) -> str:
        return f"gui/{os.getuid()}" if hasattr(os, "getuid") else "gui"


def agent_file(command: Sequence[str]) -> bytes:
    """The agent's file."""
    return plistlib.dumps(
        {
            "Label": LABEL,
            "ProgramArguments": list(command),
            "RunAtLoad": True,
            "LimitLoadToSessionType": "Aqua",
            "ProcessType": "Interactive",
        }
    )
