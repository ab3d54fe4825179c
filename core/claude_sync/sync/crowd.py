"""Which versions are compared where a session has many: FORMAT.md, rule 2. PURE.

A fleet of a hundred machines holds a hundred versions of one session, of which one begins with all
others. But anybody who can write into a store can write as many that have nothing in common, and to
compare those all with each other would cost hours. So the work is bounded, not the fleet: one
reading of a version tells which of the others it begins with, and few are read.

No file is read here: what a version begins with is asked of a `Beginnings`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from itertools import islice

from claude_sync.errors import SessionCrowded
from claude_sync.model import Bundle, Version
from claude_sync.sync.planner import (
    MAX_RIVALS,
    Candidate,
    Compare,
    NotCompared,
    beats,
    candidate_of,
    gives_up,
)
from claude_sync.sync.rivals import Mine
from claude_sync.wording import count, join

Beginnings = Callable[[Version, Sequence[Version]], Collection[Version]]
"""Which of several shorter versions a version begins with; it may have to be read for that."""


def few(
    mine: Mine | None, rivals: Sequence[Bundle], compare: Compare, beginnings: Beginnings
) -> tuple[Bundle, ...]:
    """Of rivals that are many versions those that count.

    Left out are those that another one gives up, that what lies here is known to beat, and that it
    or another one begins with; but of those that what lies here beats one is kept, which is enough
    to tell that it is ahead.

    Args:
        mine: the transcript here, None where there is none.
        rivals: bundles as `own_and_rivals` gave them.
        compare: how two versions diverge, as far as that is known.
        beginnings: asked at most once more than MAX_RIVALS.

    Raises:
        SessionCrowded: more are left than are compared. And what `beginnings` raises.
    """
    versions: dict[Version, list[Bundle]] = {}
    for rival in rivals:
        versions.setdefault(rival.head.version, []).append(rival)
    here = candidate_of(mine) if mine is not None else None
    everyone = [candidate_of(same[0], same) for same in versions.values()]
    standing = _standing(everyone, here, compare)
    begun: set[Version] = set()

    def ask(longest: Version, shorter: Sequence[Version]) -> Collection[Version]:
        found = beginnings(longest, shorter)
        if here is not None and longest == here.version:
            begun.update(found)
        return found

    ends = _ends(standing, here, ask)
    if ends is None:
        raise _crowded([rival for one in standing for rival in versions[one.version]])
    left = [rival for one in ends if one is not here for rival in versions[one.version]]
    beaten = (
        versions[one.version][0]
        for one in everyone
        if here is not None
        and one not in ends
        and one.version != here.version
        and (one.version in begun or _is_known_to_beat(here, one, compare))
    )
    return (*left, *islice(beaten, 1))


def _standing(
    candidates: Sequence[Candidate], here: Candidate | None, compare: Compare
) -> list[Candidate]:
    """Those that no other one gives up, nor what lies here is known to beat."""
    giving_up: dict[str, list[Candidate]] = {}
    for one in candidates:
        for sha256 in one.supersedes:
            giving_up.setdefault(sha256, []).append(one)
    return [
        one
        for one in candidates
        if not (here is not None and _is_known_to_beat(here, one, compare))
        and not any(gives_up(other, one) for other in giving_up.get(one.version.sha256, ()))
    ]


def _is_known_to_beat(x: Candidate, y: Candidate, compare: Compare) -> bool:
    try:
        return beats(x, y, compare)
    except NotCompared:
        return False


def _ends(
    standing: Sequence[Candidate], here: Candidate | None, beginnings: Beginnings
) -> list[Candidate] | None:
    """Those that no longer one begins with, what lies here among them; None where they are many."""
    readable = MAX_RIVALS + (here is not None)
    sizes = Counter(one.version.size for one in standing)
    if max(sizes.values(), default=0) > readable:
        return None  # a version begins with but one of each size: no reading would leave few
    left = list(standing) if here is None else [here, *standing]
    left.sort(key=lambda one: -one.version.size)
    ends: list[Candidate] = []
    while left:
        longest, *left = left
        ends.append(longest)
        if len(ends) - (here in ends) > MAX_RIVALS:
            return None
        shorter = [one.version for one in left if one.version.size < longest.version.size]
        held = beginnings(longest.version, shorter) if shorter else ()
        left = [one for one in left if one.version not in held or gives_up(one, longest)]
    return ends


def _crowded(rivals: Sequence[Bundle]) -> SessionCrowded:
    names = sorted({rival.head.machine for rival in rivals})
    versions = count(len({rival.head.version for rival in rivals}), "version")
    return SessionCrowded(
        f"{versions} of this session lie in the store, more than are compared, from "
        f"{join(names, 3)}",
        todo="remove those of machines that aren't yours: `claude-sync forget --machine NAME`",
    )
