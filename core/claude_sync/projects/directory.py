"""Where a session from elsewhere goes: which directory of its project, and where in that one."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Sequence
from pathlib import Path

from claude_sync.disk.resolved import resolved
from claude_sync.errors import BundleUnsafe, SessionUnplaced
from claude_sync.names import check_relative, folded
from claude_sync.values import NamedTuple
from claude_sync.wording import quoted

HOME_KEY = "name:~"
"""The key of a home directory that belongs to no repository."""


_WORKTREE = r"(?:^|(?<=/))\.claude/worktrees/[^/]+/"
"""Where `claude --worktree NAME` works; while it is there, it is a root of its own."""


def safe_subpath(subpath: str) -> str:
    """Where a directory lies in its repository, cut before the first part that some system refuses.

    A bundle's subpath obeys the rules of names.check_relative. A session further down still
    travels: elsewhere it is resumed in the nearest directory that can have the same name.
    A worktree that Claude Code made, and removed before anybody looked, counts as the directory
    that it was made for.
    """
    subpath = re.sub(_WORKTREE, "", f"{subpath}/").rstrip("/")
    parts = subpath.split("/") if subpath else []
    while parts:
        try:
            return check_relative("/".join(parts))
        except BundleUnsafe:
            parts.pop()
    return ""


class ProjectDirectory(NamedTuple):
    """A directory of this machine that a project can be worked on in: a root, not what is below.

    Attributes:
        key: its project, "" where it can't be told now.
        path: the working tree's root, or the directory itself where there is no repository.
        exists: whether it is there now.
        linked: whether it is a linked working tree.
        last_used_ns: mtime of the newest session in it or below it, 0 where there is none.
        added: whether it was added by hand.
        pinned: whether its key was given by hand.
        repository: what it shares with other working trees of one repository.
        problem: why the key can't be told, a sentence, "" if it can.
    """

    key: str
    path: Path
    exists: bool
    linked: bool
    last_used_ns: int
    added: bool
    pinned: bool
    repository: str
    problem: str = ""


def in_order(directory: ProjectDirectory) -> tuple[str, bool, int, str]:
    """Sorts by key, then the main working tree before linked ones, then the last used first."""
    return (directory.key, directory.linked, -directory.last_used_ns, str(directory.path))


def combined(one: ProjectDirectory, other: ProjectDirectory) -> ProjectDirectory:
    """What is known of one root from two directories in it."""
    return one._replace(
        last_used_ns=max(one.last_used_ns, other.last_used_ns),
        added=one.added or other.added,
        linked=one.linked or other.linked,
    )


def chosen(key: str, directories: Sequence[ProjectDirectory]) -> ProjectDirectory:
    """The directory that a project's sessions from elsewhere go to.

    The first in order that exists. A ``name:`` key is weak: it counts only if one repository or
    directory here has it, or just one was given it by hand.

    Raises:
        SessionUnplaced: there is none, and why.
    """
    here = [directory for directory in directories if directory.exists]
    if not here:
        raise _nowhere(key, directories)
    if key.startswith("name:") and len({directory.repository for directory in here}) > 1:
        pinned = [directory for directory in here if directory.pinned]
        if len(pinned) != 1:
            raise SessionUnplaced(
                f"{len(here)} directories here are called {key}, so it isn't clear which "
                "one is meant",
                todo=f"`claude-sync projects add DIR --key {quoted(key)}` with the right directory",
            )
        here = pinned
    return here[0]


def directory_below(root: str, subpath: str) -> Path:
    """The directory that a subpath means below a root, spelled as the disk spells it.

    Links are resolved, since the client names its working directory so; what is missing stays as
    it is written.

    Args:
        root: an existing directory of this machine.
        subpath: from a bundle; hostile.

    Raises:
        SessionUnplaced: it leads out of the root, or through a file.
    """
    top = resolved(root)
    if not subpath:
        return Path(top)
    try:
        check_relative(subpath)
    except BundleUnsafe as error:
        raise SessionUnplaced(
            "its path in the project can't exist on this system",
            where=root,
            todo="it was left there",
        ) from error
    path = top
    for part in subpath.split("/"):
        path = resolved(os.path.join(path, _as_spelled(path, part)))
        if not os.path.normcase(path).startswith(os.path.join(os.path.normcase(top), "")):
            raise SessionUnplaced(
                "its path in the project is a link that leads outside",
                where=root,
                todo="replace the link by a directory, or give the directory it leads to a key of "
                "its own",
            )
        if os.path.lexists(path) and not os.path.isdir(path):
            raise SessionUnplaced(
                "a file is where its directory should be", where=path, todo="move it away"
            )
    return Path(path)


def _as_spelled(directory: str, name: str) -> str:
    """A name as the directory has it: systems differ in normalisation, and some fold case."""
    exists = os.path.lexists(os.path.join(directory, name))
    if name.isascii() and not exists:
        return name
    try:
        names = os.listdir(directory)
    except OSError:
        return name
    if name in names:
        return name
    # It exists under a name that isn't in the list: here two names of one kind are one file.
    import unicodedata

    same = folded if exists else functools.partial(unicodedata.normalize, "NFC")
    alike = [other for other in names if same(other) == same(name)]
    return alike[0] if len(alike) == 1 else name


def _nowhere(key: str, directories: Sequence[ProjectDirectory]) -> SessionUnplaced:
    if directories:
        return SessionUnplaced(
            f"the directory of {key} isn't there",
            where=str(directories[0].path),
            todo="mount its disk, or `claude-sync projects add DIR` with where it is now",
        )
    kind, _, name = key.partition(":")
    get_it = "clone it" if kind == "git" else f"make a directory called {name}"
    return SessionUnplaced(
        f"no directory of {key} is known on this machine",
        todo=f"{get_it}, then `claude-sync projects add DIR` with its directory",
    )
