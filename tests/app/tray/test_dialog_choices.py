"""What dialogs offer of a session where no browser shows the window."""

from __future__ import annotations

from typing import Any

import pytest

from claude_sync_app.tray.conflict_choice import BOTH, MINE, THEIRS, keep_action
from claude_sync_app.tray.dialog_choices import conflict_choices, session_choices, side_lines
from claude_sync_app.tray.verbs import Action, Verb
from tray_values import MINUTES, arrival, conflict, session


@pytest.mark.parametrize(
    ("more", "present", "absent"),
    [
        ({"directory": None}, ["Push now"], ["Resume", "Copy resume command"]),
        ({"undoable": True}, ["Undo the last pull"], []),
        ({"undoable": True, "open": True}, [], ["Undo the last pull", "Resume"]),
        ({"project_key": ""}, ["Pack to file…"], ["Stop sharing …"]),
        ({"ignored": True}, ["Share app again"], ["Stop sharing app…"]),
        ({}, ["Resume", "Open project folder", "Stop sharing app…"], ["Undo the last pull"]),
        ({"path": None}, [], ["Resume", "Push now"]),
    ],
)
def test_only_what_can_be_done_with_a_session_is_offered(
    more: dict[str, Any], present: list[str], absent: list[str]
) -> None:
    labels = [one.label for one in session_choices(session(**more), None)]
    assert [one for one in present if one not in labels] == []
    assert [one for one in absent if one in labels] == []


@pytest.mark.parametrize(
    ("more", "label", "action"),
    [
        ({}, "Pull from desktop", Action(Verb.PULL, "a1")),
        ({"shortened": True}, "Put back what it lost", Action(Verb.PULL, "a1")),
        (
            {"replaces": 1},
            "Take desktop's: it replaces 1 line that is only here",
            Action(Verb.REPLACE, "a1"),
        ),
    ],
)
def test_what_waits_elsewhere_comes_first_and_says_what_it_costs(
    more: dict[str, Any], label: str, action: Action
) -> None:
    one = arrival("a1", here=True, **more)
    assert session_choices(one.state, one)[0] == (label, action)
    held = arrival("a1", here=True, open=True, **more)
    assert action not in [choice.action for choice in session_choices(held.state, held)]


def test_of_a_conflict_each_side_can_be_kept_or_both() -> None:
    state = conflict()
    assert conflict_choices(state) == [
        ("Keep both", keep_action(state, BOTH)),
        ("Keep this machine's", keep_action(state, MINE)),
        ("Keep desktop's", keep_action(state, THEIRS)),
    ]
    assert side_lines(state, MINUTES) == [
        "This machine: 12 lines more since they diverged, 5 minutes ago",
        "desktop: 3 lines more since they diverged, 1 hour ago",
    ]


def test_a_side_that_is_not_offered_can_not_be_kept() -> None:
    mine, theirs = conflict().sides
    state = conflict(sides=(mine._replace(offered=False), theirs))
    labels = [one.label for one in conflict_choices(state)]
    assert labels == ["Keep both", "Keep desktop's"]


def test_nothing_is_kept_of_a_session_that_is_open_here_or_can_not_be_read() -> None:
    assert conflict_choices(conflict(open=True)) == []
    assert conflict_choices(conflict(sides=(), rivals=())) == []


def test_what_lost_something_can_be_brought_back() -> None:
    here, pushed = conflict().sides
    sides = (here, pushed._replace(machine="laptop", pushed_from_here=True))
    lost = conflict(sides=sides, shortened=True)
    assert conflict_choices(lost) == [
        ("Keep what is left here", keep_action(lost, MINE)),
        ("Bring back what was pushed from here", keep_action(lost, THEIRS)),
        ("Keep both", keep_action(lost, BOTH)),
    ]
    only = conflict(sides=(here,), rivals=(), shortened=True)
    assert [one.label for one in conflict_choices(only)] == ["Keep what is left here"]
