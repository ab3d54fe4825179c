"""Pushing: the transcripts here, written into this machine's own bundles.

Order of steps: look · plan each session · what the new bundle doesn't hold of the old one goes into
the vault · write, a group at a time, each durable before the next step · remember the group ·
remove older files of a session that moved. Nothing here touches Claude's tree.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path

from claude_sync.claude_home import sidecar_folder
from claude_sync.comparison import Extent, prefix_hashes
from claude_sync.errors import ClaudeSyncError, SessionDivided, SessionNotFound, Stopped
from claude_sync.fetching import Wanted
from claude_sync.model import Bundle, LocalSession, Outcome, Progress, ProjectKey, Result
from claude_sync.outgoing import Outgoing, Sent, layout_files
from claude_sync.pack import Label
from claude_sync.planner import Mine, PushKind, plan_push
from claude_sync.sync.context import Context
from claude_sync.sync.naming import bundle_name, is_ignored, is_named_for
from claude_sync.sync.place import fill_entry
from claude_sync.sync.reading import read_sidecar
from claude_sync.sync.relations import Relations, given_up
from claude_sync.sync.survey import NO_SIDECAR, Survey, look

_RECORDS_A_GROUP = 200
_BEHIND = "this machine's own bundle is newer than its copy here: pull first"


@dataclass(frozen=True, slots=True)
class _Step:
    """One session to be written."""

    local: LocalSession
    project: ProjectKey
    directory: Path | None
    own: Bundle | None
    keep_own: bool


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
        UsageError: a named session can't be told.
        LockBusy: another claude-sync is at work.
        Stopped: `context` said so; what was done is done.
    """
    with context.working("pushing"):
        return push_surveyed(context, look(context), sessions, project=project)


def push_surveyed(
    context: Context,
    survey: Survey,
    sessions: Sequence[str] | None = None,
    *,
    project: str | None = None,
    named: bool | None = None,
) -> list[Result]:
    """The same from a survey that was just made, under the lock.

    Args:
        named: whether a person named the sessions; None if there are any.
    """
    named = sessions is not None if named is None else named
    return _Push(context, survey, named=named).run(sessions, project)


