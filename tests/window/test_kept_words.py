"""The numbers of what is kept, in plain words."""

from __future__ import annotations

import pytest

from claude_sync_app.window.pages.kept import numbers_in_words

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
