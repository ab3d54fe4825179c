"""Pulling: what rivals the transcripts here, taken where the rules say so.

Order of steps: look · plan each session · fetch a group beside its targets · sync the group ·
place each · remember all of the group. A crash anywhere leaves whole files and, at worst,
something that is found out again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from claude_sync import files
from claude_sync.comparison import Extent, prefix_hashes
from claude_sync.errors import (
    BundleIncomplete,
    BundlePlaceholder,
    ClaudeSyncError,
    FileGone,
    SessionChanging,
    SessionDivided,
    SessionOpen,
    SessionUnplaced,
    Stopped,
)
from claude_sync.fetching import Fetched, Wanted
from claude_sync.model import Bundle, LocalSession, Outcome, Progress, Result, Version
from claude_sync.planner import Kind, PullPlan, plan_pull
from claude_sync.sync.context import Context
from claude_sync.sync.place import Placed, Placer
from claude_sync.sync.relations import Relations, given_up
from claude_sync.sync.survey import Survey, look, row_of_placed
from claude_sync.vault import TRANSCRIPT

_GROUP_SESSIONS = 200
_GROUP_BYTES = 64 << 20

_PLANNED = {
    Kind.IMPORT: Outcome.IMPORTED,
    Kind.FAST_FORWARD: Outcome.UPDATED,
    Kind.REPLACE: Outcome.REPLACED,
}


@dataclass(frozen=True, slots=True)
class _Step:
    """One session to be taken.

    Attributes:
        bundle: what to take.
        kind: how it relates to what is here.
        local: what is here.
        version: its whole transcript.
        directory: where it is resumed.
        folder: where its transcript goes.
        merge_only: whether the transcripts are equal and only sidecar files are to be merged.
        fetched: what is to be placed, once it is here.
    """

    bundle: Bundle
    kind: Kind
    local: LocalSession | None
    version: Version | None
    directory: Path | None
    folder: Path
    merge_only: bool = False
    fetched: Fetched | None = None

    @property
    def session_id(self) -> str:
        return self.bundle.head.session_id


def pull(
    context: Context,
    sessions: Sequence[str] | None = None,
    *,
    project: str | None = None,
    dry_run: bool = False,
) -> list[Result]:
    """Take what is newer elsewhere.

    Args:
        context: what to work with.
        sessions: ids, or beginnings of ids; a session that is gone here, or whose version was
            undone, comes back when it is named. None for all.
        project: only sessions of this project key.
        dry_run: say what would be done, and do nothing.

    Returns:
        a result for each session in the store that was asked for, and for each file there that
        had to be passed over.

    Raises:
        TransportError: the store isn't there.
        UsageError: a named session can't be told.
        LockBusy: another claude-sync is at work.
        Stopped: `context` said so; what was done is done.
    """
    with context.working("pulling"):
        return pull_surveyed(context, look(context), sessions, project=project, dry_run=dry_run)


def pull_surveyed(
    context: Context,
    survey: Survey,
    sessions: Sequence[str] | None = None,
    *,
    project: str | None = None,
    dry_run: bool = False,
) -> list[Result]:
    """The same from a survey that was just made, under the lock."""
    return _Pull(context, survey, named=sessions is not None, dry_run=dry_run).run(
        sessions, project
    )


class _Pull:
    def __init__(self, context: Context, survey: Survey, *, named: bool, dry_run: bool) -> None:
        self._context = context
        self._survey = survey
        self._named = named
        self._dry_run = dry_run
        self._placer = Placer(context.home, context.vault)
        self._done = 0

    def run(self, sessions: Sequence[str] | None, project: str | None) -> list[Result]:
        survey = self._survey
        if sessions is None:
            ids = [sid for sid in sorted(survey.bundles) if self._is_of(sid, project)]
        else:
            ids = list(dict.fromkeys(survey.find(prefix) for prefix in sessions))
        results: list[Result] = []
        steps: list[_Step] = []
        for session_id in ids:
            self._context.check()
            decided = self._decide(session_id)
            if isinstance(decided, Result):
                results.append(decided)
            else:
                steps.append(decided)
        for group in _groups(steps):
            results.extend(self._take(group, len(steps)))
        if not self._dry_run:
            survey.flush()
        if sessions is None and project is None:
            results.extend(
                Result(
                    problem.session_id,
                    problem.outcome,
                    bundle=problem.name,
                    message=problem.message,
                )
                for problem in survey.problems
            )
        return results

    def _is_of(self, session_id: str, project: str | None) -> bool:
        if project is None:
            return True
        return any(b.head.project_key == project for b in self._survey.bundles[session_id])

    # -- deciding -----------------------------------------------------------------------------

    def _decide(self, session_id: str) -> _Step | Result:
        survey = self._survey
        settled = None if self._named else survey.settled(session_id)
        if settled is not None:
            return self._result(session_id, settled)
        try:
            return self._plan(session_id)
        except Stopped:
            raise
        except ClaudeSyncError as error:
            return self._failure(session_id, error)

    def _plan(self, session_id: str) -> _Step | Result:
        survey, context = self._survey, self._context
        local = survey.copy(session_id)
        if local is None and survey.remember_of(session_id).seen and not self._named:
            return self._result(
                session_id,
                Outcome.GONE,
                "it was here and is gone; name it to have it back",
            )
        survey.read_back(session_id)
        declined = context.records.declined(session_id) if session_id in survey.declining else ()
        if declined and self._named and not self._dry_run:
            context.records.accept(session_id)
        _, _, all_rivals = survey.split(session_id)
        rivals = [
            rival for rival in all_rivals if self._named or rival.head.version not in declined
        ]
        if all_rivals and not rivals:
            return self._result(
                session_id, Outcome.DECLINED, "undone here; name it to take it after all"
            )
        mine = survey.mine(session_id, local)
        version = survey.row(local).whole if local is not None else None
        counted = mine.version if mine is not None else None
        with Relations(context, local, counted, survey.bundles.get(session_id, ())) as relations:
            plan = relations.settle(lambda: plan_pull(mine, rivals, relations))
            if mine is not None and not self._dry_run:
                context.records.hold(session_id, mine.version)
            step = self._step(session_id, plan, local, version, all_rivals)
            if isinstance(step, _Step) and not self._dry_run:
                step = replace(step, fetched=relations.take(step.bundle.head.version))
            return step

    def _step(
        self,
        session_id: str,
        plan: PullPlan,
        local: LocalSession | None,
        version: Version | None,
        rivals: Sequence[Bundle],
    ) -> _Step | Result:
        survey = self._survey
        if plan.kind is Kind.CONFLICT:
            return self._result(
                session_id,
                Outcome.CONFLICT,
                _conflict(plan.rivals, here=local is not None),
                plan.rivals[0],
            )
        if plan.kind in (Kind.NOTHING, Kind.AHEAD):
            merging = self._to_merge(local, rivals)
            if merging is None or local is None:
                ahead = plan.kind is Kind.AHEAD
                outcome = Outcome.AHEAD if ahead else Outcome.UNCHANGED
                return self._result(session_id, outcome)
            bundle, kind = merging, Kind.FAST_FORWARD
        else:
            bundle, kind = plan.rivals[0], plan.kind
        if local is not None:
            if survey.is_open(local):
                return self._result(session_id, Outcome.OPEN, "open here: close it first", bundle)
            merge_only = bundle.head.version == version
            directory = survey.directory(local)
            folder = local.path.parent
            return _Step(bundle, kind, local, version, directory, folder, merge_only)
        directory = survey.place(bundle)
        folder = self._context.home.folder_for(directory)
        return _Step(bundle, kind, None, None, directory, folder)

    def _to_merge(self, local: LocalSession | None, rivals: Sequence[Bundle]) -> Bundle | None:
        """A rival of equal transcript whose sidecar files may not all be here."""
        if local is None:
            return None
        row = self._survey.row(local)
        for rival in rivals:
            head = rival.head
            if (
                head.version == row.whole
                and head.sidecar_sha256 != row.sidecar_sha256
                and not self._context.records.is_merged(head.session_id, head.sidecar_sha256)
            ):
                return rival
        return None

    # -- taking -------------------------------------------------------------------------------

    def _take(self, group: Sequence[_Step], total: int) -> Iterator[Result]:
        if self._dry_run:
            for step in group:
                yield self._taken(step, None, "would be taken")
            return
        fetched: list[_Step] = []
        for step, answer in self._fetch(group):
            if isinstance(answer, Fetched):
                fetched.append(replace(step, fetched=answer))
            else:
                yield self._failure(step.session_id, answer, step)
        placed: list[tuple[_Step, Placed]] = []
        try:
            files.sync([item for step in fetched if step.fetched for item in step.fetched.staged()])
            for step in fetched:
                self._context.check()
                try:
                    placed.append((step, self._place(step)))
                except Stopped:
                    raise
                except ClaudeSyncError as error:
                    yield self._failure(step.session_id, error, step)
                self._done += 1
                self._context.progress(
                    Progress(
                        "Pulling", step.session_id, sessions_done=self._done, sessions_total=total
                    )
                )
        finally:
            self._remember(placed)
            for step in fetched:
                if step.fetched is not None:
                    step.fetched.discard()
        for step, done in placed:
            yield self._taken(step, done, "")

    def _fetch(self, group: Sequence[_Step]) -> Iterator[tuple[_Step, Fetched | ClaudeSyncError]]:
        missing = []
        for step in group:
            files.make_private(step.folder)
            if step.fetched is None:
                missing.append(step)
            else:
                yield step, step.fetched.moved(step.folder)
        wanted = [
            Wanted(
                step.bundle,
                step.folder,
                self._context.home.mtime_to_restore(step.bundle.head.mtime_ns),
                step.local,
                self._survey.row(step.local).sidecar_sha256 if step.local is not None else "",
            )
            for step in missing
        ]
        yield from zip(missing, self._context.store.fetch(wanted, self._context.check), strict=True)

    def _place(self, step: _Step) -> Placed:
        fetched = step.fetched
        assert fetched is not None
        if step.local is None or step.version is None:
            return self._placer.place_new(fetched, step.folder)
        new, old = fetched.transcript.version, step.version
        extends = new == old or _begins_with(fetched.transcript.path, old)
        theirs_win = not step.merge_only or self._theirs_are_smaller(step)
        return self._placer.place_over(
            fetched,
            step.local,
            old,
            "pull",
            extends=extends,
            theirs_win=theirs_win,
            transcript=not step.merge_only,
        )

    def _theirs_are_smaller(self, step: _Step) -> bool:
        """Of equal transcripts neither side wins; so all machines take the smaller digest's."""
        assert step.local is not None
        ours = self._survey.row(step.local).sidecar_sha256
        return step.bundle.head.sidecar_sha256 < ours

    # -- remembering --------------------------------------------------------------------------

    def _remember(self, placed: Iterable[tuple[_Step, Placed]]) -> None:
        context, records = self._context, self._context.records
        with context.database.transaction():
            for step, done in placed:
                head, session_id = step.bundle.head, step.session_id
                before = self._survey.remember_of(session_id)
                undo = _undo_text(context, session_id, done, before.decision)
                if done.undo.before is not None:
                    records.hold(session_id, done.undo.before)
                if done.undo.before is not None and done.undo.entry:
                    old = context.vault.folder / done.undo.entry / TRANSCRIPT
                    lost = self._given_up(session_id, done, old)
                    records.supersede(session_id, lost)
                records.hold(session_id, done.undo.after)
                records.supersede(session_id, head.supersedes)
                records.stop_superseding(session_id, done.undo.after.sha256)
                records.merge(session_id, head.sidecar_sha256)
                changes = {
                    "decision": max(before.decision, head.decision),
                    "placed_ns": done.stamp.mtime_ns,
                    "undo": undo,
                }
                if step.local is None and step.directory is not None:
                    changes["directory"] = str(step.directory)
                records.remember(session_id, **changes)
                self._survey.refresh(session_id)
                if step.local is None and step.fetched is not None:
                    self._remember_local(step, step.fetched)

    def _given_up(self, session_id: str, done: Placed, old: Path) -> list[str]:
        before, after = done.undo.before, done.undo.after
        if before is None or before == after or not old.exists():
            return []
        return given_up(
            self._context, session_id, Extent(old, before.size), Extent(done.path, after.size)
        )

    def _remember_local(self, step: _Step, fetched: Fetched) -> None:
        local = self._context.home.look(step.folder.name, step.session_id)
        if local is None:
            return
        sidecar = [file for file, _ in fetched.sidecar]
        row = row_of_placed(local, fetched.transcript.version, sidecar)
        if row is not None and len(local.sidecar) == len(sidecar):
            self._context.cache.put_local({str(local.path): row})

    # -- results ------------------------------------------------------------------------------

    def _taken(self, step: _Step, done: Placed | None, message: str) -> Result:
        result = self._result(
            step.session_id, _PLANNED[step.kind], message, step.bundle, step.directory
        )
        path = step.folder / f"{step.session_id}.jsonl"
        received = step.fetched.received if done is not None and step.fetched is not None else 0
        return replace(result, path=path, bytes=received)

    def _failure(
        self, session_id: str, error: ClaudeSyncError, step: _Step | None = None
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
        bundle = step.bundle if step is not None else None
        return self._result(session_id, outcome, str(error), bundle)

    def _result(
        self,
        session_id: str,
        outcome: Outcome,
        message: str = "",
        bundle: Bundle | None = None,
        directory: Path | None = None,
    ) -> Result:
        bundles = self._survey.bundles.get(session_id, ())
        shown = bundle or next(iter(bundles), None)
        copies = self._survey.local.get(session_id, ())
        return Result(
            session_id,
            outcome,
            shown.head.project_key if shown else "",
            shown.head.machine if shown else "",
            shown.name if shown else "",
            copies[0].path if copies else None,
            directory,
            message=message,
        )


def _begins_with(path: Path, version: Version) -> bool:
    return prefix_hashes(path, [version.size]).get(version.size) == version.sha256


def _conflict(rivals: Sequence[Bundle], *, here: bool) -> str:
    names = sorted({rival.head.machine for rival in rivals})
    sides = ", ".join(["this machine", *names] if here else names)
    return f"went on apart on {sides}: choose with `claude-sync resolve`"


def _groups(steps: Sequence[_Step]) -> Iterator[list[_Step]]:
    group: list[_Step] = []
    size = 0
    for step in steps:
        if group and (len(group) >= _GROUP_SESSIONS or size >= _GROUP_BYTES):
            yield group
            group, size = [], 0
        group.append(step)
        size += step.bundle.stamp.size
    if group:
        yield group


def _undo_text(context: Context, session_id: str, done: Placed, decision: int) -> str:
    undo = asdict(done.undo)
    undo["decision"] = decision
    undo["supersedes"] = context.records.supersedes(session_id)
    return json.dumps(undo)
