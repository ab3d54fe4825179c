"""Opening a folder, a file or a page in the program that the user has for it."""

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
    # Absolute, it can neither be an option nor an address.
    _open(str(path.absolute()))


def open_page(address: str) -> None:
    """Open a page of the web in the browser.

    Raises:
        DesktopError: it is no such address, or nothing opens it.
    """
    if not address.startswith("https://") or not address.isprintable() or " " in address:
        raise DesktopError("only addresses that begin with https:// are opened")
    _open(address)


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
