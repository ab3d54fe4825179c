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
from claude_sync_app.tray.notices.history import after_answer, after_sleep, new_history
from claude_sync_app.tray.notices.notice import Notice
from claude_sync_app.tray.notices.notices import NoticeUpdate, next_notices
from claude_sync_app.tray.offers import pullable
from claude_sync_app.tray.verbs import Action, Verb
from tray_values import (
    AROUND,
    NOW,
    arrival,
    conflict,
    happened,
    result,
    session,
    status,
    warning,
)

HOUR = 3_600.0
OFFLINE: dict[str, Any] = {"offline_since": NOW, "offline_message": "nas doesn't answer"}


class Played:
    """A tray that sees one Status after another, on a clock that the test moves."""

    def __init__(self, preferences: Preferences | None = None) -> None:
        self.preferences = preferences or Preferences()
        self.history = new_history(NOW)
        self.now = NOW + 60
        self.seen = Status()
        self.last = NoticeUpdate(self.history)

    def see(self, shown: Status | None = None) -> list[Notice]:
        """What is told of a Status; without one, of the last one again."""
        shown = self.seen if shown is None else shown
        self.last = next_notices(self.seen, shown, self.preferences, self.history, self.now, AROUND)
        self.seen, self.history = shown, self.last.history
        return list(self.last.show)

    def keys(self, shown: Status | None = None) -> list[str]:
        return [notice.notification.key for notice in self.see(shown)]

    def answer(self, key: str, button: str = "") -> None:
        kind = AnswerKind.BUTTON if button else AnswerKind.DISMISSED
        self.history = after_answer(self.history, Answer(key, kind, button), self.now)

    def wait(self, seconds: float) -> None:
        self.now += seconds


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
    (notice,) = Played().see(waits)
    assert notice.notification.title == "desktop's version waits for you: Mine"
    assert notice.notification.body.startswith("It replaces 3 lines that are only here.")
    assert {notice.body, *notice.buttons.values()} == {Action(Verb.SHOW_MENU)}
    both = status(arrivals=(*waits.arrivals, arrival("a2")))
    asked = [
        action
        for notice in Played().see(both)
        for action in (notice.body, *notice.buttons.values())
        if action is not None
    ]
    assert not [action for action in asked if "a1" in action.subject]
    assert pullable(both) == both.arrivals[1:]


@pytest.mark.parametrize(("shown", "key"), STANDING)
def test_what_begins_is_told_of_once(shown: Status, key: str) -> None:
    tray = Played()
    assert tray.keys(status()) == []
    assert tray.keys(shown) == [key]
    for _ in range(3):
        tray.wait(HOUR)
        assert tray.keys(replace(shown, last_sync=tray.now)) == []
        assert tray.last.again_at is None


@pytest.mark.parametrize(("shown", "key"), STANDING)
def test_what_there_is_at_the_start_is_told_of_too(shown: Status, key: str) -> None:
    assert Played().keys(shown) == [key]


@pytest.mark.parametrize(("shown", "key"), STANDING)
def test_what_has_ended_is_withdrawn(shown: Status, key: str) -> None:
    tray = Played()
    tray.see(shown)
    assert list(tray.last.withdraw) == []
    tray.see(status())
    assert list(tray.last.withdraw) == [key]
    tray.see(status())
    assert list(tray.last.withdraw) == []


@pytest.mark.parametrize(("shown", "key"), STANDING)
def test_what_was_answered_is_not_withdrawn(shown: Status, key: str) -> None:
    tray = Played()
    tray.see(shown)
    tray.answer(key)
    tray.see(status())
    assert list(tray.last.withdraw) == []


@pytest.mark.parametrize(("shown", "key"), STANDING)
def test_what_begins_anew_is_told_of_again_but_never_twice_within_an_hour(
    shown: Status, key: str
) -> None:
    tray = Played()
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
    tray = Played()
    assert tray.keys(PARTED) == ["conflict.c1"]
    tray.see(status())
    tray.now -= 24 * HOUR
    assert tray.keys(PARTED) == ["conflict.c1"]


@pytest.mark.parametrize(("shown", "key"), STANDING)
def test_what_begins_anew_after_an_hour_is_told_of_at_once(shown: Status, key: str) -> None:
    tray = Played()
    tray.see(shown)
    tray.see(status())
    tray.wait(HOUR)
    assert tray.keys(shown) == [key]


