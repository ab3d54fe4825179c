"""What the window's table says of a session, and what it offers first."""

from __future__ import annotations

from typing import Any

import pytest

from claude_sync.model import State
from claude_sync.service.status import Arrival, Status
from claude_sync_app.window.session_rows import session_rows
from tray_values import NOW, arrival, conflict, minutes_ago, session, status


def row_of(shown: Status) -> dict[str, Any]:
    (row,) = session_rows(shown)
    return row


@pytest.mark.parametrize(
    ("shown", "label", "main"),
    [
        (status(sessions=(session(),)), "In sync", "resume"),
        (status(sessions=(session(open=True),)), "In sync", None),
        (status(sessions=(session(state=State.CHANGED),)), "Changed here", "push"),
        (status(sessions=(session(state=State.CHANGED, ignored=True),)), "Not shared", "resume"),
        (status(arrivals=(arrival(),)), "Only on desktop", "pull-and-resume"),
        (status(arrivals=(arrival(here=True),)), "Newer on desktop", "pull-and-resume"),
        (status(arrivals=(arrival(here=True, open=True),)), "Newer on desktop", "pull"),
        (status(arrivals=(arrival(here=True, replaces=3),)), "Newer on desktop", "compare"),
        (status(conflicts=(conflict(),)), "Conflict", "compare"),
        (status(conflicts=(conflict(shortened=True),)), "Shortened", "compare"),
        (status(sessions=(session(state=State.GONE, path=None),)), "Deleted here", "restore"),
        (
            status(sessions=(session(state=State.UNPLACED, path=None, directory=None),)),
            "Needs a folder",
            "add-project-folder",
        ),
        (status(sessions=(session(state=State.INCOMPLETE, path=None),)), "Still arriving", None),
    ],
)
def test_a_row_says_where_a_session_stands_and_offers_the_likeliest(
    shown: Status, label: str, main: str | None
) -> None:
    row = row_of(shown)
    assert row["label"] == label
    assert row.get("main") == main


def test_a_session_that_went_on_elsewhere_stands_where_it_was_used_last() -> None:
    newer = arrival(here=True, minutes=1, mtime_ns=minutes_ago(5000))
    rows = session_rows(status(sessions=(session(), newer.state), arrivals=(newer,)))
    assert [row["id"] for row in rows] == [newer.session_id, "s1"]
    assert rows[0]["when"] == (NOW - 60) * 1000


def test_a_session_that_is_open_here_is_never_offered_to_be_replaced_at_once() -> None:
    held: Arrival = arrival(here=True, open=True)
    row = row_of(status(arrivals=(held,)))
    assert "pull-and-resume" not in row["do"]
    assert "resume" not in row["do"]
    assert row["open"] is True
    row = row_of(status(arrivals=(held,), deferred=(held.session_id,)))
    assert row["label"] == "Pulled once it is closed"


def test_what_would_be_lost_is_said_before_anything_is_replaced() -> None:
    row = row_of(status(arrivals=(arrival(here=True, replaces=3),)))
    assert row["replaces"] == "desktop's version replaces 3 lines that are only here."
    assert "pull" not in row["do"]


def test_only_what_this_machine_pushed_can_be_removed_from_the_shared_folder() -> None:
    assert "forget" not in row_of(status(sessions=(session(machines=("desktop",)),)))["do"]
    row = row_of(status(sessions=(session(machines=("desktop", "laptop")),)))
    assert "forget" in row["do"]
    assert row["machines"] == ["desktop", "laptop"]


def test_what_others_wrote_comes_out_on_one_line_without_controls() -> None:
    hostile = "a\u202eb\n\x1b[31mc"
    row = row_of(status(sessions=(session(title=hostile, machines=(hostile,), detail=hostile),)))
    text = f"{row['title']}{row['machines']}{row['detail']}"
    assert not any(bad in text for bad in ("\u202e", "\n", "\x1b"))


def test_turns_stand_in_a_row_where_they_are_known() -> None:
    shown = status(sessions=(session("a" * 8), session("b" * 8)))
    first, second = session_rows(shown, {"a" * 8: 1234, "gone": 3})
    assert first["turns"] == 1234
    assert "turns" not in second
    assert all("turns" not in row for row in session_rows(shown))
