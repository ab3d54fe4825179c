"""Judging one session: what stands against what, and what the planner makes of it.

Everything that decides about a session starts here: a pull, a push, a listing, a conflict that is
shown. So they can't come to different conclusions from the same versions.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from claude_sync.errors import BundleError, SessionError
from claude_sync.model import Bundle, LocalSession, Version
from claude_sync.sync.context import Context
from claude_sync.sync.planner import (
    PullKind,
    PullPlan,
    PushPlan,
    are_many,
    plan_pull,
    plan_push,
)
from claude_sync.sync.rivals import Mine
from claude_sync.sync.survey.comparisons import Comparisons
from claude_sync.sync.survey.survey import Survey
from claude_sync.values import NamedTuple
from claude_sync.wording import shortened


class Judgement(NamedTuple):
    """One session's versions, ready to be planned with. Good inside `judge` only.

    What plans or compares may have to read versions first, and raises as `Comparisons.learn` does.

    Attributes:
        context: what to work with.
        local: the transcript here, None where there is none.
        mine: the same as the planner sees it.
        own: this machine's bundle as it lies in the store, None where there is none.
        own_is_rival: whether that isn't what this machine remembers having written.
        missing: a version that was here, of which the transcript lacks something that was said:
            it was shortened. None where it wasn't.
        all_rivals: the bundles that rival what lies here, those that were undone here included.
        rivals: the bundles that count.
        comparisons: how the versions diverge; it holds what was fetched to find that out.
    """

    context: Context
    local: LocalSession | None
    mine: Mine | None
    own: Bundle | None
    own_is_rival: bool
    missing: Version | None
    all_rivals: tuple[Bundle, ...]
    rivals: tuple[Bundle, ...]
    comparisons: Comparisons

    def plan_pull(self, *, with_declined: bool = False) -> PullPlan:
        """What a pull is to do.

        Args:
            with_declined: whether versions that were undone here count as well.
        """
        rivals = self.all_rivals if with_declined else self.rivals
        if are_many(rivals):
            from claude_sync.sync.survey.few_rivals import few_rivals

            rivals = few_rivals(self.context, self.comparisons, self.mine, rivals)
        return self.comparisons.settle(lambda: plan_pull(self.mine, rivals, self.comparisons.known))

    def lines_only_here(self, plan: PullPlan) -> int:
        """How many lines here a pull would replace because of a decision made elsewhere."""
        if self.mine is None or not plan.by_decision:
            return 0
        divergence = self.comparisons.with_lines(self.mine.version, plan.rivals[0].head.version)
        return max(1, divergence.x_lines)

    def waits_for(self, plan: PullPlan) -> int:
        """The same, where a pull does that only if a person asks for it.

        In an encrypted store nobody else can have decided: such decisions are followed.
        """
        return 0 if self.context.store.encrypted else self.lines_only_here(plan)

    def plan_push(self) -> PushPlan:
        """What a push is to do with the transcript that lies here; there must be one."""
        mine = self.mine
        assert mine is not None
        return self.comparisons.settle(
            lambda: plan_push(
                mine,
                self.own,
                self.comparisons.known,
                own_is_rival=self.own_is_rival,
                shortened=self.missing is not None,
            )
        )

    def what_is_missing(self) -> str:
        """What the transcript here lacks, a clause; "" where nothing is missing."""
        if self.missing is None:
            return ""
        return shortened(self.comparisons.missing_turns(self.missing))

    def what_mends_it(self, session_id: str) -> tuple[str, str]:
        """The same, and the command that mends it, a clause; something must be missing."""
        assert self.missing is not None
        try:
            plan = self.plan_pull()
        except (BundleError, SessionError):
            plan = None  # one that can't be read: this machine's version is the question here
        if plan is not None and plan.rivals and plan.kind is not PullKind.CONFLICT:
            how = f"`claude-sync pull {session_id}` puts it back"
        elif plan is None or self.comparisons.find(self.missing) is not None:
            how = f"`claude-sync restore {session_id}` shows what can be brought back"
        else:
            choice = "" if plan.rivals else " --keep mine"
            how = f"that can't be had any more: `claude-sync resolve {session_id}{choice}` settles "
            how += "for what there is"
        return self.what_is_missing(), how


@contextmanager
def judge(
    context: Context,
    survey: Survey,
    session_id: str,
    *,
    named: bool = False,
    accept: bool = False,
    fetch: bool = False,
) -> Iterator[Judgement]:
    """Judge a session; what is fetched to do so is dropped at the end, unless it was released.

    Args:
        context: what to work with.
        survey: what was seen.
        session_id: the session.
        named: whether a person named it: then what was undone here counts as well.
        accept: whether that is remembered, so that it counts from now on.
        fetch: whether a bundle that extends what lies here will be fetched anyway: then it is at
            once, for that tells as much as asking the store for a hash.

    Raises:
        SessionDivided: two copies lie here that have diverged.
        SessionError: the transcript here vanished, or is being rewritten.
        StoreUnseen: what lies in the store of it couldn't be seen.
        RecordsError: what is remembered can't be read or written.
    """
    survey.check_seen(session_id)
    local = survey.copy(session_id)
    survey.learn_from_bundles(session_id, local)
    declined = context.decisions.of(session_id).declined
    if declined and accept:
        context.decisions.accept(session_id)
    own, own_is_rival, all_rivals = survey.split(session_id)
    mine = survey.mine(session_id, local)
    with Comparisons(
        context,
        local=local,
        version=mine.version if mine is not None else None,
        bundles=survey.bundles.get(session_id, ()),
        base=survey.rows.here(local) if local is not None and fetch else None,
    ) as comparisons:
        pushed = None if own is None or own_is_rival else own.head.version
        missing = _missing(survey, session_id, mine, pushed, comparisons)
        if missing is not None and own is not None and own not in all_rivals:
            all_rivals = (*all_rivals, own)
        yield Judgement(
            context=context,
            local=local,
            mine=mine,
            own=own,
            own_is_rival=own_is_rival,
            missing=missing,
            all_rivals=all_rivals,
            rivals=tuple(one for one in all_rivals if named or one.head.version not in declined),
            comparisons=comparisons,
        )


def _missing(
    survey: Survey,
    session_id: str,
    mine: Mine | None,
    pushed: Version | None,
    comparisons: Comparisons,
) -> Version | None:
    """A version that was here and of which the transcript lacks something (FORMAT.md, rule 1).

    What a person undid or gave up isn't missing.
    """
    if mine is None:
        return None
    declined = survey.context.decisions.of(session_id).declined
    before = {survey.record(session_id).intact, pushed}
    return next(
        (
            version
            for version in sorted(filter(None, before), reverse=True)
            if version not in declined
            and version.sha256 not in mine.supersedes
            and comparisons.lacks(version)
        ),
        None,
    )
