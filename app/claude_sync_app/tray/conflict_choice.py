"""The choice between the sides of a conflict, as an action that holds for what was shown. Pure.

The choice carries a digest of every version that was shown. If a side grows while the menu is
open or a notification is shown, the old choice is refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from claude_sync.model import SessionState, Side, Version
from claude_sync.service.status import Status
from claude_sync_app.tray.verbs import Action, Verb

MINE, THEIRS, BOTH = "mine", "theirs", "both"


def keep_action(state: SessionState, what: str) -> Action:
    """The action that keeps "mine", a machine's, or "both" of a session's sides."""
    return Action(Verb.KEEP, state.session_id, f"{what} {_digest(state.sides)}")


def read_choice(action: Action, status: Status) -> tuple[str, tuple[Version, ...]] | None:
    """What a KEEP action keeps and which versions were shown, as `Service.resolve` takes them.

    None if the session isn't in that conflict any more, or a side has changed since.
    """
    what, _, digest = action.detail.partition(" ")
    for state in status.conflicts:
        if state.session_id == action.subject and digest == _digest(state.sides):
            return what, tuple(side.version for side in state.sides)
    return None


def side_name(side: Side, sides: Sequence[Side]) -> str:
    """What `resolve` calls a side; "" if it has no name of its own there."""
    if not side.machine_id:
        return MINE
    rivals = [other for other in sides if other.machine_id]
    if len(rivals) == 1:
        return THEIRS
    alike = [other for other in rivals if other.machine.lower() == side.machine.lower()]
    reserved = side.machine.lower() in (MINE, THEIRS, BOTH)
    return "" if reserved or len(alike) > 1 else side.machine


def _digest(sides: Sequence[Side]) -> str:
    versions = ",".join(f"{side.machine_id}:{side.version.sha256}" for side in sides)
    return hashlib.sha256(versions.encode()).hexdigest()[:16]
