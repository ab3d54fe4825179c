"""What was said here gives way to what doesn't hold it only where a person here asked for that."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bundles import crafted
from claude_sync.model import Outcome, State
from claude_sync.sync.conflict import ConflictKind
from claude_sync.sync.pack import unpack
from claude_sync.sync.pull import pull
from claude_sync.sync.read_conflict import read_conflict
from claude_sync.sync.resolve import resolve
from machines import OTHER, SESSION, Pair, PlayedMachine, agree, bookkeeping, outcomes, said
from services import prepare, serving
from waiting import PATIENCE_SECONDS, until


@pytest.fixture
def decided(pair: Pair) -> Pair:
    """The desktop gave up what the laptop says since, and pushed that decision."""
    laptop, desktop = pair
    laptop.write(SESSION, said("here"), said("only"), said("said"))
    desktop.write(SESSION, said("there"))
    laptop.push()
    desktop.push()
    desktop.resolve(keep="mine")
    return pair


def test_a_pull_that_nobody_asked_for_says_what_it_would_replace(decided: Pair) -> None:
    laptop, _ = decided
    before = laptop.read()
    result = laptop.pull(replace=False)[SESSION]
    assert result.outcome is Outcome.CONFLICT
    assert result.message == (
        "desktop's version replaces 3 lines that are only here: "
        f"`claude-sync pull {SESSION}` does that"
    )
    assert result.reason == "desktop's version replaces 3 lines that are only here"
    assert laptop.pull(SESSION, replace=False)[SESSION].outcome is Outcome.CONFLICT
    assert laptop.read() == before


def test_every_listing_says_it(decided: Pair) -> None:
    laptop, _ = decided
    state = laptop.states()[SESSION]
    assert (state.state, state.replaces, state.rivals) == (State.WAITING, 3, ("desktop",))
    with laptop.at_work() as context:
        (result,) = pull(context, dry_run=True, replace=True)
    assert (result.outcome, result.message) == (
        Outcome.REPLACED,
        "replaces 3 lines that are only here",
    )


def test_a_person_who_asks_gets_it_and_what_was_here_is_kept(decided: Pair) -> None:
    laptop, desktop = decided
    before = laptop.read()
    result = laptop.pull()[SESSION]
    assert result.outcome is Outcome.REPLACED
    assert result.message == "3 lines that were only here are kept as an earlier version"
    assert agree(laptop, desktop)
    assert before in laptop.kept()


def test_where_nothing_that_was_said_is_lost_nobody_is_asked(pair: Pair) -> None:
    laptop, desktop = pair
    laptop.write(SESSION, bookkeeping())
    desktop.write(SESSION, said("there"))
    desktop.push()
    assert laptop.states()[SESSION].replaces == 0
    assert outcomes(laptop.pull(replace=False)) == {SESSION: Outcome.REPLACED}
    assert agree(laptop, desktop)


def test_watching_waits_for_a_person_and_pulls_the_rest(decided: Pair) -> None:
    laptop, desktop = decided
    before = laptop.read()
    desktop.write(OTHER, said("new"))
    desktop.push()
    prepare(laptop)
    with serving(laptop, on_arrival="pull") as service:
        until(lambda: laptop.has(OTHER) and len(service.status.arrivals) == 1)
        (arrival,) = service.status.arrivals
        assert (arrival.session_id, arrival.state.replaces) == (SESSION, 3)
        assert laptop.read() == before
        (result,) = service.pull([SESSION]).result(PATIENCE_SECONDS)
        assert result.outcome is Outcome.CONFLICT
        assert laptop.read() == before
        (result,) = service.pull([SESSION], replace=True).result(PATIENCE_SECONDS)
        assert result.outcome is Outcome.REPLACED
    assert agree(laptop, desktop)


def test_one_that_waited_to_be_closed_is_not_replaced_when_it_is(decided: Pair) -> None:
    laptop, _ = decided
    before = laptop.read()
    laptop.open()
    prepare(laptop)
    with serving(laptop, on_arrival="pull") as service:
        (result,) = service.pull([SESSION], replace=True).result(PATIENCE_SECONDS)
        assert result.outcome is Outcome.OPEN
        laptop.close()
        until(lambda: not service.status.deferred and not service.status.sessions[0].open)
        service.look_now().result(PATIENCE_SECONDS)
        assert laptop.read() == before


def _forged(laptop: PlayedMachine, file: Path) -> Path:
    """A stranger's file that says it was chosen in place of what lies here, every hash right."""
    whole = json.loads(laptop.bundle().read_bytes())
    data = crafted(
        session_id=SESSION,
        project_key=whole["project_key"],
        machine="desktop",
        supersedes=[whole["sha256"]],
        decision=2**40,
    )
    file.write_bytes(data)
    return file


def test_a_file_by_hand_replaces_only_where_that_is_asked_for(pair: Pair, tmp_path: Path) -> None:
    laptop, _ = pair
    file = _forged(laptop, tmp_path / "stranger.ccsync")
    before = laptop.read()
    with laptop.at_work() as context:
        result = unpack(context, file)
    assert result.outcome is Outcome.CONFLICT
    assert result.message.endswith("line that is only here: --replace does that")
    assert laptop.read() == before
    with laptop.at_work() as context:
        result = unpack(context, file, replace=True)
    assert result.outcome is Outcome.REPLACED
    assert before in laptop.kept()


def test_who_has_to_agree_can_read_both_and_choose(decided: Pair) -> None:
    laptop, desktop = decided
    before = laptop.read()
    with laptop.at_work() as context:
        view = read_conflict(context, SESSION)
    assert view.kind is ConflictKind.REPLACES
    assert [(one.side.machine, one.side.lines, one.side.offered) for one in view.sides] == [
        ("laptop", 3, True),
        ("desktop", 1, True),
    ]
    with laptop.at_work() as context:
        resolve(context, SESSION, "mine", shown=view.versions)
    assert laptop.read() == before
    assert laptop.states()[SESSION].state is State.AHEAD
    assert desktop.states()[SESSION].replaces == 1
    desktop.pull()
    assert agree(laptop, desktop)
    assert laptop.read() == before


@pytest.mark.parametrize("keep", ["theirs", "both"])
def test_what_was_chosen_elsewhere_can_be_taken_or_set_beside(decided: Pair, keep: str) -> None:
    laptop, desktop = decided
    mine, theirs = laptop.read(), desktop.read()
    laptop.resolve(keep=keep)
    assert laptop.read() == (theirs if keep == "theirs" else mine)
    texts = [laptop.read(session) for session in laptop.sessions()]
    assert theirs in texts
    assert mine in [*texts, *laptop.kept()]
    assert not laptop.states()[SESSION].replaces
