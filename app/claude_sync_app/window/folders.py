"""Folders of this machine that a person names in the window, or picks in the desktop's dialog."""

from __future__ import annotations

import os
from concurrent.futures import Future
from pathlib import Path
from threading import Thread

from claude_sync.errors import UsageError
from claude_sync_app.shown_text import one_line
from claude_sync_app.window.page import Answer, Asked, Reply, Waiting


def chosen_folder(text: str) -> Path:
    """A folder as a person typed it.

    Raises:
        UsageError: there is none.
    """
    folder = Path(os.path.expanduser(text.strip()))
    if not folder.is_absolute():
        raise UsageError("a folder's whole path is needed", where=text[:200])
    if not folder.is_dir():
        raise UsageError("there is no such folder", where=text[:200], todo="check its spelling")
    return folder


def pick_folder(asked: Asked) -> Reply:
    """Ask for a folder in the desktop's own dialog; its path is in the answer."""
    title = one_line(asked.text("title", most=200)) or "Choose a folder"
    start = Path(os.path.expanduser(asked.text("start") or "~"))
    picked: Future[Path | None] = Future()

    def ask() -> None:
        try:
            picked.set_result(_ask(title, start if start.is_dir() else Path.home()))
        except Exception as error:  # noqa: BLE001 -- whoever waits for it is told
            picked.set_exception(error)

    # A person takes as long as they like; no page may wait for that.
    Thread(target=ask, name="claude-sync window's dialog", daemon=True).start()
    return Waiting(picked, lambda path: Answer(more={"path": str(path)} if path else {}))


def _ask(title: str, start: Path) -> Path | None:
    from claude_sync_app.desktop import dialogs

    found = dialogs.choose()
    if found is None:
        raise UsageError("this desktop has no dialog for folders", todo="type the folder's path")
    return found.choose_folder(title, start)
