"""Who wins. PURE: values in, a plan out; no file is read and no clock asked.

The words are those of the format's rules. *Mine* is the transcript that lies here (L), *own* this
machine's bundle as it lies in the store (O), a *rival* another machine's (R).

* A version *extends* another if the other's bytes are a prefix of its own (an unfinished last
  line of the other doesn't count against it).
* X *gives up* Y if Y is among what X supersedes, and X isn't among what Y does, or X comes from
  a later decision.
* X *beats* Y if X gives up Y; or Y doesn't give up X, and X extends Y; or neither, and beyond
  their common lines only X holds something that was said, or neither does and X's SHA-256 is the
  smaller (so that looking at a session on two machines is no conflict).

How two versions relate is asked of `Relations`, which may not know yet: then the plan is an
`Ask`, and the caller comes back when it has read them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import NamedTuple

from claude_sync.model import Bundle, Version


class Relation(NamedTuple):
    """How version x relates to version y, two that differ.

    Attributes:
        extends: x extends y. At most one of two versions extends the other.
        extended: y extends x.
        said: beyond the common lines, x holds something that was said.
        answered: beyond the common lines, y does.
    """

    extends: bool
    extended: bool
    said: bool
    answered: bool


Relations = Callable[[Version, Version], "Relation | None"]


class Mine(NamedTuple):
    """The transcript that lies here.

    Attributes:
        version: what it is now.
        sidecar_sha256: of its sidecars.
        supersedes: SHA-256 of versions it knowingly replaces, as remembered.
        held: versions it was seen to be; what it no longer extends, it replaces too.
        decision: number of the resolve that made it.
    """

    version: Version
    sidecar_sha256: str
    supersedes: frozenset[str] = frozenset()
    held: frozenset[Version] = frozenset()
    decision: int = 0


class Kind(Enum):
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
    """

    kind: Kind
    rivals: tuple[Bundle, ...] = ()


class PushKind(Enum):
    """What a push is to do."""

    WRITE = "write"
    UNCHANGED = "unchanged"
    BEHIND = "behind"


class PushPlan(NamedTuple):
    """What a push is to do with one session.

    Attributes:
        kind: what.
        keep_own: whether the own bundle's version goes into the vault before it is replaced.
    """

    kind: PushKind
    keep_own: bool = False


class Ask(NamedTuple):
    """How these two versions relate must be known first."""

    x: Version
    y: Version


class _UnknownRelation(Exception):
    def __init__(self, x: Version, y: Version) -> None:
        super().__init__()
        self.ask = Ask(x, y)


class _Candidate(NamedTuple):
    version: Version
    supersedes: frozenset[str]
    held: frozenset[Version]
    decision: int


def newest_of_each(bundles: Sequence[Bundle]) -> tuple[Bundle, ...]:
    """One session's bundles that count: of each machine id those of the greatest revision.

    Equal ones of one machine id are the same bundle twice (a conflict copy); of equal revisions
    with different bytes each counts, for two machines bear that id.
    """
    if len(bundles) < 2:
        return tuple(bundles)
    greatest: dict[str, int] = {}
    for bundle in bundles:
        head = bundle.head
        greatest[head.machine_id] = max(greatest.get(head.machine_id, 0), head.revision)
    counted: dict[tuple[str, Version], Bundle] = {}
    for bundle in sorted(bundles, key=lambda one: one.name):
        head = bundle.head
        if head.revision == greatest[head.machine_id]:
            counted.setdefault((head.machine_id, head.version), bundle)
    return tuple(counted.values())


class Split(NamedTuple):
    """One session's bundles, split into this machine's own and those that rival it.

    Attributes:
        own: this machine's, None where it has none.
        own_is_rival: whether that counts as a rival itself, for it isn't what was written.
        rivals: all rivals, it included then.
    """

    own: Bundle | None
    own_is_rival: bool
    rivals: tuple[Bundle, ...]


def own_and_rivals(bundles: Sequence[Bundle], machine_id: str, written: Version | None) -> Split:
    """Split one session's bundles into this machine's own and those that rival it.

    Args:
        bundles: all of the session's.
        machine_id: this machine's.
        written: the version this machine remembers having written (P), None where unknown.
    """
    counted = newest_of_each(bundles)
    own = [bundle for bundle in counted if bundle.head.machine_id == machine_id]
    rivals = [bundle for bundle in counted if bundle.head.machine_id != machine_id]
    if not own:
        return Split(None, False, tuple(rivals))
    known = [bundle for bundle in own if bundle.head.version == written]
    strange = [bundle for bundle in own if bundle.head.version != written]
    chosen = (known or own)[0]
    return Split(chosen, chosen in strange, (*rivals, *strange))


def inherited_decisions(version: Version, bundles: Sequence[Bundle]) -> tuple[tuple[str, ...], int]:
    """What any of several bundles says that a version gives up, and the latest decision for it.

    What one machine decided of a version holds wherever the same bytes lie.
    """
    heads = [bundle.head for bundle in bundles if bundle.head.version == version]
    given_up = dict.fromkeys(sha256 for head in heads for sha256 in head.supersedes)
    return tuple(given_up), max((head.decision for head in heads), default=0)


