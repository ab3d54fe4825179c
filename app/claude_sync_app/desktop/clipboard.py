"""Putting a line into the clipboard."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from claude_sync.disk.programs import find_program
from claude_sync_app.desktop.launching import run


def copy_text(text: str) -> bool:
    """Put a text into the clipboard; False if nothing here can."""
    if sys.platform == "win32":
        from claude_sync_app.desktop import windows_clipboard

        return windows_clipboard.put(text)
    data = text.encode("utf-8", "replace")
    return any(run(command, data) for command in commands(sys.platform, os.environ))


def commands(platform: str, environment: Mapping[str, str]) -> list[list[str]]:
    """Programs that put their standard input into the clipboard, the best first."""
    if platform == "darwin":
        found = [["pbcopy"]]
    else:
        found = []
        if environment.get("WAYLAND_DISPLAY"):
            found.append(["wl-copy"])
        if environment.get("DISPLAY"):
            found += [["xclip", "-selection", "clipboard", "-in"], ["xsel", "-b", "-i"]]
    return [command for command in found if find_program(command[0])]
