"""The texts of notices about what was done by itself, or at a click, which is always answered.

Pure. A click on a body never decides anything: it shows something.
"""

from __future__ import annotations

from collections.abc import Sequence

from claude_sync.model import Outcome, Result, SessionState
from claude_sync.wording import capitalized, count, join, sentence
from claude_sync_app.tray.labels import (
    is_private,
    machine_of,
    machines_of,
    store_name,
    synced_folder_of,
)
from claude_sync_app.tray.notices.notice import (
    Choice,
    Notice,
    NoticeContext,
    first_names,
    make_notice,
)
from claude_sync_app.tray.verbs import Action, Verb
from claude_sync_app.tray.window_pages import open_window, session_page

PULLED_KEY = "pulled"

_PLACED = frozenset({Outcome.IMPORTED, Outcome.UPDATED, Outcome.REPLACED})


def pulled_notice(
    results: Sequence[Result], notice_context: NoticeContext, left: Sequence[str] = ()
) -> Notice:
    """Sessions that were pulled, at least one; "Resume" takes the last used one.

    Args:
        results: of those sessions.
        notice_context: what they are called.
        left: sentences on what wasn't pulled with them.
    """
    used = {state.session_id: state.mtime_ns for state in notice_context.status.sessions}
    newest = sorted(results, key=lambda one: -used.get(one.session_id, 0))
    first = newest[0].session_id
    machines = machines_of(result.machine for result in newest)
    choices = [
        Choice("resume", "Resume", Action(Verb.RESUME, first)),
        Choice("undo", "Undo", Action(Verb.UNDO, " ".join(one.session_id for one in newest))),
    ]
    return make_notice(
        PULLED_KEY,
        f"Pulled {count(len(newest), 'session')} from {machines}",
        [*first_names([notice_context.session_name(one.session_id) for one in newest]), *left],
        choices,
        body=Action(Verb.OPEN_PROJECT, first),
    )


def pulled_later_notice(results: Sequence[Result], notice_context: NoticeContext) -> Notice:
    """Sessions that a click would have pulled, and which are open here: at least one."""
    if len(results) == 1:
        name = notice_context.phrase_for_id(results[0].session_id)
        title = capitalized(f"{name} is pulled later")
        lines = ["It is open here, and is pulled as soon as it is closed."]
    else:
        title = f"{len(results)} sessions are pulled later"
        lines = ["They are open here, and are pulled as soon as they are closed."]
    return make_notice(PULLED_KEY, title, lines)


def nothing_pulled_notice() -> Notice:
    """A click would have pulled what is here already."""
    return make_notice(PULLED_KEY, "Nothing to pull", ["No other machine is ahead any more."])


def kept_notice(
    settled: SessionState | None, results: Sequence[Result], notice_context: NoticeContext
) -> Notice:
    """A conflict was settled.

    Args:
        settled: the session as it was in conflict, None where that isn't known.
        results: what was installed here and pushed.
        notice_context: what sessions are called.
    """
    session_id = settled.session_id if settled is not None else results[0].session_id
    name = notice_context.phrase_for(settled) if settled is not None else "the session"
    placed = [one for one in results if one.outcome in _PLACED]
    own = [one for one in placed if one.session_id != session_id]
    theirs = [one for one in placed if one.session_id == session_id]
    if own:
        title = f"Kept both sides of {name}"
        names = [f"{one.session_id[:8]} ({machine_of(one.machine)})" for one in own]
        noun = "a session of its own" if len(own) == 1 else "sessions of their own"
        lines = [f"Now {noun}: {join(names)}."]
    elif theirs:
        title = f"Kept {machine_of(theirs[0].machine)}'s version of {name}"
        lines = ["What was here before is kept for a while."]
    else:
        title, lines = f"Kept what is here of {name}", ["Other machines are offered it."]
    choices = [Choice("undo", "Undo", Action(Verb.UNDO, session_id))]
    page = open_window(session_page(session_id))
    return make_notice(f"kept.{session_id}", title, lines, choices, body=page)


def undone_notice(results: Sequence[Result], notice_context: NoticeContext) -> Notice:
    """A pull, or the choice in a conflict, was undone; of one session."""
    (result, *_) = results
    name = capitalized(notice_context.phrase_for_id(result.session_id))
    lines = [sentence(result.message)] if result.message else []
    if result.outcome is Outcome.GONE:
        return make_notice("undone", f"{name} isn't here any more", lines)
    return make_notice("undone", f"{name} is as it was before", lines)


def pushed_notice(number: int, notice_context: NoticeContext) -> Notice:
    """So many sessions were pushed by a click."""
    status, environment = notice_context.status, notice_context.environment
    store = store_name(status, environment)
    if not number:
        return make_notice("pushed", "Nothing to push", [f"Everything is in {store} already."])
    sessions = count(number, "session")
    if status.remote:
        return make_notice("pushed", f"Pushed {sessions} to {store}")
    if synced_folder_of(status, environment) is not None:
        return make_notice(
            "pushed", f"Copied {sessions} to {store}", ["Let it finish before you leave."]
        )
    lines = []
    if is_private(status, environment):
        lines = ["No other machine sees this folder yet."]
    return make_notice("pushed", f"Copied {sessions} to {store}", lines)
