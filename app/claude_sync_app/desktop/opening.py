"""Opening a folder or a file in the program that the user has for it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from claude_sync_app.desktop.launching import DesktopError, start


def open_path(path: Path) -> None:
    """Open a folder in the file manager, a file in its program.

    Raises:
        DesktopError: it isn't there, or nothing opens it.
    """
    if not path.exists():
        raise DesktopError("it isn't there any more", where=str(path))
    # An absolute path can be neither an option nor an address.
    _open(str(path.absolute()))


def _open(target: str) -> None:
    if sys.platform == "win32":
        try:
            os.startfile(target)  # noqa: S606 -- what a double click does
        except OSError as error:
            raise DesktopError("Windows has no program for it", where=target) from error
        return
    start([opener(sys.platform), target])


def opener(platform: str) -> str:
    """The program that opens things as a double click would."""
    return "open" if platform == "darwin" else "xdg-open"
