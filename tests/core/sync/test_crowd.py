"""Which of many versions of a session count, and how little has to be read to tell."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from claude_sync.claude.compare import Divergence
from claude_sync.errors import SessionCrowded
from claude_sync.model import Bundle, Version
from claude_sync.sync.crowd import few
from claude_sync.sync.planner import MAX_RIVALS, PullKind, PullPlan, are_many, plan_pull
from core.sync.test_planner import Texts, Told, bundle_of, mine_of, version
from randomness import examples

LONGEST = "".join(f"{number}\n" for number in range(100))
CHAIN = [Told("".join(f"{line}\n" for line in range(lines))) for lines in range(1, 101)]
MOST_COMPARISONS = MAX_RIVALS * (MAX_RIVALS - 1) // 2
APART = [Told(f"1\n{number}\n") for number in range(2, 62)]


class Readings:
    """What versions begin with, and how they diverge, from their texts; counts what was asked."""

    def __init__(self, *told: Told) -> None:
        self._texts = {version(one.text): one.text for one in told}
        self._divergence = Texts(*(one.text for one in told))
        self.asked: list[Version] = []
        self.compared: dict[tuple[Version, Version], Divergence] = {}

    def learn(self, x: Version, y: Version) -> Divergence:
        if (y, x) in self.compared:
            return self.compared[y, x].turned()
        return self.compared.setdefault((x, y), self._divergence(x, y))

    def known(self, x: Version, y: Version) -> Divergence | None:
        return self.learn(x, y) if {(x, y), (y, x)} & self.compared.keys() else None

    def __call__(self, longest: Version, shorter: Sequence[Version]) -> list[Version]:
        self.asked.append(longest)
        text = self._texts[longest]
        return [one for one in shorter if text.startswith(self._texts[one])]


def never_known(x: Version, y: Version) -> None:
    """Nothing is known of any two versions."""


def bundles_of(rivals: Sequence[Told]) -> list[Bundle]:
    return [bundle_of(told, f"m{number}") for number, told in enumerate(rivals)]


def pulled(mine: Told | None, *rivals: Told) -> PullPlan:
    """What a pull does with many rivals of which nothing is known before."""
    everyone = [*rivals, *([mine] if mine else [])]
    bundles, here = bundles_of(rivals), mine_of(mine) if mine else None
    readings = Readings(*everyone)
    left = few(here, bundles, readings.known, readings, readings.learn)
    assert len(readings.asked) <= MAX_RIVALS + 1
    assert len(readings.compared) <= MOST_COMPARISONS
    plan = plan_pull(here, left, Texts(*(told.text for told in everyone)))
    assert isinstance(plan, PullPlan)
    return plan


def test_a_hundred_machines_that_are_behind_cost_one_reading() -> None:
    mine, rivals = Told(LONGEST + "x\n"), bundles_of(CHAIN)
    readings = Readings(mine, *CHAIN)
    few(mine_of(mine), rivals, readings.known, readings, readings.learn)
    assert readings.asked == [version(mine.text)]
    assert not readings.compared


def test_of_a_hundred_machines_the_one_that_is_ahead_is_taken() -> None:
    for mine in (CHAIN[0], CHAIN[50], Told("0\n1")):
        plan = pulled(mine, *CHAIN)
        assert plan.kind is PullKind.FAST_FORWARD
        assert [rival.head.version for rival in plan.rivals] == [version(LONGEST)]
    assert pulled(None, *CHAIN).kind is PullKind.IMPORT
    assert pulled(Told(LONGEST), *CHAIN).kind is PullKind.AHEAD


def test_of_a_hundred_machines_two_that_went_apart_are_in_conflict() -> None:
    plan = pulled(CHAIN[3], *CHAIN, Told("0\n1\nx\n"))
    assert plan.kind is PullKind.CONFLICT
    assert len(plan.rivals) == 2


def test_versions_that_all_went_apart_are_a_conflict_by_count() -> None:
    rivals = [Told(f"{'1' * number}\n") for number in range(1, 61)]
    for mine in (None, Told("2\n"), Told("1\n")):
        readings = Readings(*rivals, *([mine] if mine else []))
        here = mine_of(mine) if mine else None
        with pytest.raises(SessionCrowded, match=r"(59|60) versions .* m\d+, m\d+ and \d\d more"):
            few(here, bundles_of(rivals), readings.known, readings, readings.learn)
        assert len(readings.asked) <= MAX_RIVALS + 1
        assert len(readings.compared) <= MOST_COMPARISONS


def test_hundreds_of_versions_of_one_size_are_one_without_a_reading() -> None:
    rivals = [Told(f"{number}\n") for number in range(100, 300)]
    for mine in (None, Told("1\n"), rivals[0]):
        readings = Readings()
        here = mine_of(mine) if mine else None
        with pytest.raises(SessionCrowded, match=r"(199|200) versions"):
            few(here, bundles_of(rivals), never_known, readings, readings.learn)
        assert readings.asked == []


def test_many_machines_that_only_looked_are_no_conflict() -> None:
    looked = [Told("1\n" * (number // 2 + 1) + f"b{number}\n") for number in range(60)]
    spoken = Told("1\n" * 30 + "2\n")
    assert pulled(None, *looked).kind is PullKind.IMPORT
    assert pulled(looked[7], *looked).kind in (PullKind.REPLACE, PullKind.AHEAD)
    assert pulled(looked[7], *looked, spoken).kind is PullKind.REPLACE
    assert pulled(spoken, *looked).kind is PullKind.AHEAD


def test_what_is_known_to_be_beaten_is_not_read() -> None:
    mine, readings = Told(LONGEST), Readings()
    known = Texts(LONGEST, *(told.text for told in CHAIN))
    left = few(mine_of(mine), bundles_of(CHAIN), known, readings, readings.learn)
    assert readings.asked == []
    plan = plan_pull(mine_of(mine), left, known)
    assert isinstance(plan, PullPlan)
    assert plan.kind is PullKind.AHEAD


def test_what_another_gives_up_does_not_count() -> None:
    decided = Told("1\nx\n", frozenset(told.text for told in APART), decision=1)
    assert pulled(APART[0], *APART[1:], decided).kind is PullKind.REPLACE
    assert pulled(None, *APART, decided).kind is PullKind.IMPORT
    giving_up = Told(LONGEST, frozenset(told.text for told in APART))
    readings = Readings()
    left = few(mine_of(giving_up), bundles_of(APART), never_known, readings, readings.learn)
    assert [rival.head.version for rival in left] == [version(APART[0].text)]


def test_a_version_that_gives_up_what_goes_on_from_it_stays() -> None:
    brought_back = Told(CHAIN[2].text, frozenset(told.text for told in CHAIN[3:]), decision=1)
    plan = pulled(None, *CHAIN[:2], *CHAIN[3:], brought_back)
    assert plan.kind is PullKind.IMPORT
    assert [rival.head.version for rival in plan.rivals] == [version(brought_back.text)]


def test_versions_that_give_each_other_up_count() -> None:
    texts = frozenset(told.text for told in APART)
    rivals = [told._replace(supersedes=texts - {told.text}) for told in APART]
    readings = Readings(*rivals)
    with pytest.raises(SessionCrowded):
        few(None, bundles_of(rivals), never_known, readings, readings.learn)


def test_copies_of_few_versions_are_not_many() -> None:
    assert not are_many(bundles_of([Told("1\n")] * 60))
    assert are_many(bundles_of(APART))


# One bookkeeping line only: where several versions are apart by such lines alone, each may beat the
# next in a ring, and which of them are there decides.
BRANCHES = some.lists(some.sampled_from(["1\n", "2\n", "b1\n"]), max_size=9).map("".join)


@some.composite
def rivals_and_mine(draw: some.DrawFn) -> tuple[list[Told], Told | None]:
    """Beginnings of a few texts, with a cut in their lines or without."""
    ends = draw(some.lists(BRANCHES.filter(bool), min_size=1, max_size=4))
    texts = some.sampled_from([text[: size + 1] for text in ends for size in range(len(text))])
    told = draw(some.lists(texts.map(Told), unique=True, max_size=20))
    return told, draw(some.none() | texts.map(Told))


@settings(max_examples=examples(1500))
@given(rivals_and_mine())
def test_leaving_beginnings_out_changes_no_plan(case: tuple[list[Told], Told | None]) -> None:
    told, mine = case
    rivals, here = bundles_of(told), mine_of(mine) if mine else None
    everyone = [*told, *([mine] if mine else [])]
    known = Texts(*(one.text for one in everyone))
    try:
        readings = Readings(*everyone)
        left = few(here, rivals, readings.known, readings, readings.learn)
    except SessionCrowded:
        return
    with_few, with_all = plan_pull(here, left, known), plan_pull(here, rivals, known)
    assert isinstance(with_few, PullPlan)
    assert isinstance(with_all, PullPlan)
    assert with_few.kind is with_all.kind
    assert set(with_few.rivals) == set(with_all.rivals)
