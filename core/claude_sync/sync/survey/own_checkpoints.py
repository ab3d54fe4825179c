"""Which bundles of this machine hold checkpoints, where a person wants none to leave it."""

from __future__ import annotations

from collections.abc import Iterator

from claude_sync.bundle.members import sidecar_digest
from claude_sync.claude.session_files import CHECKPOINTS, is_checkpoint
from claude_sync.model import Bundle
from claude_sync.store.layout import sidecar_of
from claude_sync.sync.context import Context
from claude_sync.sync.survey.survey import Survey


def own_with_checkpoints(context: Context, survey: Survey) -> Iterator[Bundle]:
    """This machine's bundles that hold checkpoints, or may, though the preference is off."""
    if context.home.checkpoints:
        return
    for bundles in survey.bundles.values():
        for bundle in bundles:
            is_ours = bundle.head.machine_id == context.machine.id
            if is_ours and may_hold_checkpoints(survey, bundle):
                yield bundle


def may_hold_checkpoints(survey: Survey, own: Bundle) -> bool:
    """Whether a bundle of this machine holds checkpoints; also where nobody remembers.

    Only its writer knows without opening it: then what lies here tells whether it has any.
    """
    session_id = own.head.session_id
    known = sidecar_of(own, survey.record(session_id).layout)
    if known is not None:
        return any(map(is_checkpoint, known))
    without = {sidecar_digest(())}
    for local in survey.local.get(session_id, ()):
        row = survey.rows.known(local)
        without |= {row.sidecar_sha256} if row is not None else set()
    return own.head.sidecar_sha256 not in without


def remembered_with_checkpoints(context: Context) -> int:
    """How many sessions this machine remembers having pushed with checkpoints."""
    of_one = f'"@{CHECKPOINTS}/'
    return sum(of_one in one.layout for one in context.records.sessions().values())
