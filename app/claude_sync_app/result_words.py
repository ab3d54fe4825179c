"""What front ends say alike of a session that wasn't pushed or pulled. Pure."""

from __future__ import annotations

from claude_sync.model import Outcome, Result

_MEANWHILE = frozenset({"SessionChanging", "FileGone"})
CHANGED_MEANWHILE = "changed meanwhile"


def counted_as(result: Result, word: str) -> str:
    """How a session is counted in a summary.

    Args:
        result: what became of it.
        word: how its outcome is counted.
    """
    if result.outcome is Outcome.INCOMPLETE and result.code in _MEANWHILE:
        return CHANGED_MEANWHILE
    return word


def with_button(result: Result) -> str:
    """Why it wasn't done, a clause for who has buttons where others would type a command."""
    if not result.todo:
        return result.message
    return f"{result.reason}: “Compare” shows what can be done"
