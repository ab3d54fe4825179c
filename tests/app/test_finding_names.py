"""How findings name sessions to the person they belong to."""

from __future__ import annotations

import pytest

from claude_sync_app.finding_names import named_finding
from tray_values import session, warning

SID = "0f4c1d9e-1111-4222-8333-444455556666"
FOUND = warning(
    "conflict",
    f"Session {SID} is in conflict",
    detail=f"A pull of session {SID} was interrupted. {SID} is meant.",
    fix=f"`claude-sync resolve {SID} --keep mine`",
)


def test_a_session_is_called_by_its_title_and_the_beginning_of_its_id() -> None:
    named = named_finding(FOUND, [session(SID, "Fix\nthe\x1b login bug")])
    assert named.title == "“Fix the login bug” (0f4c1d9e) is in conflict"
    assert named.detail == (
        "A pull of “Fix the login bug” (0f4c1d9e) was interrupted. "
        "“Fix the login bug” (0f4c1d9e) is meant."
    )
    assert named.fix == FOUND.fix, "a command needs the whole id"


@pytest.mark.parametrize(("title", "show"), [("", True), ("Fix the login bug", False)])
def test_without_a_title_or_where_none_is_shown_the_id_is_short(title: str, show: bool) -> None:
    named = named_finding(FOUND, [session(SID, title)], show_titles=show)
    assert named.title == "Session 0f4c1d9e is in conflict"
    assert named.detail == "A pull of session 0f4c1d9e was interrupted. 0f4c1d9e is meant."


def test_a_file_keeps_its_name() -> None:
    detail = f"~/.claude/projects/-app/{SID}.jsonl can be read, and {SID}-laptop.ccsync by nobody."
    found = warning("readable", "A file can be read", detail=detail)
    assert named_finding(found, [session(SID, "Fix the login bug")]) == found


def test_a_finding_of_no_session_stays_as_it_is() -> None:
    assert named_finding(warning(), [session(SID)]) == warning()
