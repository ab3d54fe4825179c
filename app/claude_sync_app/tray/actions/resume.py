"""Resuming a session: in a terminal, or by a line to paste."""

from __future__ import annotations

import os
from pathlib import Path

from claude_sync.errors import ClaudeSyncError
from claude_sync.model import Outcome, Result
from claude_sync.wording import sentence
from claude_sync_app.desktop import clipboard, terminals
from claude_sync_app.desktop.launching import DesktopError
from claude_sync_app.resume_line import resume_line
from claude_sync_app.resume_options import ResumeOptions, resume_options
from claude_sync_app.shown_text import one_line
from claude_sync_app.tray.context import TrayContext
from claude_sync_app.tray.verbs import Action, Verb

_IS_HERE = frozenset({Outcome.IMPORTED, Outcome.UPDATED, Outcome.REPLACED, Outcome.UNCHANGED})


def resume_session(tray: TrayContext, action: Action) -> None:
    """Open a terminal in the session's folder that resumes it."""
    _resume(tray, action.subject, tray.directory_of(action.subject))


def _resume(
    tray: TrayContext, session_id: str, directory: Path, pulled: Result | None = None
) -> None:
    options = _options(tray, session_id, pulled)
    try:
        terminals.run_claude(directory, session_id, tray.preferences.terminal, options.arguments)
    except DesktopError as error:
        tray.notify(
            f"resume {session_id}",
            "Couldn't open a terminal",
            sentence(one_line(str(error))),
            [("Copy resume command", Action(Verb.COPY_COMMAND, session_id))],
        )
        return
    if options.remark:
        tray.notify(
            f"resume {session_id}",
            "Resumed in the default permission mode",
            sentence(options.remark),
        )


def pull_and_resume(tray: TrayContext, action: Action) -> None:
    """Pull a session, and resume it if it is here then."""
    session_id = action.subject
    results = tray.wait_or_none(tray.service.pull([session_id])) or []
    for one in results:
        if one.session_id == session_id and one.outcome in _IS_HERE:
            # The Status that knows of it may still be on its way.
            _resume(tray, session_id, one.directory or tray.directory_of(session_id), one)


def _options(tray: TrayContext, session_id: str, pulled: Result | None = None) -> ResumeOptions:
    """The options that the client gets besides the session."""
    path, size = (pulled.path, pulled.from_elsewhere) if pulled is not None else (None, 0)
    if size == 0:
        for state in tray.status.sessions:
            if state.session_id == session_id:
                path, size = state.path, state.from_elsewhere
    return resume_options(tray.paths, path, size)


def copy_command(tray: TrayContext, action: Action) -> None:
    """Put the line that resumes a session into the clipboard, or show it if there is none."""
    session_id = action.subject
    directory = tray.directory_of(session_id)
    options = _options(tray, session_id)
    line = resume_line(
        directory, session_id, missing=not os.path.isdir(directory), options=options.arguments
    )
    if not line:
        raise ClaudeSyncError(
            "the folder's name holds characters that can't be typed safely", where=session_id
        )
    if not clipboard.copy_text(line):
        tray.notify(f"line {session_id}", "Type this to resume", line)
