"""Starting programs that outlive this one, and running those that end at once."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence

from claude_sync.disk.programs import full_command
from claude_sync.errors import ClaudeSyncError

_AT_ONCE_SECONDS = 10.0
_EARLY_SECONDS = 0.5

_running: list[subprocess.Popen[bytes]] = []


class DesktopError(ClaudeSyncError):
    """The desktop can't do what was asked: a program is missing, or it refused."""


def start(
    arguments: Sequence[str],
    *,
    directory: str | os.PathLike[str] | None = None,
    environment: Mapping[str, str] | None = None,
    new_console: bool = False,
) -> None:
    """Start a program that outlives us; waits half a second for it to fail.

    Args:
        arguments: the program and what it gets, never read by a shell.
        directory: where it starts.
        environment: what it gets beside our own.
        new_console: whether it gets a window of its own on Windows.

    Raises:
        DesktopError: it isn't there, or ended with an error at once.
    """
    _reap()
    program = _spawn(arguments, directory, environment, new_console=new_console)
    try:
        code = program.wait(_EARLY_SECONDS)
    except subprocess.TimeoutExpired:
        _running.append(program)
        return
    if code != 0:
        raise DesktopError(
            f"{os.path.basename(arguments[0])} ended with status {code}",
            todo="try it in a terminal to see why",
        )


def _spawn(
    arguments: Sequence[str],
    directory: str | os.PathLike[str] | None,
    environment: Mapping[str, str] | None,
    *,
    new_console: bool,
) -> subprocess.Popen[bytes]:
    flags = getattr(subprocess, "CREATE_NEW_CONSOLE", 0) if new_console else 0
    # A console window needs the standard streams that it brings along.
    stream = None if new_console and os.name == "nt" else subprocess.DEVNULL
    try:
        return subprocess.Popen(
            full_command(arguments),
            cwd=directory,
            env={**os.environ, **environment} if environment else None,
            stdin=stream,
            stdout=stream,
            stderr=stream,
            start_new_session=True,
            creationflags=flags,
        )
    except (OSError, ValueError) as error:
        raise DesktopError(
            f"{os.path.basename(arguments[0])} can't be started",
            todo="install it, or name another one in the preferences",
        ) from error


def _reap() -> None:
    """Reap programs that have ended; the system takes the others over when we end."""
    _running[:] = [program for program in _running if program.poll() is None]


def run(arguments: Sequence[str], text: bytes = b"") -> bool:
    """Run a program that reads its standard input and ends at once; whether it succeeded."""
    try:
        done = subprocess.run(
            full_command(arguments),
            input=text,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_AT_ONCE_SECONDS,
            check=False,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
