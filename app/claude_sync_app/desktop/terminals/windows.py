"""Terminals of Windows. Pure: says what to start and starts nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import PurePath, PureWindowsPath

from claude_sync_app.desktop.terminals.launch import Launch

# cmd looks in the current directory first, which is the project's: a `claude.exe` that was cloned
# would be run. With this variable it doesn't, and it is set before the name is looked up.
# https://learn.microsoft.com/windows/win32/api/processenv/nf-processenv-needcurrentdirectoryforexepathw
_ONLY_ON_THE_PATH = "set NoDefaultCurrentDirectoryInExePath=1&"
# PowerShell never looks there, and reads one line of words that no shell reads otherwise.
_POWERSHELLS = ("pwsh", "powershell")
_STAY = ("-NoExit", "-Command")


def launch(
    directory: PurePath,
    session_id: str,
    preference: Sequence[str],
    options: Sequence[str] = (),
    *,
    find: Callable[[str], str | None],
) -> Launch | None:
    """What to start; None if there is no terminal.

    A session's id has letters, digits, dots and dashes only: cmd and PowerShell read no more.
    cmd can't work in a folder of another machine, PowerShell can.

    Args:
        directory: absolute.
        session_id: the session.
        preference: a terminal's program with its arguments, up to where the command follows.
        options: for the client; each of letters and dashes only.
        find: the whole path of a program, None if there is none.
    """
    name = PureWindowsPath(preference[0]).stem.lower() if preference else ""
    resume = ("claude", "--resume", session_id, *options)
    if name in _POWERSHELLS:
        return Launch((*preference, *_STAY, " ".join(resume)), directory, new_console=True)
    shared = str(directory).startswith("\\\\")
    shell = find("powershell" if shared else "cmd")
    if shell is None:
        return None
    command: tuple[str, ...]
    if shared:
        command = (shell, *_STAY, " ".join(resume))
    else:
        command = (shell, "/k", _ONLY_ON_THE_PATH, *resume)
    if name not in ("", "wt", "cmd"):
        # Whether it is a program of the console or brings a window doesn't show.
        return Launch((*preference, *command), directory, new_console=True)
    terminal = find("wt") if name != "cmd" else None
    if terminal is not None:
        # A semicolon begins another command of Windows Terminal's, wherever it stands:
        # https://learn.microsoft.com/windows/terminal/command-line-arguments
        where = str(directory).replace(";", "\\;")
        return Launch((terminal, "new-tab", "-d", where, "--", *command), directory)
    return Launch(command, directory, new_console=True)
