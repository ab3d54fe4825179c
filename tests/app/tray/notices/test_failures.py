"""Which notifications are shown of what fails, and of what clicks asked for."""

from __future__ import annotations

from typing import Any

import pytest

from claude_sync.model import Outcome
from claude_sync.service.status import Status
from claude_sync.state.preferences import Preferences
from claude_sync_app.tray.notices.history import after_sleep
from claude_sync_app.tray.verbs import Action, Verb
from tray_values import (
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
)

# --- what fails --------------------------------------------------------------------------------


def test_nothing_is_said_of_being_offline_right_after_a_start_or_a_wake() -> None:
    tray = PlayedTray()
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
    tray = PlayedTray()
    assert tray.keys(status(**OFFLINE)) == ["offline"]
    tray.wait(2 * HOUR)
    tray.history = after_sleep(tray.history, tray.now)
    assert tray.keys() == []
    tray.wait(60)
    assert tray.keys() == []
    assert tray.last.again_at is None


def failing(number: int, sid: str = "s1", why: str = "no room", **more: Any) -> Status:
    done = happened(number, "push", result(sid, Outcome.FAILED, message=why), by_hand=False)
    return status(events=(done,), sessions=(session(sid),), **more)


def test_a_session_that_fails_is_told_of_once_and_again_only_after_it_had_worked() -> None:
    tray = PlayedTray()
    assert tray.keys(failing(1)) == ["failing"]
    assert tray.keys(failing(1, error="no room")) == []
    tray.wait(2 * HOUR)
    assert tray.keys(failing(2, error="no room")) == []
    worked = happened(3, "push", result("s1", Outcome.PUSHED), by_hand=False)
    assert tray.keys(status(events=(worked,))) == []
    assert list(tray.last.withdraw) == ["failing"]
    assert tray.keys(failing(4)) == ["failing"]


def test_one_that_fails_does_not_hide_another_or_what_fails_altogether() -> None:
    tray = PlayedTray()
    tray.see(failing(1, error="no room"))
    assert tray.keys(failing(2, "s2", error="no room")) == ["failing"]
    assert tray.keys(failing(2, "s2", error="the records are gone")) == ["error"]


def test_once_nothing_fails_any_more_the_next_failure_is_news() -> None:
    tray = PlayedTray()
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
    (happened(1, "pull", result("a", Outcome.IMPORTED)), ["pulled"]),
    (happened(1, "pull", result("a", Outcome.IMPORTED), result("b", Outcome.OPEN)), ["pulled"]),
    (happened(1, "pull", result("b", Outcome.OPEN)), ["pulled"]),
    (happened(1, "pull", result("b", Outcome.CONFLICT)), ["not-done"]),
    (happened(1, "pull", result("b", Outcome.UNCHANGED)), ["pulled"]),
    (happened(1, "pull", result("a", Outcome.IMPORTED), result("b", FAILED)), ["not-done"]),
    (happened(1, "resolve", result("a", Outcome.REPLACED)), ["kept.a"]),
    (happened(1, "resolve", result("a", Outcome.PUSHED)), ["kept.a"]),
    (happened(1, "resolve", result("a", FAILED)), ["not-done"]),
    (happened(1, "undo", result("a", Outcome.REPLACED)), ["undone"]),
    (happened(1, "undo", result("a", Outcome.GONE)), ["undone"]),
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
def test_a_click_is_always_answered(done: Any, keys: list[str]) -> None:
    tray = PlayedTray()
    assert tray.keys(status(events=(done,), sessions=(session("a"),))) == keys
    assert tray.keys(status(events=(done,), last_sync=1.0)) == []


def test_every_click_is_answered_however_often_it_fails() -> None:
    tray = PlayedTray()
    for number in range(1, 4):
        failed = happened(number, "push", result("a", FAILED, message="no room"))
        assert tray.keys(status(events=(failed,), error="no room")) == ["not-done"]


@pytest.mark.parametrize("at_once", [True, False])
def test_what_a_click_was_told_is_not_told_again_as_what_lasts(at_once: bool) -> None:
    tray = PlayedTray()
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
    tray = PlayedTray()
    assert tray.keys(pulled(1, "a")) == ["pulled"]
    tray.wait(600)
    assert tray.keys(pulled(2, "a")) == []
    (notice,) = tray.see(pulled(3, "a", "b"))
    assert notice.buttons["undo"] == Action(Verb.UNDO, "b")
    tray.wait(HOUR)
    assert tray.keys(pulled(4, "a")) == ["pulled"]


