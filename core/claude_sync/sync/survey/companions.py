"""What decides whose companions stand, where neither transcript wins (FORMAT.md, "Sidecar files").

A set of files is known by its digest. Of two sets the one that was written knowing of the other has
the greater revision, for a writer's is greater than all that it saw. So a set that someone has
changed stands over the one that it was made from, on every machine; of two that were made without
knowing of each other, all machines take the same.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from claude_sync.bundle.members import is_absurd
from claude_sync.model import Bundle, LocalSession
from claude_sync.sync.context import Context
from claude_sync.sync.survey.survey import Survey
from claude_sync.values import NamedTuple


class SetToMerge(NamedTuple):
    """A bundle of the transcript that lies here, whose other files may not all be here.

    Attributes:
        bundle: which.
        wins: whether its companions stand over those here.
    """

    bundle: Bundle
    wins: bool


def set_to_merge(
    context: Context, survey: Survey, local: LocalSession, rivals: Sequence[Bundle]
) -> SetToMerge | None:
    """The bundle whose files are to be merged with those here, None where there is none.

    Args:
        context: what to work with.
        survey: what was seen.
        local: the session.
        rivals: the bundles that count; of those of another transcript nothing is merged.
    """
    row = survey.row(local)
    same = [rival for rival in rivals if rival.head.version == row.whole]
    new = [
        rival
        for rival in same
        if rival.head.sidecar_sha256 != row.sidecar_sha256 and _is_new(context, survey, rival)
    ]
    if not new:
        return None
    greatest = max(new, key=_rank)
    return SetToMerge(greatest, _is_outranked(context, survey, local, greatest))


def with_greatest_set(bundle: Bundle, rivals: Sequence[Bundle]) -> Bundle:
    """Of all rivals with a bundle's transcript the one whose companions stand over the others'."""
    same = [rival for rival in rivals if rival.head.version == bundle.head.version]
    return max(same, key=_rank, default=bundle)


def is_elsewhere(
    context: Context, survey: Survey, local: LocalSession, rivals: Sequence[Bundle]
) -> bool:
    """Whether another machine's bundle holds just what lies here, and all that it gave up.

    Or this very transcript with files that are newer, since those here are as they once came.
    Never where this machine's own bundle holds checkpoints that aren't to leave it any more.
    """
    own = survey.split(local.session_id).own
    if own is not None and still_has_checkpoints(context, survey, own):
        return False
    row, decided = survey.row(local), context.decisions.of(local.session_id)
    given_up = set(survey.supersedes(local.session_id))
    return any(
        rival.head.version == row.whole
        and rival.head.decision >= decided.decision
        and given_up <= set(rival.head.supersedes)
        and (
            rival.head.sidecar_sha256 == row.sidecar_sha256
            or is_set_of_elsewhere(context, survey, local)
        )
        for rival in rivals
    )


def still_has_checkpoints(context: Context, survey: Survey, own: Bundle) -> bool:
    """Whether a bundle of this machine has, or may have, checkpoints that are to stay here now."""
    if context.home.checkpoints:
        return False
    from claude_sync.sync.survey.own_checkpoints import may_hold_checkpoints

    return may_hold_checkpoints(survey, own)


def is_set_of_elsewhere(context: Context, survey: Survey, local: LocalSession) -> bool:
    """Whether the files here are as they came, or were written: nobody changed one here since.

    With this very transcript: beside another one they may be what nobody else has. Or some of them
    are as they came, and a crash kept the others from coming.
    """
    row, session_id = survey.row(local), local.session_id
    merged = context.records.merged(session_id, row.whole, row.sidecar_sha256)
    return merged.revision >= 0 or survey.record(session_id).merging


def _is_outranked(context: Context, survey: Survey, local: LocalSession, rival: Bundle) -> bool:
    """Whether the companions of a rival stand over those here.

    Those here rank as the bundles do that hold the same. Where none does, they were changed since
    (and will get a greater revision than all); or they are as they once came, and older than all.
    """
    row, session_id = survey.row(local), local.session_id
    ranks = [
        _rank(one)
        for one in survey.bundles.get(session_id, ())
        if one.head.version == row.whole and one.head.sidecar_sha256 == row.sidecar_sha256
    ]
    if ranks:
        return _rank(rival) > max(ranks)
    return is_set_of_elsewhere(context, survey, local)


def _is_new(context: Context, survey: Survey, rival: Bundle) -> bool:
    """Whether not all that a bundle may bring was merged; what waits for another session isn't."""
    head = rival.head
    merged = context.records.merged(head.session_id, head.version, head.sidecar_sha256)
    if merged.revision < head.revision:
        return True
    return merged.held != "" and merged.held not in Untouchable(survey, head.session_id)


def _rank(bundle: Bundle) -> tuple[int, str]:
    revision = bundle.head.revision
    return 0 if is_absurd(revision) else revision, bundle.head.sidecar_sha256


class SharedFiles:
    """The files that other sessions here have too, by path in a bundle: plans, which go by a name.

    Args:
        survey: what was seen.
        session_id: the session that may share them.
        only_open: whether only sessions count that the client has open.
    """

    def __init__(self, survey: Survey, session_id: str, *, only_open: bool = False) -> None:
        self._survey = survey
        self._session_id = session_id
        self._only_open = only_open

    def __contains__(self, path: object) -> bool:
        return any(
            local.session_id != self._session_id
            and os.path.lexists(local.path)  # an undo removes several
            and (not self._only_open or self._survey.is_open(local))
            for local in self._survey.plans.get(str(path), ())
        )


class Untouchable:
    """The files that stay whatever comes of a session that lies here, by path in a bundle.

    A plan that another session names too, and has open. And a plan that came with this session when
    it was new, and had to stay out, since another session's lay there: that never was this one's.

    Args:
        survey: what was seen.
        session_id: the session.
    """

    def __init__(self, survey: Survey, session_id: str) -> None:
        self._open = SharedFiles(survey, session_id, only_open=True)
        self._shared = SharedFiles(survey, session_id)
        self._never_here = survey.record(session_id).unplaced_plan

    def __contains__(self, path: object) -> bool:
        return path in self._open or (path == self._never_here and path in self._shared)
