"""What was packed while a store answered is what would have been packed after, or isn't used."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from claude_sync.model import Outcome
from claude_sync.store.packing import Outgoing, PackedAhead, pack_ahead
from claude_sync.sync.bundles import pack_ahead as packing_ahead
from claude_sync.sync.bundles.pack_ahead import PackingAhead
from claude_sync.sync.push import push_surveyed
from claude_sync.sync.survey.look import look
from claude_sync.transports.base import Block
from distant import Distant
from machines import (
    OTHER,
    SESSION,
    PlayedMachine,
    World,
    bookkeeping,
    opened,
    outcomes,
    said,
)

BIG = "x" * 1_500_000


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Distant:
    return Distant(monkeypatch)


@pytest.fixture
def laptop(world: World, place: Distant) -> PlayedMachine:
    """A machine that has pushed a session worth packing ahead."""
    laptop = world.machine("laptop")
    laptop.write(SESSION, said(BIG))
    laptop.write_sidecar(SESSION, "tool-results/one.txt", BIG.encode())
    laptop.write_sidecar(SESSION, "tool-results/two.txt", b"two")
    laptop.push()
    assert place.prepared == {}
    return laptop


def test_of_what_grew_only_the_growth_is_held(laptop: PlayedMachine, place: Distant) -> None:
    grown = laptop.write(SESSION, said("ünd\\ ein wénig \x00 mehr"))
    laptop.write_sidecar(SESSION, "tool-results/three.txt", b"three")
    assert outcomes(laptop.push()) == {SESSION: Outcome.PUSHED}
    [parts] = place.prepared.values()
    assert sum(len(part.data) for part in parts if isinstance(part, Block)) < 5_000
    found = opened(laptop.bundle())
    assert (found.transcript, found.sidecar) == (grown, laptop.sidecar())
    assert outcomes(laptop.push()) == {SESSION: Outcome.UNCHANGED}


def test_what_was_packed_ahead_is_called_what_was_found_out_since(
    laptop: PlayedMachine, place: Distant
) -> None:
    before = opened(laptop.bundle()).head
    laptop.write(SESSION, said("more"))
    laptop.push()
    after = opened(laptop.bundle()).head
    assert len(place.prepared) == 1
    assert (after.revision, after.pushed_at >= before.pushed_at) == (before.revision + 1, True)
    assert (after.title, after.mtime_ns) == (before.title, laptop.path().stat().st_mtime_ns)


def test_a_session_that_did_not_change_is_not_packed(
    laptop: PlayedMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing_ahead, "pack_ahead", lambda *_: pytest.fail("it was packed"))
    assert outcomes(laptop.push()) == {SESSION: Outcome.UNCHANGED}
    assert outcomes(laptop.push(SESSION)) == {SESSION: Outcome.UNCHANGED}


def test_only_what_was_named_is_read_and_packed(laptop: PlayedMachine, place: Distant) -> None:
    laptop.write(OTHER, said(BIG))
    laptop.push()
    for session in (SESSION, OTHER):
        laptop.write(session, said("more"))
    with laptop.at_work() as context:
        ahead = PackingAhead(context, [SESSION[:8]])
        survey = look(context, meanwhile=ahead.meanwhile)
        known = {key: survey.known_version(copies[0]) for key, copies in survey.local.items()}
        assert (known[SESSION] is None, known[OTHER] is None) == (False, True)
        push_surveyed(context, survey, [SESSION], ahead=ahead)
    assert [SESSION in name for name in place.prepared] == [True]


def test_what_it_grew_by_since_goes_with_the_next_push(
    laptop: PlayedMachine, place: Distant
) -> None:
    first = laptop.write(SESSION, said("first"))
    with laptop.at_work() as context:
        ahead = PackingAhead(context)
        survey = look(context, meanwhile=ahead.meanwhile)
        whole = laptop.write(SESSION, said("second"))
        push_surveyed(context, survey, ahead=ahead)
    assert len(place.prepared) == 1
    assert opened(laptop.bundle()).transcript == first
    assert outcomes(laptop.push()) == {SESSION: Outcome.PUSHED}
    assert opened(laptop.bundle()).transcript == whole


def test_of_a_session_that_is_open_no_unfinished_line_is_packed(
    laptop: PlayedMachine, place: Distant
) -> None:
    lines = laptop.write(SESSION, said("more"))
    laptop.write(SESSION, b'{"half')
    laptop.open()
    laptop.push()
    assert len(place.prepared) == 1
    assert opened(laptop.bundle()).transcript == lines


def test_another_bundle_than_was_thought_is_not_gone_on_from(
    laptop: PlayedMachine, place: Distant
) -> None:
    old = laptop.bundle().read_bytes()
    laptop.write(SESSION, said("first"))
    laptop.push()
    place.prepared.clear()
    newer = laptop.write(SESSION, said("second"))
    with laptop.at_work() as context:
        ahead = PackingAhead(context)

        def meanwhile(survey: object) -> None:
            ahead.meanwhile(survey)  # type: ignore[arg-type]
            # Somebody brings back what lay there before.
            laptop.bundle().write_bytes(old)

        push_surveyed(context, look(context, meanwhile=meanwhile), ahead=ahead)
    assert place.prepared == {}
    assert opened(laptop.bundle()).transcript == newer


def test_a_rewritten_session_is_not_packed_into_what_it_does_not_go_on_from(
    laptop: PlayedMachine, place: Distant
) -> None:
    first = laptop.read()
    before = laptop.write(SESSION, bookkeeping(), bookkeeping())
    laptop.push()
    place.prepared.clear()
    laptop.rewrite(SESSION, first + bookkeeping() + said(BIG))
    assert outcomes(laptop.push()) == {SESSION: Outcome.PUSHED}
    assert place.prepared == {}
    assert opened(laptop.bundle()).transcript == laptop.read()
    assert before in laptop.kept()


def test_a_machine_that_was_named_anew_meanwhile_says_its_new_name(
    laptop: PlayedMachine, place: Distant
) -> None:
    laptop.write(SESSION, said("more"))
    with laptop.at_work() as context:
        ahead = PackingAhead(context)
        survey = look(context, meanwhile=ahead.meanwhile)
        context.machine = context.machine._replace(name="workshop")
        push_surveyed(context, survey, ahead=ahead)
    assert place.prepared == {}
    [bundle] = laptop.world.bundles()
    assert opened(bundle).head.machine == "workshop"


def test_what_is_mostly_new_is_not_held(laptop: PlayedMachine, place: Distant) -> None:
    laptop.write(SESSION, said("y" * 9_000_000))
    laptop.push()
    assert place.prepared == {}
    assert opened(laptop.bundle()).transcript == laptop.read()


def test_what_was_read_in_vain_counts_too(
    laptop: PlayedMachine, place: Distant, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop.write(OTHER, said(BIG))
    laptop.push()
    for session in (SESSION, OTHER):
        laptop.write(session, said("y" * 5_000))
    tried: list[Outgoing] = []

    def counted(outgoing: Outgoing, *more: Any) -> PackedAhead | None:
        tried.append(outgoing)
        return pack_ahead(outgoing, *more)

    monkeypatch.setattr(packing_ahead, "pack_ahead", counted)
    monkeypatch.setattr(packing_ahead, "_HELD_BYTES", 1_000)
    monkeypatch.setattr(packing_ahead, "AHEAD_BYTES", 4_000_000)
    laptop.push()
    assert (len(tried), place.prepared) == (1, {})


def test_an_ignored_project_is_packed_only_when_it_is_asked_for(
    laptop: PlayedMachine, place: Distant
) -> None:
    laptop.write(SESSION, said("more"))
    with laptop.at_work() as context:
        context.preferences = context.preferences._replace(ignore=("*",))
        survey = look(context, store=False)
        survey.read_ahead()
        for named, packed in ((None, False), ([SESSION], True)):
            ahead = PackingAhead(context, named)
            ahead.meanwhile(survey)
            assert (ahead.take(SESSION) is not None) is packed
    assert place.prepared == {}


def test_that_it_grew_is_known_once_it_was_packed(laptop: PlayedMachine) -> None:
    before = opened(laptop.bundle()).head.version
    laptop.write(SESSION, said("more"))
    with laptop.at_work() as context:
        survey = look(context, store=False)
        survey.read_ahead()
        [local] = survey.local[SESSION]
        assert context.records.relation(survey.version(local), before) is None
        PackingAhead(context).meanwhile(survey)
        known = context.records.relation(survey.version(local), before)
        assert known is not None
        assert known["extends"]


def _otherwise(made: Outgoing) -> dict[str, Outgoing]:
    """The same session, each time with one thing that was found out to be otherwise."""
    assert made.base is not None
    assert made.expected is not None
    stamp = made.local.stamp
    older = made.base.head._replace(revision=made.base.head.revision + 1)
    return {
        "another file": made._replace(name=f"{made.name}2"),
        "another bundle there": made._replace(base=made.base._replace(head=older)),
        "no bundle there": made._replace(base=None),
        "written to since": made._replace(
            local=made.local._replace(stamp=stamp._replace(mtime_ns=stamp.mtime_ns + 1))
        ),
        "another version": made._replace(expected=made.expected._replace(sha256="0" * 64)),
        "open by now": made._replace(whole_lines=True),
        "another layout": made._replace(layout="{}"),
        "another project": made._replace(label=replace(made.label, subpath="app")),
        "another machine": made._replace(label=replace(made.label, machine="workshop")),
    }


def test_what_was_packed_is_used_for_that_very_session_only(laptop: PlayedMachine) -> None:
    laptop.write(SESSION, said("more"))
    with laptop.at_work() as context:
        survey = look(context, store=False)
        survey.read_ahead()
        ahead = PackingAhead(context)
        ahead.meanwhile(survey)
        made = ahead.take(SESSION)
    assert made is not None
    assert made.is_for(made.outgoing)
    later = replace(made.outgoing.label, revision=9, title="since", decision=3)
    assert made.is_for(made.outgoing._replace(label=later))
    cases = _otherwise(made.outgoing)
    assert {name: made.is_for(other) for name, other in cases.items()} == dict.fromkeys(
        cases, False
    )


def test_several_share_the_room_for_what_is_new(laptop: PlayedMachine, place: Distant) -> None:
    laptop.write(OTHER, said(BIG))
    laptop.push()
    for session in (SESSION, OTHER):
        laptop.write(session, said("y" * 5_000_000))
    laptop.push()
    assert len(place.prepared) == 1
    for session in (SESSION, OTHER):
        assert opened(laptop.bundle(session)).transcript == laptop.read(session)
