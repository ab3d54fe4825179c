"""What a bundle says of a session besides its bytes."""

from __future__ import annotations

from datetime import datetime, timezone

from claude_sync.bundle.pack import Label
from claude_sync.claude.transcript import title_of
from claude_sync.model import LocalSession, ProjectKey
from claude_sync.sync.context import Context
from claude_sync.sync.survey.survey import Survey


def label_of(
    context: Context,
    survey: Survey,
    local: LocalSession,
    *,
    project: ProjectKey,
    revision: int,
    mtime_ns: int,
) -> Label:
    """The label of a session that lies here, as it is packed now.

    Args:
        context: what to work with.
        survey: what was seen.
        local: the session.
        project: where it belongs.
        revision: the bundle's.
        mtime_ns: the transcript's.

    Raises:
        RecordsError: what is remembered of it can't be read.
    """
    session_id = local.session_id
    return Label(
        session_id=session_id,
        project_key=project.key,
        subpath=project.subpath,
        machine=context.machine.name,
        machine_id=context.machine.id,
        revision=revision,
        pushed_at=datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        mtime_ns=mtime_ns,
        title=title_of(session_id, survey.rows.summary(local).title),
        open=survey.is_open(local),
        supersedes=survey.supersedes(session_id),
        decision=context.decisions.of(session_id).decision,
    )
