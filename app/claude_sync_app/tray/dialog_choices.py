"""What can be done with a session or a conflict, as the buttons of a dialog. Pure.

The window offers all this where a browser is there; where there is none, dialogs do.
"""

from __future__ import annotations

from claude_sync.model import SessionState, Side
from claude_sync.service.status import Arrival
from claude_sync.values import NamedTuple
from claude_sync.wording import ago, count, replaces
from claude_sync_app.tray.conflict_choice import BOTH, keep_action, side_name
from claude_sync_app.tray.labels import machine_of, project_of
from claude_sync_app.tray.offers import is_held_back
from claude_sync_app.tray.verbs import Action, Verb

_MINUTE_NS = 60 * 10**9


class DialogChoice(NamedTuple):
    """A button and what it asks for."""

    label: str
    action: Action


def session_choices(state: SessionState, arrival: Arrival | None) -> list[DialogChoice]:
    """What can be done with a session that is in no conflict, the likeliest first."""
    session_id = state.session_id
    found: list[DialogChoice] = []
    if arrival is not None and not is_held_back(arrival):
        found.append(_pull(state, arrival))
    if state.directory is not None and not state.open and state.path is not None:
        found.append(DialogChoice("Resume", Action(Verb.RESUME, session_id)))
    if state.path is None:
        return found
    if state.directory is not None:
        found += [
            DialogChoice("Open project folder", Action(Verb.OPEN_PROJECT, session_id)),
            DialogChoice("Copy resume command", Action(Verb.COPY_COMMAND, session_id)),
        ]
    found.append(DialogChoice("Push now", Action(Verb.PUSH, session_id)))
    found.append(DialogChoice("Pack to file…", Action(Verb.PACK, session_id)))
    if state.undoable and not state.open:
        found.append(DialogChoice("Undo the last pull", Action(Verb.UNDO, session_id)))
    if key := state.project_key:
        project = project_of(key)
        if state.ignored:
            sharing = DialogChoice(f"Share {project} again", Action(Verb.SHARE_AGAIN, key))
        else:
            sharing = DialogChoice(f"Stop sharing {project}…", Action(Verb.STOP_SHARING, key))
        found.append(sharing)
    return found


def _pull(state: SessionState, arrival: Arrival) -> DialogChoice:
    machine = machine_of(arrival.machine)
    if state.replaces:
        label = f"Take {machine}'s: it {replaces(state.replaces)}"
        return DialogChoice(label, Action(Verb.REPLACE, state.session_id))
    label = "Put back what it lost" if state.shortened else f"Pull from {machine}"
    return DialogChoice(label, Action(Verb.PULL, state.session_id))


def conflict_choices(state: SessionState) -> list[DialogChoice]:
    """The sides that can be kept; none of a session that is open here."""
    if state.open and state.path is not None:
        return []
    found = []
    for side in state.sides:
        name = side_name(side, state.sides)
        if side.offered and name:
            label = _keep_label(side, lost=state.shortened)
            found.append(DialogChoice(label, keep_action(state, name)))
    if len(state.sides) > 1:
        both = DialogChoice("Keep both", keep_action(state, BOTH))
        found.insert(len(found) if state.shortened else 0, both)
    return found


def _keep_label(side: Side, *, lost: bool) -> str:
    if side.pushed_from_here:
        return f"{'Bring back' if lost else 'Keep'} what was pushed from here"
    if side.machine_id:
        return f"Keep {machine_of(side.machine)}'s"
    return "Keep what is left here" if lost else "Keep this machine's"


def side_lines(state: SessionState, now_minutes: int) -> list[str]:
    """How far each side of a conflict has got: 12 lines more since they diverged, an hour ago."""
    return [
        f"{_whose(side)}: {count(side.lines, 'line')} more since they diverged, "
        f"{ago(side.mtime_ns, now_minutes * _MINUTE_NS)}"
        for side in state.sides
    ]


def _whose(side: Side) -> str:
    if side.pushed_from_here:
        return "Pushed from here"
    return machine_of(side.machine) if side.machine_id else "This machine"
