"""Who wins: the rules one by one, then against a model that decides from the texts themselves."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from claude_sync.claude.compare import Divergence
from claude_sync.model import Bundle, BundleHead, Stamp, Version
from claude_sync.sync.planner import (
    Ask,
    PullKind,
    PullPlan,
    PushKind,
    PushPlan,
    may_keep,
    plan_pull,
    plan_push,
)
from claude_sync.sync.rivals import Mine, inherited_decisions, newest_of_each, own_and_rivals
from randomness import examples

HERE = "here"
NO_SIDECAR = hashlib.sha256().hexdigest()


def version(text: str) -> Version:
    return Version(len(text), hashlib.sha256(text.encode()).hexdigest())


class Told(NamedTuple):
    """A transcript and what is said of it. Lines with a ``b`` are bookkeeping."""

    text: str
    supersedes: frozenset[str] = frozenset()
    decision: int = 0


def mine_of(told: Told) -> Mine:
    return Mine(
        version(told.text),
        NO_SIDECAR,
        frozenset(version(text).sha256 for text in told.supersedes),
        told.decision,
    )


def bundle_of(
    told: Told, machine: str = "there", revision: int = 1, name: str = "", sidecar: str = NO_SIDECAR
) -> Bundle:
    size, sha256 = version(told.text)
    head = BundleHead(
        session_id="s",
        project_key="name:x",
        subpath="",
        machine=machine,
        machine_id=machine,
        sidecar_sha256=sidecar,
        size=size,
        sha256=sha256,
        mtime_ns=0,
        revision=revision,
        pushed_at="",
        title="",
        open=False,
        supersedes=tuple(sorted(version(text).sha256 for text in told.supersedes)),
        decision=told.decision,
        encoded_size=size,
    )
    return Bundle(name or f"{machine}-{revision}", Stamp(1, 1, 1), head)


class Texts:
    """How versions diverge, from their texts."""

    def __init__(self, *texts: str) -> None:
        self._texts = {version(text): text for text in texts}

    def __call__(self, x: Version, y: Version) -> Divergence:
        a, b = self._texts[x], self._texts[y]
        return Divergence(
            common=0,  # the planner doesn't ask how much
            extends=extends(a, b),
            extended=extends(b, a),
            said=says_more(a, b),
            answered=says_more(b, a),
        )


def full_lines(text: str) -> str:
    return text[: text.rfind("\n") + 1]


def extends(x: str, y: str) -> bool:
    """Whether x holds all full lines of y; of two that both do, the longer, then the smaller hash.

    (Of two that differ in unfinished last lines only, some one must be taken, the same everywhere.)
    """
    if not x.startswith(full_lines(y)):
        return False
    if y.startswith(full_lines(x)) and x != y:
        return (len(y), rest_hash(x)) < (len(x), rest_hash(y))
    return True


def rest_hash(text: str) -> bytes:
    return hashlib.sha256(text[len(full_lines(text)) :].encode()).digest()


def says_more(x: str, y: str) -> bool:
    """Whether x says something beyond the lines that both share."""
    a, b = x.splitlines(keepends=True), y.splitlines(keepends=True)
    shared = 0
    while shared < min(len(a), len(b)) and a[shared] == b[shared] and a[shared].endswith("\n"):
        shared += 1
    return any(not line.startswith("b") for line in a[shared:])


# --- the model ---------------------------------------------------------------------------------


def replaced_by(x: Told) -> set[str]:
    """What a transcript knowingly replaces."""
    return set(x.supersedes) - {x.text}


def gives_up(x: Told, y: Told) -> bool:
    return y.text in replaced_by(x) and (x.text not in replaced_by(y) or x.decision > y.decision)


def beats(x: Told, y: Told) -> bool:
    if gives_up(x, y) or gives_up(y, x):
        return gives_up(x, y)
    if x.text == y.text or extends(x.text, y.text):
        return True
    if extends(y.text, x.text) or says_more(y.text, x.text):
        return False
    return says_more(x.text, y.text) or version(x.text).sha256 < version(y.text).sha256


def told_together(rivals: Sequence[Told]) -> list[Told]:
    """Each saying what is said of its text by any."""
    together = []
    for rival in rivals:
        same = [other for other in rivals if other.text == rival.text]
        lost = frozenset().union(*(other.supersedes for other in same))
        together.append(Told(rival.text, lost, max(other.decision for other in same)))
    return together


def left_over(mine: Told | None, rivals: Sequence[Told]) -> list[Told]:
    standing = [rival for rival in rivals if mine is None or not beats(mine, rival)]
    first = {rival.text: index for index, rival in reversed(list(enumerate(standing)))}
    unbeaten = [
        rival
        for index, rival in enumerate(standing)
        if first[rival.text] == index
        and not any(other.text != rival.text and beats(other, rival) for other in standing)
    ]
    return unbeaten or [r for r in standing if mine is None or r.text != mine.text]


def expected_pull(mine: Told | None, rivals: Sequence[Told]) -> tuple[PullKind, list[str]]:
    left = left_over(mine, told_together(rivals))
    texts = [rival.text for rival in left]
    if not left:
        other = mine is not None and any(rival.text != mine.text for rival in rivals)
        return (PullKind.AHEAD if other else PullKind.NOTHING), []
    if len(left) > 1 or (mine is not None and not beats(left[0], mine)):
        return PullKind.CONFLICT, texts
    if mine is None:
        return PullKind.IMPORT, texts
    return (PullKind.FAST_FORWARD if extends(texts[0], mine.text) else PullKind.REPLACE), texts


LINES = some.sampled_from(["1\n", "2\n", "3\n", "b1\n", "b2\n"])
TEXTS = some.builds(
    lambda lines, end: "".join(lines) + end,
    some.lists(LINES, max_size=4),
    some.sampled_from(["", "", "", "2", "1"]),
)


@some.composite
def cases(draw: some.DrawFn) -> tuple[Told | None, list[Told]]:
    """A transcript here or none, and up to four rivals, all told of some texts."""
    texts = draw(some.lists(TEXTS, min_size=1, max_size=5, unique=True))
    any_text = some.sampled_from(texts)
    told = some.builds(Told, any_text, some.frozensets(any_text, max_size=2), some.integers(0, 2))
    return draw(some.one_of(some.none(), told)), draw(some.lists(told, max_size=4))


@settings(max_examples=examples(1500))
@given(cases())
def test_a_pull_is_planned_as_the_model_does(case: tuple[Told | None, list[Told]]) -> None:
    mine, rivals = case
    known = Texts(*(told.text for told in [*rivals, *([mine] if mine else [])]))
    bundles = [bundle_of(told, f"m{number}") for number, told in enumerate(rivals)]
    plan = plan_pull(mine_of(mine) if mine else None, bundles, known)
    assert isinstance(plan, PullPlan)
    kind, texts = expected_pull(mine, rivals)
    assert plan.kind is kind
    assert [rival.head.version for rival in plan.rivals] == list(map(version, texts))


@settings(max_examples=examples(500))
@given(cases(), some.booleans())
def test_a_push_is_planned_as_the_model_does(
    case: tuple[Told | None, list[Told]], own_is_rival: bool
) -> None:
    mine, rivals = case
    if mine is None or not rivals:
        return
    own, known = rivals[0], Texts(mine.text, rivals[0].text)
    plan = plan_push(
        mine_of(mine), bundle_of(own), known, own_is_rival=own_is_rival, shortened=False
    )
    if own.text == mine.text:
        same = own.decision >= mine.decision and own.supersedes >= mine.supersedes - {mine.text}
        assert plan == PushPlan(PushKind.UNCHANGED if same else PushKind.WRITE)
    elif own_is_rival and not beats(mine, own):
        assert plan == PushPlan(PushKind.BEHIND)
    else:
        assert plan == PushPlan(PushKind.WRITE, keep_own=not extends(mine.text, own.text))


@settings(max_examples=examples(500))
@given(cases())
def test_two_versions_never_beat_each_other_unless_they_are_one(
    case: tuple[Told | None, list[Told]],
) -> None:
    for x in case[1]:
        for y in case[1]:
            if x.text != y.text:
                assert not (beats(x, y) and beats(y, x))


# --- the rules, one by one ---------------------------------------------------------------------


def pulled(mine: Told | None, *rivals: Told) -> PullPlan:
    known = Texts(*(told.text for told in rivals), *([mine.text] if mine else []))
    bundles = [bundle_of(told, f"m{number}") for number, told in enumerate(rivals)]
    plan = plan_pull(mine_of(mine) if mine else None, bundles, known)
    assert isinstance(plan, PullPlan)
    return plan


BASE = "1\n"
CASES = {
    "what isn't here is imported": (None, [Told(BASE)], PullKind.IMPORT),
    "the same is nothing": (Told(BASE), [Told(BASE)], PullKind.NOTHING),
    "the longer wins": (Told(BASE), [Told("1\n2\n")], PullKind.FAST_FORWARD),
    "an older one is skipped": (Told("1\n2\n"), [Told(BASE)], PullKind.AHEAD),
    "both continued is a conflict": (Told("1\n2\n"), [Told("1\n3\n")], PullKind.CONFLICT),
    "diverged where nothing is here is a conflict too": (
        None,
        [Told("1\n2\n"), Told("1\n3\n")],
        PullKind.CONFLICT,
    ),
    "of a chain the longest is taken": (
        Told(BASE),
        [Told("1\n2\n"), Told("1\n2\n3\n")],
        PullKind.FAST_FORWARD,
    ),
    "looked at on two machines is no conflict": (Told("1\nb1\n"), [Told("1\nb2\n")], None),
    "who only looked gives way to who spoke": (
        Told("1\nb1\n"),
        [Told("1\n2\n")],
        PullKind.REPLACE,
    ),
    "a decision elsewhere replaces what it gave up": (
        Told("1\n2\n"),
        [Told("1\n3\n", frozenset({"1\n2\n"}))],
        PullKind.REPLACE,
    ),
    "a decision here isn't undone by what it gave up": (
        Told("1\n3\n", frozenset({"1\n2\n"})),
        [Told("1\n2\n")],
        PullKind.AHEAD,
    ),
    "what is less without a decision is brought forward": (
        Told("1\n"),
        [Told("1\n2\n")],
        PullKind.FAST_FORWARD,
    ),
    "the later decision stands": (
        Told("1\n2\n", frozenset({"1\n3\n"}), 1),
        [Told("1\n3\n", frozenset({"1\n2\n"}), 2)],
        PullKind.REPLACE,
    ),
    "a decision for the shorter version stands above length": (
        Told("1\n", frozenset({"1\n2\n"}), 1),
        [Told("1\n2\n")],
        PullKind.AHEAD,
    ),
    "an unfinished last line doesn't count": (
        Told("1\n2"),
        [Told("1\n3\n")],
        PullKind.FAST_FORWARD,
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_the_rules_of_a_pull(case: tuple[Told | None, list[Told], PullKind | None]) -> None:
    mine, rivals, kind = case
    plan = pulled(mine, *rivals)
    if kind is not None:
        assert plan.kind is kind
    else:
        assert plan.kind in (PullKind.AHEAD, PullKind.REPLACE)


def test_one_version_on_many_machines_is_one() -> None:
    rivals = [Told("1\n2\n")] * 60
    assert pulled(Told("1\n"), *rivals).kind is PullKind.FAST_FORWARD


def test_one_version_on_thousands_of_machines_is_looked_at_once() -> None:
    asked: list[tuple[Version, Version]] = []

    def known(x: Version, y: Version) -> Divergence:
        asked.append((x, y))
        return Texts("1\n", "1\n2\n")(x, y)

    bundles = [bundle_of(Told("1\n2\n"), f"m{number}") for number in range(5000)]
    plan = plan_pull(mine_of(Told("1\n")), bundles, known)
    assert isinstance(plan, PullPlan)
    assert plan.rivals == (bundles[0],)
    assert len(asked) < 9


def test_looking_at_a_session_on_two_machines_ends_the_same_on_both() -> None:
    ours, theirs = Told("1\nb1\n"), Told("1\nb2\n")
    kinds = {pulled(ours, theirs).kind, pulled(theirs, ours).kind}
    assert kinds == {PullKind.AHEAD, PullKind.REPLACE}


def test_of_one_machine_the_greatest_revision_counts() -> None:
    old, new = bundle_of(Told("1\n"), revision=1), bundle_of(Told("1\n2\n"), revision=2)
    assert newest_of_each([new, old]) == (new,)


def test_a_copy_that_a_sync_tool_made_counts_once() -> None:
    bundle = bundle_of(Told("1\n"), name="b")
    assert len(newest_of_each([bundle, bundle._replace(name="a (conflicted copy)")])) == 1


def test_equal_revisions_with_different_bytes_are_two_rivals() -> None:
    two = [bundle_of(Told("1\n2\n"), name="a"), bundle_of(Told("1\n3\n"), name="b")]
    assert newest_of_each(two) == tuple(two)


@pytest.mark.parametrize("written", [None, "1\n"], ids=["unknown", "another version"])
def test_an_own_bundle_that_was_not_written_as_it_is_counts_as_a_rival(written: str | None) -> None:
    own, other = bundle_of(Told("1\n2\n"), HERE), bundle_of(Told("1\n3\n"))
    remembered = version(written) if written is not None else None
    assert own_and_rivals([own, other], HERE, remembered) == (own, True, (other, own))


def test_an_own_bundle_that_is_what_was_written_is_no_rival() -> None:
    own, other = bundle_of(Told("1\n2\n"), HERE), bundle_of(Told("1\n3\n"))
    assert own_and_rivals([own, other], HERE, version("1\n2\n")) == (own, False, (other,))


def test_what_one_bundle_says_of_a_version_holds_for_all_of_that_version() -> None:
    silent, decided = Told("1\n2\n"), Told("1\n2\n", frozenset({"1\n3\n"}), 1)
    for rivals in ([silent, decided], [decided, silent]):
        assert pulled(Told("1\n3\n"), *rivals).kind is PullKind.REPLACE
    bundles = [bundle_of(silent, "a"), bundle_of(decided, "b"), bundle_of(Told("1\n"), "c")]
    assert inherited_decisions(version("1\n2\n"), bundles) == ((version("1\n3\n").sha256,), 1)


def test_of_two_own_bundles_of_one_revision_the_strange_one_is_a_rival() -> None:
    own = bundle_of(Told("1\n2\n"), HERE, name="a")
    strange = bundle_of(Told("1\n3\n"), HERE, name="b")
    assert own_and_rivals([own, strange], HERE, version("1\n2\n")) == (own, False, (strange,))


def test_what_is_not_known_yet_is_asked_for() -> None:
    mine, rival = Told("1\n2\n"), Told("1\n3\n")
    plan = plan_pull(mine_of(mine), [bundle_of(rival)], lambda x, y: None)
    assert plan == Ask(version(mine.text), version(rival.text))


def test_other_sidecars_are_written_though_the_transcript_is_the_same() -> None:
    own = bundle_of(Told("1\n"), HERE, sidecar="0" * 64)
    plan = plan_push(mine_of(Told("1\n")), own, Texts("1\n"), own_is_rival=False, shortened=False)
    assert plan == PushPlan(PushKind.WRITE)


@pytest.mark.parametrize("own", [None, "1\n", "1\n2\n"])
def test_what_was_shortened_is_not_written_whatever_lies_there(own: str | None) -> None:
    bundle = bundle_of(Told(own), HERE) if own is not None else None
    plan = plan_push(
        mine_of(Told("1\n")), bundle, Texts("1\n", "1\n2\n"), own_is_rival=False, shortened=True
    )
    assert plan == PushPlan(PushKind.SHORTENED)


def test_a_version_that_holds_nothing_rivals_none() -> None:
    own, other = bundle_of(Told(""), HERE), bundle_of(Told(""))
    assert own_and_rivals([own, other], HERE, version("1\n")) == (own, False, ())


def test_a_version_that_another_holds_whole_need_not_be_kept() -> None:
    known = Texts("1\n", "1\n2\n", "1\n3\n")
    assert may_keep(version("1\n"), [version("1\n2\n")], known) is False
    assert may_keep(version("1\n2\n"), [version("1\n"), version("1\n3\n")], known) is True
    assert isinstance(may_keep(version("1\n"), [version("2\n")], lambda x, y: None), Ask)
