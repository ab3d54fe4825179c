"""Commands that fix what was found, as they are typed into this system's shell.

In a finding's fix, what is to be typed is between backquotes.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from claude_sync.disk.refusals import READ_ONLY, refusal_of_disk
from claude_sync.wording import is_typable, quoted, short_path

_MOST_TYPED = 20


def remove_command(paths: Sequence[str | os.PathLike[str]], system: str = os.name) -> str:
    """How to remove files, as it is typed into this system's shell; a clause."""
    if not all(is_typable(os.fspath(path)) for path in paths):
        return "remove the files named here yourself, as their names can't be typed"
    verb = "del" if system == "nt" else "rm"
    some = " ".join(quoted(path, system) for path in paths[:_MOST_TYPED])
    again = ", then run the doctor again for the others" if len(paths) > _MOST_TYPED else ""
    return f"`{verb} {some}`{again}"


def move_command(
    path: str | os.PathLike[str], target: str | os.PathLike[str], system: str = os.name
) -> str:
    """How to give something another name, as it is typed into this system's shell."""
    verb = "move" if system == "nt" else "mv"
    return f"`{verb} {quoted(path, system)} {quoted(target, system)}`"


def grant_command(path: str | os.PathLike[str], system: str = os.name) -> str:
    """How to let this user read and write something and what is in it; a clause."""
    if refusal_of_disk(path) == READ_ONLY:
        return f"Mount the disk of {short_path(os.fspath(path))} for writing: it is read-only"
    if system == "nt":
        # learn.microsoft.com/windows-server/administration/windows-commands/icacls
        return f'`icacls {quoted(path, system)} /grant "%USERNAME%":(OI)(CI)F /T`'
    allow = f"chmod -R u+rwX {quoted(path, system)}"
    if _is_owned_here(path):
        return f"`{allow}`"
    # Only its owner may change the modes of a file: chmod(2).
    return f'`sudo chown -R "$(id -un)" {quoted(path, system)} && {allow}`'


def _is_owned_here(path: str | os.PathLike[str]) -> bool:
    """Whether this user owns something, or the nearest above it that can be looked at."""
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return True
    except OSError:
        parent = os.path.dirname(os.fspath(path))
        return parent == os.fspath(path) or _is_owned_here(parent)
    return sys.platform == "win32" or os.geteuid() in (0, status.st_uid)