def test_before_the_first_look_nothing_is_told_of_sessions() -> None:
    tray = Played()
    blank = status(arrivals=(arrival(),), conflicts=(conflict(),), started=False)
    assert tray.keys(blank) == []
    assert tray.keys(replace(blank, started=True)) == ["conflict.c1", "arrival"]


# --- arrivals ----------------------------------------------------------------------------------


def test_later_is_four_hours() -> None:
    tray = Played()
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
    tray = Played()
    tray.see(ARRIVED)
    tray.answer("arrival", "later")
    (notice,) = tray.see(status(arrivals=(arrival("a2", "Another"), arrival("a1"))))
    assert notice.notification.title == "Another"
    assert notice.buttons["pull"] == Action(Verb.PULL, "a2")


def test_what_was_pulled_before_later_ended_and_arrives_again_is_told_of() -> None:
    tray = Played()
    tray.see(ARRIVED)
    tray.answer("arrival", "later")
    tray.wait(HOUR)
    tray.see(status())
    assert tray.keys(ARRIVED) == ["arrival"]


def test_any_other_answer_is_no_later() -> None:
    tray = Played()
    tray.see(ARRIVED)
    tray.answer("arrival", "pull")
    tray.wait(5 * HOUR)
    assert tray.keys() == []
    assert tray.last.again_at is None


def test_a_new_arrival_takes_the_place_of_the_one_that_nobody_answered_and_names_both() -> None:
    tray = Played()
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
    tray = Played()
    tray.see(ARRIVED)
    for step in range(5):
        tray.wait(HOUR)
        grown = replace(arrival("a1"), version=arrival(f"x{step}").version)
        assert tray.keys(status(arrivals=(grown,))) == []
    assert tray.keys(status(arrivals=(arrival("a1", machine="nas"),))) == ["arrival"]


OPEN_HERE = status(arrivals=(arrival("a1", here=True, open=True),))


def test_once_it_is_closed_here_it_has_arrived() -> None:
    tray = Played()
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
    tray = Played(Preferences(on_arrival=on_arrival))
    shown = replace(ARRIVED, paused_until=float("inf") if paused else None)
    assert tray.keys(shown) == keys


@pytest.mark.parametrize(
    ("on_arrival", "keys"), [("ask", ["close.a1"]), ("pull", ["close.a1"]), ("nothing", [])]
)
def test_what_has_to_be_closed_first_is_said_unless_nothing_is_to_be_done(
    on_arrival: str, keys: list[str]
) -> None:
    assert Played(Preferences(on_arrival=on_arrival)).keys(OPEN_HERE) == keys


# --- conflicts and findings --------------------------------------------------------------------


def test_each_conflict_has_its_own_notice_while_they_are_few() -> None:
    tray = Played()
    assert tray.keys(TWO_SPLIT) == ["conflict.c1", "conflict.c2"]
    assert tray.keys(PARTED) == []
    assert list(tray.last.withdraw) == ["conflict.c2"]


def test_many_conflicts_at_once_are_one_notice() -> None:
    tray = Played()
    many = status(conflicts=tuple(conflict(f"c{n}") for n in range(30)))
    assert tray.keys(many) == ["conflict"]
    tray.see(TWO_SPLIT)
    assert list(tray.last.withdraw) == []
    tray.see(status())
    assert list(tray.last.withdraw) == ["conflict"]


def test_one_more_machine_in_a_conflict_is_news() -> None:
    tray = Played()
    tray.see(PARTED)
    more_sessions = status(conflicts=(conflict("c1", rivals=("desktop", "nas")),))
    assert tray.keys(more_sessions) == ["conflict.c1"]
    assert list(tray.last.withdraw) == []


def test_several_new_findings_are_one_notice_and_the_next_one_has_its_own() -> None:
    tray = Played()
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
    tray = Played(Preferences(ignored_findings=("ignored",)))
    assert tray.keys(status(findings=(finding,))) == []


def test_a_warning_that_is_ignored_now_is_withdrawn() -> None:
    tray = Played()
    tray.see(WARNED)
    tray.preferences = Preferences(ignored_findings=("w1",))
    assert tray.keys() == []
    assert list(tray.last.withdraw) == ["doctor.w1"]


