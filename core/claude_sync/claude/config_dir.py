"""The variable that names Claude Code's folder.

A relative path in it is relative to the directory that a program was started in. It is made
absolute before anything is done with it: kept as it is, it would name another folder from the next
directory on.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from claude_sync.errors import UsageError

VARIABLE = "CLAUDE_CONFIG_DIR"


def named_folder(environ: Mapping[str, str] | None = None) -> Path | None:
    """The folder that the variable names, absolute; None where it is unset or empty.

    Args:
        environ: the environment, None for the process's own.

    Raises:
        UsageError: it is relative, and the current directory is gone.
    """
    named = (os.environ if environ is None else environ).get(VARIABLE)
    if not named:
        return None
    try:
        return Path(named).expanduser().absolute()
    except FileNotFoundError:
        raise UsageError(
            f"{VARIABLE} is a relative path, and the current directory isn't there any more",
            where=named,
            todo="set it to the absolute path",
        ) from None


def make_absolute() -> None:
    """Make the variable absolute for this process, and for the clients that it starts elsewhere.

    Raises:
        UsageError: it is relative, and the current directory is gone.
    """
    folder = named_folder()
    if folder is not None:
        os.environ[VARIABLE] = str(folder)
