"""What the modes of files and folders let other users of this machine do.

"Who" is a mask of two bits, as in a mode: 0o010 for the group, 0o001 for everyone else. On Windows
access control lists decide, which the folders of a profile inherit.
"""

from __future__ import annotations

import functools
import os
import stat
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from claude_sync.doctor.access import scan
from claude_sync.doctor.facts import Facts
from claude_sync.model import Finding, Level
from claude_sync.wording import count, quoted, short_path

READ, MAKE, WRITE = 0o4, 0o3, 0o2  # making a file in a directory takes passing it, too
_EVERYBODY = 0o011


def mode_for_others(path: str) -> int:
    """The bits for the group and the others; the group's don't count if it is only ours."""
    try:
        status = os.stat(path)
    except OSError:
        return 0
    mode = stat.S_IMODE(status.st_mode)
    return mode & (0o007 if status.st_gid == _private_group() else 0o077)


def allows(who: int, mode: int, need: int) -> bool:
    """Whether any of those who get here may do all of what is needed."""
    return any(who >> shift & 1 and mode >> shift & need == need for shift in (3, 0))


@functools.cache
def _private_group() -> int:
    """This user's own group, as most systems make one for each user; -1 for none."""
    if sys.platform == "win32":
        return -1
    import grp
    import pwd

    try:
        user = pwd.getpwuid(os.geteuid())
        group = grp.getgrgid(user.pw_gid)
    except KeyError:
        return -1
    alone = group.gr_name == user.pw_name and set(group.gr_mem) <= {user.pw_name}
    return user.pw_gid if alone else -1


class _Others:
    """What others can do with folders and files; looks at each folder once."""

    def __init__(self) -> None:
        self._passing: dict[str, int] = {}
        self.readable: list[str] = []
        self.writable: list[str] = []

    def look(self, folders: Iterable[str | Path], files: Iterable[str | Path]) -> None:
        """Find which of these others can change or add to, and which of the files they can read."""
        for folder in map(os.path.realpath, folders):
            if allows(self._who(os.path.dirname(folder)), mode_for_others(folder), MAKE):
                self.writable.append(folder)
        for file in map(os.path.realpath, files):
            who = self._who(os.path.dirname(file))
            mode = mode_for_others(file) if who else 0
            if allows(who, mode, WRITE):
                self.writable.append(file)
            if allows(who, mode, READ):
                self.readable.append(file)

    def _who(self, folder: str) -> int:
        """Who gets into a folder, by the modes of all above it."""
        known = self._passing.get(folder)
        if known is None:
            parent = os.path.dirname(folder)
            above = _EVERYBODY if parent == folder else self._who(parent)
            mode = mode_for_others(folder)
            # Whom a group's bits don't keep out may pass as everybody else.
            known = self._passing[folder] = above & (mode | (mode & 0o001) << 3)
        return known


def own_folders(facts: Facts) -> Iterator[Finding]:
    """Whether others can read or change what claude-sync keeps on this machine."""
    paths = facts.context.paths
    folders = [paths.config, paths.state, paths.records_directory, paths.vault_directory]
    folders.insert(3, paths.keys_directory)
    files = [entry.path for folder in folders[:4] for entry in scan(folder) if entry.is_file()]
    yield from _findings("own", "claude-sync keeps here", folders, files)


def claude_folders(facts: Facts) -> Iterator[Finding]:
    """Whether others can read or change Claude Code's sessions, or its settings."""
    home, survey = facts.context.home, facts.survey
    folders = [home.path, home.projects]
    folders += [Path(entry.path) for entry in scan(home.projects) if entry.is_dir()]
    files = [home.path / "settings.json"]
    if survey is not None:
        files += [local.path for copies in survey.local.values() for local in copies]
    yield from _findings("claude", "Claude Code keeps here", folders, files)


def _findings(
    whose: str, what: str, folders: list[Path], files: Iterable[str | Path]
) -> Iterator[Finding]:
    if os.name == "nt":
        return
    others = _Others()
    others.look(filter(os.path.isdir, folders), filter(os.path.isfile, files))
    top = quoted(folders[0]) if whose == "claude" else f"{quoted(folders[0])} {quoted(folders[1])}"
    if others.writable:
        yield Finding(
            code=f"{whose}-writable-by-others",
            level=Level.ERROR,
            title=f"Other users can change what {what}",
            detail=f"Whoever can write to {short_path(others.writable[0])} can put words into a "
            "session that you resume, or choose what is done here.",
            fix=f"`chmod -R go-w {top}`",
        )
    if others.readable:
        yield Finding(
            code=f"{whose}-readable-by-others",
            level=Level.WARNING,
            title=f"Other users can read what {what}",
            detail=f"{count(len(others.readable), 'file')}, such as "
            f"{short_path(others.readable[0])}, can be read by other users of this machine.",
            fix=f"`chmod -R go-rwx {top}`",
        )
