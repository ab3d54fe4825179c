"""What the page of kept sessions says, in plain words."""

from __future__ import annotations

import pytest

from claude_sync.model import Outcome, Result
from claude_sync_app.window.pages.kept import numbers_in_words, restored_answer
from machines import SESSION

_NONE = "No session is kept that is no longer in Claude Code's folder here."


@pytest.mark.parametrize(
    ("gone", "soon", "lost", "words"),
    [
        (0, 0, 0, f"{_NONE} None will be deleted this week."),
        (0, 2, 0, f"{_NONE} 2 sessions will be deleted this week, and all are kept."),
        (
            412,
            7,
            0,
            "412 sessions are kept that are no longer in Claude Code's folder here. 7 sessions "
            "will be deleted this week, and all are kept.",
        ),
        (
            1,
            3,
            2,
            "1 session is kept that is no longer in Claude Code's folder here. 3 sessions will be "
            "deleted this week, of which 2 aren't kept anywhere else yet.",
        ),
    ],
)
def test_it_is_said_in_plain_words(gone: int, soon: int, lost: int, words: str) -> None:
    assert numbers_in_words(gone, soon, lost) == words


def test_only_what_is_here_is_said_to_be_restored() -> None:
    for outcome in (Outcome.IMPORTED, Outcome.UNCHANGED, Outcome.OPEN):
        answer = restored_answer([Result("s", outcome)])
        assert answer.message == "1 session is in Claude Code's list again."
        assert not answer.is_error
    todo = "choose with `claude-sync resolve s`"
    chosen = Result("s", Outcome.CONFLICT, message=f"it diverged: {todo}", todo=todo)
    unplaced = Result("t", Outcome.UNPLACED, message=f"no directory is known ({SESSION})")
    answer = restored_answer([Result("u", Outcome.IMPORTED), chosen, unplaced])
    assert answer.message == (
        "1 session is in Claude Code's list again. "
        "2 sessions couldn't be restored: it diverged: “Compare” shows what can be done."
    )
    assert answer.reload
    answer = restored_answer([unplaced])
    assert answer.message == "1 session couldn't be restored: no directory is known (0f4c1d9e)."
    assert (answer.is_error, answer.reload) == (True, False)
