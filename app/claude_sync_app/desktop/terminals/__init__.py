"""Resuming a session in the user's terminal; one file per system, chosen once."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from claude_sync.disk.programs import find_program
from claude_sync.names import is_session_id
from claude_sync_app.desktop.launching import DesktopError, start
from claude_sync_app.desktop.terminals.launch import Launch

_OPTION = re.compile(r"-{0,2}[a-z]+(?:-[a-z]+)*")


def run_claude(
    directory: Path,
    session_id: str,
    preference: str | Sequence[str] | None = None,
    options: Sequence[str] = (),
) -> None:
    """Open a terminal in a folder that runs ``claude --resume`` there.

    Args:
        directory: the session's working directory.
        session_id: the session.
        preference: the user's terminal: a program, or a program and what it gets. None lets the
            system choose.
        options: for the client; each of letters and dashes only.

    Raises:
        DesktopError: the folder isn't there, no terminal is, or it didn't start.
    """
    if not is_session_id(session_id):
        raise DesktopError("a session with such an id is never resumed")
    if not all(_OPTION.fullmatch(option) for option in options):
        raise DesktopError("a client is never started with such options")
    directory = directory.absolute()
    if not directory.is_dir():
        raise DesktopError(
            "its folder isn't there",
            where=str(directory),
            todo="switch to the branch that has it, or copy the command, which makes it",
        )
    wanted = [preference] if isinstance(preference, str) else list(preference or [])
    launch = _launch(directory, session_id, wanted, options)
    if launch is None:
        raise DesktopError(
            "no terminal was found",
            todo="name yours as `terminal` in the preferences, or copy the command instead",
        )
    start(launch.arguments, directory=launch.directory, new_console=launch.new_console)


def _launch(
    directory: Path, session_id: str, preference: Sequence[str], options: Sequence[str]
) -> Launch | None:
    from claude_sync_app.desktop.terminals import linux, macos, windows

    if sys.platform == "darwin":
        return macos.launch(
            directory, session_id, preference, environment=os.environ, options=options
        )
    if sys.platform == "win32":
        return windows.launch(directory, session_id, preference, options=options, find=find_program)
    return linux.launch(
        directory, session_id, preference, environment=os.environ, options=options, has=_has
    )


def _has(program: str) -> bool:
    return find_program(program) is not None
