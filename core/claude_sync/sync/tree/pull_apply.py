"""Taking what a pull decided on: fetched beside its place, placed, remembered, a group at a time.

Order of steps: fetch each of the group · sync the group at once · place each · sync the folders
that got new sessions · remember all that was placed. A crash anywhere leaves whole files and, at
worst, something that is found out again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from claude_sync.claude.compare import Extent
from claude_sync.disk import files
from claude_sync.disk.snapshot import reading
from claude_sync.errors import ClaudeHomeError, ClaudeSyncError, Stopped
from claude_sync.model import Bundle, LocalSession, Version
from claude_sync.state.vault_entry import TRANSCRIPT
from claude_sync.store.delta import Request
from claude_sync.store.download import Fetched
from claude_sync.sync.context import Context
from claude_sync.sync.planner import Kind, inherited_decisions
from claude_sync.sync.survey.comparisons import given_up
from claude_sync.sync.survey.read_session import row_of_placed
from claude_sync.sync.survey.survey import Survey
from claude_sync.sync.tree.install import Installed, Installer, writing

_GROUP_SESSIONS = 200
_GROUP_BYTES = 64 << 20
_LEFTOVERS_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True)
class Step:
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


def take(
    context: Context, survey: Survey, group: Sequence[Step]
) -> Iterator[tuple[Step, Installed | ClaudeSyncError]]:
    """Fetch and place a group of sessions; what went wrong with one stands in its place.

    Raises:
        StoreOffline, Stopped: all that is left can't be taken; what was placed is remembered.
    """
    return _PullApplier(context, survey).run(group)


def groups(steps: Sequence[Step]) -> Iterator[list[Step]]:
    """Steps in groups that are worth one sync of the disk, and no larger."""
    group: list[Step] = []
    size = 0
    for step in steps:
        if group and (len(group) >= _GROUP_SESSIONS or size >= _GROUP_BYTES):
            yield group
            group, size = [], 0
        group.append(step)
        size += step.bundle.stamp.size
    if group:
        yield group


class _PullApplier:
    def __init__(self, context: Context, survey: Survey) -> None:
        self._context = context
        self._survey = survey
        self._installer = Installer(context.home, context.vault)
        self._prepared: set[Path] = set()

    def run(self, group: Sequence[Step]) -> Iterator[tuple[Step, Installed | ClaudeSyncError]]:
        """See `take`."""
        fetched: list[Step] = []
        placed: list[tuple[Step, Installed]] = []
        try:
            for step, answer in self._fetch(group):
                if isinstance(answer, Fetched):
                    fetched.append(replace(step, fetched=answer))
                else:
                    yield step, answer
            with writing(self._context.home.projects):
                staged = [step.fetched.staged() for step in fetched if step.fetched]
                files.sync([item for items in staged for item in items])
            for step in fetched:
                self._context.check()
                try:
                    with reading(step.session_id):
                        placed.append((step, self._place(step)))
                except Stopped:
                    raise
                except ClaudeSyncError as error:
                    yield step, error
        finally:
            settled = list(self._settle(placed))
            self._remember((step, done) for step, done in settled if isinstance(done, Installed))
            for step in fetched:
                if step.fetched is not None:
                    step.fetched.discard()
        yield from settled

    def _fetch(self, group: Sequence[Step]) -> Iterator[tuple[Step, Fetched | ClaudeSyncError]]:
        missing = []
        for step in group:
            try:
                with writing(step.folder):
                    self._prepare(step.folder)
                    moved = step.fetched.moved(step.folder) if step.fetched is not None else None
            except ClaudeHomeError as error:
                if step.fetched is not None:
                    step.fetched.discard()
                yield step, error
                continue
            if moved is None:
                missing.append(step)
            else:
                yield step, moved
        wanted = [
            Request(
                step.bundle,
                step.folder,
                self._context.home.mtime_to_restore(step.bundle.head.mtime_ns),
                self._survey.rows.here(step.local) if step.local is not None else None,
            )
            for step in missing
        ]
        yield from zip(missing, self._context.store.fetch(wanted, self._context.check), strict=True)

    def _prepare(self, folder: Path) -> None:
        """Make a folder of Claude's tree, or remove what a crash of ours left in it."""
        if folder in self._prepared:
            return
        files.make_private(folder)
        files.remove_leftovers(folder, older_than_seconds=_LEFTOVERS_SECONDS)
        self._prepared.add(folder)

    def _place(self, step: Step) -> Installed:
        fetched = step.fetched
        assert fetched is not None
        if step.local is None or step.version is None:
            return self._installer.put_new(fetched, step.folder)
        new, old = fetched.head.version, step.version
        extends = new == old or fetched.begins_with(old)
        return self._installer.install_over(
            fetched,
            step.local,
            old,
            "pull",
            extends=extends,
            theirs_win=None if step.merge_only else True,
            transcript=not step.merge_only,
        )

    def _settle(
        self, placed: Sequence[tuple[Step, Installed]]
    ) -> Iterator[tuple[Step, Installed | ClaudeSyncError]]:
        """Sync each folder that got new sessions, once; where that fails, all of those fail."""
        new: dict[Path, list[Installed]] = {}
        for step, done in placed:
            if done.undo.before is None:
                new.setdefault(step.folder, []).append(done)
        failed: dict[Path, ClaudeSyncError] = {}
        for folder, arrived in new.items():
            try:
                self._installer.settle(folder, arrived)
            except ClaudeHomeError as error:
                failed[folder] = error
        for step, done in placed:
            why = failed.get(step.folder) if done.undo.before is None else None
            yield step, why or done

    # -- remembering --------------------------------------------------------------------------

    def _remember(self, placed: Iterable[tuple[Step, Installed]]) -> None:
        context, records = self._context, self._context.records
        with context.database.transaction():
            for step, done in placed:
                head, session_id = step.bundle.head, step.session_id
                before = self._survey.record(session_id)
                undo = replace(
                    done.undo,
                    decision=before.decision,
                    supersedes=tuple(records.supersedes(session_id)),
                ).to_json()
                if done.undo.before is not None:
                    records.hold(session_id, done.undo.before)
                if done.undo.before is not None and done.undo.entry:
                    old = context.vault.folder / done.undo.entry / TRANSCRIPT
                    lost = self._given_up(session_id, done, old)
                    records.supersede(session_id, lost)
                records.hold(session_id, done.undo.after)
                told, decision = inherited_decisions(
                    done.undo.after, self._survey.bundles[session_id]
                )
                records.supersede(session_id, told)
                records.stop_superseding(session_id, done.undo.after.sha256)
                records.merge(session_id, head.sidecar_sha256)
                changes = {
                    "decision": max(before.decision, decision),
                    "placed_ns": done.stamp.mtime_ns,
                    "undo": undo,
                }
                if step.local is None and step.directory is not None:
                    changes["directory"] = str(step.directory)
                records.remember(session_id, **changes)
                self._survey.refresh(session_id)
                if step.local is None and step.directory is not None:
                    context.registry.learn(step.directory, placed=True)
                if step.local is None and step.fetched is not None:
                    self._remember_local(step, step.fetched)

    def _given_up(self, session_id: str, done: Installed, old: Path) -> list[str]:
        before, after = done.undo.before, done.undo.after
        if before is None or before == after or not old.exists():
            return []
        try:
            return given_up(
                self._context, session_id, Extent(old, before.size), Extent(done.path, after.size)
            )
        except OSError:
            return []  # Somebody took one of them away: that costs a question.

    def _remember_local(self, step: Step, fetched: Fetched) -> None:
        local = self._context.home.look(step.folder.name, step.session_id)
        if local is None:
            return
        sidecar = [file for file, _ in fetched.sidecar]
        row = row_of_placed(local, fetched.head.version, sidecar)
        if row is not None and len(local.sidecar) == len(sidecar):
            self._context.cache.put_local({str(local.path): row})
