"""What a branch needs of the sessions that it began as.

A branch's transcript names long outputs that lie in its parent's sidecar folder, and in that one's
parent's. Where they aren't here, those are pulled, whole and by the rules of any pull: a folder
without its transcript is never written into, for it would stand in the way of the parent when that
comes. Where nothing of a session is named, or all that is lies here, it stays where it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from claude_sync.claude.branches import files_pointed_into, parent_of
from claude_sync.model import Result
from claude_sync.sync.context import Context
from claude_sync.sync.survey.survey import Survey
from claude_sync.wording import count

_MOST_SESSIONS = 10

_Named = Mapping[str, frozenset[str]]
"""The files that a transcript names, by the session whose they are."""


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
        parent, named = _named_by(context, result.path)
        for session_id in _missing(context, named):
            if session_id not in pulled and session_id in survey.bundles:
                pulled.add(session_id)
                pending += pull_one(session_id)
        lacking = [_remark(one, parent, files) for one, files in _missing(context, named).items()]
        message = "; ".join(filter(None, [result.message, *lacking]))
        done.append(result._replace(message=message))
    return done


def _named_by(
    context: Context, transcript: Path | None
) -> tuple[str, Mapping[str, frozenset[str]]]:
    """The session that a branch is one of, and the files of others that it names, by session.

    Of a text that names ever so many, the parent and a few: nobody branches deeper.
    """
    if transcript is None:
        return "", {}
    try:
        parent = parent_of(transcript)
        named = files_pointed_into(transcript, context.check) if parent else {}
    except OSError:
        return "", {}  # it isn't here: its own result says why
    first = sorted(named, key=lambda one: (one != parent, one))[:_MOST_SESSIONS]
    return parent, {session_id: named[session_id] for session_id in first}


def _missing(context: Context, named: _Named) -> dict[str, frozenset[str]]:
    """Which of the files that are named aren't here, by session."""
    found = {}
    for session_id, files in named.items():
        here = {path for copy in context.home.find(session_id) for path, _ in copy.sidecar}
        if files - here:
            found[session_id] = files - here
    return found


def _remark(session_id: str, parent: str, missing: frozenset[str]) -> str:
    files, are = count(len(missing), "file"), "is" if len(missing) == 1 else "are"
    how = "which it branched from" if session_id == parent else "which it names"
    return f"{files} of session {session_id}, {how}, {are} missing here"
