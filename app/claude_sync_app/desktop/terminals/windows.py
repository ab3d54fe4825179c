"""Terminals of Windows. Pure: says what to start and starts nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import PurePath, PureWindowsPath

from claude_sync_app.desktop.terminals.launch import Launch

# cmd looks in the current directory first, which is the project's: a `claude.exe` that was cloned
# would be run. With this variable it doesn't, and it is set before the name is looked up.
# https://learn.microsoft.com/windows/win32/api/processenv/nf-processenv-needcurrentdirectoryforexepathw
_ONLY_ON_THE_PATH = "set NoDefaultCurrentDirectoryInExePath=1&"


def launch(
    directory: PurePath,
    session_id: str,
    preference: Sequence[str],
    options: Sequence[str] = (),
    *,
    find: Callable[[str], str | None],
) -> Launch | None:
    """What to start; None if there is no terminal.

    A session's id has letters, digits, dots and dashes only: cmd reads no more.

    Args:
        directory: absolute.
        session_id: the session.
        preference: a terminal's program with its arguments, up to where the command follows.
        options: for the client; each of letters and dashes only.
        find: the whole path of a program, None if there is none.
    """
    cmd = find("cmd")
    if cmd is None:
        return None
    command = (cmd, "/k", _ONLY_ON_THE_PATH, "claude", "--resume", session_id, *options)
    name = PureWindowsPath(preference[0]).stem.lower() if preference else ""
    if name not in ("", "wt", "cmd"):
        return Launch((*preference, *command), directory)
    terminal = find("wt") if name != "cmd" else None
    if terminal is not None:
        # A semicolon begins another command of Windows Terminal's, wherever it stands:
        # https://learn.microsoft.com/windows/terminal/command-line-arguments
        where = str(directory).replace(";", "\\;")
        return Launch((terminal, "new-tab", "-d", where, "--", *command), directory)
    return Launch(command, directory, new_console=True)
