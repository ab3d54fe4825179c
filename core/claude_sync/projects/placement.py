"""In which directory of a project a session from elsewhere is resumed.

Invariant: whoever writes into the store doesn't choose where a person resumes, since the client
runs the hooks that a directory's own settings name, and trusts all that lies below a directory it
was told to trust: `node_modules/x/.claude` isn't the person's, though it lies in their project.

Order of steps: where the bundle's subpath leads on this disk · never out of the project, into
`.git` or into `.claude` · a directory that was worked in here, or one that git tracks files in and
doesn't ignore · else the project's root, and why.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable, Collection
from pathlib import Path

from claude_sync.errors import SessionUnplaced
from claude_sync.names import folded
from claude_sync.projects.directory import directory_below
from claude_sync.values import NamedTuple

_NEVER = frozenset({".git", ".claude"})


class Placement(NamedTuple):
    """Where a session from elsewhere is resumed.

    Attributes:
        directory: of this machine; it may be missing still.
        reason: why that isn't the directory its bundle names, a clause; "" if it is.
    """

    directory: Path
    reason: str = ""


def placement_below(
    root: str,
    subpath: str,
    *,
    was_used: Callable[[Path], bool],
    tracked: Callable[[], Collection[str]],
) -> Placement:
    """Where a session goes in a project.

    Args:
        root: an existing directory of this machine, the project's.
        subpath: from a bundle; hostile.
        was_used: whether a directory was worked in here.
        tracked: the directories below the root that git tracks files in and doesn't ignore.
    """
    top = directory_below(root, "")
    if not subpath:
        return Placement(top)
    try:
        directory = directory_below(root, subpath)
    except SessionUnplaced as error:
        return Placement(top, error.what)
    below = os.path.relpath(directory, top).replace(os.sep, "/")
    if _NEVER & {folded(part) for part in below.split("/")}:
        return Placement(top, "nothing is resumed inside of .git or .claude")
    if directory == top or was_used(directory):
        return Placement(directory)
    # git keeps names composed, where a disk may have them in pieces.
    if {below, unicodedata.normalize("NFC", below)} & set(tracked()):
        return Placement(directory)
    return Placement(top, "git tracks no files in the directory it was in elsewhere")
