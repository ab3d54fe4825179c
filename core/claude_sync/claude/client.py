"""What the installed client can be asked for. It is asked once, and again when it was changed."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from claude_sync.disk.home_directory import home_directory
from claude_sync.disk.json_object import NoObject, read_object, write_object
from claude_sync.disk.programs import find_program, full_command

SNAPSHOT_OPTION = "--system-prompt-snapshot"
_PATIENCE_SECONDS = 10.0
_NAMES = ("claude", "claude.cmd")
# Where its own installer puts it, whose last line asks for this folder to be added to the PATH.
_INSTALLED = (".local", "bin", "claude")


def find_client() -> str | None:
    """The whole path of the client, None where none is installed.

    Raises:
        UsageError: this user's home directory isn't known.
    """
    found = next(filter(None, map(find_program, _NAMES)), None)
    return found or find_program(str(home_directory().joinpath(*_INSTALLED)))


def knows_snapshot_option(memory: Path) -> bool:
    """Whether the client can be told not to send the system prompt that a transcript recorded.

    False where there is no client to be found, or it can't be asked.

    Args:
        memory: the file that keeps the answer, by the program's path, size and time.
    """
    program = find_client()
    if program is None:
        return False
    try:
        status = os.stat(program)
    except OSError:
        return False
    asked = {"program": program, "size": status.st_size, "mtime_ns": status.st_mtime_ns}
    try:
        kept = read_object(memory)
    except (NoObject, OSError):
        kept = {}
    if {name: kept.get(name) for name in asked} == asked:
        return kept.get("snapshot") is True
    text = _help(program)
    knows = SNAPSHOT_OPTION in text
    if text:
        # Where it can't be kept, the client is asked again the next time.
        with contextlib.suppress(OSError):
            write_object(memory, {**asked, "snapshot": knows})
    return knows


def _help(program: str) -> str:
    import subprocess

    try:
        done = subprocess.run(
            full_command([program, "--help"]),
            # Not where a project's settings lie.
            cwd=os.path.dirname(program),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_PATIENCE_SECONDS,
            check=False,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else ""
