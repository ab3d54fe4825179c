"""What each notification says and offers, word for word."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from claude_sync.model import Level, Outcome, Side
from claude_sync_app.tray.conflict_choice import BOTH, THEIRS, keep_action
from claude_sync_app.tray.environment import Environment
from claude_sync_app.tray.notices import done as done_texts
from claude_sync_app.tray.notices import failures as failure_texts
from claude_sync_app.tray.notices import texts as notice_texts
from claude_sync_app.tray.notices.notice import Notice, NoticeContext, without_buttons
from claude_sync_app.tray.verbs import Action, Verb
from claude_sync_app.tray.window_pages import CONFLICTS, DOCTOR, STORE, WAITING, open_window
from tray_values import (
    AROUND,
    HOME,
    NOW,
    arrival,
    conflict,
    happened,
    minutes_ago,
    result,
    session,
    status,
    version,
    warning,
)

CONTEXT = NoticeContext(status(), True, AROUND, NOW)
DISCREET = CONTEXT._replace(show_titles=False)


def said(notice: Notice) -> list[str]:
    """The title, and the lines of the body."""
    return [notice.notification.title, *notice.notification.body.splitlines()]


def offered(notice: Notice) -> list[tuple[str, Action]]:
    """What stands on each button, and what it asks for."""
    return [(button.label, notice.buttons[button.key]) for button in notice.notification.buttons]


# --- arrivals ----------------------------------------------------------------------------------


def test_one_arrival_can_be_pulled_resumed_or_left_for_later() -> None:
    notice = notice_texts.arrival_notice([arrival("a1", minutes=2, was_open=True)], CONTEXT)
    assert said(notice) == [
        "Refactor the parser",
        "From desktop, 2 minutes ago",
        "It was still open there.",
    ]
    assert offered(notice) == [
        ("Pull", Action(Verb.PULL, "a1")),
        ("Pull and resume", Action(Verb.PULL_AND_RESUME, "a1")),
        ("Later", Action(Verb.LATER, "a1")),
    ]
    assert notice.body == Action(Verb.PULL, "a1")


def test_of_several_arrivals_one_is_named_and_the_others_are_counted() -> None:
    three = [arrival("a1"), arrival("a2"), arrival("a3", machine="nas")]
    notice = notice_texts.arrival_notice(three, CONTEXT)
    assert said(notice) == [
        "Refactor the parser",
        "From desktop, 10 minutes ago",
        "And 2 more sessions.",
    ]
    assert offered(notice) == [
        ("Pull all 3", Action(Verb.PULL, "a1 a2 a3")),
        ("Choose…", open_window(WAITING)),
        ("Later", Action(Verb.LATER, "a1 a2 a3")),
    ]
    assert notice.body == open_window(WAITING)
    assert said(notice_texts.arrival_notice(three[:2], CONTEXT))[-1] == "And 1 more session."


def test_a_machine_that_is_new_here_is_one_notice() -> None:
    many = [arrival(f"a{n}") for n in range(400)]
    notice = notice_texts.arrival_notice(many, CONTEXT)
    assert said(notice) == ["400 sessions are waiting", "From desktop"]
    assert offered(notice) == [
        ("Pull all", Action(Verb.PULL_ALL)),
        ("Choose…", open_window(WAITING)),
    ]
    assert notice.body == open_window(WAITING)
    assert said(notice_texts.arrival_notice(many[:9], CONTEXT))[0] == "Refactor the parser"
    assert said(notice_texts.arrival_notice(many[:10], CONTEXT))[0] == "10 sessions are waiting"


def test_what_is_open_here_is_to_be_closed() -> None:
    waiting = arrival("a1", "Fix the login bug", "laptop", here=True, open=True)
    notice = notice_texts.close_notice(waiting, CONTEXT)
    assert said(notice) == [
        "Close “Fix the login bug” here: laptop is ahead",
        "Written there 10 minutes ago. It can be pulled once it is closed.",
    ]
    assert offered(notice) == [("Show", open_window("session/a1"))]
    assert notice.body == open_window("session/a1")
    asked_for = CONTEXT._replace(status=status(deferred=("a1",)))
    assert said(notice_texts.close_notice(waiting, asked_for))[1] == (
        "Written there 10 minutes ago. It is pulled once it is closed."
    )
    assert said(notice_texts.close_notice(waiting, DISCREET))[0] == (
        "Close a session of app here: laptop is ahead"
    )


# --- what was done -----------------------------------------------------------------------------


def test_what_was_pulled_by_itself_can_be_resumed_and_undone() -> None:
    sessions = tuple(
        session(f"s{n}", f"Title {n}", mtime_ns=minutes_ago(age))
        for n, age in enumerate((50, 5, 20, 30))
    )
    results = [result(f"s{n}", Outcome.UPDATED, machine="desktop") for n in range(4)]
    notice_context = CONTEXT._replace(status=status(sessions=sessions))
    notice = done_texts.pulled_notice(results, notice_context)
    assert said(notice) == [
        "Pulled 4 sessions from desktop",
        "Title 1",
        "Title 2",
        "Title 3",
        "and 1 more",
    ]
    assert offered(notice) == [
        ("Resume", Action(Verb.RESUME, "s1")),
        ("Undo", Action(Verb.UNDO, "s1 s2 s3 s0")),
    ]
    assert notice.body == Action(Verb.OPEN_PROJECT, "s1")
    (one,) = results[:1]
    assert said(done_texts.pulled_notice([one], notice_context)) == [
        "Pulled 1 session from desktop",
        "Title 0",
    ]
    assert said(done_texts.pulled_notice([one], CONTEXT)) == [
        "Pulled 1 session from desktop",
        "A session",
    ]


@pytest.mark.parametrize(
    ("holds", "number", "words"),
    [
        ({}, 3, ["Copied 3 sessions to Dropbox", "Let it finish before you leave."]),
        ({"location": "/srv/x", "label": "/srv/x"}, 1, ["Copied 1 session to /srv/x"]),
        (
            {"location": "ssh://nas/~/x", "label": "nas", "remote": True},
            3,
            ["Pushed 3 sessions to nas"],
        ),
        (
            {"location": f"{HOME}/claude-sync", "label": "~/claude-sync"},
            2,
            ["Copied 2 sessions to ~/claude-sync", "No other machine sees this folder yet."],
        ),
        ({}, 0, ["Nothing to push", "Everything is in Dropbox already."]),
    ],
)
def test_a_push_says_whether_one_may_leave(
    holds: dict[str, Any], number: int, words: list[str]
) -> None:
    notice = done_texts.pushed_notice(number, CONTEXT._replace(status=status(**holds)))
    assert said(notice) == words
    assert offered(notice) == []
    assert notice.body == open_window()


# --- conflicts ---------------------------------------------------------------------------------


def test_a_conflict_names_both_machines_and_how_far_each_has_got() -> None:
    state = conflict("c1")
    notice = notice_texts.conflict_notice(state, CONTEXT)
    assert said(notice) == [
        "“Both went on” has diverged",
        "laptop (this machine): 12 lines more, 5 minutes ago",
        "desktop: 3 lines more, 1 hour ago",
    ]
    assert offered(notice) == [
        ("Compare…", open_window("conflict/c1")),
        ("Keep both", keep_action(state, BOTH)),
    ]
    assert notice.body == open_window("conflict/c1")
    assert notice.notification.urgent


def test_a_session_that_lost_something_says_what_and_what_was_pushed_from_here() -> None:
    here, pushed = conflict().sides
    sides = (here, pushed._replace(machine="laptop", pushed_from_here=True))
    lost = conflict("c1", sides=sides, shortened=True, detail="10 turns that were here are gone")
    notice = notice_texts.conflict_notice(lost, CONTEXT)
    assert said(notice) == [
        "“Both went on” has lost something",
        "10 turns that were here are gone.",
        "laptop (this machine): 12 lines more, 5 minutes ago",
        "laptop (pushed from here): 3 lines more, 1 hour ago",
    ]
    assert offered(notice) == [
        ("Compare…", open_window("conflict/c1")),
        ("Bring it back", keep_action(lost, THEIRS)),
    ]


def test_where_nothing_of_what_was_lost_can_be_had_there_is_nothing_to_compare() -> None:
    [here, _] = conflict().sides
    lost = conflict("c1", sides=(here,), shortened=True, detail="a turn is gone")
    assert offered(notice_texts.conflict_notice(lost, CONTEXT)) == []


def test_what_lost_something_that_a_pull_puts_back_says_so() -> None:
    one = arrival("s1", "Fix the login bug")
    state = one.state._replace(shortened=True, detail="4 turns that were here are gone")
    notice = notice_texts.arrival_notice([replace(one, state=state)], CONTEXT)
    assert said(notice) == [
        "Fix the login bug",
        "4 turns that were here are gone.",
        "A pull puts it back.",
    ]
    closing = notice_texts.close_notice(replace(one, state=state), CONTEXT)
    assert said(closing) == [
        "Close “Fix the login bug” here: it has lost something",
        "4 turns that were here are gone. A pull puts it back once it is closed.",
    ]


def test_a_conflict_that_can_not_be_read_offers_nothing_to_decide() -> None:
    notice = notice_texts.conflict_notice(conflict(sides=(), detail="damaged"), CONTEXT)
    assert said(notice)[1:] == ["damaged"]
    assert offered(notice) == []


def test_many_conflicts_are_counted() -> None:
    notice = notice_texts.conflicts_notice([conflict(f"c{n}", f"T{n}") for n in range(5)], CONTEXT)
    assert said(notice) == ["5 sessions have diverged", "T0", "T1", "T2", "and 2 more"]
    assert offered(notice) == [("Show", open_window(CONFLICTS))]


# --- the doctor --------------------------------------------------------------------------------


def test_a_finding_says_what_fixes_it() -> None:
    ignore = ("Ignore", Action(Verb.IGNORE_FINDING, "w1"))
    notice = notice_texts.finding_notice(warning("w1", detail="It is off.", fix="Set the clock"))
    assert said(notice) == ["The clock is off", "Set the clock"]
    assert offered(notice) == [ignore]
    assert notice.body == open_window(DOCTOR)
    without = notice_texts.finding_notice(warning("w1", detail="It is off."))
    assert said(without) == ["The clock is off", "It is off."]
    assert offered(without) == [ignore]
    typed = notice_texts.finding_notice(warning("w1", detail="It is off.", fix="`ntpdate nas`"))
    assert said(typed) == ["The clock is off", "`ntpdate nas`"]
    assert offered(typed) == [("Copy command", Action(Verb.FIX_FINDING, "w1")), ignore]


def test_a_finding_that_a_click_fixes_says_what_it_means_and_no_command() -> None:
    fix = "`claude-sync push 0f4c1d9e-1111-4222-8333-444455556666`; or raise a number"
    notice = notice_texts.finding_notice(warning("w1", detail="It goes soon.", fix=fix))
    assert said(notice) == ["The clock is off", "It goes soon."]
    assert offered(notice)[0] == ("Push now", Action(Verb.FIX_FINDING, "w1"))


def test_several_findings_are_counted() -> None:
    found = [warning("a", "A", level=Level.ERROR), warning("b", "B")]
    notice = notice_texts.findings_notice(found)
    assert said(notice) == ["Doctor: 1 error, 1 warning", "A", "B"]
    assert offered(notice) == [("Show", open_window(DOCTOR))]


# --- what failed -------------------------------------------------------------------------------

LOG = ("Show log", Action(Verb.SHOW_LOG))
AGAIN = ("Try again", Action(Verb.RETRY))


def test_a_place_that_is_away_says_why() -> None:
    away = status(offline_since=NOW, offline_message="nas doesn't answer: check it", label="nas")
    away = replace(away, location="nas:x", remote=True)
    notice = failure_texts.offline_notice(CONTEXT._replace(status=away))
    assert said(notice) == ["nas can't be reached", "Nas doesn't answer: check it"]
    assert offered(notice) == [AGAIN, LOG]
    assert notice.body == open_window()


def test_what_lasts_and_what_fails_by_itself_say_why() -> None:
    lasting = failure_texts.error_notice("the records can't be written: make room")
    assert said(lasting) == ["Syncing has failed", "The records can't be written: make room"]
    assert offered(lasting) == [AGAIN, LOG]
    failed = [result(sid, Outcome.FAILED, message="it is damaged") for sid in ("s1", "s2")]
    notice_context = CONTEXT._replace(status=status(sessions=(session("s1"),)))
    assert said(failure_texts.failing_notice(failed, notice_context)) == [
        "“Fix the login bug” can't be synced",
        "It is damaged",
        "And 1 more session.",
    ]


@pytest.mark.parametrize(
    ("kind", "results", "some_was", "words", "again"),
    [
        (
            "push",
            [
                result("a", Outcome.FAILED, message="no room"),
                result("b", Outcome.FAILED, message="no room"),
            ],
            True,
            ["Not all of it was pushed", "No room"],
            Action(Verb.PUSH, "a b"),
        ),
        (
            "pull",
            [result("a", Outcome.CONFLICT)],
            False,
            ["Nothing was pulled", "It has diverged: choose which side to keep"],
            Action(Verb.PULL, "a"),
        ),
        (
            "pull",
            [result(f"s{n}", Outcome.FAILED, message=f"m{n}") for n in range(5)],
            False,
            ["Nothing was pulled", "M0", "M1", "M2", "And 2 more."],
            Action(Verb.PULL, "s0 s1 s2 s3 s4"),
        ),
        (
            "resolve",
            [result("a", Outcome.FAILED, message="no room")],
            False,
            ["The conflict wasn't resolved", "No room"],
            Action(Verb.RETRY),
        ),
        ("failed", [], False, ["That didn't work", "Nas doesn't answer"], Action(Verb.RETRY)),
    ],
)
def test_a_click_that_failed_says_what_to_do_and_can_be_done_again(
    kind: str, results: list[Any], some_was: bool, words: list[str], again: Action
) -> None:
    event = happened(1, kind, *results, message="nas doesn't answer")
    notice = failure_texts.not_done_notice(event, results, some_was=some_was)
    assert said(notice) == words
    assert offered(notice) == [("Try again", again), LOG]
    assert notice.body == open_window()


def test_what_has_to_be_chosen_is_not_tried_again() -> None:
    typed = "`claude-sync pull s1` does that"
    chosen = result(
        "s1", Outcome.CONFLICT, message=f"nas's version replaces 3 lines: {typed}", todo=typed
    )
    notice = failure_texts.not_done_notice(happened(1, "pull", chosen), [chosen], some_was=False)
    assert said(notice) == [
        "Nothing was pulled",
        "Nas's version replaces 3 lines: “Compare” shows what can be done",
    ]
    assert offered(notice) == [("Compare…", open_window("conflict/s1")), LOG]
    failed = result("s2", Outcome.FAILED, message="no room")
    both = failure_texts.not_done_notice(
        happened(1, "pull", chosen, failed), [chosen, failed], some_was=False
    )
    assert offered(both) == [("Try again", Action(Verb.PULL, "s1 s2")), LOG]
    # No notice names a button that it doesn't have.
    assert "“Compare”" not in " ".join(said(both))
    assert failure_texts.left_lines([chosen]) == ["1 not: nas's version replaces 3 lines"]


def test_where_there_are_no_buttons_it_says_where_they_are() -> None:
    notice = without_buttons(notice_texts.arrival_notice([arrival("a1")], CONTEXT))
    assert said(notice) == [
        "Refactor the parser",
        "From desktop, 10 minutes ago",
        "The menu has what can be done.",
    ]
    assert offered(notice) == []
    assert notice.buttons == {}
    without = done_texts.pushed_notice(1, CONTEXT)
    assert without_buttons(without) == without


# --- the first start ---------------------------------------------------------------------------


def test_the_first_start_names_the_shared_folder_and_offers_another() -> None:
    first = status(location="~/claude-sync", label="~/claude-sync")
    notice = notice_texts.welcome_notice(CONTEXT._replace(status=first))
    assert said(notice) == [
        "Shared folder: ~/claude-sync (this machine only)",
        "Choose a synced folder or a host to share sessions with your other machines.",
    ]
    assert offered(notice) == [("Choose shared folder…", open_window(STORE))]


# --- other people's text -----------------------------------------------------------------------

HOSTILE = "<b>\x1b[31mred\n\u202eevil\ud800 " + "x" * 500
EVIL_SIDE = Side(HOSTILE, "d", version("x"), 1, minutes_ago(1))


def every(notice_context: NoticeContext) -> list[Notice]:
    """A notice of each kind, with hostile text wherever a stranger can put some."""
    waiting = arrival("a1", HOSTILE, HOSTILE)
    state = conflict("c1", HOSTILE, sides=(EVIL_SIDE, EVIL_SIDE), detail=HOSTILE)
    failed = result("s1", Outcome.FAILED, message=HOSTILE, machine=HOSTILE)
    found = warning("w1", HOSTILE, detail=HOSTILE, fix=HOSTILE)
    return [
        notice_texts.arrival_notice([waiting], notice_context),
        notice_texts.arrival_notice([waiting] * 3, notice_context),
        notice_texts.arrival_notice([waiting] * 20, notice_context),
        notice_texts.close_notice(waiting, notice_context),
        done_texts.pulled_notice([failed], notice_context),
        done_texts.pushed_notice(1, notice_context),
        notice_texts.conflict_notice(state, notice_context),
        notice_texts.conflicts_notice([state] * 5, notice_context),
        notice_texts.finding_notice(found),
        notice_texts.findings_notice([found, found]),
        failure_texts.offline_notice(notice_context),
        failure_texts.error_notice(HOSTILE),
        failure_texts.failing_notice([failed], notice_context),
        failure_texts.not_done_notice(happened(1, "push", failed), [failed], some_was=True),
        notice_texts.welcome_notice(notice_context),
    ]


EVIL = CONTEXT._replace(
    status=status(label=HOSTILE, offline_message=HOSTILE, sessions=(session("s1", HOSTILE),)),
    environment=Environment(home=HOME),
)


def test_whatever_things_are_called_a_notice_is_short_and_nothing_in_it_acts() -> None:
    for notice in every(EVIL):
        title, *lines = said(notice)
        assert 0 < len(title) <= 120, title
        assert len(lines) <= 6
        for line in (title, *lines):
            assert len(line) <= 300
            assert not set(line) & set("\x1b\n\u202e\ud800")
            line.encode()


def test_no_title_is_told_without_leave() -> None:
    secret = session("s1", "Secret")
    notice_context = DISCREET._replace(status=status(sessions=(secret,)))
    waiting = arrival("a1", "Secret")
    state = conflict("c1", "Secret")
    done = result("s1", Outcome.FAILED, message="no room", machine="desktop")
    for notice in (
        notice_texts.arrival_notice([waiting], notice_context),
        notice_texts.arrival_notice([waiting] * 3, notice_context),
        notice_texts.close_notice(waiting, notice_context),
        done_texts.pulled_notice([done], notice_context),
        notice_texts.conflict_notice(state, notice_context),
        notice_texts.conflicts_notice([state] * 5, notice_context),
        failure_texts.failing_notice([done], notice_context),
        failure_texts.not_done_notice(happened(1, "push", done), [done], some_was=True),
    ):
        assert "Secret" not in "\n".join(said(notice))


def test_a_click_on_a_body_never_decides_anything() -> None:
    harmless = {"open-window", "open-project", "pull"}
    bodies = [notice.body for notice in every(EVIL)]
    assert {body.verb for body in bodies if body is not None} == harmless
    pulling = [body for body in bodies if body is not None and body.verb == "pull"]
    assert pulling == [Action(Verb.PULL, "a1")]
