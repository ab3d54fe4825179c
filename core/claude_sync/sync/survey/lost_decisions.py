"""Making the best of decisions that were lost, by what is seen here and in the store."""

from __future__ import annotations

from claude_sync.errors import ProjectKeyError, SessionError, StoreUnseen
from claude_sync.state.decisions_file import Decided
from claude_sync.sync.context import Context
from claude_sync.sync.survey.survey import Survey


def settle(context: Context, survey: Survey) -> None:
    """Make the best of decisions that were lost, now that the store is seen.

    What may have a bundle where nobody could look isn't pushed anyway, and waits.
    """
    own = {session_id: survey.split(session_id).own for session_id in survey.ids()}
    context.decisions.settle(
        [
            session_id
            for session_id in survey.local
            if own[session_id] is None and _is_seen(survey, session_id)
        ],
        inherited={
            session_id: Decided(supersedes=bundle.head.supersedes, decision=bundle.head.decision)
            for session_id, bundle in own.items()
            if bundle is not None
        },
        seen_whole=not (survey.unseen or survey.tree.unseen),
    )


def _is_seen(survey: Survey, session_id: str) -> bool:
    try:
        survey.check_seen(session_id)
    except StoreUnseen:
        return False
    except (SessionError, ProjectKeyError):
        pass  # Where it belongs can't be told, so it may well have been forgotten.
    return True
