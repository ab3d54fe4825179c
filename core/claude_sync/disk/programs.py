"""Where a program lies: the one place that turns a name into what is started.

Invariant: nothing is ever started from the current directory, nor from a directory that is named
from there, since the current directory may be a repository that was cloned a minute ago. Windows
looks there before it looks at the PATH, whoever asks (CreateProcess, `shutil.which`, cmd), and on
the other systems an empty entry of the PATH, or ``.``, means it. So every process starts with a
whole path, which `find_program` found; a test holds that nothing else is started.
https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-createprocessw
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Mapping, Sequence

# Windows' own programs, by where they lie below its folder: whatever else bears their names, on
# the PATH or off it, isn't meant.
_OF_WINDOWS = {
    "cmd": ("System32", "cmd.exe"),
    "powershell": ("System32", "WindowsPowerShell", "v1.0", "powershell.exe"),
}
# A batch file hands its arguments to cmd, which reads them anew: it is run only where it is named.
_ENDINGS_OF_WINDOWS = (".exe", ".com")


def find_program(
    name: str,
    *,
    path: str | None = None,
    system: str = sys.platform,
    environment: Mapping[str, str] = os.environ,
) -> str | None:
    """The whole path of a program; None where there is none outside of the current directory.

    Args:
        name: of the program, or its whole path.
        path: the PATH to look at; None for the environment's.
        system: whose rules hold, as `sys.platform` has it.
        environment: where PATH and, on Windows, SystemRoot come from.
    """
    names = _file_names(name, system)
    if os.path.dirname(name) or (system == "win32" and ("\\" in name or ":" in name)):
        # A path that begins in the current directory leads nowhere.
        return next(filter(_is_program, names), None)
    own = _OF_WINDOWS.get(_stem(name)) if system == "win32" else None
    if own is not None:
        program = os.path.join(environment.get("SystemRoot") or "C:\\Windows", *own)
        return program if _is_program(program) else None
    found = environment.get("PATH", os.defpath) if path is None else path
    for directory in found.split(";" if system == "win32" else ":"):
        for file in names:
            program = os.path.join(directory.strip('"') if system == "win32" else directory, file)
            if _is_program(program):
                return program if _is_real(program, system) else None
    return None


def full_command(command: Sequence[str]) -> list[str]:
    """A command with its program's whole path.

    Args:
        command: a program's name, or its whole path, and what it gets.

    Raises:
        FileNotFoundError: there is no such program outside of the current directory.
    """
    program = find_program(command[0])
    if program is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), command[0])
    return [program, *command[1:]]


def _file_names(name: str, system: str) -> list[str]:
    if system != "win32" or os.path.splitext(name)[1].lower() in (".exe", ".com", ".bat", ".cmd"):
        return [name]
    return [name + ending for ending in _ENDINGS_OF_WINDOWS]


def _stem(name: str) -> str:
    return name.lower().removesuffix(".exe")


def _is_program(path: str) -> bool:
    # On Windows a path without a drive begins on the current directory's.
    whole = os.path.isabs(path) and (os.name != "nt" or bool(os.path.splitdrive(path)[0]))
    try:
        # Not `isfile`: Windows' aliases for programs of its shop are neither file nor link.
        return (
            whole and os.path.exists(path) and not os.path.isdir(path) and os.access(path, os.X_OK)
        )
    except ValueError:  # a NUL in it
        return False


def _is_real(path: str, system: str) -> bool:
    """Whether a program is more than macOS' stand-in, which opens a dialog to install it."""
    if system != "darwin" or path != "/usr/bin/git":
        return True
    tools = ("/Library/Developer/CommandLineTools", "/var/db/xcode_select_link")
    return any(map(os.path.exists, (*tools, "/Applications/Xcode.app")))
