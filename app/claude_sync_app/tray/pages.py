"""Pages for the user's browser: where they are written, and that they go again."""

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
    """Write a page, for this user's eyes only, and open it. It has to be whole by itself.

    Args:
        paths: where claude-sync keeps its things.
        name: sets it apart from other pages; its file's name without the suffix.
        page: HTML.

    Raises:
        ClaudeSyncError: it can't be written, or nothing opens it.
    """
    remove_pages(paths, older_than_seconds=_KEPT_SECONDS)
    folder = browser.folder_of_browser(Path.home(), os.environ)
    if folder is None or folder.is_symlink():
        folder = _folder_for_store(paths)
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
    """Remove the pages that were written so long ago: they may hold what sessions say."""
    limit = time.time() - older_than_seconds
    for folder in (_folder_for_store(paths), *browser.folders_of_browsers(Path.home())):
        if folder.is_symlink():
            continue  # a browser's own folder is its to change: nothing is removed elsewhere
        try:
            for path in folder.glob(f"*{_SUFFIX}"):
                if path.lstat().st_mtime <= limit:
                    files.remove(path)
        except OSError:
            pass  # the next time


def _folder_for_store(paths: Paths) -> Path:
    return paths.state / "pages"
