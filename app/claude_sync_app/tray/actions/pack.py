"""One session in one file that can be carried by hand."""

from __future__ import annotations

from pathlib import Path

from claude_sync.sync.pack import pack
from claude_sync_app.shown_text import without_controls
from claude_sync_app.tray.context import TrayContext
from claude_sync_app.tray.verbs import Action


def pack_to_file(tray: TrayContext, action: Action) -> None:
    """Ask for a folder and write the session's file there; without dialogs, to the home folder."""
    folder: Path | None = Path.home()
    dialogs, session_id = tray.dialogs, action.subject
    if dialogs is not None:
        folder = dialogs.choose_folder("Where to put the packed session", Path.home())
    if folder is None:
        return
    target = folder
    written = tray.wait(tray.service.call(lambda context: pack(context, session_id, target)))
    tray.notify(
        f"packed {session_id}",
        f"Packed {tray.title_of(session_id)}",
        f"{without_controls(str(written))}\n"
        "On another machine: claude-sync unpack, and the name of that file.",
    )