def plan_pull(mine: Mine | None, rivals: Sequence[Bundle], relations: Relations) -> PullPlan | Ask:
    """What to do with the versions that rival the one that lies here, if one does.

    Args:
        mine: the transcript here, None where there is none.
        rivals: bundles as `own_and_rivals` gave them.
        relations: how versions relate; None where that isn't known yet.
    """
    try:
        left = _left(mine, rivals, relations)
        if not left:
            behind = mine is not None and any(
                rival.head.version != mine.version for rival in rivals
            )
            return PullPlan(Kind.AHEAD if behind else Kind.NOTHING)
        if len(left) > 1:
            return PullPlan(Kind.CONFLICT, left)
        if mine is None:
            return PullPlan(Kind.IMPORT, left)
        x, y = _of_bundle(left[0], rivals), _of_mine(mine)
        if not _beats(x, y, relations):
            return PullPlan(Kind.CONFLICT, left)
        extends = _relation(x.version, y.version, relations).extends
        return PullPlan(Kind.FAST_FORWARD if extends else Kind.REPLACE, left)
    except _UnknownRelation as unknown:
        return unknown.ask


def plan_push(
    mine: Mine, own: Bundle | None, own_is_rival: bool, relations: Relations
) -> PushPlan | Ask:
    """Whether to write the transcript here into this machine's bundle.

    Args:
        mine: the transcript here; `supersedes` with all it replaces.
        own: this machine's bundle as it lies in the store.
        own_is_rival: whether that isn't what this machine remembers having written.
        relations: how versions relate; None where that isn't known yet.
    """
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
        if own_is_rival and not _beats(_of_mine(mine), _of_bundle(own, [own]), relations):
            return PushPlan(PushKind.BEHIND)
        extends = _relation(mine.version, head.version, relations).extends
        return PushPlan(PushKind.WRITE, keep_own=not extends)
    except _UnknownRelation as unknown:
        return unknown.ask


def may_keep(version: Version, others: Sequence[Version], relations: Relations) -> bool | Ask:
    """Whether a resolve may offer to keep a version: not if another one holds all of it already.

    Args:
        version: the one to keep.
        others: the other sides.
        relations: how versions relate; None where that isn't known yet.
    """
    try:
        return not any(
            _relation(other, version, relations).extends for other in others if other != version
        )
    except _UnknownRelation as unknown:
        return unknown.ask


def _left(mine: Mine | None, rivals: Sequence[Bundle], relations: Relations) -> tuple[Bundle, ...]:
    """Rule 2: the rivals that neither mine nor another rival beats."""
    mine_here = _of_mine(mine) if mine is not None else None
    all_of_them = [(rival, _of_bundle(rival, rivals)) for rival in rivals]
    standing = [
        (rival, candidate)
        for rival, candidate in all_of_them
        if mine_here is None or not _beats(mine_here, candidate, relations)
    ]
    left = []
    for index, (rival, candidate) in enumerate(standing):
        beaten = False
        for other_index, (_, other) in enumerate(standing):
            same = other.version == candidate.version
            if other_index == index or (same and other_index > index):
                continue
            if _beats(other, candidate, relations):
                beaten = True
                break
        if not beaten:
            left.append(rival)
    if left:
        return tuple(left)
    return tuple(
        rival for rival, _ in standing if mine is None or rival.head.version != mine.version
    )


def _beats(x: _Candidate, y: _Candidate, relations: Relations) -> bool:
    if _gives_up(x, y, relations):
        return True
    if _gives_up(y, x, relations):
        return False
    if x.version == y.version:
        return True
    relation = _relation(x.version, y.version, relations)
    if relation.extends:
        return True
    if relation.extended or relation.answered:
        return False
    return relation.said or x.version.sha256 < y.version.sha256


def _gives_up(x: _Candidate, y: _Candidate, relations: Relations) -> bool:
    return _supersedes(x, y, relations) and (
        not _supersedes(y, x, relations) or x.decision > y.decision
    )


def _supersedes(x: _Candidate, y: _Candidate, relations: Relations) -> bool:
    """Whether y is among what x replaces: as told, or held once and no longer extended."""
    if x.version == y.version:
        return False
    if y.version.sha256 in x.supersedes:
        return True
    if y.version not in x.held:
        return False
    relation = _relation(x.version, y.version, relations)
    return not relation.extends and not relation.extended


def _relation(x: Version, y: Version, relations: Relations) -> Relation:
    if x == y:
        return Relation(True, True, False, False)
    relation = relations(x, y)
    if relation is None:
        raise _UnknownRelation(x, y)
    return relation


def _of_mine(mine: Mine) -> _Candidate:
    return _Candidate(mine.version, mine.supersedes, mine.held, mine.decision)


def _of_bundle(bundle: Bundle, bundles: Sequence[Bundle]) -> _Candidate:
    version = bundle.head.version
    given_up, decision = inherited_decisions(version, bundles)
    return _Candidate(version, frozenset(given_up), frozenset(), decision)
