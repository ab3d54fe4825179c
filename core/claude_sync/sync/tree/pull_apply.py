"""Applying what a pull decided on: fetched, installed and remembered, a group at a time.

Order of steps: fetch each of the group beside its target · sync the group at once · install each ·
sync the folders that got new sessions · remember all that was installed. A crash anywhere leaves
whole files and, at worst, something that is found out again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from claude_sync.bundle.members import sidecar_digest
from claude_sync.claude.compare import Extent
from claude_sync.claude.session_files import is_plan
from claude_sync.disk import files
from claude_sync.disk.snapshot import translating_read_errors
from claude_sync.errors import ClaudeHomeError, ClaudeSyncError, Stopped
from claude_sync.model import Bundle, LocalSession, Version
from claude_sync.state.vault_entry import TRANSCRIPT
from claude_sync.store.delta import Request
from claude_sync.store.download import Fetched
from claude_sync.sync.context import Context
from claude_sync.sync.planner import PullKind
from claude_sync.sync.rivals import inherited_decisions
from claude_sync.sync.survey.companions import SharedFiles, Untouchable
from claude_sync.sync.survey.comparisons import given_up
from claude_sync.sync.survey.read_session import row_of_installed
from claude_sync.sync.survey.survey import Survey
from claude_sync.sync.tree.install import Installed, Installer, writing
from claude_sync.sync.tree.merge import Winner
from claude_sync.sync.tree.undo_record import from_elsewhere
from claude_sync.values import NamedTuple

_GROUP_SESSIONS = 200
_GROUP_BYTES = 64 << 20
_LEFTOVERS_SECONDS = 86_400.0


class PlannedPull(NamedTuple):
    """One session to be pulled.

    Attributes:
        bundle: what to install.
        kind: how it stands to what is here.
        local: what is here.
        version: its whole transcript.
        directory: where it is resumed.
        folder: where its transcript goes.
        moved: why it isn't in the directory that its bundle names, a clause; "" if it is.
        only_here: lines that are only here, where a decision made elsewhere takes their place.
        shortened: whether what is here lacks something that was said in it before.
        merge_only: whether the transcripts are equal and only the other files are to be merged.
        companions_win: whether the bundle's companions stand over those here.
        fetched: the bundle's bytes, once they are here.
    """

    bundle: Bundle
    kind: PullKind
    local: LocalSession | None
    version: Version | None
    directory: Path | None
    folder: Path
    moved: str = ""
    only_here: int = 0
    shortened: bool = False
    merge_only: bool = False
    companions_win: bool = True
    fetched: Fetched | None = None

    @property
    def session_id(self) -> str:
        return self.bundle.head.session_id


def groups(to_pull: Sequence[PlannedPull]) -> Iterator[list[PlannedPull]]:
    """Sessions in groups that are worth one sync of the disk, and no larger."""
    group: list[PlannedPull] = []
    size = 0
    for planned in to_pull:
        if group and (len(group) >= _GROUP_SESSIONS or size >= _GROUP_BYTES):
            yield group
            group, size = [], 0
        group.append(planned)
        size += planned.bundle.stamp.size
    if group:
        yield group


class PullApplier:
    """Installs what a pull decided on, group after group.

    Args:
        context: what to work with.
        survey: what was seen.
    """

    def __init__(self, context: Context, survey: Survey) -> None:
        self._context = context
        self._survey = survey
        self._installer = Installer(context.home, context.vault)
        self._prepared: set[Path] = set()
        self._written_plans: set[str] = set()

    def run(
        self, group: Sequence[PlannedPull]
    ) -> Iterator[tuple[PlannedPull, Installed | ClaudeSyncError]]:
        """Fetch and install a group of sessions; what went wrong with one stands in its place.

        Raises:
            StoreOffline, Stopped: the rest can't be pulled; what was installed is remembered.
        """
        group = [self._with_written_plans(planned) for planned in group]
        fetched: list[PlannedPull] = []
        installed: list[tuple[PlannedPull, Installed]] = []
        try:
            for planned, answer in self._fetch(group):
                if isinstance(answer, Fetched):
                    fetched.append(planned._replace(fetched=answer))
                else:
                    yield planned, answer
            with writing(self._context.home.projects):
                staged = [planned.fetched.staged() for planned in fetched if planned.fetched]
                files.sync([item for items in staged for item in items])
            for planned in fetched:
                self._context.check()
                try:
                    with translating_read_errors(planned.session_id):
                        installed.append((planned, self._install(planned)))
                except Stopped:
                    raise
                except ClaudeSyncError as error:
                    yield planned, error
        finally:
            outcomes = list(self._sync_new(installed))
            self._remember(
                (planned, done) for planned, done in outcomes if isinstance(done, Installed)
            )
            for planned in fetched:
                if planned.fetched is not None:
                    planned.fetched.discard()
        yield from outcomes

    def _fetch(
        self, group: Sequence[PlannedPull]
    ) -> Iterator[tuple[PlannedPull, Fetched | ClaudeSyncError]]:
        missing = []
        for planned in group:
            try:
                with writing(planned.folder):
                    self._prepare(planned.folder)
                    fetched = planned.fetched
                    moved = fetched.moved(planned.folder) if fetched is not None else None
            except ClaudeHomeError as error:
                if planned.fetched is not None:
                    planned.fetched.discard()
                yield planned, error
                continue
            if moved is None:
                missing.append(planned)
            else:
                yield planned, moved
        wanted = [
            Request(
                planned.bundle,
                planned.folder,
                self._context.home.mtime_to_restore(planned.bundle.head.mtime_ns),
                self._survey.rows.here(planned.local) if planned.local is not None else None,
            )
            for planned in missing
        ]
        yield from zip(missing, self._context.store.fetch(wanted, self._context.check), strict=True)

    def _prepare(self, folder: Path) -> None:
        """Make a folder of Claude's tree, or remove what a crash of ours left in it."""
        if folder in self._prepared:
            return
        files.make_private(folder)
        files.remove_leftovers(folder, older_than_seconds=_LEFTOVERS_SECONDS)
        self._prepared.add(folder)

    def _with_written_plans(self, planned: PlannedPull) -> PlannedPull:
        """The same, with the plans that came meanwhile with others that name them too.

        All else of it has to be what was looked at.
        """
        local = planned.local
        if local is None or not self._written_plans:
            return planned
        now = self._context.home.session_in(local.folder, local.session_id)
        plans = {
            path: stamp
            for path, stamp in (now.sidecar if now is not None else ())
            if path in self._written_plans
        }
        sidecar = tuple(sorted((dict(local.sidecar) | plans).items()))
        return planned._replace(local=local._replace(sidecar=sidecar))

    def _install(self, planned: PlannedPull) -> Installed:
        planned = self._with_written_plans(planned)
        done = self._installed(planned)
        undo = done.undo
        self._written_plans |= set(filter(is_plan, (*undo.added, *undo.kept)))
        return done

    def _installed(self, planned: PlannedPull) -> Installed:
        fetched = planned.fetched
        assert fetched is not None
        if planned.local is None or planned.version is None:
            untouchable = SharedFiles(self._survey, planned.session_id)
            return self._installer.install_unsynced(fetched, planned.folder, untouchable)
        if planned.merge_only and planned.companions_win:
            self._context.records.begin_merge(planned.session_id)
        new, old = fetched.head.version, planned.version
        extends = new == old or fetched.begins_with(old)
        return self._installer.install_over(
            fetched,
            planned.local,
            version=old,
            reason="pull",
            extends=extends,
            winner=Winner(
                theirs=None if planned.merge_only else True,
                companions=planned.companions_win,
                untouchable=Untouchable(self._survey, planned.session_id),
            ),
            transcript=not planned.merge_only,
        )

    def _sync_new(
        self, installed: Sequence[tuple[PlannedPull, Installed]]
    ) -> Iterator[tuple[PlannedPull, Installed | ClaudeSyncError]]:
        """Sync each folder that got new sessions, once; where that fails, all of those fail."""
        new: dict[Path, list[Installed]] = {}
        for planned, done in installed:
            if done.undo.before is None:
                new.setdefault(planned.folder, []).append(done)
        failed: dict[Path, ClaudeSyncError] = {}
        for folder, arrived in new.items():
            try:
                self._installer.sync_new(folder, arrived)
            except ClaudeHomeError as error:
                failed[folder] = error
        for planned, done in installed:
            why = failed.get(planned.folder) if done.undo.before is None else None
            yield planned, why or done

    # -- remembering --------------------------------------------------------------------------

    def _remember(self, installed: Iterable[tuple[PlannedPull, Installed]]) -> None:
        context, records, decisions = self._context, self._context.records, self._context.decisions
        with context.remembering():
            for planned, done in installed:
                session_id = planned.session_id
                before = decisions.of(session_id)
                undo = done.undo._replace(
                    decision=before.decision,
                    supersedes=before.supersedes,
                    from_elsewhere=self._from_elsewhere(planned, done),
                ).to_json()
                if done.undo.before is not None:
                    records.hold(session_id, done.undo.before)
                if planned.only_here and done.undo.entry:
                    old = context.vault.folder / done.undo.entry / TRANSCRIPT
                    lost = self._given_up(session_id, done, old)
                    decisions.supersede(session_id, lost)
                records.hold(session_id, done.undo.after)
                superseded, decision = inherited_decisions(
                    done.undo.after, self._survey.bundles[session_id]
                )
                decisions.supersede(session_id, superseded)
                decisions.stop_superseding(session_id, done.undo.after.sha256)
                decisions.decide(session_id, max(before.decision, decision))
                changes: dict[str, object] = {"unplaced_plan": self._remember_files(planned, done)}
                if done.is_change:
                    changes |= {"installed_ns": done.stamp.mtime_ns, "undo": undo}
                if planned.local is None and planned.directory is not None:
                    changes["directory"] = str(planned.directory)
                records.remember(session_id, **changes)
                self._survey.refresh(session_id)
                if planned.local is None and planned.directory is not None:
                    context.registry.learn(planned.directory, installed=True)

    def _from_elsewhere(self, planned: PlannedPull, done: Installed) -> int | None:
        """How much of what was installed came from elsewhere; None for all of it.

        What this machine is known to have written into its bundle, it had here before: of that no
        more counts than did then. That the bundle bears its name doesn't suffice.
        """
        record, after = self._survey.record(planned.session_id), done.undo.after
        is_own = planned.bundle.head.machine_id == self._context.machine.id
        return from_elsewhere(record, after.size) if is_own and record.written == after else None

    def _given_up(self, session_id: str, done: Installed, old: Path) -> list[str]:
        before, after = done.undo.before, done.undo.after
        if before is None or before == after or not old.exists():
            return []
        try:
            return given_up(
                self._context, session_id, Extent(old, before.size), Extent(done.path, after.size)
            )
        except OSError:
            return []  # One of them is gone: that costs a question.

    def _remember_files(self, planned: PlannedPull, done: Installed) -> str:
        """Remember which set of files lies here now; the plan that never lay here, "" for none."""
        records, session_id, head = self._context.records, planned.session_id, planned.bundle.head
        held = {file.path for file in done.held}
        never_here = self._survey.record(session_id).unplaced_plan if planned.local else ""
        if planned.local is None:
            never_here = next(iter(held), "")
        elif any(file.path == never_here for file in done.as_sent):
            never_here = ""
        waits = next(iter(held - {never_here}), "")
        version = done.undo.after
        records.merge(session_id, version, head.sidecar_sha256, head.revision, held=waits)
        local = self._context.home.session_in(planned.folder.name, session_id)
        # What only waits isn't changed here; and less than the bundle holds may have a place here.
        as_came = [*done.as_sent, *(file for file in done.held if file.path == waits)]
        as_came.sort(key=lambda file: file.path)
        if local is None or [path for path, _ in local.sidecar] != [file.path for file in as_came]:
            return never_here
        row = row_of_installed(local, version, as_came) if planned.local is None else None
        if row is not None:
            self._context.cache.put_local({str(local.path): row})
        digest = sidecar_digest(as_came)
        if digest != head.sidecar_sha256:
            records.merge(session_id, version, digest, head.revision)
        return never_here
