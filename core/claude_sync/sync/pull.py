"""Pulling: bundles that rival the transcripts here are installed where the rules say so.

Order of steps: look · judge each session · apply what is to be pulled (`tree/pull_apply.py`). A
crash anywhere leaves whole files and, at worst, something that is found out again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from claude_sync.claude.session_files import TRANSCRIPT_SUFFIX
from claude_sync.errors import (
    BundleError,
    BundleIncomplete,
    BundlePlaceholder,
    ClaudeSyncError,
    FileGone,
    SessionChanging,
    SessionDivided,
    SessionNotFound,
    SessionOpen,
    SessionUnplaced,
    Stopped,
)
from claude_sync.model import (
    Bundle,
    LocalSession,
    Outcome,
    Progress,
    Result,
    SidecarFile,
    SkippedFile,
)
from claude_sync.store.skipped import ONLY_FOR_THE_DOCTOR
from claude_sync.sync.context import Context
from claude_sync.sync.judge import Judgement, judge
from claude_sync.sync.planner import PullKind, PullPlan
from claude_sync.sync.survey.companions import SetToMerge, set_to_merge, with_greatest_set
from claude_sync.sync.survey.extensions import learn_extensions
from claude_sync.sync.survey.look import look
from claude_sync.sync.survey.survey import Survey, unseen_error
from claude_sync.sync.survey.titles import with_titles
from claude_sync.wording import count, join, replaces

# What installs is imported where that is done: most pulls find nothing newer.
if TYPE_CHECKING:
    from claude_sync.sync.tree.pull_apply import PlannedPull, PullApplier

_NOT_WAITING = (PullKind.NOTHING, PullKind.AHEAD)
_PLANNED = {
    PullKind.IMPORT: Outcome.IMPORTED,
    PullKind.FAST_FORWARD: Outcome.UPDATED,
    PullKind.REPLACE: Outcome.REPLACED,
}


def pull(
    context: Context,
    sessions: Sequence[str] | None = None,
    *,
    project: str | None = None,
    dry_run: bool = False,
    replace: bool = False,
) -> list[Result]:
    """Install what is newer elsewhere.

    Args:
        context: what to work with.
        sessions: ids, or beginnings of ids; a session that is gone here, or whose version was
            undone, comes back when it is named; with a branch that is named, the sessions that it
            began as, if they have files that the branch names and that aren't here. None for all.
        project: only sessions of this project key.
        dry_run: say what would be done, and do nothing.
        replace: whether a person asked for this pull, here and now: then what was said here also
            gives way to a version that someone chose in its place elsewhere. Without it, that
            is a conflict.

    Returns:
        a result for each session in the store that was asked for, and for each file there that
        had to be skipped.

    Raises:
        TransportError: the store isn't there.
        UsageError: no session, or more than one, has a name that was given.
        LockBusy: another claude-sync is at work.
        Stopped: `context` said so; what was done is done.
    """

    def meanwhile(survey: Survey) -> None:
        survey.read_ahead(sessions)
        if sessions is not None:
            survey.rows.measure_ahead(survey.alone(sessions))

    with context.working("pulling"):
        survey = look(context, meanwhile=meanwhile)
        return pull_surveyed(
            context, survey, sessions, project=project, dry_run=dry_run, replace=replace
        )


def pull_surveyed(
    context: Context,
    survey: Survey,
    sessions: Sequence[str] | None = None,
    *,
    project: str | None = None,
    dry_run: bool = False,
    named: bool | None = None,
    replace: bool = False,
) -> list[Result]:
    """The same from a survey that was just made, under the lock.

    Args:
        named: whether a person named the sessions; None if there are any.
        replace: as for `pull`.

    Raises:
        TransportError: the store went away.
        UsageError: no session, or more than one, has a name that was given.
        Stopped: `context` said so; what was done is done.
    """
    named = sessions is not None if named is None else named
    pulling = _Pull(context, survey, named=named, dry_run=dry_run, may_replace=replace)
    results = pulling.run(sessions, project)
    if named and sessions is not None and not dry_run:
        from claude_sync.sync.parents import with_parents

        results = with_parents(context, survey, results, lambda one: pulling.run([one], None))
    if not dry_run:
        context.vault.tidy()
    return with_titles(survey, results, named=named)


class _Pull:
    def __init__(
        self,
        context: Context,
        survey: Survey,
        *,
        named: bool,
        dry_run: bool,
        may_replace: bool,
    ) -> None:
        self._context = context
        self._survey = survey
        self._named = named
        self._dry_run = dry_run
        self._may_replace = may_replace
        self._progress = Progress("Pulling")
        self._fetches = False

    def run(self, sessions: Sequence[str] | None, project: str | None) -> list[Result]:
        survey = self._survey
        if sessions is None:
            ids = [sid for sid in sorted(survey.bundles) if self._is_of(sid, project)]
        else:
            ids = self._ids(sessions)
        results: list[Result] = []
        alone = sum(self._named or survey.cheap_outcome(sid) is None for sid in ids) == 1
        self._fetches = alone and not self._dry_run
        if not alone:
            learn_extensions(self._context, survey, ids)
        # What was fetched to decide is discarded where it isn't installed after all.
        with ExitStack() as staged:
            to_pull: list[PlannedPull] = []
            with self._context.decisions.together():
                for session_id in ids:
                    self._context.check()
                    decided = self._decide(session_id)
                    if isinstance(decided, Result):
                        results.append(self._noted(decided))
                        continue
                    to_pull.append(decided)
                    if decided.fetched is not None:
                        staged.callback(decided.fetched.discard)
            results.extend(map(self._noted, self._apply_all(to_pull)))
        if not self._dry_run:
            survey.flush()
        problems = self._problems(sessions, project)
        named = {problem.session_id for problem in problems}
        results = [
            one for one in results if not (one.session_id in named and self._is_doubtful(one))
        ]
        results.extend(map(self._noted, self._skipped(problems)))
        results.extend(map(self._noted, self._unseen(sessions, project)))
        return results

    def _skipped(self, problems: Sequence[SkippedFile]) -> Iterator[Result]:
        """A result for each file in the store that had to be skipped."""
        for problem in problems:
            yield Result(
                problem.session_id,
                problem.outcome,
                bundle=problem.name,
                message=problem.message,
                code=problem.kind,
            )

    def _is_doubtful(self, result: Result) -> bool:
        """Whether a session is only up to date as far as could be seen: a file of it is unread."""
        up_to_date = result.outcome in (Outcome.UNCHANGED, Outcome.AHEAD)
        return up_to_date and result.session_id in self._survey.unread

    def _unseen(self, sessions: Sequence[str] | None, project: str | None) -> Iterator[Result]:
        """A result for each folder of a project that couldn't be listed, where all are asked for.

        What isn't a project's (lost+found on a stick) holds no bundles.
        """
        if sessions is not None:
            return
        names = self._context.store.names
        wanted = names.folder(project) if project is not None else ""
        for folder in sorted(self._survey.unseen):
            if folder and (not names.is_folder(folder) or (wanted and folder != wanted)):
                continue
            error = unseen_error(self._context, folder)
            yield Result(
                "",
                Outcome.FAILED,
                bundle=folder,
                message=str(error),
                code=type(error).__name__,
            )

    def _ids(self, sessions: Sequence[str]) -> list[str]:
        """The sessions that are named, without those of which only unreadable files lie there."""
        found = []
        for prefix in sessions:
            try:
                found.append(self._survey.find(prefix))
            except SessionNotFound:
                if not self._problems([prefix], None):
                    raise
        return list(dict.fromkeys(found))

    def _problems(self, sessions: Sequence[str] | None, project: str | None) -> list[SkippedFile]:
        """The files in the store that had to be skipped, of all that was asked for."""
        if sessions is not None and not self._named:
            return []
        skipped = [one for one in self._survey.skipped if one.kind not in ONLY_FOR_THE_DOCTOR]
        if sessions is not None:
            names = tuple(name for name in sessions if name)
            return [one for one in skipped if one.session_id.startswith(names)]
        called = self._context.store.names
        folder = f"{called.folder(project)}/" if project is not None else ""
        return [one for one in skipped if one.name.startswith(folder)]

    def _is_of(self, session_id: str, project: str | None) -> bool:
        if project is None:
            return True
        return any(b.head.project_key == project for b in self._survey.bundles[session_id])

    # -- deciding -----------------------------------------------------------------------------

    def _decide(self, session_id: str) -> PlannedPull | Result:
        survey = self._survey
        outcome = None if self._named or survey.unseen else survey.cheap_outcome(session_id)
        if outcome is not None:
            return self._result(session_id, outcome)
        try:
            return self._plan(session_id)
        except Stopped:
            raise
        except ClaudeSyncError as error:
            return self._failure(session_id, error)

    def _plan(self, session_id: str) -> PlannedPull | Result:
        survey, context = self._survey, self._context
        survey.check_visible(session_id)
        is_here = session_id in survey.local
        if not is_here and survey.record(session_id).seen and not self._named:
            return self._result(
                session_id,
                Outcome.GONE,
                "it was here and is gone; name it to have it back",
            )
        with judge(
            context,
            survey,
            session_id,
            named=self._named,
            accept=self._named and not self._dry_run,
            fetch=self._fetches,
        ) as judgement:
            plan = judgement.plan_pull()
            if self._is_declined(judgement, plan):
                return self._result(
                    session_id, Outcome.DECLINED, "undone here; name it to take it after all"
                )
            self._hold(judgement)
            planned = self._planned_pull(session_id, plan, judgement)
            if isinstance(planned, Result) or self._dry_run:
                return planned
            return planned._replace(fetched=judgement.comparisons.release(planned.bundle))

    def _hold(self, judgement: Judgement) -> None:
        """Remember what lies here, unless that is nothing."""
        local, mine = judgement.local, judgement.mine
        if local is None or mine is None or self._dry_run or not mine.begun:
            return
        intact = judgement.missing is None
        self._context.records.hold(local.session_id, mine.version, intact=intact)

    def _is_declined(self, judgement: Judgement, plan: PullPlan) -> bool:
        """Whether nothing waits only because what would was undone here."""
        if plan.kind not in _NOT_WAITING or len(judgement.rivals) == len(judgement.all_rivals):
            return False
        return judgement.plan_pull(with_declined=True).kind not in _NOT_WAITING

    def _planned_pull(
        self, session_id: str, plan: PullPlan, judgement: Judgement
    ) -> PlannedPull | Result:
        survey, local, merging = self._survey, judgement.local, None
        stuck = plan.kind is PullKind.CONFLICT or plan.kind in _NOT_WAITING
        if stuck and judgement.missing is not None:
            return self._to_choose(
                session_id, judgement.what_mends_it(session_id), next(iter(plan.rivals), None)
            )
        if plan.kind is PullKind.CONFLICT:
            parted = self._conflict(session_id, plan.rivals, here=local is not None)
            return self._to_choose(session_id, parted, plan.rivals[0])
        if plan.kind in _NOT_WAITING:
            merging = self._to_merge(local, judgement.all_rivals)
            if merging is None or local is None:
                ahead = plan.kind is PullKind.AHEAD
                outcome = Outcome.AHEAD if ahead else Outcome.UNCHANGED
                return self._result(session_id, outcome)
            bundle, kind = merging.bundle, PullKind.FAST_FORWARD
        else:
            bundle, kind = with_greatest_set(plan.rivals[0], judgement.rivals), plan.kind
        from claude_sync.sync.tree.pull_apply import PlannedPull

        only_here = judgement.lines_only_here(plan)
        if judgement.waits_for(plan) and not self._may_replace:
            return self._to_choose(session_id, self._unasked(bundle, only_here), bundle)
        if local is not None:
            if survey.is_open(local):
                return self._result(
                    session_id, Outcome.OPEN, survey.live.explain(local), bundle=bundle
                )
            version = survey.row(local).whole
            merge_only = bundle.head.version == version
            directory = survey.directory(local)
            folder = local.path.parent
            return PlannedPull(
                bundle=bundle,
                kind=kind,
                local=local,
                version=version,
                directory=directory,
                folder=folder,
                merge_only=merge_only,
                companions_win=merging is None or merging.wins,
                only_here=only_here,
                shortened=judgement.missing is not None,
            )
        place = survey.placement(bundle)
        return PlannedPull(
            bundle=bundle,
            kind=kind,
            local=None,
            version=None,
            directory=place.directory,
            folder=self._context.home.folder_for(place.directory),
            moved=place.reason,
        )

    def _to_choose(self, session_id: str, why: tuple[str, str], bundle: Bundle | None) -> Result:
        """A session of which a person has to choose a version: what is the matter, and the way."""
        what, todo = why
        result = self._result(session_id, Outcome.CONFLICT, f"{what}: {todo}", bundle=bundle)
        return result._replace(todo=todo)

    def _unasked(self, bundle: Bundle, lines: int) -> tuple[str, str]:
        """What a replacement that nobody asked for here would do, and who can ask for it."""
        by_hand = self._survey.all_are_rivals
        what = "the file" if by_hand else f"{bundle.head.machine}'s version"
        how = "--replace" if by_hand else f"`claude-sync pull {bundle.head.session_id}`"
        return f"{what} {replaces(lines)}", f"{how} does that"

    def _conflict(
        self, session_id: str, rivals: Sequence[Bundle], *, here: bool
    ) -> tuple[str, str]:
        """That a session diverged, and how to choose."""
        names = sorted({rival.head.machine for rival in rivals})
        *before, last = ["this machine", *names] if here else names
        sides = f"on {', '.join(before)} and {last}" if before else f"in two copies of {last}"
        todo = f"choose with `claude-sync resolve {session_id}`"
        if self._survey.all_are_rivals:  # a file that was handed over: there is nothing to resolve
            todo = f"push from both into one shared folder, then {todo}"
        return f"it diverged {sides}", todo

    def _to_merge(self, local: LocalSession | None, rivals: Sequence[Bundle]) -> SetToMerge | None:
        """A rival of equal transcript whose other files may not all be here."""
        if local is None:
            return None
        return set_to_merge(self._context, self._survey, local, rivals)

    # -- applying -----------------------------------------------------------------------------

    def _apply_all(self, to_pull: Sequence[PlannedPull]) -> Iterator[Result]:
        self._progress = self._progress._replace(
            total=sum(planned.bundle.stamp.size for planned in to_pull),
            sessions_total=len(to_pull),
        )
        if not to_pull:
            return
        from claude_sync.sync.tree.pull_apply import groups

        self._context.progress(self._progress)
        for group in groups(to_pull):
            yield from self._apply(group)

    @cached_property
    def _applier(self) -> PullApplier:
        from claude_sync.sync.tree.pull_apply import PullApplier

        return PullApplier(self._context, self._survey)

    def _apply(self, group: Sequence[PlannedPull]) -> Iterator[Result]:
        if self._dry_run:
            for planned in group:
                doing = replaces(planned.only_here) if planned.only_here else "would be pulled"
                yield self._pulled(planned, doing)
            return
        for planned, done in self._applier.run(group):
            if isinstance(done, ClaudeSyncError):
                yield self._failure(planned.session_id, done, planned)
            else:
                pulled = self._pulled(planned, self._remark(planned, done.refused, done.held))
                yield pulled if done.is_change else pulled._replace(outcome=Outcome.UNCHANGED)
            self._progress = self._progress._replace(
                session_id=planned.session_id,
                done=self._progress.done + planned.bundle.stamp.size,
                sessions_done=self._progress.sessions_done + 1,
            )
            self._context.progress(self._progress)

    # -- results ------------------------------------------------------------------------------

    def _noted(self, result: Result) -> Result:
        if not self._dry_run:
            self._context.recorder.add_results("pull", (result,))
        return result

    def _pulled(self, planned: PlannedPull, message: str = "") -> Result:
        result = self._result(
            planned.session_id,
            _PLANNED[planned.kind],
            message,
            bundle=planned.bundle,
            directory=planned.directory,
        )
        path = planned.folder / f"{planned.session_id}{TRANSCRIPT_SUFFIX}"
        received = planned.fetched.received if planned.fetched is not None else 0
        from claude_sync.sync.tree.undo_record import from_elsewhere

        strange = from_elsewhere(self._survey.record(planned.session_id), planned.bundle.head.size)
        return result._replace(path=path, bytes=received, from_elsewhere=strange)

    def _remark(
        self, planned: PlannedPull, refused: Sequence[str], held: Sequence[SidecarFile]
    ) -> str:
        """What is to be said of a session that was pulled, a sentence; mostly nothing."""
        remarks = [_what_it_took(planned)]
        if refused:
            which = "one of its files isn't" if len(refused) == 1 else "some of its files aren't"
            kinds = join(sorted({path[1:].partition("/")[0] for path in refused}))
            remarks.append(f"{which} here, since something else is in the way below {kinds}")
        remarks += [self._why_held(planned.session_id, file.path) for file in held]
        return "; ".join(filter(None, remarks))

    def _why_held(self, session_id: str, plan: str) -> str:
        """Why a plan that came isn't here, a clause."""
        others = [one for one in self._survey.plans[plan] if one.session_id != session_id]
        for other in others:
            if self._survey.is_open(other):
                return f"its plan comes when {other.session_id}, which has it open here, is closed"
        return f"its plan isn't here, since {others[0].session_id} has another one of that name"

    def _failure(
        self, session_id: str, error: ClaudeSyncError, planned: PlannedPull | None = None
    ) -> Result:
        outcome = Outcome.FAILED
        if isinstance(error, SessionUnplaced):
            outcome = Outcome.UNPLACED
        elif isinstance(error, SessionOpen):
            outcome = Outcome.OPEN
        elif isinstance(error, SessionDivided):
            outcome = Outcome.CONFLICT
        elif isinstance(error, (BundleIncomplete, BundlePlaceholder, FileGone, SessionChanging)):
            outcome = Outcome.INCOMPLETE
        bundle = planned.bundle if planned is not None else None
        broken = isinstance(error, BundleError) and not error.passing
        result = self._result(session_id, outcome, str(error), bundle=bundle)
        return result._replace(broken=broken, code=type(error).__name__)

    def _result(
        self,
        session_id: str,
        outcome: Outcome,
        message: str = "",
        *,
        bundle: Bundle | None = None,
        directory: Path | None = None,
    ) -> Result:
        bundles = self._survey.bundles.get(session_id, ())
        shown = bundle or next(iter(bundles), None)
        copies = self._survey.local.get(session_id, ())
        return Result(
            session_id,
            outcome,
            project_key=shown.head.project_key if shown else "",
            machine=shown.head.machine if shown else "",
            bundle=shown.name if shown else "",
            path=copies[0].path if copies else None,
            directory=directory,
            message=message,
        )


def _what_it_took(planned: PlannedPull) -> str:
    if planned.only_here:
        were, are = ("was", "is") if planned.only_here == 1 else ("were", "are")
        lines = count(planned.only_here, "line")
        return f"{lines} that {were} only here {are} kept as an earlier version"
    if planned.shortened:
        return "its file had lost something that was here; that is back"
    if planned.moved:
        return f"it is resumed in its project's root, since {planned.moved}"
    return ""
