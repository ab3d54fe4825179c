"""Resuming a session: in a terminal, or by a line to paste."""

from __future__ import annotations

import os
import time
from pathlib import Path

from claude_sync.claude.home import ClaudeHome
from claude_sync.claude.trust import is_new_to_client
from claude_sync.errors import ClaudeSyncError
from claude_sync.sync.resume import Question, Resumption
from claude_sync.wording import capitalized, sentence
from claude_sync_app import resume_sentences
from claude_sync_app.desktop import clipboard, terminals
from claude_sync_app.desktop.launching import DesktopError
from claude_sync_app.resume_line import resume_line
from claude_sync_app.resume_options import NO_OPTIONS, ResumeOptions, resume_options
from claude_sync_app.shown_text import one_line
from claude_sync_app.tray.context import TrayContext
from claude_sync_app.tray.labels import project_of
from claude_sync_app.tray.verbs import Action, Verb
from claude_sync_app.tray.window_pages import conflict_page, open_window, session_page

_ALL_THE_SAME = "all-the-same"
"""The detail of an action with which a person goes on though a version couldn't be read."""


def resume_session(tray: TrayContext, action: Action) -> None:
    """Pull a session if another machine is ahead, and open a terminal that resumes it."""
    as_it_is = action.detail == _ALL_THE_SAME
    found = tray.wait_or_none(tray.service.prepare_resume(action.subject, as_it_is=as_it_is))
    if found is None:
        return
    if found.question is not None:
        _say_what_to_decide(tray, found)
        return
    # A terminal says of a directory that isn't there that a line can be copied which makes it.
    directory = found.directory or found.checked_directory()
    options = resume_options(tray.paths, found.path, found.from_elsewhere)
    try:
        terminals.run_claude(
            directory, found.session_id, tray.preferences.terminal, options.arguments
        )
    except DesktopError as error:
        tray.notify(
            _key(found),
            "Couldn't open a terminal",
            sentence(one_line(str(error))),
            [("Copy resume command", Action(Verb.COPY_COMMAND, found.session_id))],
        )
        return
    _say_what_was_done(tray, found, directory, options)


def _say_what_was_done(
    tray: TrayContext, found: Resumption, directory: Path, options: ResumeOptions
) -> None:
    """Notify of what was pulled, and of what to know before the client shows itself."""
    remembered = tray.preferences.claude_config_dir
    home = ClaudeHome.locate(remembered=str(remembered) if remembered else None)
    is_new = is_new_to_client(home.path, directory)
    lines = resume_sentences.remarks(found, options.remark, new_directory=is_new)
    name = _name(tray, found)
    pulled = resume_sentences.pulled_sentence(found, time.time_ns(), title=name)
    if pulled or lines:
        # A title has one line, of which some desktops cut the end; so it names nothing.
        title = "Pulled and resumed" if pulled else "Resumed"
        tray.notify(_key(found), title, "\n".join([sentence(pulled or name), *lines]))


def _say_what_to_decide(tray: TrayContext, found: Resumption) -> None:
    """Notify of what a person has to decide before a session is resumed."""
    buttons = []
    if found.question is Question.DIVERGED:
        buttons = [("Compare…", open_window(conflict_page(found.session_id)))]
    elif found.question is Question.UNREAD:
        buttons = [
            ("Resume all the same", Action(Verb.RESUME, found.session_id, _ALL_THE_SAME)),
        ]
    tray.notify(
        _key(found),
        f"{capitalized(_name(tray, found))} wasn't resumed",
        sentence(one_line(found.message)),
        buttons,
        open_window(session_page(found.session_id)),
    )


def _key(found: Resumption) -> str:
    return f"resume {found.session_id}"


def _name(tray: TrayContext, found: Resumption) -> str:
    """What a session is called where others may see it."""
    if tray.preferences.show_titles:
        return resume_sentences.shown_title(found)
    project = project_of(found.project_key)
    return f"a session of {project}" if project else "a session"


def _options(tray: TrayContext, session_id: str) -> ResumeOptions:
    """The options that the client gets besides the session."""
    for state in tray.status.sessions:
        if state.session_id == session_id:
            return resume_options(tray.paths, state.path, state.from_elsewhere)
    return NO_OPTIONS


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
