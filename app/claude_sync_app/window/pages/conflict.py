"""A session of which a person has to choose a version: what each side says, and what they decide.

It diverged, or was shortened here, or would be replaced by what was chosen elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Any

from claude_sync.errors import SessionAmbiguous, SessionCrowded, SessionNotFound, UsageError
from claude_sync.model import Outcome, Result, SessionState, Side, Version
from claude_sync.search.reading import read_session
from claude_sync.state.activity import ActivityLog
from claude_sync.sync.conflict import ConflictKind
from claude_sync.sync.context import Context
from claude_sync.sync.read_conflict import ConflictView, SideView, read_conflict
from claude_sync.sync.restore import EarlierVersion, earlier_versions
from claude_sync.wording import capitalized, count, join, sentence
from claude_sync_app.shown_text import one_line
from claude_sync_app.tray.labels import machine_of, project_of
from claude_sync_app.window import session_view
from claude_sync_app.window.activity_lines import lines_of
from claude_sync_app.window.page import Answer, Asked, Page, Reply, Waiting, page, post
from claude_sync_app.window.said import messages, name_of
from claude_sync_app.window.version_rows import version_rows

_MOST_SIDES = 64
_SHOWN_ACTIVITY = 5
_BOTH = "both"
_MINE, _THEIRS = "mine", "theirs"


def _show(asked: Asked) -> Reply:
    session = asked.session()
    with asked.reading() as context:
        try:
            view = read_conflict(context, session)
        except SessionCrowded as crowded:
            return _crowded(asked, context, session, crowded)
        except (SessionNotFound, SessionAmbiguous):
            raise
        except UsageError:
            return _settled(asked, session)
        earlier = _earlier(context, view)
    own = asked.status.machine.name if asked.status.machine is not None else ""
    name = name_of(asked.status, session, view.title)
    return Page(
        "conflict.html",
        name,
        {
            "page_path": "/sessions",
            "session": session,
            "name": name,
            "project": project_of(view.project_key),
            "lead": _lead(view),
            "before": messages(view.before),
            "before_heading": _before_heading(view),
            "sides": [_side(view, one, own, number) for number, one in enumerate(view.sides, 1)],
            "both": _both(view),
            "versions": version_rows(session, earlier),
            "is_compared": len(view.sides) > 1,
            "question": _question(view),
        },
    )


def _earlier(context: Context, view: ConflictView) -> list[EarlierVersion]:
    """What can be brought back of a session that lost something."""
    if view.kind is not ConflictKind.SHORTENED:
        return []
    shown = view.versions
    found = earlier_versions(context, view.session_id)
    return [one for one in found if not one.is_here and one.version not in shown]


def _crowded(asked: Asked, context: Context, session: str, crowded: SessionCrowded) -> Page:
    """Where there are more versions than anybody can choose from: why, what to do, and which."""
    with read_session(context, session) as reader:
        header = reader.header
    name = name_of(asked.status, session, header.title)
    return Page(
        "conflict_crowded.html",
        name,
        {
            "page_path": "/sessions",
            "session": session,
            "name": name,
            "message": sentence(str(crowded)),
            # None of them is read on this page.
            "copies": [
                {**one, "standing": "", "is_read": False} for one in session_view.copies(header)
            ],
        },
    )


def _settled(asked: Asked, session: str) -> Page:
    """Where nothing is to be decided: what was, and what can be done next."""
    state = next((one for one in asked.status.sessions if one.session_id == session), None)
    entries = ActivityLog(asked.services.paths.activity_file).entries(
        _SHOWN_ACTIVITY, session=session
    )
    name = name_of(asked.status, session)
    return Page(
        "conflict_settled.html",
        name,
        {
            "page_path": "/sessions",
            "session": session,
            "name": name,
            "lines": lines_of(asked.status, entries),
            "undoable": state is not None and state.undoable,
            "can_resume": _can_resume(state),
        },
    )


def _can_resume(state: SessionState | None) -> bool:
    if state is None or state.path is None or state.directory is None:
        return False
    return not state.open


# --- what is shown -----------------------------------------------------------------------------


def _lead(view: ConflictView) -> str:
    if view.kind is ConflictKind.SHORTENED:
        return (
            f"{sentence(capitalized(view.detail))} That counts as damage until you say otherwise: "
            "nothing of it is pushed."
        )
    theirs = [one.side for one in view.sides if one.side.machine_id]
    if view.kind is ConflictKind.REPLACES:
        return (
            f"On {_names(theirs)} another version was chosen over what is here. "
            "It isn't taken over until you agree."
        )
    sides = [one.side for one in view.sides]
    return f"It went on in different ways on {_names(sides)}. Nothing is replaced until you choose."


def _before_heading(view: ConflictView) -> str:
    if len(view.sides) == 1:
        return "How it ends now"
    return "Before they diverged" if view.kind is ConflictKind.DIVERGED else "What both have"


def _question(view: ConflictView) -> str:
    """What is asked where not both can stay."""
    if len(view.sides) == 1:
        return "Is it meant to be so?"
    return "Which one stays?"


def _names(sides: Sequence[Side]) -> str:
    return join(list(dict.fromkeys(machine_of(side.machine) for side in sides)))


def _side(view: ConflictView, one: SideView, own: str, number: int) -> dict[str, Any]:
    side = one.side
    label, becomes = _choice(view, one)
    return {
        "machine": machine_of(side.machine or own),
        "number": number,
        "note": _note(side),
        "turns": one.turns,
        "lines": max(0, side.lines),
        "size": side.version.size,
        "written_ns": side.mtime_ns,
        "offered": side.offered,
        "left_out": one.left_out,
        "messages": messages(one.excerpts),
        "label": label,
        "becomes": becomes if side.offered else "The other one holds all of it and goes on.",
        "is_main": _is_advised(view, side),
        "body": _body(list(side.version), view.versions),
    }


def _note(side: Side) -> str:
    if side.pushed_from_here:
        return "as this machine pushed it"
    return "" if side.machine_id else "this machine"


def _is_advised(view: ConflictView, side: Side) -> bool:
    """What mends damage is what most people want; of two that diverged nobody knows."""
    return view.kind is ConflictKind.SHORTENED and bool(side.machine_id) and side.offered


def _choice(view: ConflictView, one: SideView) -> tuple[str, str]:
    """What the button of a side says, and what becomes of the rest."""
    side = one.side
    others = [other for other in view.sides if other is not one]
    gives_way = _gives_way(others)
    kept = f" {gives_way} is kept as an earlier version." if gives_way else ""
    if side.machine_id:
        if view.kind is ConflictKind.SHORTENED:
            return (
                "Put this back",
                f"If you put it back, it takes the damaged one's place.{kept}",
            )
        return (
            f"Keep {machine_of(side.machine)}'s",
            f"If you keep it, this machine takes it over now.{kept} Undo brings that back.",
        )
    if view.kind is ConflictKind.SHORTENED:
        return (
            "Keep it as it is",
            f"If you keep it, what it lacks isn't missed any more, and it is pushed.{kept}",
        )
    names = _names([other.side for other in others])
    follow = f"; {names} can take it over at the next pull" if names else ""
    return "Keep this machine's", f"If you keep it, it is pushed{follow}.{kept}"


def _gives_way(others: Sequence[SideView]) -> str:
    if not others:
        return ""  # what it lacks is nowhere
    if len(others) > 1:
        return "What the other sides say since"
    other = others[0]
    if not other.side.lines:
        return ""
    what = count(other.turns, "turn") if other.turns else count(other.side.lines, "line")
    return f"What {_whose(other.side)} says since then ({what})"


def _whose(side: Side) -> str:
    if side.pushed_from_here:
        return "the version that was pushed"
    return machine_of(side.machine) if side.machine_id else "this machine"


def _both(view: ConflictView) -> dict[str, str] | None:
    """The button that keeps all sides, None where there is only one to keep."""
    if sum(one.side.offered for one in view.sides) < 2 or len(view.sides) < 2:
        return None
    others = [one.side for one in view.sides if one.side.machine_id]
    if all(one.side.machine_id for one in view.sides):
        becomes = (
            "Or keep all: one keeps the session's place, the others become sessions of their own."
        )
    else:
        becomes = (
            f"Or keep both: what {_whose(others[0]) if len(others) == 1 else _names(others)} says "
            "becomes a session of its own, beside this machine's."
        )
    label = "Keep both" if len(view.sides) == 2 else f"Keep all {len(view.sides)}"
    return {"label": label, "becomes": becomes, "body": _body(_BOTH, view.versions)}


def _body(keep: object, shown: Collection[Version]) -> str:
    return json.dumps({"keep": keep, "shown": sorted(map(list, shown))})


# --- what is decided ---------------------------------------------------------------------------


def _decide(asked: Asked) -> Reply:
    session, keep = asked.session(), asked.body.get("keep")
    shown = asked.body.get("shown")
    if not isinstance(shown, list) or len(shown) > _MOST_SIDES:
        raise _nonsense()
    chosen = _BOTH if keep == _BOTH else _version(keep)
    future = asked.services.service.resolve(session, chosen, frozenset(map(_version, shown)))
    return Waiting(future, lambda results: _decided(chosen, results))


def _version(value: object) -> Version:
    if not isinstance(value, list) or len(value) != 2:
        raise _nonsense()
    size, sha256 = value
    if type(size) is not int or type(sha256) is not str:
        raise _nonsense()
    return Version(size, sha256)


def _nonsense() -> UsageError:
    return UsageError("the page sent no choice that can be made", todo="load it again")


def _decided(chosen: str | Version, results: Sequence[Result]) -> Answer:
    taken = [one for one in results if one.outcome in (Outcome.REPLACED, Outcome.IMPORTED)]
    failed = [one for one in results if one.outcome is Outcome.FAILED]
    if chosen == _BOTH:
        said = "Kept all sides: each is a session of its own now."
    elif taken:
        said = (
            f"Took over {machine_of(taken[0].machine)}'s version. Undo brings back what was here."
        )
    else:
        said = "Kept what is on this machine."
    if failed:
        said += f" It isn't pushed yet: {sentence(one_line(failed[0].message))}"
    elif any(one.outcome is Outcome.PUSHED for one in results):
        said += " The other machines see it with their next pull."
    return Answer(said, reload=True)


ROUTES = (
    page("/conflict/{session}", _show),
    post("/conflict/{session}", _decide),
)