# --- what fails --------------------------------------------------------------------------------


def test_nothing_is_said_of_being_offline_right_after_a_start_or_a_wake() -> None:
    tray = Played()
    tray.now = NOW + 3
    assert tray.keys(status(**OFFLINE)) == []
    assert tray.last.again_at == NOW + 15
    tray.now = NOW + 14.9
    assert tray.keys() == []
    tray.now = NOW + 15
    assert tray.keys() == ["offline"]
    tray.see(status())
    tray.wait(2 * HOUR)
    tray.history = after_sleep(tray.history, tray.now)
    assert tray.keys(status(**OFFLINE)) == []
    assert tray.last.again_at == tray.now + 15
    assert tray.keys(status()) == []
    assert tray.last.again_at is None


def test_a_wake_does_not_make_it_said_again() -> None:
    tray = Played()
    assert tray.keys(status(**OFFLINE)) == ["offline"]
    tray.wait(2 * HOUR)
    tray.history = after_sleep(tray.history, tray.now)
    assert tray.keys() == []
    tray.wait(60)
    assert tray.keys() == []
    assert tray.last.again_at is None


def failing(number: int, sid: str = "s1", why: str = "no room", **more_sessions: Any) -> Status:
    done = happened(number, "push", result(sid, Outcome.FAILED, message=why), by_hand=False)
    return status(events=(done,), sessions=(session(sid),), **more_sessions)


def test_a_session_that_fails_is_told_of_once_and_again_only_after_it_had_worked() -> None:
    tray = Played()
    assert tray.keys(failing(1)) == ["failing"]
    assert tray.keys(failing(1, error="no room")) == []
    tray.wait(2 * HOUR)
    assert tray.keys(failing(2, error="no room")) == []
    worked = happened(3, "push", result("s1", Outcome.PUSHED), by_hand=False)
    assert tray.keys(status(events=(worked,))) == []
    assert list(tray.last.withdraw) == ["failing"]
    assert tray.keys(failing(4)) == ["failing"]


def test_one_that_fails_does_not_hide_another_or_what_fails_altogether() -> None:
    tray = Played()
    tray.see(failing(1, error="no room"))
    assert tray.keys(failing(2, "s2", error="no room")) == ["failing"]
    assert tray.keys(failing(2, "s2", error="the records are gone")) == ["error"]


def test_once_nothing_fails_any_more_the_next_failure_is_news() -> None:
    tray = Played()
    tray.see(failing(1, error="no room"))
    tray.see(status())
    assert list(tray.last.withdraw) == ["failing"]
    tray.wait(2 * HOUR)
    assert tray.keys(failing(2, error="no room")) == ["failing"]


# --- clicks ------------------------------------------------------------------------------------

PUSHED, FAILED = Outcome.PUSHED, Outcome.FAILED
CLICKS: list[tuple[Any, list[str]]] = [
    (happened(1, "push", result("a", PUSHED)), ["pushed"]),
    (happened(1, "push"), ["pushed"]),
    (happened(1, "push", result("a", Outcome.UNCHANGED)), ["pushed"]),
    (happened(1, "push", result("a", PUSHED), result("b", FAILED)), ["not-done", "pushed"]),
    (happened(1, "push", result("b", FAILED)), ["not-done"]),
    (happened(1, "push", result("b", Outcome.BEHIND)), ["not-done"]),
    (happened(1, "push", result("a", PUSHED), result("b", Outcome.BEHIND)), ["pushed"]),
    (happened(1, "pull", result("a", Outcome.IMPORTED)), []),
    (happened(1, "pull", result("a", Outcome.IMPORTED), result("b", Outcome.OPEN)), []),
    (happened(1, "pull", result("b", Outcome.OPEN)), ["not-done"]),
    (happened(1, "pull", result("b", Outcome.CONFLICT)), ["not-done"]),
    (happened(1, "pull", result("b", Outcome.UNCHANGED)), []),
    (happened(1, "pull", result("a", Outcome.IMPORTED), result("b", FAILED)), ["not-done"]),
    (happened(1, "resolve", result("a", Outcome.REPLACED)), []),
    (happened(1, "resolve", result("a", FAILED)), ["not-done"]),
    (happened(1, "undo", result("a", Outcome.REPLACED)), []),
    (happened(1, "forget"), []),
    (happened(1, "failed", message="nas doesn't answer"), ["not-done"]),
    (happened(1, "push", result("a", PUSHED), by_hand=False), []),
    (happened(1, "push", by_hand=False), []),
    (happened(1, "failed", message="x", by_hand=False), []),
    (happened(1, "pull", result("a", Outcome.IMPORTED), by_hand=False), ["pulled"]),
    (happened(1, "pull", result("a", Outcome.OPEN), by_hand=False), []),
    (happened(1, "pull", result("a", FAILED), by_hand=False), ["failing"]),
]


