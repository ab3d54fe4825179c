"""Which folder becomes the shared one for the folder that a person names, by a click or in words.

Machines meet only where each of them chose the same folder. So in a folder that a program keeps in
sync sessions are always in the same subfolder of it, and what is there already is found.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from claude_sync.transports.base import MARKER_NAME
from claude_sync_app.desktop.synced_folders import SyncedFolder

SUBFOLDER = "claude-sync"

_DEPTH = 4
_MOST_ENTRIES = 20_000


def folder_for_store(chosen: Path, synced: Sequence[SyncedFolder] = ()) -> Path:
    """The shared folder for a folder that a person chose.

    The folder itself if it is a store already. Else a subfolder of ours, so that nobody finds
    dozens of strange folders among the documents in Dropbox, and two machines on which "Dropbox"
    was chosen find each other; unless it is a folder of its own: empty, or not there yet.

    Args:
        chosen: an absolute path.
        synced: the synced folders of this machine, whose roots are never a folder of its own.
    """
    if (chosen / MARKER_NAME).exists():
        return chosen
    if any(_same(chosen, Path(one.path)) for one in synced):
        return chosen / SUBFOLDER
    if chosen.name == SUBFOLDER and any(_same(chosen.parent, Path(one.path)) for one in synced):
        return chosen  # even if others' sessions arrived in it before what marks it
    try:
        is_its_own = not chosen.exists() or not any(chosen.iterdir())
    except OSError:
        is_its_own = True  # setting it up will say what is wrong with it
    return chosen if is_its_own else chosen / SUBFOLDER


def synced_root(chosen: Path, synced: Sequence[SyncedFolder]) -> Path | None:
    """The synced folder that a folder is in, or is; None for none."""
    roots = [Path(one.path) for one in synced if _is_within(chosen, Path(one.path))]
    return max(roots, key=lambda one: len(one.parts), default=None)


def existing_stores(chosen: Path, synced: Sequence[SyncedFolder] = ()) -> list[Path]:
    """The shared folders that are below the one that was chosen already, the nearest first.

    Below the whole synced folder, if it is in one: another machine may have chosen another part.
    The search is bounded: some levels deep, and some thousand entries.

    Args:
        chosen, synced: as `folder_for_store` takes them.
    """
    root = synced_root(chosen, synced) or chosen
    found: list[Path] = []
    left = _MOST_ENTRIES
    queue = deque([(root, 0)])
    while queue and left > 0:
        folder, depth = queue.popleft()
        below: list[Path] = []
        is_store = False
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    left -= 1
                    is_store = is_store or entry.name == MARKER_NAME
                    if left <= 0:
                        break
                    if entry.name[:1] != "." and entry.is_dir(follow_symlinks=False):
                        below.append(Path(entry.path))
        except OSError:
            continue
        if is_store:
            found.append(folder)
        elif depth < _DEPTH:
            queue += [(one, depth + 1) for one in sorted(below)]
    return found


def _same(one: Path, other: Path) -> bool:
    return _real(one) == _real(other)


def _is_within(one: Path, root: Path) -> bool:
    return _real(root) in (_real(one), *map(_real, one.parents))


def _real(path: Path) -> str:
    try:
        return os.path.normcase(os.path.realpath(path))
    except (OSError, ValueError):
        return os.path.normcase(path)
