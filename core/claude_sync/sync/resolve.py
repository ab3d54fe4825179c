"""Resolving: a person chose which side of a conflict stands.

Order of steps: look, and refuse if what was shown has changed · fetch what is given up into the
vault · install what is kept · remember the decision and what was given up · push at once, so that
the other machines follow.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from claude_sync.bundle.members import next_after
from claude_sync.claude.compare import Extent
from claude_sync.disk.prefix_hashes import begins_with
from claude_sync.disk.snapshot import translating_read_errors
from claude_sync.errors import SessionChanging, UsageError
from claude_sync.model import Bundle, Outcome, Result, Version
from claude_sync.state.vault_entry import TRANSCRIPT
from claude_sync.sync.bundles.keep import keep_bundle
from claude_sync.sync.conflict import Conflict, find_conflict, no_conflict
from claude_sync.sync.context import Context
from claude_sync.sync.push import push_surveyed
from claude_sync.sync.rivals import inherited_decisions
from claude_sync.sync.survey.comparisons import given_up
from claude_sync.sync.survey.survey import Survey, look
from claude_sync.sync.tree.resolve_apply import InstalledSide, copy_id, install_copy, install_side
from claude_sync.sync.tree.undo_record import UndoRecord

MINE, THEIRS, BOTH = "mine", "theirs", "both"


def resolve(
    context: Context, session: str, keep: str, *, shown: Collection[Version] | None = None
) -> list[Result]:
    """Settle a conflict.

    Args:
        context: what to work with.
        session: its id, or the beginning of it.
        keep: "mine", "theirs" (where there is one rival), a machine's name, or "both": then each
            rival becomes a session of its own, under an id that is the same on every machine.
        shown: the versions that the person saw; None for whatever there is now.

    Returns:
        what was installed here and what was pushed.

    Raises:
        UsageError: there is no conflict, or that choice isn't offered.
        SessionOpen: it is open here.
        SessionChanging: a side is no longer what was shown: show it again.
        TransportError: the store went away.
        VaultError: what is given up can't be kept.
        ClaudeHomeError: Claude Code's folder can't be written.
    """
    with context.working("resolving"):
        survey = look(context)
        session_id = survey.find(session)
        conflict = find_conflict(context, survey, session_id)
        if conflict is None:
            raise no_conflict(session_id)
        if shown is not None and frozenset(shown) != conflict.versions:
            raise SessionChanging(
                "a side of the conflict has changed since it was shown",
                where=session_id,
                todo="look at it again, then choose",
            )
        if conflict.local is not None:
            survey.check_closed(conflict.local)
        return _Resolve(context, survey, conflict).run(keep)


class _Resolve:
    def __init__(self, context: Context, survey: Survey, conflict: Conflict) -> None:
        self._context = context
        self._survey = survey
        self._conflict = conflict

    def run(self, keep: str) -> list[Result]:
        conflict = self._conflict
        if keep == BOTH:
            results = self._keep_both()
        else:
            kept = self._chosen(keep)
            results = self._keep_mine() if kept is None else self._keep_theirs(kept)
        named = [conflict.session_id, *(result.session_id for result in results)]
        pushed = push_surveyed(self._context, look(self._context), list(dict.fromkeys(named)))
        return [*results, *pushed]

    def _chosen(self, keep: str) -> Bundle | None:
        """The rival to keep, None for the transcript here."""
        conflict = self._conflict
        offered = {(side.machine_id, side.version) for side in conflict.sides if side.offered}
        if keep == MINE:
            if conflict.mine is None or ("", conflict.mine.version) not in offered:
                raise UsageError(
                    "this machine's side can't be chosen: it isn't here, or another side holds "
                    "all of it",
                    where=conflict.session_id,
                    todo="keep another machine's",
                )
            return None
        rivals = [
            rival
            for rival in conflict.rivals
            if (rival.head.machine_id, rival.head.version) in offered
            and (keep == THEIRS or rival.head.machine.lower() == keep.lower())
        ]
        if len(rivals) != 1:
            names = ", ".join(sorted({rival.head.machine for rival in conflict.rivals}))
            raise UsageError(
                "that isn't one side of the conflict",
                where=conflict.session_id,
                todo=f"choose mine, both, {names}",
            )
        return rivals[0]

    # -- the three ways -----------------------------------------------------------------------

    def _keep_mine(self) -> list[Result]:
        for rival in self._conflict.rivals:
            self._into_vault(rival)
        mine = self._conflict.mine
        assert mine is not None
        self._decide(mine.version, UndoRecord(mine.version, mine.version))
        return []

    def _keep_theirs(self, kept: Bundle, copies: Sequence[str] = ()) -> list[Result]:
        conflict, context = self._conflict, self._context
        for rival in conflict.rivals:
            if rival is not kept:
                self._into_vault(rival)
        side = install_side(context, self._survey, kept, conflict.local)
        self._decide(kept.head.version, replace(side.installed.undo, copies=tuple(copies)), side)
        return [self._result(conflict.session_id, kept, side)]

    def _keep_both(self) -> list[Result]:
        conflict, context = self._conflict, self._context
        rivals = list(conflict.rivals)
        kept = None
        if conflict.mine is None:
            # Nothing is here that could keep the id: the same rival keeps it on every machine.
            kept = min(rivals, key=lambda rival: rival.head.sha256)
            rivals.remove(kept)
        results, copies = [], []
        for rival in rivals:
            copy = copy_id(conflict.session_id, rival.head.version)
            copies.append(copy)
            if self._survey.local.get(copy):
                continue
            side = install_copy(
                context, self._survey, rival, beside=conflict.local, session_id=copy
            )
            with context.database.transaction():
                context.records.hold(copy, rival.head.version)
                context.records.remember(
                    copy,
                    directory=str(side.directory),
                    installed_ns=side.installed.stamp.mtime_ns,
                )
            results.append(self._result(copy, rival, side))
        if kept is not None:
            return [*self._keep_theirs(kept, copies), *results]
        assert conflict.mine is not None
        version = conflict.mine.version
        self._decide(version, UndoRecord(version, version, copies=tuple(copies)))
        return results

    # -- pieces -------------------------------------------------------------------------------

    def _into_vault(self, bundle: Bundle) -> None:
        keep_bundle(self._context, bundle, "resolve")

    def _decide(self, kept: Version, undo: UndoRecord, side: InstalledSide | None = None) -> None:
        """Remember the decision, and all that it gave up."""
        context, conflict = self._context, self._conflict
        session_id, decisions, records = conflict.session_id, context.decisions, context.records
        before = decisions.of(session_id)
        undo = replace(undo, decision=before.decision, supersedes=before.supersedes)
        bundles = self._survey.bundles[session_id]
        inherited = [inherited_decisions(rival.head.version, bundles) for rival in conflict.rivals]
        superseded = [sha256 for hashes, _ in inherited for sha256 in hashes]
        with translating_read_errors(session_id):
            for version in sorted(conflict.versions):
                if version != kept and not self._extends(kept, version, side):
                    superseded.append(version.sha256)
            if side is not None:
                superseded += self._given_up(kept, side)
        with decisions.together():
            decisions.supersede(session_id, superseded)
            decisions.stop_superseding(session_id, kept.sha256)
            decisions.decide(
                session_id, next_after(before.decision, *(decision for _, decision in inherited))
            )
        with context.database.transaction():
            records.hold(session_id, kept)
            changes: dict[str, object] = {"undo": undo.to_json()}
            if side is not None:
                changes["installed_ns"] = side.installed.stamp.mtime_ns
                if conflict.local is None:
                    changes["directory"] = str(side.directory)
            records.remember(session_id, **changes)

    def _given_up(self, kept: Version, side: InstalledSide) -> list[str]:
        """What was held here before and is neither in the side that was kept nor part of it."""
        undo = side.installed.undo
        if undo.before is None or not undo.entry:
            return []
        old = self._context.vault.folder / undo.entry / TRANSCRIPT
        return given_up(
            self._context,
            self._conflict.session_id,
            Extent(old, undo.before.size),
            Extent(side.installed.path, kept.size),
        )

    def _extends(self, kept: Version, other: Version, side: InstalledSide | None) -> bool:
        local = self._conflict.local
        path = side.installed.path if side is not None else local.path if local else None
        if path is None or other.size > kept.size:
            return False
        return begins_with(path, other)

    def _result(self, session_id: str, bundle: Bundle, side: InstalledSide) -> Result:
        there = self._conflict.local is not None and session_id == self._conflict.session_id
        return Result(
            session_id,
            Outcome.REPLACED if there else Outcome.IMPORTED,
            project_key=bundle.head.project_key,
            machine=bundle.head.machine,
            bundle=bundle.name,
            path=side.installed.path,
            directory=side.directory,
            bytes=side.received,
            from_elsewhere=bundle.head.size,
        )
