"""Resolving: a person chose which side of a conflict stands.

Order of steps: look, and refuse if what was shown has changed · fetch what is given up into the
vault · install what is kept · remember the decision and what was given up · push at once, so that
the other machines follow.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from claude_sync.claude.session_files import is_plan
from claude_sync.claude.transcript import title_of
from claude_sync.errors import SessionChanging, UsageError
from claude_sync.model import Bundle, Outcome, Result, Version
from claude_sync.sync.bundles.keep import keep_bundle
from claude_sync.sync.conflict import Conflict, find_conflict, no_conflict
from claude_sync.sync.context import Context
from claude_sync.sync.decide import Decision, remember_decision
from claude_sync.sync.push import push_surveyed
from claude_sync.sync.survey.look import look
from claude_sync.sync.survey.survey import Survey
from claude_sync.sync.tree.resolve_apply import InstalledSide, copy_id, install_copy, install_side
from claude_sync.sync.tree.undo_record import UndoRecord

MINE, THEIRS, BOTH = "mine", "theirs", "both"


def resolve(
    context: Context,
    session: str,
    keep: str | Version,
    *,
    shown: Collection[Version] | None = None,
) -> list[Result]:
    """Settle a conflict.

    Args:
        context: what to work with.
        session: its id, or the beginning of it.
        keep: "mine", "theirs" (where there is one rival), a machine's name, the version of a side,
            or "both": then each rival becomes a session of its own, under an id that is the same
            on every machine.
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

    def run(self, keep: str | Version) -> list[Result]:
        conflict = self._conflict
        kept = None
        if keep == BOTH:
            results = self._keep_both()
        else:
            kept = self._chosen(keep)
            results = self._keep_mine() if kept is None else self._keep_theirs(kept)
        self._note(keep, kept, results)
        named = [conflict.session_id, *(result.session_id for result in results)]
        pushed = push_surveyed(self._context, look(self._context), list(dict.fromkeys(named)))
        return [*results, *pushed]

    def _chosen(self, keep: str | Version) -> Bundle | None:
        """The rival to keep, None for the transcript here."""
        conflict = self._conflict
        offered = {(side.machine_id, side.version) for side in conflict.sides if side.offered}
        mine = conflict.mine.version if conflict.mine is not None else None
        if keep in (MINE, mine):
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
            if (rival.head.machine_id, rival.head.version) in offered and _is(rival, keep)
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

    def _keep_theirs(
        self,
        kept: Bundle,
        copies: Sequence[str] = (),
        plans: Sequence[tuple[str, str]] = (),
    ) -> list[Result]:
        conflict, context = self._conflict, self._context
        for rival in conflict.rivals:
            if rival is not kept:
                self._into_vault(rival)
        side = install_side(context, self._survey, kept, conflict.local)
        undo = side.installed.undo._replace(copies=tuple(copies), inherited=tuple(plans))
        self._decide(kept.head.version, undo, side)
        return [self._result(conflict.session_id, kept, side)]

    def _keep_both(self) -> list[Result]:
        conflict, context = self._conflict, self._context
        rivals = list(conflict.rivals)
        kept = None
        if conflict.mine is None or (rivals and not conflict.mine.begun):
            # Nothing is here that could keep the id: the same rival keeps it on every machine.
            kept = min(rivals, key=lambda rival: rival.head.sha256)
            rivals.remove(kept)
        results, copies, replaced = [], [], dict[str, str]()
        for rival in rivals:
            copy = copy_id(conflict.session_id, rival.head.version)
            copies.append(copy)
            if self._survey.local.get(copy):
                continue
            side = install_copy(
                context, self._survey, rival, beside=conflict.local, session_id=copy
            )
            replaced = {**side.installed.undo.lay_here(), **replaced}
            with context.database.transaction():
                context.records.hold(copy, rival.head.version)
                context.records.remember(
                    copy,
                    directory=str(side.directory),
                    installed_ns=side.installed.stamp.mtime_ns,
                )
            results.append(self._result(copy, rival, side))
        if kept is not None:
            plans = [one for one in replaced.items() if is_plan(one[0])]
            return [*self._keep_theirs(kept, copies, plans), *results]
        assert conflict.mine is not None
        version = conflict.mine.version
        self._decide(version, UndoRecord(version, version, copies=tuple(copies)))
        return results

    # -- pieces -------------------------------------------------------------------------------

    def _note(self, keep: str | Version, kept: Bundle | None, results: Sequence[Result]) -> None:
        keys = [rival.head.project_key for rival in self._conflict.rivals]
        decided = Result(
            self._conflict.session_id,
            Outcome.UNCHANGED,
            project_key=next(iter(keys), ""),
            machine=kept.head.machine if kept is not None else "",
            bytes=sum(result.bytes for result in results),
        )
        outcome = BOTH if keep == BOTH else MINE if kept is None else THEIRS
        self._context.recorder.add_result("resolve", decided, outcome)

    def _into_vault(self, bundle: Bundle) -> None:
        keep_bundle(self._context, bundle, "resolve")

    def _decide(self, kept: Version, undo: UndoRecord, side: InstalledSide | None = None) -> None:
        conflict = self._conflict
        local = conflict.local
        path = side.installed.path if side is not None else local.path if local else None
        made = Decision(
            session_id=conflict.session_id,
            kept=kept,
            path=path,
            others=conflict.versions | self._pushed_from_here(),
            rivals=conflict.rivals,
            undo=undo,
            side=side,
            was_here=local is not None,
        )
        remember_decision(self._context, made, self._survey.bundles.get(conflict.session_id, ()))

    def _pushed_from_here(self) -> frozenset[Version]:
        """What this machine pushed of it: given up with the rest, though it is no side.

        A transcript that lost lines is missed from it, and who chose has seen that.
        """
        own = self._survey.split(self._conflict.session_id).own
        return frozenset() if own is None else frozenset({own.head.version})

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
            title=title_of(session_id, bundle.head.title),
            mtime_ns=bundle.head.mtime_ns,
        )


def _is(rival: Bundle, keep: str | Version) -> bool:
    """Whether a rival is the side that is to be kept."""
    if isinstance(keep, Version):
        return rival.head.version == keep
    return keep == THEIRS or rival.head.machine.lower() == keep.lower()
