"""Terminals of Windows. Pure: says what to start and starts nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import PurePath, PureWindowsPath

from claude_sync_app.desktop.terminals.launch import Launch


def launch(
    directory: PurePath, session_id: str, preference: Sequence[str], *, has: Callable[[str], bool]
) -> Launch:
    """What to start. A session's id has letters, digits, dots and dashes only: cmd reads no more.

    Args:
        directory: absolute.
        session_id: the session.
        preference: a terminal's program with its arguments, up to where the command follows.
        has: whether a program can be found.
    """
    command = ("cmd.exe", "/k", "claude", "--resume", session_id)
    name = PureWindowsPath(preference[0]).stem.lower() if preference else ""
    if name not in ("", "wt", "cmd"):
        return Launch((*preference, *command), directory)
    if name != "cmd" and has("wt.exe"):
        # A semicolon begins another command of Windows Terminal's, wherever it stands:
        # https://learn.microsoft.com/windows/terminal/command-line-arguments
        where = str(directory).replace(";", "\\;")
        return Launch(("wt.exe", "new-tab", "-d", where, "--", *command), directory)
    return Launch(command, directory, new_console=True)
