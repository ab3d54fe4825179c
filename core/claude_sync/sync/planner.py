"""Who wins: the rules of FORMAT.md, "Who wins". PURE: values in, a plan out.

No file is read here and no clock asked. The words are FORMAT.md's: *mine* is the transcript that
lies here (L), *own* this machine's bundle as it lies in the store (O), a *rival* another machine's
(R).

* A version *extends* another if the other's bytes are a prefix of its own (an unfinished last
  line of the other doesn't count against it).
* X *gives up* Y if Y is among what X supersedes, and X isn't among what Y does, or X comes from
  a later decision.
* X *beats* Y if X gives up Y; or Y doesn't give up X, and X extends Y; or neither, and beyond
  their common lines only X holds something that was said, or neither does and X's SHA-256 is the
  smaller (so that looking at a session on two machines is no conflict).

Where the rules of FORMAT.md are applied:

* Rule 1, whose bundle is whose and which count: `rivals.py`.
* Rule 2, which rivals are left: `_left`, and where there are many `crowd.py`.
* Rules 3 and 4, what a pull does with those: `plan_pull`.
* Rule 5, what a push writes: `plan_push`. Whether the transcript here was shortened (rule 1) is
  found out in `judge.py`.
* Rules 6 to 8 (open, gone, unreadable) are the business of those who call: they look at the disk.

How two versions diverge is asked of a `Compare`, which may not know yet: then the plan is an `Ask`,
and the caller comes back when it has read them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import TYPE_CHECKING

from claude_sync.model import Bundle, Version
from claude_sync.sync.rivals import Mine, inherited_decisions
from claude_sync.values import NamedTuple

if TYPE_CHECKING:
    from claude_sync.claude.compare import Divergence

MAX_RIVALS = 16
"""How many versions of one session are compared with each other."""

Compare = Callable[[Version, Version], "Divergence | None"]
"""How two versions diverge; None where that isn't known yet."""


class PullKind(Enum):
    """What a pull is to do."""

    NOTHING = "nothing"
    AHEAD = "ahead"
    IMPORT = "import"
    FAST_FORWARD = "fast-forward"
    REPLACE = "replace"
    CONFLICT = "conflict"


class PullPlan(NamedTuple):
    """What a pull is to do with one session.

    Attributes:
        kind: what.
        rivals: the bundle to take; in a conflict all that are left.
        by_decision: whether it replaces something that was said here, because someone decided so
            elsewhere. In a store that others can write into, nobody has to be who they say.
    """

    kind: PullKind
    rivals: tuple[Bundle, ...] = ()
    by_decision: bool = False


class PushKind(Enum):
    """What a push is to do."""

    WRITE = "write"
    UNCHANGED = "unchanged"
    BEHIND = "behind"
    SHORTENED = "shortened"


class PushPlan(NamedTuple):
    """What a push is to do with one session.

    Attributes:
        kind: what.
        keep_own: whether the own bundle's version goes into the vault before it is replaced.
    """

    kind: PushKind
    keep_own: bool = False


class Ask(NamedTuple):
    """How these two versions diverge must be known first."""

    x: Version
    y: Version


class NotCompared(Exception):
    """How two versions diverge isn't known."""

    def __init__(self, x: Version, y: Version) -> None:
        super().__init__()
        self.ask = Ask(x, y)


class Candidate(NamedTuple):
    """A version, with what decides whether it beats another."""

    version: Version
    supersedes: frozenset[str]
    decision: int


def plan_pull(mine: Mine | None, rivals: Sequence[Bundle], compare: Compare) -> PullPlan | Ask:
    """What to do with the versions that rival the one that lies here (FORMAT.md, rules 3 and 4).

    Args:
        mine: the transcript here, None where there is none.
        rivals: bundles as `own_and_rivals` gave them; where `are_many`, what `crowd.few` left.
        compare: how two versions diverge.
    """
    try:
        left = _left(mine, rivals, compare)
        if not left:
            behind = mine is not None and any(
                rival.head.version != mine.version for rival in rivals
            )
            return PullPlan(PullKind.AHEAD if behind else PullKind.NOTHING)
        if len(left) > 1:
            return PullPlan(PullKind.CONFLICT, left)
        if mine is None:
            return PullPlan(PullKind.IMPORT, left)
        x, y = candidate_of(left[0], rivals), candidate_of(mine)
        if not beats(x, y, compare):
            return PullPlan(PullKind.CONFLICT, left)
        divergence = _divergence(x.version, y.version, compare)
        if divergence.extends:
            return PullPlan(PullKind.FAST_FORWARD, left)
        return PullPlan(PullKind.REPLACE, left, by_decision=divergence.answered)
    except NotCompared as unknown:
        return unknown.ask