def test_what_was_undone_has_no_undo_button_any_more() -> None:
    tray = PlayedTray()
    tray.see(pulled(1, "a", "b"))
    other = happened(2, "undo", result("c", Outcome.REPLACED))
    failed = happened(3, "undo", result("a", FAILED))
    tray.see(status(events=(other, failed)))
    assert list(tray.last.withdraw) == []
    undone = happened(4, "undo", result("a", Outcome.REPLACED))
    tray.see(status(events=(undone,)))
    assert "pulled" in tray.last.withdraw


# --- what is said of it ------------------------------------------------------------------------


def test_what_was_pulled_by_a_click_is_named_with_the_next_step_and_what_was_not() -> None:
    done = [
        result("a", Outcome.IMPORTED, machine="desktop"),
        result("b", Outcome.OPEN),
        result("c", Outcome.OPEN),
    ]
    shown = status(events=(happened(1, "pull", *done),), sessions=(session("a"),))
    (notice,) = PlayedTray().see(shown)
    assert notice.notification.title == "Pulled 1 session from desktop"
    assert notice.notification.body.split("\n") == [
        "Fix the login bug",
        "2 not: it is open here: close it first",
    ]
    assert notice.buttons["resume"] == Action(Verb.RESUME, "a")
    opened = status(events=(happened(2, "pull", *done[1:2]),), sessions=(session("b"),))
    (later,) = PlayedTray().see(opened)
    assert later.notification.title == "“Fix the login bug” is pulled later"
    assert later.notification.body == "It is open here, and is pulled as soon as it is closed."


@pytest.mark.parametrize(
    ("results", "title", "line"),
    [
        (
            [result("d0d0d0d0-1", Outcome.IMPORTED, machine="desktop"), result("c1", PUSHED)],
            "Kept both sides of “Both went on”",
            "Now a session of its own: d0d0d0d0 (desktop).",
        ),
        (
            [result("c1", Outcome.REPLACED, machine="desktop"), result("c1", PUSHED)],
            "Kept desktop's version of “Both went on”",
            "What was here before is kept for a while.",
        ),
        (
            [result("c1", PUSHED)],
            "Kept what is here of “Both went on”",
            "Other machines are offered it.",
        ),
    ],
)
def test_what_was_chosen_in_a_conflict_is_said_and_can_be_undone(
    results: list[Any], title: str, line: str
) -> None:
    tray = PlayedTray()
    tray.see(status(conflicts=(conflict("c1"),)))
    (notice,) = tray.see(status(events=(happened(1, "resolve", *results),)))
    assert notice.notification.title == title
    assert notice.notification.body == line
    assert notice.buttons["undo"] == Action(Verb.UNDO, "c1")


def test_what_was_undone_is_said() -> None:
    gone = happened(1, "undo", result("a", Outcome.GONE, message="its copy b stays"))
    (notice,) = PlayedTray().see(status(events=(gone,), sessions=(session("a"),)))
    assert notice.notification.title == "“Fix the login bug” isn't here any more"
    assert notice.notification.body == "Its copy b stays."


# --- going back and forth ----------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["pull", "resume"])
@pytest.mark.parametrize("seen_in_between", [True, False])
def test_a_session_that_was_pulled_is_news_when_it_comes_again(
    kind: str, seen_in_between: bool
) -> None:
    tray = PlayedTray()
    there = (arrival("a", here=True),)
    assert tray.keys(status(arrivals=there)) == ["arrival"]
    tray.wait(300)
    moved = (happened(1, kind, result("a", Outcome.UPDATED, machine="desktop")),)
    if seen_in_between:
        tray.see(status(events=moved))
    assert "arrival" in tray.keys(status(events=moved, arrivals=there))


def test_a_session_that_was_pushed_from_here_is_news_when_it_is_pulled_again() -> None:
    tray = PlayedTray(Preferences(on_arrival="pull"))
    assert tray.keys(pulled(1, "a")) == ["pulled"]
    tray.wait(300)
    tray.see(status(events=(happened(2, "push", result("a", PUSHED), by_hand=False),)))
    assert tray.keys(pulled(3, "a")) == ["pulled"]
