"""Where the shared folder is for the location that was typed after ``claude-sync init``.

In a synced folder it is where a click in the tray or the window would have put it, so that machines
meet. Anywhere else what was typed counts as it is.
"""

from __future__ import annotations

import os
from pathlib import Path

from claude_sync.errors import UsageError
from claude_sync.state import preferences
from claude_sync.state.paths import Paths
from claude_sync.sync.setup import default_location
from claude_sync.transports.base import MARKER_NAME
from claude_sync.transports.location import FolderLocation, parse_location
from claude_sync.values import NamedTuple
from claude_sync.wording import join, short_path
from claude_sync_app.shown_text import without_controls
from claude_sync_app.store_folder import existing_stores, folder_for_store, synced_root


class TypedFolder(NamedTuple):
    """What becomes of a location that was typed.

    Attributes:
        location: what to set up.
        remark: why that is another folder than what was typed, or that sessions are shared near by
            already; "" where there is nothing to say.
    """

    location: str
    remark: str = ""


def typed_folder(paths: Paths, typed: str, *, anew: bool = False) -> TypedFolder:
    """Where the shared folder is for a location.

    Args:
        paths: where claude-sync keeps its own files.
        typed: the location, as a person writes it.
        anew: whether one is wanted that isn't there yet.

    Raises:
        UsageError: the location can't be read, or several shared folders are below it.
    """
    parsed = parse_location(typed)
    if not isinstance(parsed, FolderLocation):
        return TypedFolder(typed)
    chosen = Path(parsed.path)
    if parsed.path in (default_location(), preferences.load(paths).location):
        return TypedFolder(typed)
    if (chosen / MARKER_NAME).exists():
        return TypedFolder(typed)
    from claude_sync_app.desktop.synced_folders import find_synced_folders

    synced = find_synced_folders(Path.home(), os.environ)
    if synced_root(chosen, synced) is None:
        return TypedFolder(typed)
    folder = folder_for_store(chosen, synced)
    if (folder / MARKER_NAME).exists():
        return TypedFolder(str(folder), f"{_shown(chosen)} has one already, in {folder.name}.")
    if not anew and (below := existing_stores(chosen)):
        return _only(chosen, below)
    elsewhere = existing_stores(chosen, synced)
    remark = ""
    if folder != chosen:
        remark = (
            f"In {_shown(chosen)} sessions are in a subfolder, {folder.name}, the same from every "
            "machine. "
        )
    if elsewhere:
        remark += (
            f"Sessions are shared in {join(list(map(_shown, elsewhere)))} already: machines meet "
            "only where they use the same folder."
        )
    return TypedFolder(str(folder), remark.strip())


def _only(chosen: Path, below: list[Path]) -> TypedFolder:
    """The shared folder that is below what was typed; machines that chose it are met there."""
    if len(below) > 1:
        raise UsageError(
            f"several shared folders are there already: {join(list(map(_shown, below)))}",
            where=str(chosen),
            todo="name the one that your other machines use, or add --new for another one",
        )
    (there,) = below
    return TypedFolder(str(there), f"It was there already, below {_shown(chosen)}.")


def _shown(folder: Path) -> str:
    return without_controls(short_path(str(folder)))
