"""Where every session stands, for listings, judged as a push and a pull would, changing nothing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from claude_sync.claude.transcript import title_of
from claude_sync.errors import (
    BundleIncomplete,
    BundlePlaceholder,
    ClaudeSyncError,
    FileGone,
    ProjectKeyError,
    RecordsError,
    SessionChanging,
    SessionDivided,
    SessionError,
    SessionUnplaced,
    Stopped,
    StoreOffline,
)
from claude_sync.model import (
    Bundle,
    LocalSession,
    Outcome,
    ProjectKey,
    SessionState,
    Side,
    SkippedFile,
    State,
)
from claude_sync.store.skipped import is_unreadable
from claude_sync.sync.bundles.naming import is_ignored
from claude_sync.sync.conflict import sides_of
from claude_sync.sync.context import Context
from claude_sync.sync.judge import Judgement, judge
from claude_sync.sync.planner import PullKind, PushKind
from claude_sync.sync.rivals import newest_of_each
from claude_sync.sync.survey.companions import is_elsewhere, set_to_merge
from claude_sync.sync.survey.extensions import learn_extensions
from claude_sync.sync.survey.look import look
from claude_sync.sync.survey.survey import Survey
from claude_sync.sync.tree.undo_record import from_elsewhere
from claude_sync.values import NamedTuple

_MAY_COME = (BundleIncomplete, BundlePlaceholder, FileGone, SessionChanging)
"""What is on its way, or is being written: waiting helps."""


def states(context: Context, *, store: bool = True) -> list[SessionState]:
    """Where every session of this machine and of the store stands, newest first.

    Args:
        context: what to work with.
        store: whether to look at the store; without it, every session here counts as changed.

    Raises:
        TransportError: the store isn't there.
        NotSetUp: no store was chosen, and `store` wants one.
        ClaudeHomeError: Claude Code's folder can't be read.
        LockBusy: another claude-sync is at work.
        Stopped: `context` said so.
    """
    with context.working("looking"):
        return states_surveyed(context, look(context, store=store))


def states_surveyed(
    context: Context,
    survey: Survey,
    sessions: Sequence[str] | None = None,
    *,
    but: Collection[str] = (),
) -> list[SessionState]:
    """The same from a survey that was just made, under the lock.

    Args:
        sessions: ids of those that are asked for; None for all.
        but: ids of those that are left out.

    Raises:
        TransportError: the store went away meanwhile.
        Stopped: `context` said so.
    """
    asked = [
        session_id
        for session_id in (survey.ids() if sessions is None else sessions)
        if session_id not in but and not survey.is_blank(session_id)
    ]
    if any(survey.bundles.get(session_id) for session_id in asked):
        learn_extensions(context, survey, asked)
    with context.decisions.together():
        found = [_state(context, survey, session_id) for session_id in asked]
    found = [one for one in found if not survey.is_blank(one.session_id)]  # they were read by now
    survey.flush()
    if sessions is None:
        found += _arriving(survey)
    return sorted(found, key=lambda one: (-one.mtime_ns, one.session_id))


def _state(context: Context, survey: Survey, session_id: str) -> SessionState:
    context.check()
    bundles = survey.bundles.get(session_id, ())
    newest = max(newest_of_each(bundles), key=lambda one: one.head.mtime_ns, default=None)
    local, standing = _copy_and_standing(context, survey, session_id)
    copies = survey.local.get(session_id, ())
    shown = local or (copies[0] if copies else None)
    about = _about(survey, shown, newest)
    is_known = bool(bundles) or standing.state is State.CONFLICT
    is_known = is_known or standing.state is State.UNKNOWN
    if shown is not None and about.project is None and not is_known:
        detail = about.problem or "no directory here is known for it"
        standing = standing._replace(state=State.UNPLACED, detail=detail)
    head = standing.rivals[0].head if standing.rivals else newest.head if newest else None
    if shown is not None:
        title, is_open = about.title, survey.is_open(shown)
        size, mtime_ns = shown.stamp.size, shown.stamp.mtime_ns
    else:
        assert head is not None
        title, is_open, size, mtime_ns = head.title, head.open, head.size, head.mtime_ns
    remembered = survey.record(session_id)
    return SessionState(
        session_id=session_id,
        title=title,
        project_key=about.project.key if about.project is not None else "",
        directory=about.directory,
        path=shown.path if shown is not None else None,
        size=size,
        mtime_ns=mtime_ns,
        state=standing.state,
        open=is_open,
        machines=tuple(sorted({bundle.head.machine for bundle in bundles})),
        rivals=tuple(sorted({rival.head.machine for rival in standing.rivals})),
        sides=standing.sides,
        detail=standing.detail,
        replaces=standing.replaces,
        shortened=standing.shortened,
        ignored=about.project is not None
        and is_ignored(about.project.key, context.preferences.ignore),
        forgotten=context.decisions.of(session_id).forgotten,
        undoable=shown is not None and remembered.undo != "",
        from_elsewhere=from_elsewhere(remembered, shown.stamp.size) if shown is not None else 0,
    )


class _Standing(NamedTuple):
    """The state, the rivals that are left, in a conflict its sides, a sentence if needed.

    And the lines only here that a pull would replace by a decision made elsewhere; and whether the
    transcript here was shortened.
    """

    state: State
    rivals: tuple[Bundle, ...] = ()
    sides: tuple[Side, ...] = ()
    detail: str = ""
    replaces: int = 0
    shortened: bool = False


def _copy_and_standing(
    context: Context, survey: Survey, session_id: str
) -> tuple[LocalSession | None, _Standing]:
    """The transcript here, and where it stands: one that can't be read must not hide the others."""
    local = None
    try:
        local = survey.copy(session_id)
        standing = _standing(context, survey, session_id, local)
    except (Stopped, StoreOffline, RecordsError):
        raise
    except ClaudeSyncError as error:
        state = State.UNKNOWN
        if isinstance(error, SessionDivided):
            state = State.CONFLICT
        elif isinstance(error, _MAY_COME):
            state = State.INCOMPLETE
        return local, _Standing(state, detail=str(error))
    unread = survey.unread.get(session_id)
    if unread is not None and standing.state in (State.SYNCED, State.AHEAD):
        return local, _Standing(_state_of(unread), detail=unread.message)
    return local, standing


