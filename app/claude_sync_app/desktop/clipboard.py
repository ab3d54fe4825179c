"""Putting a line into the clipboard."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from claude_sync.disk.programs import find_program
from claude_sync_app.desktop.launching import run


def copy_text(text: str) -> bool:
    """Put a text into the clipboard; False if no program here can."""
    return any(run(command, encoded(text)) for command in commands(sys.platform, os.environ))


def commands(platform: str, environment: Mapping[str, str]) -> list[list[str]]:
    """Programs that put their standard input into the clipboard, the best first."""
    if platform == "darwin":
        found = [["pbcopy"]]
    elif platform == "win32":
        found = [["clip"]]
    else:
        found = []
        if environment.get("WAYLAND_DISPLAY"):
            found.append(["wl-copy"])
        if environment.get("DISPLAY"):
            found += [["xclip", "-selection", "clipboard", "-in"], ["xsel", "-b", "-i"]]
    return [command for command in found if find_program(command[0])]


def encoded(text: str, platform: str = sys.platform) -> bytes:
    """A text in the encoding that the system's program reads."""
    if platform == "win32":
        # clip reads the console's code page unless a byte order mark says otherwise.
        return "\ufeff".encode("utf-16-le") + text.encode("utf-16-le", "replace")
    return text.encode("utf-8", "replace")
