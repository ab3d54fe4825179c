"""Looking for repositories below the folders that a person keeps projects in."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Mapping
from pathlib import Path

from claude_sync.disk.resolved import resolved
from claude_sync.disk.snapshot import is_link
from claude_sync.errors import ProjectKeyError
from claude_sync.projects.repository import repository_at
from claude_sync.values import NamedTuple

MAX_DEPTH = 4
"""Levels below a root: ~/code/host/group/subgroup/project is one of the deepest layouts."""

MAX_DIRECTORIES = 2000
"""Looked into at most; breadth first, so that the deepest are left out."""

_PASSED_OVER = ("node_modules", "__pycache__")


class Search(NamedTuple):
    """What a search found.

    Attributes:
        repositories: roots of working trees.
        visited: directories that were looked at and aren't repositories, with their mtimes in
            nanoseconds: while these stay as they are, a new search would find the same.
    """

    repositories: tuple[str, ...]
    visited: dict[str, int]


def still_holds(visited: Mapping[str, int], roots: Iterable[Path]) -> bool:
    """Whether a search of these roots would find what it found before."""
    if not all(root in visited or _mtime(root) < 0 for root in _absolute(roots)):
        return False
    return all(_mtime(directory) == mtime for directory, mtime in visited.items())


def search(roots: Iterable[Path]) -> Search:
    """Find repositories: links aren't followed, hidden folders and repositories not entered.

    Args:
        roots: folders that projects lie in. A repository among them is entered nevertheless.
    """
    repositories: list[str] = []
    visited: dict[str, int] = {}
    starts = _absolute(roots)
    queue = deque((root, 0) for root in starts)
    while queue and len(visited) < MAX_DIRECTORIES:
        directory, depth = queue.popleft()
        mtime = _mtime(directory)
        try:
            is_repository = repository_at(directory) is not None
        except ProjectKeyError:
            continue
        if is_repository:
            repositories.append(directory)
        if mtime < 0 or directory in visited or (is_repository and depth > 0):
            continue
        visited[directory] = mtime
        if depth < MAX_DEPTH:
            queue.extend((below, depth + 1) for below in _below(directory))
    return Search(tuple(dict.fromkeys(repositories)), visited)


def _absolute(roots: Iterable[Path]) -> list[str]:
    # Resolved, since the client names the directories it works in so.
    return list(dict.fromkeys(resolved(os.path.expanduser(root)) for root in roots))


def _mtime(directory: str) -> int:
    try:
        return os.lstat(directory).st_mtime_ns
    except (OSError, ValueError):
        return -1


def _below(directory: str) -> list[str]:
    found = []
    try:
        with os.scandir(directory) as entries:
            for entry in entries:
                if entry.name.startswith(".") or entry.name in _PASSED_OVER:
                    continue
                if entry.is_dir(follow_symlinks=False) and not is_link(
                    entry.stat(follow_symlinks=False)
                ):
                    found.append(entry.path)
    except OSError:
        return []
    return sorted(found)
