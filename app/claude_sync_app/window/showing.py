"""Shows an address in the person's browser, and to nobody else.

What a program is started with, every user of the machine can read. So a browser is given the path
of a file that only this user can read; that leads on to the address, whose fragment lets in.
"""

from __future__ import annotations

import os
import secrets
import time
from html import escape
from pathlib import Path

from claude_sync.disk import files
from claude_sync.errors import ClaudeSyncError
from claude_sync.state.paths import Paths
from claude_sync_app.desktop import browser, opening
from claude_sync_app.desktop.app_windows import find_program_for_windows, folder_it_can_read
from claude_sync_app.desktop.launching import DesktopError, start

_SUFFIX = ".html"
_PREFIX = "open-"
_KEPT_SECONDS = 600.0
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'">
<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0; url={address}">
<title>claude-sync</title>
</head>
<body><p><a href="{address}" rel="noreferrer">Open claude-sync</a></p></body>
</html>
"""


def show(paths: Paths, address: str) -> None:
    """Open an address in a window of its own where a browser has such, else in the browser.

    Args:
        paths: where claude-sync keeps its things.
        address: lets in whoever knows it.

    Raises:
        ClaudeSyncError: nothing opens it, or the file that leads there can't be written.
    """
    program = find_program_for_windows()
    if program is not None:
        path = _write(folder_it_can_read(program, Path.home()), paths, address)
        try:
            start([program, f"--app={path.as_uri()}"])
            return
        except DesktopError:
            pass  # it doesn't start, which is no reason not to try the other
    folder = browser.folder_of_browser(Path.home(), os.environ)
    opening.open_path(_write(folder, paths, address))


def remove_all(paths: Paths) -> None:
    """Remove what may still lead to an address: nobody answers there any more."""
    for folder in (_own_folder(paths), *browser.folders_of_browsers(Path.home())):
        if not folder.is_symlink():
            try:
                _remove_old(folder, 0.0)
            except OSError:
                pass  # it lets nobody in


def _own_folder(paths: Paths) -> Path:
    return paths.runtime / "window"


def _write(given: Path | None, paths: Paths, address: str) -> Path:
    """A file that leads to the address; those that led somewhere a while ago are removed.

    Args:
        given: the one folder that the browser can read; None if it can read ours.
        paths: where ours is.
        address: where the file leads.
    """
    folder = given or _own_folder(paths)
    if folder.is_symlink():
        raise _unwritable(folder, "it leads elsewhere")
    path = folder / f"{_PREFIX}{secrets.token_hex(8)}{_SUFFIX}"
    try:
        files.make_private(folder, durable=False)
        _remove_old(folder, _KEPT_SECONDS)
        files.replace(path, _PAGE.format(address=escape(address)).encode(), durable=False)
    except OSError as error:
        raise _unwritable(folder, error.strerror or "") from error
    return path


def _remove_old(folder: Path, older_than_seconds: float) -> None:
    limit = time.time() - older_than_seconds
    for path in folder.glob(f"{_PREFIX}*{_SUFFIX}"):
        if path.lstat().st_mtime <= limit:
            files.remove(path)


def _unwritable(folder: Path, why: str) -> ClaudeSyncError:
    return ClaudeSyncError(
        f"the window can't be opened ({why})",
        where=str(folder),
        todo="make that folder writable, or type `claude-sync open --print`",
    )
