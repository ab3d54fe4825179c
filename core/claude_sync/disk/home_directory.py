"""Where this user's home directory is."""

from __future__ import annotations

import os
from pathlib import Path

from claude_sync.errors import UsageError


def home_directory() -> Path:
    """This user's home directory; it need not exist.

    Raises:
        UsageError: it can't be told. Whoever goes on without it ends in ``/`` or in the directory
            that happens to be the current one.
    """
    value = os.environ.get("HOME") if os.name == "posix" else None
    # An empty HOME would expand to the root of the disk.
    home = os.path.expanduser("~") if value is None else value
    if os.path.isabs(home):
        return Path(home)
    variable = "HOME" if os.name == "posix" else "USERPROFILE"
    if value is None:
        why = f"neither {variable} nor the system names it"
    else:
        why = f"{variable} isn't an absolute path" if value else f"{variable} is empty"
    raise UsageError(
        f"this user's home directory isn't known, for {why}", todo=f"set {variable} to it"
    )
