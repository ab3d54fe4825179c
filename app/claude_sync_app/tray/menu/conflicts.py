"""The menu's conflicts: sessions that have diverged, and the choice between their sides. Pure.

One that has lost something stands among them, beside what was pushed from here.
"""

from __future__ import annotations

from claude_sync.model import SessionState, Side
from claude_sync.service.status import Status
from claude_sync.wording import ago, count
from claude_sync_app.shown_text import one_line, shortened
from claude_sync_app.tray.conflict_choice import BOTH, keep_action, side_name
from claude_sync_app.tray.labels import machine_of, machines_of, project_of, title_of
from claude_sync_app.tray.menu.model import Item
from claude_sync_app.tray.verbs import Action, Verb

CONFLICTS_SHOWN = 20

_MINUTE_NS = 60 * 10**9
_DETAIL_LENGTH = 90


def conflicts_menu(status: Status, now_minutes: int) -> tuple[Item, ...]:
    """The sessions that have diverged, as a submenu."""
    if not status.conflicts:
        return ()
    rows = [_conflict_entry(state, now_minutes) for state in status.conflicts[:CONFLICTS_SHOWN]]
    rest = len(status.conflicts) - len(rows)
    if rest:
        rows.append(Item("conflicts.rest", f"and {rest} more after these", enabled=False))
    return (Item("conflicts", f"Conflicts ({len(status.conflicts)})", children=tuple(rows)),)


def _conflict_entry(state: SessionState, now_minutes: int) -> Item:
    prefix = f"conflict.{state.session_id}"
    rows = []
    if state.detail:
        detail = shortened(one_line(state.detail), _DETAIL_LENGTH)
        rows.append(Item(f"{prefix}.detail", detail, enabled=False))
    is_open = state.open and state.path is not None
    if is_open:
        rows.append(Item(f"{prefix}.close", "Close it here before you choose", enabled=False))
    if len(state.sides) > 1:
        rows += [
            Item(
                f"{prefix}.compare",
                "Compare…",
                action=Action(Verb.COMPARE, state.session_id),
            ),
            Item(
                f"{prefix}.both", "Keep both", enabled=not is_open, action=keep_action(state, BOTH)
            ),
        ]
    for number, side in enumerate(state.sides):
        name = side_name(side, state.sides)
        rows.append(
            Item(
                f"{prefix}.side.{number}.{side.machine_id}",
                _side_label(side, now_minutes, lost=state.shortened),
                enabled=side.offered and bool(name) and not is_open,
                action=keep_action(state, name) if name else None,
            )
        )
    return Item(prefix, _label(state), children=tuple(rows))


def _label(state: SessionState) -> str:
    others = machines_of(state.rivals)
    parts = (title_of(state), project_of(state.project_key), others)
    return " — ".join(filter(None, parts))


def _side_label(side: Side, now_minutes: int, *, lost: bool) -> str:
    verb = "Keep"
    whose = f"{machine_of(side.machine)}'s" if side.machine_id else "this machine's"
    if side.pushed_from_here:
        verb, whose = "Bring back" if lost else "Keep", "what was pushed from here"
    elif lost and not side.machine_id:
        whose = "what is left here"
    return f"{verb} {whose} ({_progress(side, now_minutes * _MINUTE_NS)})"


def _progress(side: Side, now_ns: int) -> str:
    """How far a side has got: 12 lines more since they diverged, 5 minutes ago."""
    return f"{count(side.lines, 'line')} more since they diverged, {ago(side.mtime_ns, now_ns)}"
