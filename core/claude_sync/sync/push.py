"""Pushing: the transcripts here, written into this machine's own bundles.

Order of steps: look · judge each session · write what is to be written
(`bundles/push_write.py`). Nothing here touches Claude's tree.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from claude_sync.disk.snapshot import translating_read_errors
from claude_sync.errors import (
    BundleError,
    BundleIncomplete,
    BundlePlaceholder,
    ClaudeSyncError,
    FileArrived,
    SessionDivided,
    SessionNotFound,
    Stopped,
    StoreOffline,
)
from claude_sync.model import Bundle, LocalSession, Outcome, Progress, ProjectKey, Result
from claude_sync.sync.bundles.naming import is_ignored, is_named_for
from claude_sync.sync.context import Context
from claude_sync.sync.survey.look import look
from claude_sync.sync.survey.survey import Survey, unreadable
from claude_sync.sync.survey.titles import with_titles
from claude_sync.wording import held_back

# Imported where it is used: most pushes find nothing to compare and nothing to write.
if TYPE_CHECKING:
    from claude_sync.store.upload import Sent
    from claude_sync.sync.bundles.pack_ahead import PackingAhead
    from claude_sync.sync.bundles.push_write import PlannedPush
    from claude_sync.sync.rivals import Mine
    from claude_sync.sync.survey.comparisons import Comparisons

_CHEAP_BYTES = 4 << 20
_UNBEGUN = "not one line of it is whole yet"
_BEHIND = "this machine's own bundle is newer than its copy here: pull first"


def push(
    context: Context, sessions: Sequence[str] | None = None, *, project: str | None = None
) -> list[Result]:
    """Write what changed here into the store.

    Args:
        context: what to work with.
        sessions: ids, or beginnings of ids. A session that was forgotten, or whose project is
            ignored, is pushed when it is named. None for all that changed.
        project: only sessions of this project key, ignored or not.

    Returns:
        a result for each session here that was asked for.

    Raises:
        TransportError: the store isn't there.
        UsageError: no session, or more than one, has a name that was given.
        LockBusy: another claude-sync is at work.
        Stopped: `context` said so; what was done is done.
    """
    with context.working("pushing"):
        if not context.store.remote:
            return push_surveyed(context, look(context), sessions, project=project)
        from claude_sync.sync.bundles.pack_ahead import PackingAhead

        ahead = PackingAhead(context, sessions, project)
        survey = look(context, meanwhile=ahead.meanwhile)
        return push_surveyed(context, survey, sessions, project=project, ahead=ahead)


def push_surveyed(
    context: Context,
    survey: Survey,
    sessions: Sequence[str] | None = None,
    *,
    project: str | None = None,
    named: bool | None = None,
    ahead: PackingAhead | None = None,
) -> list[Result]:
    """The same from a survey that was just made, under the lock.

    Args:
        named: whether a person named the sessions; None if there are any.
        ahead: what was packed while the store answered.

    Raises:
        TransportError: the store went away.
        UsageError: no session, or more than one, has a name that was given.
        Stopped: `context` said so; what was done is done.
    """
    named = sessions is not None if named is None else named
    results = _Push(context, survey, ahead, named=named).run(sessions, project)
    context.vault.tidy()
    return with_titles(survey, results, named=named)


class _Push:
    def __init__(
        self, context: Context, survey: Survey, ahead: PackingAhead | None, *, named: bool
    ) -> None:
        self._context = context
        self._survey = survey
        self._ahead = ahead
        self._named = named

    def run(self, sessions: Sequence[str] | None, project: str | None) -> list[Result]:
        survey = self._survey
        if sessions is None:
            ids = sorted(survey.local)
        else:
            ids = list(dict.fromkeys(survey.find(prefix) for prefix in sessions))
        results: list[Result] = []
        to_push: list[PlannedPush] = []
        with self._context.decisions.together():
            for session_id in ids:
                self._context.check()
                decided = self._decide(session_id, project)
                if isinstance(decided, Result):
                    results.append(self._noted(decided))
                elif decided is not None:
                    to_push.append(decided)
        if sessions is None:
            results.extend(map(self._noted, self._unseen(project)))
        if to_push:
            results.extend(self._write(to_push))
        survey.flush()
        return results

    def _unseen(self, project: str | None) -> Iterator[Result]:
        """What of Claude's tree can't be seen, and so isn't pushed, of all that was asked for."""
        survey, here = self._survey, self._context.machine.name
        for unseen in survey.tree.unseen:
            if project is None or survey.may_be_of(unseen, project):
                error = unreadable(unseen)
                yield Result(
                    unseen.session_id,
                    Outcome.FAILED,
                    machine=here,
                    path=unseen.path,
                    message=str(error),
                    code=type(error).__name__,
                )

    # -- deciding -----------------------------------------------------------------------------

    def _decide(self, session_id: str, project: str | None) -> PlannedPush | Result | None:
        try:
            with translating_read_errors(session_id):
                return self._decided(session_id, project)
        except Stopped:
            raise
        except ClaudeSyncError as error:
            return self._failure(session_id, error)

    def _decided(self, session_id: str, project: str | None) -> PlannedPush | Result | None:
        survey = self._survey
        local = survey.copy(session_id)
        if local is None:
            raise SessionNotFound(
                "the session isn't on this machine", where=session_id, todo="pull it first"
            )
        if survey.is_blank(session_id):
            return (
                None
                if not self._named
                else self._result(local, Outcome.UNCHANGED, message="its transcript is empty")
            )
        if not self._named and self._context.decisions.of(session_id).forgotten:
            return self._result(
                local, Outcome.UNCHANGED, message="forgotten; name it to push it again"
            )
        belongs = survey.project(local)
        if belongs is None:
            return self._result(
                local, Outcome.UNPLACED, message="no directory here is known for it"
            )
        if project is not None and belongs.key != project:
            return None
        if (
            project is None
            and not self._named
            and is_ignored(belongs.key, self._context.preferences.ignore)
        ):
            return None
        survey.check_seen(session_id)
        return self._plan(local, belongs)

    def _is_unbegun(self, local: LocalSession) -> bool:
        """Whether not even one line of a transcript is whole: then it is no version at all."""
        return not self._survey.rows.summary(local).begun

    def _plan(self, local: LocalSession, project: ProjectKey) -> PlannedPush | Result:
        survey, session_id = self._survey, local.session_id
        survey.learn_from_bundles(session_id, local)
        own, own_is_rival, _ = survey.split(session_id)
        moved = own is not None and not own_is_rival and self._is_elsewhere(own, project)
        if not (moved or self._named or own_is_rival) and survey.is_pushed(local, own):
            return self._result(local, Outcome.UNCHANGED, project.key, own)
        if not survey.bundles.get(session_id) and survey.record(session_id).intact is None:
            if self._is_unbegun(local):
                return self._result(local, Outcome.UNCHANGED, project.key, message=_UNBEGUN)
            from claude_sync.sync.bundles.push_write import PlannedPush

            # Whatever it is, it is written: so it is read only once, while it is.
            return PlannedPush(local, project, None, keep_own=False)
        return self._judged(local, project, moved=moved)

    def _judged(
        self, local: LocalSession, project: ProjectKey, *, moved: bool
    ) -> PlannedPush | Result:
        from claude_sync.sync.bundles.push_write import PlannedPush
        from claude_sync.sync.judge import judge
        from claude_sync.sync.planner import PushKind
        from claude_sync.sync.survey.companions import is_elsewhere

        survey, session_id = self._survey, local.session_id
        own, own_is_rival, rivals = survey.split(session_id)
        with judge(self._context, survey, session_id) as judgement:
            mine = judgement.mine
            assert mine is not None
            plan = judgement.plan_push()
            if plan.kind is PushKind.SHORTENED:
                what, todo = judgement.what_mends_it(session_id)
                shortened = self._result(
                    local, Outcome.SHORTENED, project.key, bundle=own, message=f"{what}: {todo}"
                )
                return shortened._replace(todo=todo)
            if plan.kind is PushKind.BEHIND:
                return self._result(local, Outcome.BEHIND, project.key, bundle=own, message=_BEHIND)
            keep_own = own is not None and (
                plan.keep_own
                or _loses_transcript(mine, own, judgement.comparisons)
                or self._loses_sidecar(local, own, is_ours=not own_is_rival)
            )
            if self._is_unbegun(local):
                return self._result(local, Outcome.UNCHANGED, project.key, message=_UNBEGUN)
        unchanged = plan.kind is PushKind.UNCHANGED or (
            not self._named and not keep_own and is_elsewhere(self._context, survey, local, rivals)
        )
        if unchanged and not moved:
            if own is not None and self._named and self._is_damaged(own):
                from claude_sync.sync.bundles.keep import keep_unreadable

                keep_unreadable(self._context, session_id, own.name, "push")
                return PlannedPush(local, project, None, keep_own=False)
            if own is not None and own.head.version == mine.version:
                self._note_written(session_id, own)
            return self._result(local, Outcome.UNCHANGED, project.key, own)
        return PlannedPush(local, project, own, keep_own)

    def _is_damaged(self, own: Bundle) -> bool:
        """Whether a bundle doesn't hold what it says of itself.

        Asked for what a person named. A big one isn't fetched for that from where bytes cost.
        """
        store = self._context.store
        if store.remote and own.stamp.size > _CHEAP_BYTES:
            return False
        [(_, error)] = store.verify([own])
        return isinstance(error, BundleError)

    def _is_elsewhere(self, own: Bundle, project: ProjectKey) -> bool:
        """Whether the own bundle isn't where it belongs, or an older one is still beside it."""
        head, machine = own.head, self._context.machine.name
        session_id = head.session_id
        name = self._survey.record(session_id).name
        # What was written under this name, for this key and machine, is asked for no names again.
        as_written = name == own.name and head.project_key == project.key
        names = self._context.store.names
        if not (as_written and head.machine == machine) and not is_named_for(
            names, own, project.key, machine
        ):
            return True
        return name != own.name and any(
            other.name == name for other in self._survey.bundles[session_id]
        )

    def _loses_sidecar(self, local: LocalSession, own: Bundle, *, is_ours: bool) -> bool:
        """Whether the own bundle may hold a file that the new one wouldn't.

        Companions don't count where it `is_ours`, what this machine wrote last: the client changed
        them in place since. They do where it holds checkpoints that don't travel any more.
        """
        from claude_sync.sync.bundles.keep import NO_SIDECAR, sidecars_lie_here
        from claude_sync.sync.survey.companions import still_has_checkpoints

        row = self._survey.row(local)
        if own.head.sidecar_sha256 in (row.sidecar_sha256, NO_SIDECAR):
            return False
        layout = self._survey.record(local.session_id).layout
        companions = not is_ours or still_has_checkpoints(self._context, self._survey, own)
        return not sidecars_lie_here(
            self._context, local, layout=layout, bundle=own, companions=companions
        )

    # -- writing ------------------------------------------------------------------------------

    def _write(self, to_push: Sequence[PlannedPush]) -> Iterator[Result]:
        from claude_sync.sync.bundles.allowance import Allowance, bytes_to_send
        from claude_sync.sync.bundles.push_write import PushWriter

        writer = PushWriter(self._context, self._survey, self._ahead, named=self._named)
        allowance = Allowance(self._context, named=self._named)
        waiting = [
            one
            for one in to_push
            if not allowance.allows(bytes_to_send(self._context, one.local, one.own))
        ]
        for planned in waiting:
            yield self._result(
                planned.local,
                Outcome.HELD,
                planned.project.key,
                bundle=planned.own,
                message=allowance.explanation(),
            )
        to_push = [one for one in to_push if one not in waiting]
        progress = Progress(
            "Pushing",
            total=sum(planned.local.stamp.size for planned in to_push),
            sessions_total=len(to_push),
        )
        self._context.progress(progress)
        broken: list[Result] = []
        for done, (planned, answer) in enumerate(writer.run(to_push), 1):
            session_id = planned.local.session_id
            if not isinstance(answer, ClaudeSyncError):
                allowance.spend(answer.sent)
                if isinstance(answer.error, (StoreOffline, Stopped)):
                    # Mostly it is raised next, for all that is left; else it is said at the end.
                    broken.append(self._answered(planned, answer))
                    continue
            yield self._noted(self._answered(planned, answer))
            progress = progress._replace(
                session_id=session_id,
                done=progress.done + planned.local.stamp.size,
                sessions_done=done,
            )
            self._context.progress(progress)
        yield from map(self._noted, broken)

    def _answered(self, planned: PlannedPush, answer: Sent | ClaudeSyncError) -> Result:
        error = answer if isinstance(answer, ClaudeSyncError) else answer.error
        if isinstance(answer, ClaudeSyncError) or error is not None:
            assert error is not None
            failure = self._failure(planned.local.session_id, error)
            return failure._replace(project_key=planned.project.key)
        result = self._result(
            planned.local,
            Outcome.PUSHED,
            planned.project.key,
            bundle=answer.bundle,
            message=_left_out(planned.local),
        )
        directory = self._survey.directory(planned.local)
        return result._replace(bytes=answer.sent, directory=directory)

    def _note_written(self, session_id: str, own: Bundle) -> None:
        remembered = self._survey.record(session_id)
        version = own.head.version
        if remembered.written == version and remembered.seen:
            return
        with self._context.database.transaction():
            self._context.records.hold(session_id, version)
            self._context.records.remember(
                session_id, written=version, revision=own.head.revision, name=own.name
            )

    # -- results ------------------------------------------------------------------------------

    def _noted(self, result: Result) -> Result:
        self._context.recorder.add_results("push", (result,))
        return result

    def _failure(self, session_id: str, error: ClaudeSyncError) -> Result:
        copies = self._survey.local.get(session_id, ())
        outcome = Outcome.FAILED
        if isinstance(error, SessionDivided):
            outcome = Outcome.CONFLICT
        elif isinstance(error, (BundleIncomplete, BundlePlaceholder, FileArrived)):
            outcome = Outcome.INCOMPLETE
        return Result(
            session_id,
            outcome,
            machine=self._context.machine.name,
            path=copies[0].path if copies else None,
            message=str(error),
            code=type(error).__name__,
        )

    def _result(
        self,
        local: LocalSession,
        outcome: Outcome,
        key: str = "",
        bundle: Bundle | None = None,
        *,
        message: str = "",
    ) -> Result:
        return Result(
            local.session_id,
            outcome,
            project_key=key,
            machine=self._context.machine.name,
            bundle=bundle.name if bundle is not None else "",
            path=local.path,
            message=message,
        )


def _loses_transcript(mine: Mine, own: Bundle, comparisons: Comparisons) -> bool:
    """Whether the own bundle holds bytes that mine doesn't; an unfinished line is some too."""
    theirs = own.head.version
    return mine.version != theirs and comparisons.learn(mine.version, theirs).common < theirs.size


def _left_out(local: LocalSession) -> str:
    """The message about files that aren't in the bundle."""
    messages = []
    if local.left_out:
        messages.append(
            f"{local.left_out:,} of its files stay on this machine only: their names aren't "
            "allowed on every system, or there are more than 10,000"
        )
    if local.held_back:
        messages.append(held_back(local.held_back))
    return "; ".join(messages)
