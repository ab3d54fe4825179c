"""Which notifications are shown, when, and when not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_sync.model import Level, Outcome
from claude_sync.service.status import Status
from claude_sync.state.preference_kinds import Notifications
from claude_sync.state.preferences import Preferences
from claude_sync_app.desktop.notifications.values import Answer, AnswerKind
from claude_sync_app.tray.notices.history import after_answer, new_history
from claude_sync_app.tray.notices.notices import next_notices
from claude_sync_app.tray.offers import pullable
from claude_sync_app.tray.verbs import Action, Verb
from claude_sync_app.tray.window_pages import open_window
from tray_values import (
    AROUND,
    HOUR,
    NOW,
    OFFLINE,
    PlayedTray,
    arrival,
    conflict,
    happened,
    result,
    session,
    status,
    warning,
)

ARRIVED = status(arrivals=(arrival("a1"),))
PARTED = status(conflicts=(conflict("c1"),))
WARNED = status(findings=(warning("w1", fix="Set the clock"),))
TWO_SPLIT = status(conflicts=(conflict("c1"), conflict("c2")))

STANDING: list[tuple[Status, str]] = [
    (ARRIVED, "arrival"),
    (status(arrivals=(arrival("a1", here=True, open=True),)), "close.a1"),
    (status(arrivals=(arrival("a1", here=True, replaces=3),)), "replacing.a1"),
    (PARTED, "conflict.c1"),
    (WARNED, "doctor.w1"),
    (status(**OFFLINE), "offline"),
    (status(error="the disk is full"), "error"),
]


def test_no_answer_to_a_notice_replaces_what_is_only_here() -> None:
    waits = status(arrivals=(arrival("a1", "Mine", here=True, replaces=3),))
    (notice,) = PlayedTray().see(waits)
    assert notice.notification.title == "desktop's version of “Mine” waits for you"
    assert notice.notification.body.startswith("It replaces 3 lines that are only here.")
    assert {notice.body, *notice.buttons.values()} == {open_window("conflict/a1")}
    both = status(arrivals=(*waits.arrivals, arrival("a2")))
    asked = [
        action
        for notice in PlayedTray().see(both)
        for action in (notice.body, *notice.buttons.values())
        if action is not None
    ]
    shown = open_window("conflict/a1")
    assert not [action for action in asked if "a1" in action.subject and action != shown]
    assert pullable(both) == both.arrivals[1:]


@pytest.mark.parametrize(("shown", "key"), STANDING)
def test_what_begins_is_told_of_once(shown: Status, key: str) -> None:
    tray = PlayedTray()
    assert tray.keys(status()) == []
    assert tray.keys(shown) == [key]
    for _ in range(3):
        tray.wait(HOUR)
        assert tray.keys(replace(shown, last_sync=tray.now)) == []
        assert tray.last.again_at is None


@pytest.mark.parametrize(("shown", "key"), STANDING)
def test_what_there_is_at_the_start_is_told_of_too(shown: Status, key: str) -> None:
    assert PlayedTray().keys(shown) == [key]


@pytest.mark.parametrize(("shown", "key"), STANDING)
def test_what_has_ended_is_withdrawn(shown: Status, key: str) -> None:
    tray = PlayedTray()
    tray.see(shown)
    assert list(tray.last.withdraw) == []
    tray.see(status())
    assert list(tray.last.withdraw) == [key]
    tray.see(status())
    assert list(tray.last.withdraw) == []


@pytest.mark.parametrize(("shown", "key"), STANDING)
def test_what_was_answered_is_not_withdrawn(shown: Status, key: str) -> None:
    tray = PlayedTray()
    tray.see(shown)
    tray.answer(key)
    tray.see(status())
    assert list(tray.last.withdraw) == []


@pytest.mark.parametrize(("shown", "key"), [one for one in STANDING if one[1] != "close.a1"])
def test_what_begins_anew_is_told_of_again_but_never_twice_within_an_hour(
    shown: Status, key: str
) -> None:
    tray = PlayedTray()
    assert tray.keys(shown) == [key]
    told_at = tray.now
    tray.wait(600)
    assert tray.keys(status()) == []
    assert tray.keys(shown) == []
    assert tray.last.again_at == told_at + HOUR
    tray.now = told_at + HOUR - 1
    assert tray.keys() == []
    tray.now = told_at + HOUR
    assert tray.keys() == [key]
    assert tray.last.again_at is None


def test_a_clock_that_was_set_back_keeps_nothing_quiet() -> None:
    tray = PlayedTray()
    assert tray.keys(PARTED) == ["conflict.c1"]
    tray.see(status())
    tray.now -= 24 * HOUR
    assert tray.keys(PARTED) == ["conflict.c1"]


@pytest.mark.parametrize(("shown", "key"), STANDING)
def test_what_begins_anew_after_an_hour_is_told_of_at_once(shown: Status, key: str) -> None:
    tray = PlayedTray()
    tray.see(shown)
    tray.see(status())
    tray.wait(HOUR)
    assert tray.keys(shown) == [key]


def test_before_the_first_look_nothing_is_told_of_sessions() -> None:
    tray = PlayedTray()
    blank = status(arrivals=(arrival(),), conflicts=(conflict(),), started=False)
    assert tray.keys(blank) == []
    assert tray.keys(replace(blank, started=True)) == ["conflict.c1", "arrival"]


# --- arrivals ----------------------------------------------------------------------------------


def test_later_is_four_hours() -> None:
    tray = PlayedTray()
    assert tray.keys(ARRIVED) == ["arrival"]
    tray.answer("arrival", "later")
    end = tray.now + 4 * HOUR
    assert tray.keys() == []
    assert tray.last.again_at == end
    tray.now = end - 1
    assert tray.keys(replace(ARRIVED, last_sync=1.0)) == []
    tray.now = end
    assert tray.keys() == ["arrival"]
    assert tray.last.again_at is None


def test_later_does_not_keep_another_session_waiting() -> None:
    tray = PlayedTray()
    tray.see(ARRIVED)
    tray.answer("arrival", "later")
    (notice,) = tray.see(status(arrivals=(arrival("a2", "Another"), arrival("a1"))))
    assert notice.notification.title == "Another"
    assert notice.buttons["pull"] == Action(Verb.PULL, "a2")


def test_what_was_pulled_before_later_ended_and_arrives_again_is_told_of() -> None:
    tray = PlayedTray()
    tray.see(ARRIVED)
    tray.answer("arrival", "later")
    tray.wait(HOUR)
    tray.see(status())
    assert tray.keys(ARRIVED) == ["arrival"]


def test_any_other_answer_is_no_later() -> None:
    tray = PlayedTray()
    tray.see(ARRIVED)
    tray.answer("arrival", "pull")
    tray.wait(5 * HOUR)
    assert tray.keys() == []
    assert tray.last.again_at is None


def test_a_new_arrival_replaces_the_unanswered_one_and_names_both() -> None:
    tray = PlayedTray()
    tray.see(ARRIVED)
    both = status(arrivals=(arrival("a2", "Another"), arrival("a1")))
    (notice,) = tray.see(both)
    assert notice.notification.key == "arrival"
    assert notice.notification.title == "Another"
    assert notice.buttons["pull"] == Action(Verb.PULL, "a2 a1")
    tray.see(ARRIVED)
    assert list(tray.last.withdraw) == []
    tray.see(status())
    assert list(tray.last.withdraw) == ["arrival"]


def test_a_session_that_goes_on_elsewhere_is_not_told_of_at_every_step() -> None:
    tray = PlayedTray()
    tray.see(ARRIVED)
    for step in range(5):
        tray.wait(HOUR)
        grown = replace(arrival("a1"), version=arrival(f"x{step}").version)
        assert tray.keys(status(arrivals=(grown,))) == []
    assert tray.keys(status(arrivals=(arrival("a1", machine="nas"),))) == ["arrival"]


OPEN_HERE = status(arrivals=(arrival("a1", here=True, open=True),))


def test_that_a_session_is_to_be_closed_is_not_said_an_hour_after_it_was_opened() -> None:
    tray = PlayedTray()
    assert tray.keys(OPEN_HERE) == ["close.a1"]
    tray.see(status(arrivals=(arrival("a1", here=True),)))
    tray.wait(600)
    assert tray.keys(OPEN_HERE) == [], "it was said ten minutes ago"
    tray.wait(HOUR)
    assert tray.keys() == []
    assert tray.last.again_at is None


def test_once_it_is_closed_here_it_has_arrived() -> None:
    tray = PlayedTray()
    assert tray.keys(OPEN_HERE) == ["close.a1"]
    assert tray.keys(status(arrivals=(arrival("a1", here=True),))) == ["arrival"]
    assert list(tray.last.withdraw) == ["close.a1"]


@pytest.mark.parametrize(
    ("on_arrival", "paused", "keys"),
    [
        ("ask", False, ["arrival"]),
        ("ask", True, ["arrival"]),
        ("pull", False, []),
        ("pull", True, ["arrival"]),
        ("nothing", False, []),
        ("nothing", True, []),
    ],
)
def test_arrivals_are_asked_about_where_they_are_not_pulled_or_left_alone(
    on_arrival: str, paused: bool, keys: list[str]
) -> None:
    tray = PlayedTray(Preferences(on_arrival=on_arrival))
    shown = replace(ARRIVED, paused_until=float("inf") if paused else None)
    assert tray.keys(shown) == keys


@pytest.mark.parametrize(
    ("on_arrival", "keys"), [("ask", ["close.a1"]), ("pull", ["close.a1"]), ("nothing", [])]
)
def test_what_has_to_be_closed_first_is_said_unless_nothing_is_to_be_done(
    on_arrival: str, keys: list[str]
) -> None:
    assert PlayedTray(Preferences(on_arrival=on_arrival)).keys(OPEN_HERE) == keys


# --- conflicts and findings --------------------------------------------------------------------


def test_each_conflict_has_its_own_notice_while_they_are_few() -> None:
    tray = PlayedTray()
    assert tray.keys(TWO_SPLIT) == ["conflict.c1", "conflict.c2"]
    assert tray.keys(PARTED) == []
    assert list(tray.last.withdraw) == ["conflict.c2"]


def test_many_conflicts_at_once_are_one_notice() -> None:
    tray = PlayedTray()
    many = status(conflicts=tuple(conflict(f"c{n}") for n in range(30)))
    assert tray.keys(many) == ["conflict"]
    tray.see(TWO_SPLIT)
    assert list(tray.last.withdraw) == []
    tray.see(status())
    assert list(tray.last.withdraw) == ["conflict"]


def test_one_more_machine_in_a_conflict_is_news() -> None:
    tray = PlayedTray()
    tray.see(PARTED)
    more_sessions = status(conflicts=(conflict("c1", rivals=("desktop", "nas")),))
    assert tray.keys(more_sessions) == ["conflict.c1"]
    assert list(tray.last.withdraw) == []


def test_several_new_findings_are_one_notice_and_the_next_one_has_its_own() -> None:
    tray = PlayedTray()
    two = (warning("w1", "A"), warning("w2", "B", level=Level.ERROR))
    assert tray.keys(status(findings=two)) == ["doctor"]
    assert tray.keys(status(findings=(*two, warning("w3")))) == ["doctor.w3"]


@pytest.mark.parametrize(
    "finding",
    [
        warning("w1", level=Level.INFO),
        warning("w1", level=Level.OK),
        warning("ignored"),
        warning("conflict"),
    ],
)
def test_what_is_no_warning_or_ignored_or_said_otherwise_is_not_told_of(finding: Any) -> None:
    tray = PlayedTray(Preferences(ignored_findings=("ignored",)))
    assert tray.keys(status(findings=(finding,))) == []


def test_a_warning_that_is_ignored_now_is_withdrawn() -> None:
    tray = PlayedTray()
    tray.see(WARNED)
    tray.preferences = Preferences(ignored_findings=("w1",))
    assert tray.keys() == []
    assert list(tray.last.withdraw) == ["doctor.w1"]


def test_a_finding_names_a_session_by_its_title_unless_titles_are_not_shown() -> None:
    sid = "0f4c1d9e-1111-4222-8333-444455556666"
    lost = warning("pull-broken-off", f"A pull of session {sid} was interrupted")
    shown = status(findings=(lost,), sessions=(session(sid),))
    (named,) = PlayedTray().see(shown)
    assert named.notification.title == "A pull of “Fix the login bug” (0f4c1d9e) was interrupted"
    (discreet,) = PlayedTray(Preferences(show_titles=False)).see(shown)
    assert discreet.notification.title == "A pull of session 0f4c1d9e was interrupted"


# --- a start -----------------------------------------------------------------------------------

ALL_AT_ONCE = status(
    arrivals=(arrival("a1"), arrival("a2")), conflicts=(conflict(),), findings=(warning(),)
)


def test_what_there_is_to_say_at_a_start_waits_for_the_doctor_and_is_said_in_one() -> None:
    tray = PlayedTray(starting=True)
    tray.now = NOW + 1
    assert tray.keys(replace(ALL_AT_ONCE, started=False, examined=False)) == []
    assert tray.last.again_at == NOW + 10
    assert tray.keys(replace(ALL_AT_ONCE, examined=False, findings=())) == []
    (notice,) = tray.see(ALL_AT_ONCE)
    assert notice.notification.key == "start"
    assert notice.notification.title == ("1 conflict, 2 waiting from desktop, doctor: 1 warning")
    assert notice.notification.body.split("\n") == [
        "“Both went on” has diverged",
        "The clock is off",
        "Refactor the parser",
    ]
    assert [(one.label) for one in notice.notification.buttons] == ["Pull 2 sessions", "Show"]
    assert notice.buttons["pull"] == Action(Verb.PULL, "a1 a2")
    assert notice.body == open_window()
    assert tray.keys(replace(ALL_AT_ONCE, last_sync=1.0)) == []
    assert list(tray.last.withdraw) == []
    tray.see(status())
    assert list(tray.last.withdraw) == ["start"]


def test_a_doctor_that_does_not_come_to_an_end_keeps_nothing_back_for_long() -> None:
    tray = PlayedTray(starting=True)
    tray.now = NOW + 9
    assert tray.keys(replace(ARRIVED, examined=False)) == []
    tray.now = NOW + 10
    assert tray.keys(replace(ARRIVED, examined=False)) == ["arrival"]


def test_a_click_is_answered_while_a_start_goes_on() -> None:
    tray = PlayedTray(starting=True)
    tray.now = NOW + 1
    done = happened(1, "push", result("s1", Outcome.PUSHED))
    assert tray.keys(status(examined=False, events=(done,))) == ["pushed"]


def test_a_first_start_says_where_sessions_are_and_what_else_there_is() -> None:
    tray = PlayedTray(starting=True, welcomes=True)
    private = status(location="~/claude-sync", label="~/claude-sync", findings=(warning(),))
    (notice,) = tray.see(private)
    assert notice.notification.body.split("\n") == [
        "Shared folder: ~/claude-sync (this machine only)",
        "The clock is off",
    ]
    assert list(notice.buttons.values()) == [open_window("settings/store")]
    assert tray.keys(replace(private, findings=())) == []
    assert list(tray.last.withdraw) == []
    assert PlayedTray(starting=True, welcomes=True).keys(status()) == ["welcome"]


# --- preferences -------------------------------------------------------------------------------

EVERYTHING = status(
    arrivals=(arrival("a1"), arrival("a2", here=True, open=True)),
    conflicts=(conflict(),),
    findings=(warning(),),
    events=(
        happened(1, "push", result("s1", Outcome.PUSHED)),
        happened(2, "pull", result("s2", Outcome.IMPORTED), by_hand=False),
        happened(3, "failed", message="x"),
    ),
    **OFFLINE,
)
KINDS = {
    "arrival": {"arrival", "close.a2"},
    "pulled": {"pulled"},
    "pushed": {"pushed"},
    "conflict": {"conflict.c1"},
    "doctor": {"doctor.w1"},
    "failed": {"not-done", "offline"},
}


@pytest.mark.parametrize("kind", Notifications._fields)
def test_a_kind_that_is_switched_off_is_not_shown_and_the_others_are(kind: str) -> None:
    everything = set().union(*KINDS.values())
    off = Preferences(notifications=Notifications(**{kind: False}))
    tray = PlayedTray(off)
    assert set(tray.keys(EVERYTHING)) == everything - KINDS[kind]
    # What was skipped isn't shown when the kind is switched on.
    tray.preferences = Preferences()
    assert tray.keys() == []


def test_where_notifications_have_no_buttons_none_is_shown() -> None:
    bare = replace(AROUND, has_buttons=False)
    for around in (AROUND, bare):
        told = next_notices(
            Status(),
            EVERYTHING,
            preferences=Preferences(),
            history=replace(new_history(NOW - 60), settled=True),
            now=NOW,
            environment=around,
        ).show
        assert len(told) > 5
        assert any(one.notification.buttons for one in told) == around.has_buttons


# --- what holds for all of them ----------------------------------------------------------------

SOME = st.builds(
    lambda arrivals, conflicts, findings, error, offline: status(
        arrivals=tuple(arrival(f"a{n}", open=n % 2 == 0, here=n % 3 == 0) for n in arrivals),
        conflicts=tuple(conflict(f"c{n}") for n in conflicts),
        findings=tuple(warning(f"w{n}") for n in findings),
        error=error,
        offline_since=offline,
    ),
    st.sets(st.integers(0, 15)),
    st.sets(st.integers(0, 5)),
    st.sets(st.integers(0, 3)),
    st.sampled_from(["", "x"]),
    st.sampled_from([None, NOW]),
)


@given(st.lists(st.tuples(SOME, st.integers(0, 7_000)), max_size=8))
def test_over_any_history_nothing_is_told_twice_within_an_hour(
    steps: list[tuple[Status, int]],
) -> None:
    tray = PlayedTray()
    told: dict[Any, float] = {}
    on_screen: set[str] = set()
    for shown, seconds in steps:
        tray.wait(seconds)
        for notice in tray.see(shown):
            key = notice.notification.key
            on_screen.add(key)
            for subject in tray.history.shown[key]:
                again = (
                    subject in tray.history.shown_at and tray.history.shown_at[subject] == tray.now
                )
                assert again
                # An unanswered arrival is named again beside a new one.
                if subject.kind != "arrival":
                    assert tray.now - told.get(subject, -HOUR) >= HOUR
                told[subject] = tray.now
            verbs = [one.verb for one in notice.buttons.values()]
            assert set(verbs) <= {verb.value for verb in Verb}
            assert {button.key for button in notice.notification.buttons} == set(notice.buttons)
        assert set(tray.last.withdraw) <= on_screen
        on_screen -= set(tray.last.withdraw)
        assert on_screen == set(tray.history.shown)
        assert tray.last.again_at is None or tray.last.again_at > tray.now


def test_an_answer_to_what_is_not_there_changes_nothing() -> None:
    history = new_history(NOW)
    for kind in AnswerKind:
        assert after_answer(history, Answer("arrival", kind, "later"), NOW) == history
    tray = PlayedTray()
    tray.see(ARRIVED)
    shown = after_answer(tray.history, Answer("arrival", AnswerKind.SHOWN), NOW)
    assert shown == tray.history
