"""The texts of notices about what failed: by itself, for good, or at a click. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from claude_sync.model import Outcome, Result
from claude_sync.service.status import Event
from claude_sync.wording import capitalized
from claude_sync_app.result_words import with_button
from claude_sync_app.shown_text import one_line, with_short_ids
from claude_sync_app.tray.labels import store_name
from claude_sync_app.tray.notices.notice import (
    NAMES_SHOWN,
    Choice,
    Notice,
    NoticeContext,
    and_more,
    make_notice,
)
from claude_sync_app.tray.verbs import Action, Verb
from claude_sync_app.tray.window_pages import conflict_page, open_window

_SHOW_LOG = Action(Verb.SHOW_LOG)
_RETRY = Action(Verb.RETRY)
_REPEATED = {"push": Verb.PUSH, "pull": Verb.PULL}
_NOT_DONE = {
    "push": "{} was pushed",
    "pull": "{} was pulled",
    "resolve": "The conflict wasn't resolved",
    "undo": "The pull wasn't undone",
}
_WHY = {
    Outcome.SHORTENED: "it has lost something: choose which side to keep",
    Outcome.CONFLICT: "it has diverged: choose which side to keep",
    Outcome.OPEN: "it is open here: close it first",
    Outcome.UNPLACED: "its project has no folder here yet",
    Outcome.INCOMPLETE: "it is still arriving",
    Outcome.HELD: "what may go to the cloud in a day is used up",
    Outcome.GONE: "it is gone",
}


def offline_notice(notice_context: NoticeContext) -> Notice:
    """The store can't be reached."""
    status = notice_context.status
    store = store_name(status, notice_context.environment) or "The shared folder"
    return _failure_notice(
        "offline", f"{store} can't be reached", [_clause(status.offline_message)]
    )


def error_notice(message: str) -> Notice:
    """Nothing can be synced until something is fixed."""
    return _failure_notice("error", "Syncing has failed", [_clause(message)])


def failing_notice(results: Sequence[Result], notice_context: NoticeContext) -> Notice:
    """Sessions, at least one, that could not be pushed or pulled without being asked for."""
    first = results[0]
    name = notice_context.phrase_for_id(first.session_id)
    lines = [_clause(first.message)]
    if len(results) > 1:
        lines.append(and_more(len(results) - 1))
    return _failure_notice("failing", capitalized(f"{name} can't be synced"), lines)


def not_done_notice(event: Event, results: Sequence[Result], *, some_was: bool) -> Notice:
    """What a person asked for and what wasn't done, or not for these results.

    Args:
        event: what was tried.
        results: those that tell why.
        some_was: whether it was done with others.
    """
    ids = " ".join(result.session_id for result in results)
    again = _RETRY
    if ids and event.kind in _REPEATED:
        again = Action(_REPEATED[event.kind], ids)
    # Only then is there the button. Otherwise a conflict's own notice has it.
    is_choice = bool(results) and all(one.todo for one in results)
    said = [with_button(one) if is_choice else one.reason for one in results]
    messages = dict.fromkeys(
        text or _WHY.get(one.outcome, "") for text, one in zip(said, results, strict=True)
    )
    lines = [_clause(message) for message in messages] or [_clause(event.message)]
    rest = len(lines) - NAMES_SHOWN
    title = _NOT_DONE.get(event.kind, "That didn't work")
    return _failure_notice(
        "not-done",
        title.format("Not all of it" if some_was else "Nothing"),
        [*lines[:NAMES_SHOWN], f"And {rest} more." if rest > 0 else ""],
        again,
        results[0].session_id if is_choice else "",
    )


def left_lines(results: Sequence[Result]) -> list[str]:
    """Why some weren't done while others were, a line for each reason: 2 not: it is open here."""
    reasons = Counter(one.reason or _WHY.get(one.outcome, "") for one in results)
    return [_clause(f"{number} not: {reason}") for reason, number in reasons.items() if reason]


def _failure_notice(
    key: str,
    title: str,
    lines: Sequence[str],
    again: Action = _RETRY,
    to_choose: str = "",
) -> Notice:
    """A notice of what failed.

    Args:
        key: of the notice.
        title, lines: what it says.
        again: what tries it again.
        to_choose: the first session, where all that failed is that a version of each has to be
            chosen, which trying again doesn't change; else "".
    """
    first = Choice("again", "Try again", again)
    if to_choose:
        first = Choice("compare", "Compare…", open_window(conflict_page(to_choose)))
    choices = [first, Choice("log", "Show log", _SHOW_LOG)]
    return make_notice(key, title, lines, choices)


def _clause(message: str) -> str:
    """An error's message as a line of its own."""
    return capitalized(with_short_ids(one_line(message)))