def _state_of(skipped: SkippedFile) -> State:
    """The state of a session of which all that is in doubt is a file that had to be skipped."""
    return State.UNKNOWN if is_unreadable(skipped) else State.INCOMPLETE


def _standing(
    context: Context, survey: Survey, session_id: str, local: LocalSession | None
) -> _Standing:
    survey.check_seen(session_id)
    cheap_outcome = survey.cheap_outcome(session_id) if local is not None else None
    if cheap_outcome is not None and local is not None and survey.bundles.get(session_id):
        if cheap_outcome is Outcome.UNCHANGED:
            return _Standing(State.SYNCED)
        if survey.is_pushed(local, survey.split(session_id).own):
            return _Standing(State.AHEAD)
    if local is None and survey.record(session_id).seen:
        return _Standing(State.GONE, detail="it was here and is gone")
    with judge(context, survey, session_id) as judgement:
        if judgement.missing is not None:
            return _shortened(context, judgement)
        plan = judgement.plan_pull()
        if plan.kind is PullKind.CONFLICT:
            return _Standing(State.CONFLICT, plan.rivals, sides_of(context, judgement, plan.rivals))
        if plan.kind is PullKind.IMPORT:
            return _importable(survey, plan.rivals)
        if plan.rivals:
            return _Standing(State.WAITING, plan.rivals, replaces=judgement.waits_for(plan))
        if local is None:
            return _Standing(State.GONE, detail="undone here")
        merging = set_to_merge(context, survey, local, judgement.all_rivals)
        if merging is not None and merging.wins:
            return _Standing(State.WAITING, (merging.bundle,))
        push = judgement.plan_push()
        waits = push.keep_own or not is_elsewhere(context, survey, local, judgement.all_rivals)
    if push.kind is PushKind.WRITE and waits:
        return _Standing(State.CHANGED)
    return _Standing(State.AHEAD if plan.kind is PullKind.AHEAD else State.SYNCED)


def _shortened(context: Context, judgement: Judgement) -> _Standing:
    """Where a session stands whose transcript was shortened: a pull puts it back, or it waits."""
    plan, detail = judgement.plan_pull(), judgement.what_is_missing()
    if plan.rivals and plan.kind is not PullKind.CONFLICT:
        replaces = judgement.waits_for(plan)
        return _Standing(
            State.WAITING, plan.rivals, detail=detail, replaces=replaces, shortened=True
        )
    sides = sides_of(context, judgement, plan.rivals)
    return _Standing(State.CONFLICT, plan.rivals, sides, detail=detail, shortened=True)


def _importable(survey: Survey, rivals: tuple[Bundle, ...]) -> _Standing:
    """Whether a session that isn't here has a directory to go to."""
    try:
        survey.placement(rivals[0], ask=False)
    except SessionUnplaced as error:
        return _Standing(State.UNPLACED, rivals, detail=str(error))
    return _Standing(State.WAITING, rivals)


class _About(NamedTuple):
    """What a session is of: its project, directory here, title, and why there is no project."""

    project: ProjectKey | None
    directory: Path | None
    title: str = ""
    problem: str = ""


def _about(survey: Survey, local: LocalSession | None, newest: Bundle | None) -> _About:
    if local is None:
        assert newest is not None
        return _About(*_of_bundle(survey, newest))
    try:
        directory, problem = survey.directory(local), ""
        try:
            project = survey.project(local)
        except ProjectKeyError as error:
            project, problem = None, str(error)
        return _About(
            project, directory, title_of(local.session_id, survey.row(local).title), problem
        )
    except SessionError as error:
        return _About(None, None, problem=str(error))


def _of_bundle(survey: Survey, bundle: Bundle) -> tuple[ProjectKey, Path | None]:
    """The project that a bundle names, and the directory that has here."""
    project = ProjectKey(bundle.head.project_key, bundle.head.subpath)
    try:
        return project, survey.placement(bundle, ask=False).directory
    except SessionUnplaced:
        return project, None


def _arriving(survey: Survey) -> list[SessionState]:
    """Sessions that are known only from a file of the store that can't be read yet."""
    return [
        SessionState(
            session_id=problem.session_id,
            title="",
            project_key="",
            directory=None,
            path=None,
            size=0,
            mtime_ns=0,
            state=_state_of(problem),
            detail=problem.message,
        )
        for problem in survey.skipped
        if (problem.outcome is Outcome.INCOMPLETE or is_unreadable(problem))
        and problem.session_id
        and problem.session_id not in survey.bundles
        and problem.session_id not in survey.local
    ]
