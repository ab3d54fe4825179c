"""What a shell may complete: sessions, machines and preferences, from what is remembered here.

Nothing is changed for it, and no store is asked: a key that is pressed must not wait for a host.
"""

from __future__ import annotations

from collections.abc import Iterator

from claude_sync.claude.transcript import title_of
from claude_sync.names import is_machine_name
from claude_sync.state import preferences
from claude_sync.state.paths import paths
from claude_sync.state.preference_kinds import Notifications
from claude_sync.sync.context import Context
from claude_sync.sync.read_only import open_read_only
from claude_sync.sync.resolve import BOTH, MINE, THEIRS
from claude_sync_app.shown_text import one_line, shortened

_MOST = 200
_TITLE_LENGTH = 50


def candidates(kind: str) -> Iterator[tuple[str, str]]:
    """What can be typed, with what it is; each a line without tabs.

    Args:
        kind: "sessions" (whole ids and titles, the newest first), "machines", "sides" (of a
            conflict, as a resolve takes them) or "preferences".
    """
    if kind == "preferences":
        yield from _preferences()
        return
    with open_read_only(paths()) as context:
        if kind == "sessions":
            yield from _sessions(context)
            return
        if kind == "sides":
            yield from ((name, "") for name in (MINE, THEIRS, BOTH))
        yield from _machines(context)


def _preferences() -> Iterator[tuple[str, str]]:
    for name in preferences.as_json(preferences.Preferences()):
        yield name, ""
    for kind in Notifications._fields:
        yield f"notifications.{kind}", ""


def _sessions(context: Context) -> Iterator[tuple[str, str]]:
    found = remembered_sessions(context)
    newest = sorted(found, key=lambda session_id: found[session_id], reverse=True)
    for session_id in newest[:_MOST]:
        yield session_id, shortened(one_line(found[session_id][1]), _TITLE_LENGTH)


def remembered_sessions(context: Context) -> dict[str, tuple[int, str]]:
    """The sessions that are remembered, by their ids, each with when it was last written (ns since
    the epoch) and its title, other people's text; no store is asked."""
    found: dict[str, tuple[int, str]] = {}
    for bundle in context.cache.bundles().values():
        head = bundle.head
        found[head.session_id] = max(
            found.get(head.session_id, (0, "")), (head.mtime_ns, head.title)
        )
    rows = context.cache.local_rows()
    for local in context.home.look().sessions:
        row = rows.get(str(local.path))
        title = title_of(local.session_id, row.title) if row is not None else ""
        known = found.get(local.session_id, (0, ""))
        found[local.session_id] = (max(known[0], local.stamp.mtime_ns), title or known[1])
    return found


def _machines(context: Context) -> Iterator[tuple[str, str]]:
    names = {bundle.head.machine for bundle in context.cache.bundles().values()}
    for name in sorted(filter(is_machine_name, names)):
        yield name, ""
