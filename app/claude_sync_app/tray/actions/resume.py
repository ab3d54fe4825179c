"""Going on with a session: in a terminal, by a line to paste, in the file manager."""

from __future__ import annotations

from pathlib import Path

from claude_sync.errors import ClaudeSyncError
from claude_sync.model import Outcome
from claude_sync_app.desktop import clipboard, opening, terminals
from claude_sync_app.desktop.launching import DesktopError
from claude_sync_app.resume_line import resume_line
from claude_sync_app.shown_text import one_line
from claude_sync_app.tray.context import TrayContext
from claude_sync_app.tray.menu.model import Action
from claude_sync_app.tray.verbs import Verb

_IS_HERE = frozenset({Outcome.IMPORTED, Outcome.UPDATED, Outcome.REPLACED, Outcome.UNCHANGED})


def resume(tray: TrayContext, session_id: str, directory: Path | None = None) -> None:
    """Open a terminal in the session's folder that resumes it; waits for the terminal to start.

    Args:
        tray: what to work with.
        session_id: the session.
        directory: its folder where that is known better than from the Status.
    """
    directory = directory or tray.directory_of(session_id)
    try:
        terminals.resume(directory, session_id, tray.preferences.terminal)
    except DesktopError as error:
        sentence = one_line(str(error))
        tray.notify(
            f"resume {session_id}",
            "Couldn't open a terminal",
            f"{sentence[:1].upper()}{sentence[1:]}.",
            [("Copy resume command", Action(Verb.COPY_COMMAND.value, session_id))],
        )


def pull_and_resume(tray: TrayContext, session_id: str) -> None:
    """Pull a session, and resume it if it is here then."""
    results = tray.wait_or_none(tray.service.pull([session_id])) or []
    for one in results:
        if one.session_id == session_id and one.outcome in _IS_HERE:
            # The Status that knows of it may still be on its way.
            resume(tray, session_id, one.directory)


def copy_command(tray: TrayContext, session_id: str) -> None:
    """Put the line that resumes a session into the clipboard, or show it where there is none."""
    directory = tray.directory_of(session_id)
    line = resume_line(directory, session_id, missing=not directory.is_dir())
    if not line:
        raise ClaudeSyncError(
            "the folder's name holds characters that can't be typed safely", where=session_id
        )
    if not clipboard.copy_text(line):
        tray.notify(f"line {session_id}", "Type this to resume", line)


def open_project(tray: TrayContext, session_id: str) -> None:
    """Open a session's folder in the file manager."""
    opening.open_path(tray.directory_of(session_id))
