"""Undoing the last pull or resolve of one session.

Order of steps: remember what is undone · bring back what was there (`tree/undo_apply.py`) ·
remember the version undone as declined. Whatever it fails at, or dies at, the same undo can be done
again, and ends as one that was done in one go: by then what lies here may be what was there before,
or nothing. Nothing of this travels to other machines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from claude_sync.claude.session_files import is_plan
from claude_sync.errors import SessionNotFound, UsageError
from claude_sync.model import Outcome, Result, Version
from claude_sync.sync.context import Context
from claude_sync.sync.survey.identity import find_id
from claude_sync.sync.survey.look import look
from claude_sync.sync.survey.survey import Survey
from claude_sync.sync.survey.titles import with_titles
from claude_sync.sync.tree.undo_apply import apply_undo, finish_removal
from claude_sync.sync.tree.undo_record import UndoRecord
from claude_sync.wording import join


def undo(context: Context, session: str) -> Result:
    """Bring back transcript and sidecars as they were before the last pull, resolve or restore.

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
        session_id = _find(survey, session)
        record, local = _record(survey, session_id), survey.copy(session_id)
        if record is None or (local is None and not _is_half_done(record)):
            raise UsageError(
                "no pull or resolve of this session can be undone",
                where=session_id,
                todo=f"`claude-sync restore {session_id}` shows the versions that can be had",
            )
        left: Sequence[str] = ()
        if local is not None:
            survey.check_closed(local)
            record = _begin(context, session_id, record, survey.row(local).whole)
            left = apply_undo(context, survey, local, record)
        else:
            finish_removal(context, survey, session_id, record)
            left = [copy for copy in record.copies if copy in survey.local]
        _remember(context, session_id, record, _heirs(survey, session_id, record))
        result = Result(
            session_id,
            Outcome.REPLACED if record.before is not None else Outcome.GONE,
            machine=context.machine.name,
            path=local.path if local is not None else None,
            directory=survey.directory(local) if local is not None else None,
            message=_remark(left),
            # In doubt all of it: an earlier pull may have brought it.
            from_elsewhere=record.before.size if record.before is not None else 0,
        )
        context.recorder.add_result("undo", result)
        return with_titles(survey, [result], named=True)[0]


def _find(survey: Survey, session: str) -> str:
    """The one session that is here, or was until an undo removed it, whose id begins so."""
    try:
        return survey.find(session)
    except SessionNotFound:
        removed = []
        for session_id, remembered in survey.remembered.items():
            record = _record(survey, session_id) if remembered.undo else None
            if record is not None and _is_half_done(record):
                removed.append(session_id)
        return find_id(session.lower(), sorted(removed))


def _record(survey: Survey, session_id: str) -> UndoRecord | None:
    text = survey.record(session_id).undo
    return UndoRecord.from_json(text) if text else None


def _is_half_done(record: UndoRecord) -> bool:
    """Whether an undo began that has nothing to bring back, so that nothing may be here by now."""
    return record.before is None and record.undone is not None


def _begin(context: Context, session_id: str, record: UndoRecord, now: Version) -> UndoRecord:
    """Remember what is undone: what lies here, unless that is what an earlier try brought back."""
    if now == record.before:
        return record
    begun = record._replace(undone=now)
    with context.database.transaction():
        context.records.remember(session_id, undo=begun.to_json())
    return begun


def _remark(left: Sequence[str]) -> str:
    """What is to be said of copies that stay."""
    if not left:
        return ""
    one = len(left) == 1
    which, are = ("copy", "stays: it is") if one else ("copies", "stay: they are")
    return f"the {which} {join(left)} {are} open here or {'was' if one else 'were'} continued"


def _heirs(survey: Survey, session_id: str, record: UndoRecord) -> Mapping[str, UndoRecord]:
    """Who is to give back the plans that lay here before, as others came that have them too.

    Returns:
        what can be undone of each of them from now on, by session.
    """
    heirs: dict[str, UndoRecord] = {}
    for path, entry in record.lay_here().items():
        for local in survey.plans.get(path, ()) if is_plan(path) else ():
            heir = local.session_id
            theirs = heirs.get(heir) or _record(survey, heir)
            if heir == session_id or heir in record.copies or theirs is None:
                continue
            if theirs.before is None and path not in theirs.lay_here():
                heirs[heir] = theirs._replace(inherited=(*theirs.inherited, (path, entry)))
                break
    return heirs


def _remember(
    context: Context, session_id: str, record: UndoRecord, heirs: Mapping[str, UndoRecord]
) -> None:
    decisions, records = context.decisions, context.records
    with decisions.together():
        if record.before != record.after:
            decisions.decline(session_id, record.after)
            if record.undone is not None:  # it may have gone on since, and been pushed
                decisions.decline(session_id, record.undone)
        decisions.replace_supersedes(session_id, record.supersedes)
        decisions.decide(session_id, record.decision)
    with context.database.transaction():
        if record.before is not None:
            records.hold(session_id, record.before)
        for heir, theirs in heirs.items():
            records.remember(heir, undo=theirs.to_json())
        records.remember(session_id, undo="")
