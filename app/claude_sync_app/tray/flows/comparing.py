"""The page that shows what the sides of a conflict say, in the user's browser."""

from __future__ import annotations

import time
from pathlib import Path

from claude_sync import files
from claude_sync.errors import ClaudeSyncError
from claude_sync.places import Places
from claude_sync.sync.parting import read_apart
from claude_sync_app.desktop import opening
from claude_sync_app.tray.comparison_page import page
from claude_sync_app.tray.desk import Desk

_SUFFIX = ".html"
_KEPT_SECONDS = 3600.0


def compare(desk: Desk, session_id: str) -> None:
    """Write the page, for this user's eyes only, and open it."""
    apart = desk.answer(desk.service.call(lambda context: read_apart(context, session_id)))
    folder = _folder(desk.places)
    remove_pages(desk.places, older_than_seconds=_KEPT_SECONDS)
    path = folder / f"{apart.session_id}{_SUFFIX}"
    try:
        files.make_private(folder)
        files.replace(path, page(apart, time.time()).encode("utf-8", "replace"), mode=0o600)
    except OSError as error:
        raise ClaudeSyncError(
            f"the page can't be written ({error.strerror})",
            where=str(folder),
            todo="make that folder writable",
        ) from error
    opening.open_path(path)


def remove_pages(places: Places, older_than_seconds: float = 0.0) -> None:
    """Remove the pages that were written so long ago: they hold what sessions say."""
    limit = time.time() - older_than_seconds
    try:
        for path in _folder(places).glob(f"*{_SUFFIX}"):
            if path.lstat().st_mtime <= limit:
                files.remove(path)
    except OSError:
        pass  # the next time


def _folder(places: Places) -> Path:
    return places.state / "pages"
