"""What was done here, a line for each entry. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from claude_sync.model import SessionState, State
from claude_sync.service.status import Status
from claude_sync.state.activity import Activity
from claude_sync.wording import count, sentence, size
from claude_sync_app.shown_text import one_line, shortened, with_short_ids
from claude_sync_app.tray.labels import machine_of, project_of, title_of

_TITLE_LENGTH = 80
_UNDOABLE = ("pull", "resume", "resolve", "restore")
_FAILED = {
    "push": "Push failed",
    "pull": "Pull failed",
    "resume": "Resume failed",
    "resolve": "The choice wasn't made",
    "restore": "Restore failed",
    "undo": "Undo failed",
    "forget": "Nothing was removed",
    "watch": "The shared folder couldn't be used",
}

Line = dict[str, Any]
"""What `activity_lines.html` shows as one line."""


def lines_of(
    status: Status, entries: Sequence[Activity], before: Sequence[Activity] = ()
) -> list[Line]:
    """Lines for entries, newest first, and what can be done about each now.

    Args:
        status: where every session stands.
        entries: what is shown, newest first.
        before: all that is known, newest first, where that is more: whether something can be
            undone hangs on what came after it.
    """
    states = {one.session_id: one for one in status.sessions}
    undoable = _undoable(before or entries, states)
    offered: set[str] = set()
    lines = []
    for entry in entries:
        line = _line(entry, states.get(entry.session_id))
        line["undo"] = entry.number in undoable
        session = entry.session_id
        if session and session not in offered:
            offered.add(session)  # only the newest of a session's lines says how it stands now
            line["next"] = _next(entry, states.get(session))
        lines.append(line)
    return lines


def _undoable(entries: Iterable[Activity], states: dict[str, SessionState]) -> set[int]:
    """The numbers of the entries that Undo takes back: of each session the last that replaced."""
    found: dict[str, int] = {}
    for entry in entries:
        state = states.get(entry.session_id)
        replaced = entry.verb in _UNDOABLE and entry.outcome not in ("failed", "conflict")
        if entry.verb == "undo" and entry.outcome != "failed":
            found.setdefault(entry.session_id, 0)
        elif replaced and state is not None and state.undoable and not state.open:
            found.setdefault(entry.session_id, entry.number)
    return set(found.values()) - {0}


def _line(entry: Activity, state: SessionState | None) -> Line:
    label, tone, what = _words(entry)
    known = _name(state) if state is not None else f"Session {entry.session_id[:8]}"
    facts, failed = list(_facts(entry)), entry.outcome == "failed"
    key = entry.project_key or (state.project_key if state is not None else "")
    return {
        "number": entry.number,
        "at_ns": entry.at_ns,
        "label": label,
        "tone": tone,
        "session": entry.session_id,
        "name": known if entry.session_id else "",
        "project": project_of(key),
        "what": what if failed else " · ".join(filter(None, [what.rstrip("."), *facts])),
        "facts": " · ".join(filter(None, [*facts, one_line(entry.code)])) if failed else "",
        "failed": failed,
        "next": "",
        "undo": False,
    }


def _name(state: SessionState) -> str:
    return shortened(one_line(state.title), _TITLE_LENGTH) or title_of(state)


def _facts(entry: Activity) -> Iterator[str]:
    if entry.times > 1:
        yield count(entry.times, "time")
    if entry.bytes:
        yield size(entry.bytes)
    if entry.verb not in ("watch", "arrive"):
        yield "by itself" if entry.by_itself else "by you"


def _words(entry: Activity) -> tuple[str, str, str]:
    """A label, how it is coloured, and what happened in words."""
    machine, outcome = machine_of(entry.machine), entry.outcome
    if outcome == "failed":
        why = sentence(with_short_ids(one_line(entry.message))) if entry.message else ""
        return _FAILED.get(entry.verb, "Failed"), "bad", why
    if entry.verb == "watch":
        return "Reachable", "good", "The shared folder can be used again."
    if entry.verb == "resolve":
        kept = {"mine": "Kept this machine's version.", "both": "Kept both sides."}
        return "Decided", "good", kept.get(outcome, f"Took over {machine}'s version.")
    if entry.verb == "undo":
        return "Undone", "plain", "What was replaced is back."
    if entry.verb == "restore":
        return "Restored", "good", "An earlier version is back."
    if entry.verb == "forget":
        return "Removed", "plain", f"{machine}'s copy was removed from the shared folder."
    if entry.verb == "arrive":
        return "Arrived", "wait", f"{machine} went on with it."
    words = {
        "pushed": ("Pushed", "plain", ""),
        "imported": ("Pulled", "wait", f"New from {machine}."),
        "updated": ("Pulled", "wait", f"{machine}'s version, which goes on from this one."),
        "replaced": ("Replaced", "warn", f"{machine}'s version took the place of what was here."),
        "conflict": ("Conflict", "bad", "Versions have diverged: one has to be chosen."),
        "shortened": ("Shortened", "bad", "Something that was said is no longer in its file."),
    }
    return words.get(outcome, (one_line(outcome)[:20].capitalize() or "Done", "plain", ""))


def _next(entry: Activity, state: SessionState | None) -> str:
    """What a person may want to do about it now: "compare", "pull", "push", "restore" or ""."""
    if state is None:
        return ""
    if state.state is State.CONFLICT or state.replaces or state.shortened:
        return "compare"
    if state.state is State.WAITING and entry.outcome in ("waiting", "failed"):
        return "pull"
    if state.state is State.CHANGED and (entry.verb, entry.outcome) == ("push", "failed"):
        return "push"
    return "restore" if state.state is State.GONE else ""
