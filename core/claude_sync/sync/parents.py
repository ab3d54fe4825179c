"""What a branch needs of the session that it began as.

A branch's transcript names long outputs that lie in its parent's sidecar folder. Where they aren't
here, the parent is pulled, whole and by the rules of any pull: a folder without its transcript is
never written into, for it would stand in the way of the parent when that comes. Where nothing of it
is named, or all that is lies here, the parent stays where it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from claude_sync.claude.branches import files_pointed_into, parent_of
from claude_sync.model import Result
from claude_sync.sync.context import Context
from claude_sync.sync.survey.survey import Survey
from claude_sync.values import NamedTuple
from claude_sync.wording import count


class _Needed(NamedTuple):
    """The session that one is a branch of, and which of its files are named and aren't here."""

    parent: str
    missing: frozenset[str]


def with_parents(
    context: Context,
    survey: Survey,
    results: Sequence[Result],
    pull_one: Callable[[str], list[Result]],
) -> list[Result]:
    """Pull what sessions that were named need of their parents.

    Args:
        context: what to work with.
        survey: what was seen before they were pulled.
        results: what became of those that were named.
        pull_one: pulls another session as if it had been named.

    Returns:
        the results, those of the parents after them; what can't be had is said of the branch.
    """
    done: list[Result] = []
    pending = list(results)
    pulled = {result.session_id for result in results}
    while pending:
        result = pending.pop(0)
        needed = _needed(context, result.path)
        if needed is not None and needed.parent not in pulled and needed.parent in survey.bundles:
            pulled.add(needed.parent)
            pending += pull_one(needed.parent)
        if needed is not None:
            needed = _needed(context, result.path)
        if needed is not None:
            remark = _remark(needed)
            result = result._replace(message="; ".join(filter(None, [result.message, remark])))
        done.append(result)
    return done


def _needed(context: Context, transcript: Path | None) -> _Needed | None:
    """What a session lacks of its parent, None where that is nothing."""
    if transcript is None:
        return None
    try:
        parent = parent_of(transcript)
        if not parent:
            return None
        named = files_pointed_into(transcript, parent, context.check)
    except OSError:
        return None  # it isn't here: its own result says why
    here = {path for copy in context.home.find(parent) for path, _ in copy.sidecar}
    missing = named - here
    return _Needed(parent, missing) if missing else None


def _remark(needed: _Needed) -> str:
    files, are = count(len(needed.missing), "file"), "is" if len(needed.missing) == 1 else "are"
    return f"{files} of session {needed.parent}, which it branched from, {are} missing here"
