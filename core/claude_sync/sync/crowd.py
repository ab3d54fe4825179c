"""Which versions are compared where a session has many: FORMAT.md, rule 2. PURE.

A fleet of a hundred machines holds a hundred versions of one session, of which one begins with all
others. But anybody who can write into a store can write as many that have nothing in common, and to
compare those all with each other would cost hours. So the work is bounded, not the fleet: one
reading of a version tells which of the others it begins with, few are read for that, and as many
pairs are compared as MAX_RIVALS versions have.

No file is read here: how versions differ is asked of a `Beginnings` and a `Learn`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from itertools import islice
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from claude_sync.claude.compare import Divergence

Beginnings = Callable[[Version, Sequence[Version]], Collection[Version]]
"""Which of several shorter versions a version begins with; it may have to be read for that."""

Learn = Callable[[Version, Version], "Divergence"]
"""How two versions diverge, read if need be."""

_MOST_COMPARISONS = MAX_RIVALS * (MAX_RIVALS - 1) // 2
_MOST_COMPARED_BYTES = 64 << 20


def few(
    mine: Mine | None,
    rivals: Sequence[Bundle],
    compare: Compare,
    beginnings: Beginnings,
    learn: Learn,
) -> tuple[Bundle, ...]:
    """Of rivals that are many versions those that count.

    Left out are those that another one gives up, that what lies here is known to beat, that it or
    another one begins with, and if those are still many, some that it or another one beats. But of
    those that what lies here beats one is kept, which is enough to tell that it is ahead.

    Args:
        mine: the transcript here, None where there is none.
        rivals: bundles as `own_and_rivals` gave them.
        compare: how two versions diverge, as far as that is known.
        beginnings: asked at most once more than MAX_RIVALS.
        learn: asked of as many pairs as MAX_RIVALS versions have, and not of too many bytes.

    Raises:
        SessionCrowded: more are left than are compared. And what the last two raise.
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

    ends = _ends(standing, here, ask, _Comparing(learn))
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


class _Comparing:
    """Compares versions as long as that is not too much work.

    Args:
        learn: how two versions diverge.
    """

    def __init__(self, learn: Learn) -> None:
        self._learn = learn
        self._pairs = _MOST_COMPARISONS
        self._bytes = _MOST_COMPARED_BYTES

    def without_beaten(
        self, one: Candidate, others: Sequence[Candidate], most: int
    ) -> tuple[list[Candidate], bool]:
        """Those that one doesn't beat, as far as that is found out; and whether it is beaten.

        Args:
            one, others: the versions.
            most: how few are enough.
        """
        left = list(others)
        for other in others:
            if len(left) <= most or not self._pairs:
                break
            if other.version.size > self._bytes:
                continue
            self._pairs, self._bytes = self._pairs - 1, self._bytes - other.version.size
            if beats(one, other, self._learn):
                left.remove(other)
            elif beats(other, one, self._learn):
                return left, True
        return left, False


def _ends(
    standing: Sequence[Candidate],
    here: Candidate | None,
    beginnings: Beginnings,
    comparing: _Comparing,
) -> list[Candidate] | None:
    """Those that no other one begins with or beats, what lies here among them; None where many."""
    if len(standing) > MAX_RIVALS + _MOST_COMPARISONS:
        sizes = Counter(one.version.size for one in standing)
        if max(sizes.values()) > MAX_RIVALS + _MOST_COMPARISONS + 1:
            return None  # a version begins with but one of each size: nothing would leave few
    left = list(standing) if here is None else [here, *standing]
    left.sort(key=lambda one: -one.version.size)
    ends: list[Candidate] = []
    while left:
        longest, *left = left
        shorter = [one.version for one in left if one.version.size < longest.version.size]
        room = MAX_RIVALS - len(ends) + (here in ends)
        if longest is not here:
            room -= 1
        if room < 0:
            return None
        held = beginnings(longest.version, shorter) if shorter else ()
        left = [one for one in left if one.version not in held or gives_up(one, longest)]
        left, beaten = comparing.without_beaten(longest, left, room + (here in left))
        if not beaten:
            ends.append(longest)
    return ends


def _crowded(rivals: Sequence[Bundle]) -> SessionCrowded:
    names = sorted({rival.head.machine for rival in rivals})
    versions = count(len({rival.head.version for rival in rivals}), "version")
    return SessionCrowded(
        f"{versions} of this session lie in the shared folder, too many to choose from, from "
        f"{join(names, 3)}",
        todo="remove those of machines that aren't yours with `claude-sync forget --machine NAME`",
    )