@pytest.mark.parametrize(("done", "keys"), CLICKS)
def test_a_click_is_answered_where_nothing_else_shows_what_became_of_it(
    done: Any, keys: list[str]
) -> None:
    tray = Played()
    assert tray.keys(status(events=(done,))) == keys
    assert tray.keys(status(events=(done,), last_sync=1.0)) == []


def test_every_click_is_answered_however_often_it_fails() -> None:
    tray = Played()
    for number in range(1, 4):
        failed = happened(number, "push", result("a", FAILED, message="no room"))
        assert tray.keys(status(events=(failed,), error="no room")) == ["not-done"]


@pytest.mark.parametrize("at_once", [True, False])
def test_what_a_click_was_told_is_not_told_again_as_what_lasts(at_once: bool) -> None:
    tray = Played()
    failed = (happened(1, "failed", message="no room"),)
    first = status(events=failed, error="no room" if at_once else "")
    assert tray.keys(first) == ["not-done"]
    assert tray.keys(status(events=failed, error="no room", last_sync=1.0)) == []
    assert tray.keys(status(events=failed, error="no records")) == ["error"]


def pulled(number: int, *ids: str) -> Status:
    results = [result(sid, Outcome.UPDATED, machine="desktop") for sid in ids]
    done = happened(number, "pull", *results, by_hand=False)
    return status(events=(done,), sessions=tuple(map(session, ids)))


def test_a_session_that_is_pulled_again_and_again_is_told_of_once_an_hour() -> None:
    tray = Played()
    assert tray.keys(pulled(1, "a")) == ["pulled"]
    tray.wait(600)
    assert tray.keys(pulled(2, "a")) == []
    (notice,) = tray.see(pulled(3, "a", "b"))
    assert notice.buttons["undo"] == Action(Verb.UNDO, "b")
    tray.wait(HOUR)
    assert tray.keys(pulled(4, "a")) == ["pulled"]


def test_what_was_undone_has_no_undo_button_any_more() -> None:
    tray = Played()
    tray.see(pulled(1, "a", "b"))
    other = happened(2, "undo", result("c", Outcome.REPLACED))
    failed = happened(3, "undo", result("a", FAILED))
    tray.see(status(events=(other, failed)))
    assert list(tray.last.withdraw) == []
    undone = happened(4, "undo", result("a", Outcome.REPLACED))
    tray.see(status(events=(undone,)))
    assert "pulled" in tray.last.withdraw


# --- preferences -------------------------------------------------------------------------------

EVERYTHING = status(
    arrivals=(arrival("a1"), arrival("a2", here=True, open=True)),
    conflicts=(conflict(),),
    findings=(warning(),),
    events=(
        happened(1, "push", result("s1", PUSHED)),
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
    tray = Played(off)
    assert set(tray.keys(EVERYTHING)) == everything - KINDS[kind]
    # What was passed over isn't told of when the kind is switched on.
    tray.preferences = Preferences()
    assert tray.keys() == []


def test_where_notifications_have_no_buttons_none_is_shown() -> None:
    bare = replace(AROUND, has_buttons=False)
    for around in (AROUND, bare):
        told = next_notices(
            Status(), EVERYTHING, Preferences(), new_history(NOW - 60), NOW, around
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
    tray = Played()
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
                # An arrival that nobody answered is named again beside a new one.
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
    tray = Played()
    tray.see(ARRIVED)
    shown = after_answer(tray.history, Answer("arrival", AnswerKind.SHOWN), NOW)
    assert shown == tray.history
