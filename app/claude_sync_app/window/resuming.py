"""Resuming a session from the window: in a terminal, or by a line to paste."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

from claude_sync.claude.home import ClaudeHome
from claude_sync.claude.trust import is_new_to_client
from claude_sync.errors import ClaudeSyncError, UsageError
from claude_sync.model import SessionState
from claude_sync.names import is_session_id
from claude_sync.sync.resume import Question, Resumption
from claude_sync.wording import sentence
from claude_sync_app import resume_sentences
from claude_sync_app.desktop import clipboard, terminals
from claude_sync_app.desktop.launching import DesktopError
from claude_sync_app.resume_line import resume_line
from claude_sync_app.resume_options import resume_options
from claude_sync_app.shown_text import one_line
from claude_sync_app.tray.verbs import Action
from claude_sync_app.window.page import Answer, Asked, Reply, Waiting

_ALL_THE_SAME = "all-the-same"
_TO_DECIDE = (Question.DIVERGED, Question.SHORTENED, Question.REPLACES)


def resume(asked: Asked, action: Action) -> Reply:
    """Pull a session if another machine is ahead, and open a terminal that resumes it."""
    if not is_session_id(action.subject):
        raise UsageError("no session was chosen", todo="choose one first")
    as_it_is = action.detail == _ALL_THE_SAME
    future = asked.services.service.prepare_resume(action.subject, as_it_is=as_it_is)
    return Waiting(future, lambda found: _open_terminal(asked, found))


def _open_terminal(asked: Asked, found: Resumption) -> Answer:
    name = resume_sentences.shown_title(found)
    if found.question in _TO_DECIDE:
        return Answer(go=f"/conflict/{found.session_id}")
    if found.question is not None:
        return Answer(
            f"{name} wasn't resumed: {sentence(one_line(found.message))}",
            is_error=True,
            more={"all_the_same": found.question is Question.UNREAD},
        )
    directory = found.directory or found.checked_directory()
    services = asked.services
    options = resume_options(services.paths, found.path, found.from_elsewhere)
    try:
        terminals.run_claude(
            directory, found.session_id, asked.status.preferences.terminal, options.arguments
        )
    except DesktopError as error:
        return _without_terminal(found, directory, options.arguments, error)
    remembered = asked.status.preferences.claude_config_dir
    home = ClaudeHome.locate(remembered=str(remembered) if remembered else None)
    is_new = is_new_to_client(home.path, directory)
    lines = resume_sentences.remarks(found, options.remark, new_directory=is_new)
    pulled = resume_sentences.pulled_sentence(found, time.time_ns())
    text = " ".join([pulled or f"{name} opens in a terminal.", *lines])
    return Answer(text, reload=bool(pulled))


def _without_terminal(
    found: Resumption, directory: Path, options: Sequence[str], error: DesktopError
) -> Answer:
    """What was done all the same, why there is no terminal, and what to type in one."""
    pulled = resume_sentences.pulled_sentence(found, time.time_ns())
    why = sentence(f"no terminal could be opened: {one_line(str(error))}")
    line = _line(directory, found.session_id, options)
    todo = f"Or type this in one: {line}" if line else ""
    text = " ".join(filter(None, [pulled, why, todo]))
    return Answer(text, is_error=True, reload=bool(pulled))


def _line(directory: Path, session_id: str, options: Sequence[str]) -> str:
    missing = not os.path.isdir(directory)
    return resume_line(directory, session_id, missing=missing, options=options)


def copy_command(asked: Asked, action: Action) -> Reply:
    """Put the line that resumes a session into the clipboard; it is in the answer, too."""
    state = _state(asked, action.subject)
    if state.directory is None:
        raise ClaudeSyncError(
            "no folder of this machine is known for that session",
            where=state.session_id,
            todo="add its project's with `claude-sync projects add DIR`",
        )
    options = resume_options(asked.services.paths, state.path, state.from_elsewhere)
    line = _line(state.directory, state.session_id, options.arguments)
    if not line:
        raise ClaudeSyncError(
            "the folder's name holds characters that can't be typed safely", where=state.session_id
        )
    if clipboard.copy_text(line):
        return Answer("Copied: paste it into a terminal.", more={"line": line})
    return Answer(f"Type this in a terminal: {line}", more={"line": line})


def _state(asked: Asked, session_id: str) -> SessionState:
    for state in asked.status.sessions:
        if state.session_id == session_id:
            return state
    raise ClaudeSyncError("that session isn't there any more", where=session_id[:50])
