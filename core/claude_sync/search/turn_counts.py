"""How many turns each session has, as the index of what was said knows it."""

from __future__ import annotations

from contextlib import closing

from claude_sync.errors import RecordsError, SearchError
from claude_sync.search.index import Index
from claude_sync.state.machine import folder_mark
from claude_sync.state.paths import Paths
from claude_sync.state.preferences import Preferences
from claude_sync.sync.context import claude_homes


def turn_counts(paths: Paths, preferences: Preferences) -> dict[str, int]:
    """How many turns sessions have, by their ids; no transcript is read for it.

    A session that the index hasn't got to yet is missing, and all are where there is no index, or
    none that can be used now.

    Args:
        paths: where claude-sync keeps its own files.
        preferences: whether an index is wanted, and of which of Claude Code's folders.
    """
    if not preferences.search:
        return {}
    try:
        path = paths.search_file_of(folder_mark(paths, claude_homes(preferences)))
        if not path.exists():
            return {}  # it would be made
        with closing(Index(path)) as index:
            return index.turns()
    except (OSError, RecordsError, SearchError):
        return {}
