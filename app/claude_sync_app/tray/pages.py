"""Pages for the user's browser: where they are written, and when they are removed."""

from __future__ import annotations

import os
import time
from pathlib import Path

from claude_sync.disk import files
from claude_sync.errors import ClaudeSyncError
from claude_sync.state.paths import Paths
from claude_sync_app.desktop import browser, opening

_SUFFIX = ".html"
_KEPT_SECONDS = 3600.0


def show_page(paths: Paths, name: str, page: str) -> None:
    """Write a page that only this user can read, and open it. It may refer to no other file.

    Args:
        paths: where claude-sync keeps its things.
        name: of its file, without the suffix.
        page: HTML.

    Raises:
        ClaudeSyncError: it can't be written, or nothing opens it.
    """
    remove_pages(paths, older_than_seconds=_KEPT_SECONDS)
    folder = browser.folder_of_browser(Path.home(), os.environ)
    if folder is None or folder.is_symlink():
        folder = _own_folder(paths)
    path = folder / f"{name}{_SUFFIX}"
    try:
        files.make_private(folder)
        files.replace(path, page.encode("utf-8", "replace"), mode=0o600)
    except OSError as error:
        raise ClaudeSyncError(
            f"the page can't be written ({error.strerror})",
            where=str(folder),
            todo="make that folder writable",
        ) from error
    opening.open_path(path)


def remove_pages(paths: Paths, older_than_seconds: float = 0.0) -> None:
    """Remove pages of that age: they may hold text from sessions."""
    limit = time.time() - older_than_seconds
    for folder in (_own_folder(paths), *browser.folders_of_browsers(Path.home())):
        if folder.is_symlink():
            continue  # it may lead anywhere, and nothing is removed elsewhere
        try:
            for path in folder.glob(f"*{_SUFFIX}"):
                if path.lstat().st_mtime <= limit:
                    files.remove(path)
        except OSError:
            pass  # next time


def _own_folder(paths: Paths) -> Path:
    return paths.state / "pages"
