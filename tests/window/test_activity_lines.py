"""What the activity's lines say, and what they offer, by value."""

from __future__ import annotations

from pathlib import Path

import pytest

from claude_sync.model import SessionState, State
from claude_sync.service.status import Status
from claude_sync.state.activity import Activity
from claude_sync_app.window.activity_lines import lines_of
from machines import KEY, OTHER, SESSION


def a_state(state: State = State.SYNCED, **more: object) -> SessionState:
    values: dict[str, object] = {
        "title": "Fix the <b>login</b>\u202e bug",
        "project_key": KEY,
        "directory": None,
        "path": Path("here"),
        "size": 1,
        "mtime_ns": 1,
    }
    return SessionState(SESSION, state=state, **(values | more))  # type: ignore[arg-type]


def an_entry(verb: str, outcome: str, number: int = 1, **more: object) -> Activity:
    return Activity(number, verb, outcome, SESSION, machine="desktop", number=number, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("entry", "label", "words"),
    [
        (an_entry("push", "pushed", bytes=2_000, times=3), "Pushed", "3 times · 2.0 KB · by you"),
        (an_entry("pull", "imported", by_itself=True), "Pulled", "New from desktop · by itself"),
        (an_entry("pull", "replaced"), "Replaced", "took the place of what was here"),
        (an_entry("resolve", "theirs"), "Decided", "Took over desktop's version · by you"),
        (an_entry("resolve", "mine"), "Decided", "Kept this machine's version"),
        (an_entry("resolve", "both"), "Decided", "Kept both sides"),
        (an_entry("restore", "replaced"), "Restored", "An earlier version is back"),
        (an_entry("undo", "replaced"), "Undone", "What was replaced is back"),
        (an_entry("forget", "removed"), "Removed", "desktop's copy was removed"),
        (an_entry("arrive", "waiting"), "Arrived", "desktop went on with it"),
        (an_entry("pull", "conflict"), "Conflict", "one has to be chosen"),
        (
            an_entry("push", "failed", message="the disk is full"),
            "Push failed",
            "The disk is full.",
        ),
        (
            an_entry("resolve", "failed", message=f"the session is open here ({SESSION})"),
            "The choice wasn't made",
            f"The session is open here ({SESSION[:8]}).",
        ),
        (an_entry("watch", "reachable"), "Reachable", "can be used again"),
        (an_entry("push", "something newer"), "Something newer", ""),
    ],
)
def test_what_it_says(entry: Activity, label: str, words: str) -> None:
    (line,) = lines_of(Status(sessions=(a_state(),)), [entry])
    assert line["label"] == label
    assert words in " ".join([line["what"], line["facts"]])
    assert line["name"] == "Fix the <b>login</b> bug"


def test_only_the_last_that_replaced_something_can_be_undone() -> None:
    entries = [
        an_entry("push", "pushed", 4),
        an_entry("pull", "updated", 3),
        an_entry("pull", "replaced", 2),
        an_entry("pull", "imported", 1),
    ]
    undoable = Status(sessions=(a_state(undoable=True),))
    assert [line["undo"] for line in lines_of(undoable, entries)] == [False, True, False, False]
    shown = lines_of(undoable, entries[2:], entries)
    assert [line["undo"] for line in shown] == [False, False]
    undone = [an_entry("undo", "replaced", 5), *entries]
    for status, nothing in (
        (undoable, undone),
        (Status(sessions=(a_state(undoable=False),)), entries),
        (Status(sessions=(a_state(undoable=True, open=True),)), entries),
        (Status(), entries),
    ):
        assert not any(line["undo"] for line in lines_of(status, nothing))


@pytest.mark.parametrize(
    ("state", "entry", "offered"),
    [
        (a_state(State.CONFLICT), an_entry("pull", "conflict"), "compare"),
        (a_state(State.WAITING, replaces=2), an_entry("arrive", "waiting"), "compare"),
        (a_state(State.WAITING, shortened=True), an_entry("push", "shortened"), "compare"),
        (a_state(State.WAITING), an_entry("arrive", "waiting"), "pull"),
        (a_state(State.SYNCED), an_entry("arrive", "waiting"), ""),
        (a_state(State.CHANGED), an_entry("push", "failed"), "push"),
        (a_state(State.GONE, path=None), an_entry("push", "pushed"), "restore"),
    ],
)
def test_what_it_offers(state: SessionState, entry: Activity, offered: str) -> None:
    older = an_entry("pull", "conflict", 0)
    newest, before = lines_of(Status(sessions=(state,)), [entry, older])
    assert (newest["next"], before["next"]) == (offered, "")


def test_a_session_that_is_nowhere_any_more_has_its_id() -> None:
    entry = Activity(1, "forget", "removed", OTHER, project_key=KEY, machine="desktop", number=1)
    (line,) = lines_of(Status(), [entry])
    assert (line["name"], line["project"]) == (f"Session {OTHER[:8]}", "app")
