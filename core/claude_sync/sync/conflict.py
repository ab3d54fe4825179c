"""A conflict as people see it: every side, how far it went, and which may be kept."""

from __future__ import annotations

from enum import Enum
from functools import partial

from claude_sync.errors import UsageError
from claude_sync.model import Bundle, LocalSession, Side, Version
from claude_sync.sync.context import Context
from claude_sync.sync.judge import Judgement, judge
from claude_sync.sync.planner import PullKind, may_keep
from claude_sync.sync.rivals import Mine
from claude_sync.sync.survey.look import look
from claude_sync.sync.survey.survey import Survey
from claude_sync.values import NamedTuple


class ConflictKind(str, Enum):
    """Why a person has to choose."""

    DIVERGED = "diverged"
    """It went on in different ways on several machines."""
    SHORTENED = "shortened"
    """The transcript here lacks something that was said in it before."""
    REPLACES = "replaces"
    """A version that was chosen elsewhere would take the place of what was said here."""

    def __str__(self) -> str:
        return self.value


class Conflict(NamedTuple):
    """One session of which a person has to choose a version.

    Attributes:
        session_id: the session.
        kind: why.
        detail: what is wrong with a shortened one, a clause; else "".
        local: the transcript here, None where there is none.
        mine: the same as the planner sees it.
        rivals: the bundles that are left.
        sides: the same for showing, this machine's first where it has one.
    """

    session_id: str
    kind: ConflictKind
    detail: str
    local: LocalSession | None
    mine: Mine | None
    rivals: tuple[Bundle, ...]
    sides: tuple[Side, ...]

    @property
    def versions(self) -> frozenset[Version]:
        """What was shown."""
        return frozenset(side.version for side in self.sides)


def show_conflict(context: Context, session: str) -> Conflict:
    """The conflict of a session, for a person to decide on; `resolve` takes what was shown.

    Args:
        context: what to work with.
        session: its id, or the beginning of it.

    Raises:
        UsageError: no session, or more than one, has that id; or it is in no conflict.
        SessionError, BundleError, TransportError: a side can't be read.
    """
    with context.working("looking"):
        survey = look(context)
        session_id = survey.find(session)
        conflict = find_conflict(context, survey, session_id)
        survey.flush()
    if conflict is None:
        raise no_conflict(session_id)
    return conflict


def no_conflict(session_id: str) -> UsageError:
    """The error where there is nothing to resolve."""
    return UsageError("that session isn't in conflict", where=session_id)


def find_conflict(context: Context, survey: Survey, session_id: str) -> Conflict | None:
    """The conflict of a session, None where there is none. Reads the transcripts.

    Raises:
        SessionError, BundleError, TransportError: they can't be read.
    """
    with judge(context, survey, session_id) as judgement:
        return conflict_in(context, session_id, judgement)


def conflict_in(context: Context, session_id: str, judgement: Judgement) -> Conflict | None:
    """The same of a session that was judged already.

    One whose transcript was shortened is in conflict with what it was; one that would be replaced,
    because someone chose another version elsewhere, with that.

    Raises:
        SessionError, BundleError, TransportError: a side can't be read.
    """
    plan = judgement.plan_pull()
    if judgement.missing is not None:
        kind = ConflictKind.SHORTENED
    elif plan.kind is PullKind.CONFLICT:
        kind = ConflictKind.DIVERGED
    elif judgement.waits_for(plan):
        kind = ConflictKind.REPLACES
    else:
        return None
    sides = sides_of(context, judgement, plan.rivals)
    return Conflict(
        session_id=session_id,
        kind=kind,
        detail=judgement.what_is_missing(),
        local=judgement.local,
        mine=_choosable(judgement, plan.rivals),
        rivals=plan.rivals,
        sides=sides,
    )


def sides_of(
    context: Context, judgement: Judgement, rivals: tuple[Bundle, ...]
) -> tuple[Side, ...]:
    """Every side of a conflict, this machine's first where it has one.

    Args:
        context: what to work with.
        judgement: the session.
        rivals: the bundles that are left.

    Raises:
        SessionError, BundleError, TransportError: a side can't be read.
    """
    local, mine = judgement.local, _choosable(judgement, rivals)
    comparisons = judgement.comparisons
    versions = [rival.head.version for rival in rivals]
    if mine is not None:
        versions.insert(0, mine.version)
    sides = []
    for index, version in enumerate(versions):
        others = [other for other in versions if other != version]
        offered = comparisons.settle(partial(may_keep, version, others, comparisons.known))
        lines = max((comparisons.with_lines(version, other).x_lines for other in others), default=0)
        if mine is not None and local is not None and index == 0:
            name, machine_id, mtime_ns = context.machine.name, "", local.stamp.mtime_ns
        else:
            head = rivals[index - (mine is not None)].head
            name, machine_id, mtime_ns = head.machine, head.machine_id, head.mtime_ns
        sides.append(
            Side(
                machine=name,
                machine_id=machine_id,
                version=version,
                lines=lines,
                mtime_ns=mtime_ns,
                offered=offered,
                pushed_from_here=machine_id == context.machine.id,
            )
        )
    return tuple(sides)


def _choosable(judgement: Judgement, rivals: tuple[Bundle, ...]) -> Mine | None:
    """The transcript here as a side; where it holds nothing, nobody can keep it beside others."""
    mine = judgement.mine
    return None if rivals and mine is not None and not mine.begun else mine