class _Push:
    def __init__(self, context: Context, survey: Survey, *, named: bool) -> None:
        self._context = context
        self._survey = survey
        self._named = named

    def run(self, sessions: Sequence[str] | None, project: str | None) -> list[Result]:
        survey = self._survey
        if sessions is None:
            ids = sorted(survey.local)
        else:
            ids = list(dict.fromkeys(survey.find(prefix) for prefix in sessions))
        results: list[Result] = []
        steps: list[_Step] = []
        for session_id in ids:
            self._context.check()
            decided = self._decide(session_id, project)
            if isinstance(decided, Result):
                results.append(decided)
            elif decided is not None:
                steps.append(decided)
        results.extend(self._write(steps))
        survey.flush()
        return results

    # -- deciding -----------------------------------------------------------------------------

    def _decide(self, session_id: str, project: str | None) -> _Step | Result | None:
        survey = self._survey
        try:
            local = survey.copy(session_id)
            if local is None:
                raise SessionNotFound(
                    "the session isn't on this machine", where=session_id, todo="pull it first"
                )
            if not self._named and survey.remember_of(session_id).forgotten:
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
            if project is None and not self._named and is_ignored(self._context, belongs.key):
                return None
            return self._plan(local, belongs)
        except Stopped:
            raise
        except ClaudeSyncError as error:
            return self._failure(session_id, error)

    def _plan(self, local: LocalSession, project: ProjectKey) -> _Step | Result:
        survey, session_id = self._survey, local.session_id
        survey.read_back(session_id)
        own, own_is_rival, rivals = survey.split(session_id)
        moved = own is not None and not is_named_for(own, project.key, self._context.machine.name)
        if not (moved or self._named or own_is_rival) and survey.is_pushed(local, own):
            return self._result(local, Outcome.UNCHANGED, project.key, own)
        mine = self._mine(local)
        bundles = survey.bundles.get(session_id, ())
        with Relations(self._context, local, mine.version, bundles) as relations:
            self._give_up(local, mine, rivals, relations)
            mine = self._mine(local)
            plan = relations.settle(lambda: plan_push(mine, own, own_is_rival, relations))
        if plan.kind is PushKind.BEHIND:
            return self._result(local, Outcome.BEHIND, project.key, own, _BEHIND)
        keep_own = own is not None and (plan.keep_own or self._loses_sidecar(local, own))
        unchanged = plan.kind is PushKind.UNCHANGED or (
            not self._named and not keep_own and survey.is_elsewhere(local, rivals)
        )
        if unchanged and not moved:
            if own is not None and own.head.version == mine.version:
                self._note_written(session_id, own)
            return self._result(local, Outcome.UNCHANGED, project.key, own)
        return _Step(local, project, survey.directory(local), own, keep_own)

    def _mine(self, local: LocalSession) -> Mine:
        mine = self._survey.mine(local.session_id, local)
        assert mine is not None
        return mine

    def _give_up(
        self, local: LocalSession, mine: Mine, rivals: Sequence[Bundle], relations: Relations
    ) -> None:
        """Remember which versions in the store this one replaces: held once, no longer extended."""
        lost = []
        for rival in rivals:
            version = rival.head.version
            if version not in mine.held or version == mine.version:
                continue
            parting = relations.learn(mine.version, version)
            if not parting.extends and not parting.extended:
                lost.append(version.sha256)
        if lost:
            self._context.records.supersede(local.session_id, lost)
            self._survey.refresh(local.session_id)

    def _loses_sidecar(self, local: LocalSession, own: Bundle) -> bool:
        """Whether the own bundle may hold a sidecar file that the new one wouldn't."""
        row = self._survey.row(local)
        if own.head.sidecar_sha256 in (row.sidecar_sha256, NO_SIDECAR):
            return False
        remembered = self._survey.remember_of(local.session_id)
        known = layout_files(remembered.layout) if remembered.name == own.name else None
        if known is None:
            return True
        here = {file.path: file for file in read_sidecar(local, self._context.check)}
        folder = sidecar_folder(local.path)
        return any(
            path not in here
            or (
                here[path].sha256 != sha256
                and prefix_hashes(folder / path, [size]).get(size) != sha256
            )
            for path, (size, sha256) in known.items()
        )

    # -- writing ------------------------------------------------------------------------------

    def _write(self, steps: Sequence[_Step]) -> Iterator[Result]:
        by_name: dict[str, _Step] = {}
        failed: list[Result] = []

        def outgoing() -> Iterator[Outgoing]:
            for step in steps:
                try:
                    made = self._outgoing(step)
                except Stopped:
                    raise
                except ClaudeSyncError as error:
                    failed.append(self._failure(step.local.session_id, error))
                    continue
                by_name[made.name] = step
                yield made

        written: list[tuple[_Step, Sent, Bundle]] = []
        try:
            for done, sent in enumerate(
                self._context.store.send(outgoing(), self._context.check), 1
            ):
                step = by_name[sent.outgoing.name]
                session_id = step.local.session_id
                if sent.bundle is None or sent.error is not None:
                    assert sent.error is not None
                    yield self._failure(session_id, sent.error)
                else:
                    written.append((step, sent, sent.bundle))
                    result = self._result(step.local, Outcome.PUSHED, step.project.key, sent.bundle)
                    yield replace(result, bytes=sent.sent, directory=step.directory)
                if len(written) >= _RECORDS_A_GROUP:
                    self._remember(written)
                    written = []
                self._context.progress(
                    Progress("Pushing", session_id, sessions_done=done, sessions_total=len(steps))
                )
        finally:
            self._remember(written)
        yield from failed

    def _outgoing(self, step: _Step) -> Outgoing:
        context, survey, local = self._context, self._survey, step.local
        session_id, own = local.session_id, step.own
        if own is not None and step.keep_own:
            self._keep(local, own)
        remembered = survey.remember_of(session_id)
        row, is_open = survey.row(local), survey.is_open(local)
        revisions = [
            bundle.head.revision
            for bundle in survey.bundles.get(session_id, ())
            if bundle.head.machine_id == context.machine.id
        ]
        label = Label(
            session_id,
            step.project.key,
            step.project.subpath,
            context.machine.name,
            context.machine.id,
            1 + max([remembered.revision, *revisions]),
            datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            row.stamp.mtime_ns,
            row.title,
            is_open,
            survey.supersedes(session_id),
            remembered.decision,
        )
        there = survey.bundles.get(session_id, ())
        name = bundle_name(context.machine, step.project.key, session_id, there)
        extends = own is not None and own.name == name and not step.keep_own
        return Outgoing(
            name,
            local,
            label,
            row.cut if is_open else row.whole,
            is_open,
            own if extends else None,
            remembered.layout if remembered.name == name else "",
        )

    def _keep(self, local: LocalSession, own: Bundle) -> None:
        """Put the own bundle's version into the vault, and what it gave up into the records."""
        context, session_id = self._context, local.session_id

        def fill(folder: Path) -> None:
            fetched = context.store.fetch_one(Wanted(own, folder), context.check)
            fill_entry(folder, fetched)

        kept = context.vault.keep_stream(
            session_id, "push", own.head.version, fill, own.head.mtime_ns
        )
        row = self._survey.row(local)
        version = row.cut if self._survey.is_open(local) else row.whole
        context.records.hold(session_id, version)
        lost = given_up(
            context,
            session_id,
            Extent(kept.transcript, own.head.size),
            Extent(local.path, version.size),
        )
        context.records.supersede(session_id, lost)
        self._survey.refresh(session_id)

    # -- remembering --------------------------------------------------------------------------

    def _remember(self, written: Sequence[tuple[_Step, Sent, Bundle]]) -> None:
        records, older = self._context.records, []
        with self._context.database.transaction():
            self._context.store.remember(bundle for _, _, bundle in written)
            for step, sent, bundle in written:
                session_id = step.local.session_id
                records.hold(session_id, bundle.head.version)
                records.remember(
                    session_id,
                    written=bundle.head.version,
                    revision=bundle.head.revision,
                    name=bundle.name,
                    layout=sent.layout,
                    forgotten=0,
                )
                older += self._older_files(session_id, bundle)
        if older:
            self._context.store.remove(older)

    def _older_files(self, session_id: str, bundle: Bundle) -> list[str]:
        """This machine's files of a session under other names that it gave them itself."""
        return [
            other.name
            for other in self._survey.bundles.get(session_id, ())
            if other.head.machine_id == self._context.machine.id
            and other.name != bundle.name
            and is_named_for(other, other.head.project_key, other.head.machine)
        ]

    def _note_written(self, session_id: str, own: Bundle) -> None:
        remembered = self._survey.remember_of(session_id)
        version = own.head.version
        if remembered.written == version and remembered.seen:
            return
        with self._context.database.transaction():
            self._context.records.hold(session_id, version)
            self._context.records.remember(
                session_id, written=version, revision=own.head.revision, name=own.name
            )

    # -- results ------------------------------------------------------------------------------

    def _failure(self, session_id: str, error: ClaudeSyncError) -> Result:
        copies = self._survey.local.get(session_id, ())
        outcome = Outcome.CONFLICT if isinstance(error, SessionDivided) else Outcome.FAILED
        return Result(
            session_id,
            outcome,
            machine=self._context.machine.name,
            path=copies[0].path if copies else None,
            message=str(error),
        )

    def _result(
        self,
        local: LocalSession,
        outcome: Outcome,
        key: str = "",
        bundle: Bundle | None = None,
        message: str = "",
    ) -> Result:
        return Result(
            local.session_id,
            outcome,
            key,
            self._context.machine.name,
            bundle.name if bundle is not None else "",
            local.path,
            message=message,
        )
