"""The icon's state and the sentence beside it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_sync.model import Level, Progress
from claude_sync.state.preferences import Preferences
from claude_sync_app.tray.icons.icons import IconState
from claude_sync_app.tray.status_line import icon_state, tooltip
from tray_values import (
    AROUND,
    HOME,
    MINUTES,
    NOW,
    arrival,
    conflict,
    session,
    status,
    warning,
)

FOREVER = float("inf")
IGNORING = Preferences(ignored_findings=("w1",))

# What holds, and then the icon's state: each further line's state is more important.
STATES: list[tuple[dict[str, Any], IconState]] = [
    ({}, IconState.UP_TO_DATE),
    ({"activity": Progress("Pushing")}, IconState.SYNCING),
    ({"arrivals": (arrival(),)}, IconState.WAITING),
    ({"paused_until": NOW + 60}, IconState.PAUSED),
    ({"offline_since": NOW - 60}, IconState.OFFLINE),
    ({"conflicts": (conflict(),)}, IconState.ATTENTION),
    ({"error": "the records can't be written"}, IconState.ERROR),
]


@pytest.mark.parametrize("count", range(1, len(STATES) + 1))
def test_of_all_that_holds_the_icon_shows_the_most_important(count: int) -> None:
    holds = {key: value for what, _ in STATES[:count] for key, value in what.items()}
    assert icon_state(status(**holds), Preferences(), NOW) is STATES[count - 1][1]


@pytest.mark.parametrize(
    ("holds", "state"),
    [
        *STATES,
        ({"started": False}, IconState.SYNCING),
        ({"arrivals": (arrival(here=True, open=True),)}, IconState.UP_TO_DATE),
        ({"arrivals": (arrival(open=True),)}, IconState.WAITING),
        ({"to_push": ("s1",)}, IconState.UP_TO_DATE),
        ({"paused_until": NOW - 1}, IconState.UP_TO_DATE),
        ({"paused_until": FOREVER}, IconState.PAUSED),
        ({"findings": (warning(),)}, IconState.ATTENTION),
        ({"findings": (warning(level=Level.INFO),)}, IconState.UP_TO_DATE),
        ({"findings": (warning(level=Level.ERROR),)}, IconState.ERROR),
        ({"findings": (warning("conflict"),)}, IconState.UP_TO_DATE),
        (
            {"findings": (warning("store-offline", level=Level.ERROR),), "offline_since": NOW},
            IconState.OFFLINE,
        ),
        ({"findings": (warning("store-offline", level=Level.ERROR),)}, IconState.ERROR),
        ({"location": ""}, IconState.ATTENTION),
        ({"location": "", "machine": None, "started": False}, IconState.SYNCING),
        ({"stopped": True}, IconState.ERROR),
    ],
)
def test_each_thing_by_itself_shows(holds: dict[str, Any], state: IconState) -> None:
    assert icon_state(status(**holds), Preferences(), NOW) is state


def test_what_the_user_ignores_does_not_colour_the_icon() -> None:
    ignored = status(findings=(warning("w1"),))
    assert icon_state(ignored, IGNORING, NOW) is IconState.UP_TO_DATE
    assert icon_state(status(findings=(warning("w2"),)), IGNORING, NOW) is IconState.ATTENTION


@pytest.mark.parametrize(
    ("holds", "said"),
    [
        ({}, "Up to date — 2 minutes ago"),
        ({"last_sync": NOW + 30}, "Up to date — just now"),
        ({"last_sync": None}, "Up to date — just now"),
        ({"started": False}, "Looking at sessions…"),
        ({"to_push": ("a", "b", "c")}, "3 changed here"),
        ({"to_push": ("a", "b", "c"), "older": ("b", "c")}, "1 changed here"),
        ({"to_push": ("b",), "older": ("b",)}, "Up to date — 2 minutes ago"),
        (
            {"to_push": ("a",) * 3, "arrivals": (arrival("x"), arrival("y"))},
            "3 changed here, 2 waiting from desktop",
        ),
        (
            {"arrivals": (arrival("x"), arrival("y", machine="nas"))},
            "2 waiting from desktop and nas",
        ),
        (
            {"arrivals": tuple(arrival(name, machine=name) for name in "xyz")},
            "3 waiting from 3 machines",
        ),
        ({"arrivals": (arrival(here=True, open=True),)}, "1 newer elsewhere but open here"),
        (
            {"conflicts": (conflict(),), "to_push": ("a",), "findings": (warning("w2"),)},
            "1 conflict, 1 changed here, doctor: 1 warning",
        ),
        (
            {"findings": (warning("a", level=Level.ERROR), warning("b"), warning("c"))},
            "Up to date — 2 minutes ago, doctor: 1 error, 2 warnings",
        ),
        ({"findings": (warning("w1"),)}, "Up to date — 2 minutes ago"),
        ({"activity": Progress("Pushing")}, "Pushing…"),
        (
            {"activity": Progress("Pulling", sessions_done=2, sessions_total=12)},
            "Pulling 3 of 12…",
        ),
        (
            {"activity": Progress("Pulling", sessions_done=12, sessions_total=12)},
            "Pulling 12 of 12…",
        ),
        ({"activity": Progress("Pulling", sessions_total=1)}, "Pulling…"),
        (
            {"paused_until": NOW + 60 * 25, "to_push": ("a",)},
            "Paused for 25 minutes more — 1 changed here",
        ),
        ({"paused_until": NOW + 5}, "Paused for 1 minute more"),
        ({"paused_until": NOW + 3600 * 5}, "Paused for 5 hours more"),
        ({"paused_until": FOREVER}, "Paused"),
        ({"paused_until": NOW - 1}, "Up to date — 2 minutes ago"),
        (
            {"offline_since": NOW - 300, "offline_message": "nas doesn't answer: check it"},
            "Offline for 5 minutes — nas doesn't answer: check it",
        ),
        ({"offline_since": NOW - 3}, "Offline"),
        ({"offline_since": NOW - 86_400 * 30.25}, "Offline since 2026-01-01"),
        ({"location": ""}, "Choose a shared folder"),
        (
            {"error": f"{HOME}/x can't be written: make room", "conflicts": (conflict(),)},
            "~/x can't be written: make room",
        ),
        ({"error": "two\nlines"}, "Two lines"),
        ({"stopped": True, "error": "x"}, "Stopped — quit, then start again"),
    ],
)
def test_the_sentence_says_how_everything_stands(holds: dict[str, Any], said: str) -> None:
    assert tooltip(status(**holds), MINUTES, IGNORING, AROUND) == said


@given(st.text(min_size=1), st.lists(st.text(max_size=40), max_size=4))
def test_whatever_is_said_is_one_line_that_every_system_shows_whole(
    error: str, machines: list[str]
) -> None:
    arrivals = tuple(arrival(str(n), machine=name) for n, name in enumerate(machines))
    for said in (
        tooltip(status(error=error, arrivals=arrivals), MINUTES, IGNORING, AROUND),
        tooltip(status(arrivals=arrivals), MINUTES, IGNORING, AROUND),
        tooltip(status(offline_since=NOW, offline_message=error * 50), MINUTES, IGNORING, AROUND),
    ):
        assert len(said) <= 127
        assert "\n" not in said
        said.encode()


def test_a_home_directory_that_cannot_be_told_is_left_as_it_is() -> None:
    for home in ("", "/"):
        said = tooltip(status(error="/x is full"), MINUTES, IGNORING, type(AROUND)(home=home))
        assert said == "/x is full"


def test_a_session_that_is_only_open_elsewhere_is_waiting() -> None:
    shown = status(arrivals=(arrival(open=True),), sessions=(session(),))
    assert tooltip(shown, MINUTES, IGNORING, AROUND) == "1 waiting from desktop"
