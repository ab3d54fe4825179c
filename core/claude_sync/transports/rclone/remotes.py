"""Which clouds the person's rclone knows."""

from __future__ import annotations

import os
import subprocess

from claude_sync.disk.programs import full_command
from claude_sync.errors import UsageError
from claude_sync.transports.location import parse_location
from claude_sync.transports.rclone.errors import no_answer, no_rclone, not_started
from claude_sync.transports.rclone.program import rclones

_SECONDS = 20.0
_PLACE = "claude-sync"


def remotes() -> list[str]:
    """The names of the remotes in rclone's configuration, as far as a location can have them.

    Raises:
        StoreAbsent: there is no rclone, or its configuration is encrypted.
        StoreOffline: it can't be asked.
    """
    program = next(rclones(), None)
    if program is None:
        raise no_rclone()
    try:
        done = subprocess.run(
            full_command([program, "listremotes", "--ask-password=false"]),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except subprocess.TimeoutExpired as error:
        raise no_answer("rclone") from error
    except OSError as error:
        raise not_started("", os.path.basename(program)) from error
    if done.returncode:
        raise not_started(done.stderr.decode("utf-8", "replace"), "rclone")
    lines = done.stdout.decode("utf-8", "replace").splitlines()
    return [name for line in lines if _is_remote(name := line.strip().removesuffix(":"))]


def _is_remote(name: str) -> bool:
    try:
        parse_location(f"rclone:{name}:{_PLACE}")
    except UsageError:
        return False
    return True
