"""Undoing the last pull or resolve of one session.

Order of steps: bring back what was there (`tree/undo_apply.py`) · remember the version undone as
declined. After a crash anywhere the same undo can be done again. Nothing of this travels to other
machines.
"""

from __future__ import annotations

from collections.abc import Sequence

from claude_sync.errors import UsageError
from claude_sync.model import Outcome, Result, Version
from claude_sync.sync.context import Context
from claude_sync.sync.survey.survey import look
from claude_sync.sync.tree.undo_apply import apply_undo
from claude_sync.sync.tree.undo_record import UndoRecord
from claude_sync.wording import join


def undo(context: Context, session: str) -> Result:
    """Bring back transcript and sidecars as they were before the last pull or resolve.

    Args:
        context: what to work with.
        session: its id, or the beginning of it.

    Returns:
        what became of it; its message names the copies that "both" made and that stay.

    Raises:
        UsageError: there is nothing to undo.
        SessionOpen: it is open here.
        SessionChanging: it changed meanwhile.
        VaultError: what was there is no longer kept, or what is there can't be.
        ClaudeHomeError: Claude Code's folder can't be written.
    """
    with context.working("undoing"):
        survey = look(context, store=False)
        session_id = survey.find(session)
        remembered, local = survey.record(session_id), survey.copy(session_id)
        if not remembered.undo or local is None:
            raise UsageError(
                "no pull or resolve of this session can be undone",
                where=session_id,
                todo=f"`claude-sync restore {session_id}` shows the versions that can be had",
            )
        survey.check_closed(local)
        record, undone = UndoRecord.from_json(remembered.undo), survey.row(local).whole
        left = apply_undo(context, survey, local, record)
        _remember(context, session_id, record, undone)
        return Result(
            session_id,
            Outcome.REPLACED if record.before is not None else Outcome.GONE,
            machine=context.machine.name,
            path=local.path,
            directory=survey.directory(local),
            message=_remark(left),
            # In doubt all of it: an earlier pull may have brought it.
            from_elsewhere=record.before.size if record.before is not None else 0,
        )


def _remark(left: Sequence[str]) -> str:
    """What is to be said of copies that stay."""
    if not left:
        return ""
    one = len(left) == 1
    which, are = ("copy", "stays: it is") if one else ("copies", "stay: they are")
    return f"the {which} {join(left)} {are} open here or {'was' if one else 'were'} continued"


def _remember(context: Context, session_id: str, record: UndoRecord, undone: Version) -> None:
    decisions, records = context.decisions, context.records
    with decisions.together():
        if record.before != record.after:
            decisions.decline(session_id, record.after)
            decisions.decline(session_id, undone)  # it may have gone on since, and been pushed
        decisions.replace_supersedes(session_id, record.supersedes)
        decisions.decide(session_id, record.decision)
    with context.database.transaction():
        if record.before is not None:
            records.hold(session_id, record.before)
        records.remember(session_id, undo="")
