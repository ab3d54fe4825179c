"""What a push or a pull did, in a sentence. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from claude_sync.model import Outcome, Result
from claude_sync.service.status import Status
from claude_sync.wording import count, sentence
from claude_sync_app.result_words import counted_as, with_button
from claude_sync_app.shown_text import one_line
from claude_sync_app.tray.labels import title_of
from claude_sync_app.window.page import Answer

_BAD = frozenset({Outcome.FAILED, Outcome.CONFLICT, Outcome.SHORTENED, Outcome.UNPLACED})
_WORDS = {
    Outcome.PUSHED: "pushed",
    Outcome.IMPORTED: "pulled",
    Outcome.UPDATED: "pulled",
    Outcome.REPLACED: "pulled",
    Outcome.UNCHANGED: "up to date already",
    Outcome.AHEAD: "newer here",
    Outcome.BEHIND: "older than what this machine pushed",
    Outcome.SHORTENED: "shortened here, so not pushed",
    Outcome.CONFLICT: "in conflict",
    Outcome.OPEN: "pulled as soon as Claude Code closes it",
    Outcome.GONE: "deleted here",
    Outcome.DECLINED: "undone here before",
    Outcome.UNPLACED: "without a folder here",
    Outcome.INCOMPLETE: "still arriving",
    Outcome.HELD: "held back for today",
    Outcome.FAILED: "failed",
}


def results_answer(status: Status, results: Sequence[Result]) -> Answer:
    """The answer to the click that asked for it.

    Args:
        status: knows the sessions' titles.
        results: what was done.
    """
    is_error = any(one.outcome in _BAD for one in results)
    if len(results) == 1:
        return Answer(_of_one(status, results[0]), is_error=is_error)
    counts: dict[str, int] = {}
    for one in results:
        words = counted_as(one, _WORDS[one.outcome])
        counts[words] = counts.get(words, 0) + 1
    if not counts:
        return Answer("Nothing had to be done.")
    text = ", ".join(f"{number:,} {words}" for words, number in counts.items())
    why = next((one.message for one in results if one.outcome is Outcome.FAILED), "")
    after = f" {sentence(one_line(why))}" if why else ""
    return Answer(f"{count(len(results), 'session')}: {text}.{after}", is_error=is_error)


def _of_one(status: Status, result: Result) -> str:
    name = next(
        (
            f"“{title_of(state)}”"
            for state in status.sessions
            if state.session_id == result.session_id
        ),
        f"Session {result.session_id[:8]}",
    )
    if result.outcome is Outcome.PUSHED:
        return f"{name} is pushed."
    if result.outcome in (Outcome.IMPORTED, Outcome.UPDATED, Outcome.REPLACED):
        machine = f" from {one_line(result.machine)}" if result.machine else ""
        return f"{name} is pulled{machine}."
    if result.message:
        return f"{name}: {sentence(one_line(with_button(result)))}"
    return f"{name}: {_WORDS[result.outcome]}."
