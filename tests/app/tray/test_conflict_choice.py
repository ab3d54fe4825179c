"""A choice between the sides of a conflict holds for what was shown, and for nothing else."""

from __future__ import annotations

import pytest

from claude_sync.model import SessionState, Side
from claude_sync_app.tray.conflict_choice import (
    BOTH,
    MINE,
    THEIRS,
    keep_action,
    read_choice,
    side_name,
)
from claude_sync_app.tray.verbs import Action, Verb
from tray_values import conflict, minutes_ago, status, version


def side(machine: str, machine_id: str, text: str = "x") -> Side:
    return Side(machine, machine_id, version(text), 1, minutes_ago(1))


OURS = side("laptop", "")


@pytest.mark.parametrize("what", [MINE, THEIRS, BOTH, "desktop"])
def test_a_choice_comes_back_with_the_versions_that_were_shown(what: str) -> None:
    state = conflict("c1")
    action = keep_action(state, what)
    assert action[:2] == ("keep", "c1")
    assert read_choice(action, status(conflicts=(conflict("c0"), state))) == (
        what,
        (version("mine"), version("theirs")),
    )


def changed(state: SessionState) -> list[SessionState]:
    mine, theirs = state.sides
    return [
        state._replace(sides=(mine, theirs._replace(version=version("grown")))),
        state._replace(sides=(mine._replace(version=version("grown")), theirs)),
        state._replace(sides=(mine, theirs._replace(machine_id="another"))),
        state._replace(sides=(*state.sides, side("tablet", "id-of-tablet"))),
        state._replace(sides=()),
        state._replace(session_id="another"),
    ]


def test_it_is_refused_once_anything_about_the_sides_has_changed() -> None:
    action = keep_action(conflict(), BOTH)
    for other in changed(conflict()):
        assert read_choice(action, status(conflicts=(other,))) is None
    assert read_choice(action, status()) is None
    assert read_choice(Action(Verb.KEEP, "c1", BOTH), status(conflicts=(conflict(),))) is None
    assert read_choice(Action(Verb.KEEP, "c1"), status(conflicts=(conflict(),))) is None


def test_the_same_sides_seen_again_are_the_same_choice() -> None:
    mine, theirs = conflict().sides
    later = mine._replace(lines=99, mtime_ns=0), theirs._replace(offered=False)
    assert keep_action(conflict(sides=later), BOTH) == keep_action(conflict(), BOTH)


@pytest.mark.parametrize(
    ("sides", "names"),
    [
        ((OURS, side("desktop", "d")), [MINE, THEIRS]),
        ((OURS, side("desktop", "d"), side("nas", "n")), [MINE, "desktop", "nas"]),
        ((side("desktop", "d"), side("nas", "n")), ["desktop", "nas"]),
        # A cloned machine writes under one name twice, and nobody can tell which is meant.
        ((OURS, side("nas", "n", "a"), side("NAS", "n", "b"), side("d", "d")), [MINE, "", "", "d"]),
        ((OURS, side("Mine", "m"), side("both", "b")), [MINE, "", ""]),
        ((OURS, side("both", "b")), [MINE, THEIRS]),
    ],
)
def test_each_side_has_the_name_that_a_resolve_knows_it_by(
    sides: tuple[Side, ...], names: list[str]
) -> None:
    assert [side_name(one, sides) for one in sides] == names