def plan_push(
    mine: Mine, own: Bundle | None, compare: Compare, *, own_is_rival: bool, shortened: bool
) -> PushPlan | Ask:
    """Whether to write the transcript here into this machine's bundle (FORMAT.md, rule 5).

    Args:
        mine: the transcript here; `supersedes` with all it replaces.
        own: this machine's bundle as it lies in the store.
        compare: how two versions diverge.
        own_is_rival: whether that isn't what this machine remembers having written.
        shortened: whether the transcript here lacks something that was said in it before.
    """
    if shortened:
        return PushPlan(PushKind.SHORTENED)
    if own is None:
        return PushPlan(PushKind.WRITE)
    head = own.head
    if head.version == mine.version:
        same = (
            head.sidecar_sha256 == mine.sidecar_sha256
            and head.decision >= mine.decision
            and set(head.supersedes) >= mine.supersedes - {mine.version.sha256}
        )
        return PushPlan(PushKind.UNCHANGED if same else PushKind.WRITE)
    try:
        if own_is_rival and not beats(candidate_of(mine), candidate_of(own, [own]), compare):
            return PushPlan(PushKind.BEHIND)
        extends = _divergence(mine.version, head.version, compare).extends
        return PushPlan(PushKind.WRITE, keep_own=not extends)
    except NotCompared as unknown:
        return unknown.ask


def are_many(rivals: Sequence[Bundle]) -> bool:
    """Whether rivals are more versions than are compared with each other."""
    if len(rivals) <= MAX_RIVALS:
        return False
    return len({rival.head.version for rival in rivals}) > MAX_RIVALS


def may_keep(version: Version, others: Sequence[Version], compare: Compare) -> bool | Ask:
    """Whether a resolve may offer to keep a version: not if another one holds all of it already.

    Args:
        version: the one to keep.
        others: the other sides.
        compare: how two versions diverge.
    """
    try:
        return not any(
            _divergence(other, version, compare).extends for other in others if other != version
        )
    except NotCompared as unknown:
        return unknown.ask


def _left(mine: Mine | None, rivals: Sequence[Bundle], compare: Compare) -> tuple[Bundle, ...]:
    """The rivals that neither mine nor another rival beats (FORMAT.md, rule 2).

    If that drops all although one differs from mine, none is dropped.
    """
    versions: dict[Version, list[Bundle]] = {}
    for rival in rivals:
        versions.setdefault(rival.head.version, []).append(rival)
    mine_here = candidate_of(mine) if mine is not None else None
    everyone = [candidate_of(same[0], same) for same in versions.values()]
    standing = [one for one in everyone if mine_here is None or not beats(mine_here, one, compare)]
    left = [
        versions[one.version][0]
        for one in standing
        if not any(other is not one and beats(other, one, compare) for other in standing)
    ]
    if left:
        return tuple(left)
    unbeaten = {one.version for one in standing if mine is None or one.version != mine.version}
    return tuple(rival for rival in rivals if rival.head.version in unbeaten)


def beats(x: Candidate, y: Candidate, compare: Compare) -> bool:
    """Whether one version beats another (FORMAT.md, "Who wins").

    Raises:
        NotCompared: that isn't known yet.
    """
    if gives_up(x, y):
        return True
    if gives_up(y, x):
        return False
    if x.version == y.version:
        return True
    divergence = _divergence(x.version, y.version, compare)
    if divergence.extends:
        return True
    if divergence.extended or divergence.answered:
        return False
    return divergence.said or x.version.sha256 < y.version.sha256


def gives_up(x: Candidate, y: Candidate) -> bool:
    """Whether one version gives up another by a person's decision."""
    return _supersedes(x, y) and (not _supersedes(y, x) or x.decision > y.decision)


def _supersedes(x: Candidate, y: Candidate) -> bool:
    return x.version != y.version and y.version.sha256 in x.supersedes


def _divergence(x: Version, y: Version, compare: Compare) -> Divergence:
    if x == y:
        from claude_sync.claude.compare import Divergence

        return Divergence(common=x.size, extends=True, extended=True, said=False, answered=False)
    divergence = compare(x, y)
    if divergence is None:
        raise NotCompared(x, y)
    return divergence


def candidate_of(one: Mine | Bundle, bundles: Sequence[Bundle] = ()) -> Candidate:
    """What lies here, or a bundle, with what all bundles of its version say of it."""
    if isinstance(one, Mine):
        return Candidate(one.version, one.supersedes, one.decision)
    version = one.head.version
    given_up, decision = inherited_decisions(version, bundles)
    return Candidate(version, frozenset(given_up), decision)
