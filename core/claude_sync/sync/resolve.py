"""Resolving: a person chose which side of a conflict stands.

Order of steps: look, and refuse if what was shown has changed · fetch what is given up into the
vault · place what is kept · remember the decision and what was given up · push at once, so that
the other machines follow.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import asdict, replace
from pathlib import Path

from claude_sync.bundle.members import next_after
from claude_sync.claude.compare import Extent
from claude_sync.disk import files
from claude_sync.disk.prefix_hashes import begins_with
from claude_sync.errors import SessionChanging, SessionOpen, UsageError
from claude_sync.model import Bundle, Outcome, Result, Version
from claude_sync.state.vault_entry import TRANSCRIPT
from claude_sync.store.delta import Request
from claude_sync.store.download import Fetched
from claude_sync.sync.bundles.keep import keep_bundle
from claude_sync.sync.bundles.naming import copy_id
from claude_sync.sync.conflict import Conflict, find_conflict, no_conflict
from claude_sync.sync.context import Context
from claude_sync.sync.planner import inherited_decisions
from claude_sync.sync.push import push_surveyed
from claude_sync.sync.survey.relations import given_up
from claude_sync.sync.survey.survey import Survey, look
from claude_sync.sync.tree.install import Installed, Installer, Undo, writing

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
        what was placed here and what was pushed.

    Raises:
        UsageError: there is no conflict, or that choice isn't offered.
        SessionOpen: it is open here.
        SessionChanging: a side is no longer what was shown: show it again.
        TransportError, VaultError
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
        if conflict.local is not None and survey.is_open(conflict.local):
            raise SessionOpen("the session is open here", where=session_id, todo="close it first")
        with writing(context.home.projects):
            return _Resolve(context, survey, conflict).run(keep)


class _Resolve:
    def __init__(self, context: Context, survey: Survey, conflict: Conflict) -> None:
        self._context = context
        self._survey = survey
        self._conflict = conflict
        self._installer = Installer(context.home, context.vault)
        self._before = survey.record(conflict.session_id)

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
                    "this machine's side isn't offered: it isn't here, or another holds all of it",
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
                "that choice names no single side of the conflict",
                where=conflict.session_id,
                todo=f"choose one of: mine, both, {names}",
            )
        return rivals[0]

    # -- the three ways -----------------------------------------------------------------------

    def _keep_mine(self) -> list[Result]:
        for rival in self._conflict.rivals:
            self._into_vault(rival)
        mine = self._conflict.mine
        assert mine is not None
        self._decide(mine.version, Undo(mine.version, mine.version))
        return []

    def _keep_theirs(self, kept: Bundle) -> list[Result]:
        conflict, context = self._conflict, self._context
        for rival in conflict.rivals:
            if rival is not kept:
                self._into_vault(rival)
        folder, directory = self._place_of(kept)
        fetched = self._fetch(kept, folder)
        try:
            if conflict.local is None:
                placed = self._installer.install_new(fetched, folder)
            else:
                whole = self._survey.row(conflict.local).whole
                placed = self._installer.install_over(
                    fetched, conflict.local, whole, "resolve", extends=False
                )
        finally:
            fetched.discard()
        with context.database.transaction():
            if conflict.local is None:
                context.records.remember(conflict.session_id, directory=str(directory))
            self._decide(kept.head.version, placed.undo, placed)
        return [self._result(conflict.session_id, kept, placed.path, directory, fetched.received)]

    def _keep_both(self) -> list[Result]:
        conflict, context = self._conflict, self._context
        rivals = list(conflict.rivals)
        results = []
        if conflict.mine is None:
            # Nothing is here that could keep the id: the same rival keeps it on every machine.
            kept = min(rivals, key=lambda rival: rival.head.sha256)
            results += self._keep_theirs(kept)
            rivals.remove(kept)
            version = kept.head.version
        else:
            version = conflict.mine.version
        copies = []
        for rival in rivals:
            folder, directory = self._place_of(rival)
            copy = copy_id(conflict.session_id, rival.head.version)
            copies.append(copy)
            if self._survey.local.get(copy):
                continue
            fetched = self._fetch(rival, folder)
            try:
                fetched = replace(fetched, head=fetched.head._replace(session_id=copy))
                placed = self._installer.install_new(fetched, folder)
            finally:
                fetched.discard()
            with context.database.transaction():
                context.records.hold(copy, rival.head.version)
                context.records.remember(
                    copy, directory=str(directory), placed_ns=placed.stamp.mtime_ns
                )
            results.append(self._result(copy, rival, placed.path, directory, fetched.received))
        if conflict.mine is not None:
            self._decide(version, Undo(version, version), copies=copies)
        return results

    # -- pieces -------------------------------------------------------------------------------

    def _place_of(self, bundle: Bundle) -> tuple[Path, Path | None]:
        """The folder in Claude's tree for a side, and the directory it is resumed in."""
        local = self._conflict.local
        if local is not None:
            return local.path.parent, self._survey.directory(local)
        directory = self._survey.place(bundle)
        folder = self._context.home.folder_for(directory)
        files.make_private(folder)
        return folder, directory

    def _fetch(self, bundle: Bundle, folder: Path) -> Fetched:
        mtime_ns = self._context.home.mtime_to_restore(bundle.head.mtime_ns)
        fetched = self._context.store.fetch_one(
            Request(bundle, folder, mtime_ns), self._context.check
        )
        try:
            with writing(folder):
                files.sync(fetched.staged())
        except BaseException:
            fetched.discard()
            raise
        return fetched

    def _into_vault(self, bundle: Bundle) -> None:
        keep_bundle(self._context, bundle, "resolve")

    def _decide(
        self,
        kept: Version,
        undo: Undo,
        placed: Installed | None = None,
        copies: Collection[str] = (),
    ) -> None:
        """Remember the decision, and all that it gave up."""
        context, conflict, records = self._context, self._conflict, self._context.records
        session_id = conflict.session_id
        earlier = records.supersedes(session_id)
        bundles = self._survey.bundles[session_id]
        told = [inherited_decisions(rival.head.version, bundles) for rival in conflict.rivals]
        with context.database.transaction():
            for superseded, _ in told:
                records.supersede(session_id, superseded)
            for version in sorted(conflict.versions):
                if version != kept and not self._extends(kept, version, placed):
                    records.supersede(session_id, [version.sha256])
            if placed is not None and placed.undo.before is not None and placed.undo.entry:
                old = context.vault.folder / placed.undo.entry / TRANSCRIPT
                lost = given_up(
                    context,
                    session_id,
                    Extent(old, placed.undo.before.size),
                    Extent(placed.path, kept.size),
                )
                records.supersede(session_id, lost)
            records.stop_superseding(session_id, kept.sha256)
            records.hold(session_id, kept)
            decisions = [self._before.decision, *(decision for _, decision in told)]
            said = asdict(undo) | {
                "decision": self._before.decision,
                "supersedes": earlier,
                "copies": list(copies),
            }
            changes: dict[str, object] = {
                "decision": next_after(*decisions),
                "undo": json.dumps(said),
            }
            if placed is not None:
                changes["placed_ns"] = placed.stamp.mtime_ns
            records.remember(session_id, **changes)

    def _extends(self, kept: Version, other: Version, placed: Installed | None) -> bool:
        local = self._conflict.local
        path = placed.path if placed is not None else local.path if local is not None else None
        if path is None or other.size > kept.size:
            return False
        return begins_with(path, other)

    def _result(
        self, session_id: str, bundle: Bundle, path: Path, directory: Path | None, received: int
    ) -> Result:
        there = self._conflict.local is not None and session_id == self._conflict.session_id
        return Result(
            session_id,
            Outcome.REPLACED if there else Outcome.IMPORTED,
            bundle.head.project_key,
            bundle.head.machine,
            bundle.name,
            path,
            directory,
            received,
        )
