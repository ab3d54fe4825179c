"""What a person is told when a session is resumed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from claude_sync.model import Outcome, Result
from claude_sync.sync.resume import Resumption
from claude_sync_app.resume_sentences import (
    TRUST,
    deleted_sentence,
    pulled_sentence,
    remarks,
    shown_title,
)
from machines import OTHER, SESSION

MINUTE_NS = 60 * 10**9
PULLED = Result(SESSION, Outcome.UPDATED, machine="laptop")


def found(**more: Any) -> Resumption:
    first = Resumption(
        SESSION, "Fix the login bug", "", Path("/p"), Path("/p/s"), results=(PULLED,)
    )
    return first._replace(**more)


def test_what_was_pulled_stands_in_one_line() -> None:
    said = "Pulled “Fix the login bug” from laptop, 10 minutes ago"
    assert pulled_sentence(found(), 10 * MINUTE_NS) == f"{said}."
    still = pulled_sentence(found(was_open=True), 10 * MINUTE_NS)
    assert still == f"{said}; it was still open there."
    assert pulled_sentence(found(), 0, title="a session of app").startswith("Pulled a session of")
    again = pulled_sentence(found(put_back=True), 10 * MINUTE_NS)
    assert again == "Put back “Fix the login bug” as this machine had pushed it, 10 minutes ago."
    unchanged = Result(SESSION, Outcome.UNCHANGED)
    assert pulled_sentence(found(results=(unchanged,)), 0) == ""


@pytest.mark.parametrize("title", ["x" * 500, "a\x1b[31m\nb\u202e" * 50])
def test_what_others_wrote_stays_on_its_line(title: str) -> None:
    shown = shown_title(found(title=title))
    assert len(shown) <= 62
    assert shown.isprintable()
    evil = PULLED._replace(machine=f"evil\n\x1b]{title}")
    said = pulled_sentence(found(title=title, results=(evil,)), 0)
    assert said.isprintable()
    assert len(said) < 150
    assert all(line.isprintable() for line in remarks(found(message=title), "", new_directory=True))


def test_a_session_without_a_title_is_called_by_its_id() -> None:
    assert shown_title(found(title="")) == SESSION[:8]


def test_remarks_are_sentences_and_mostly_there_are_none() -> None:
    assert remarks(found(), "", new_directory=False) == []
    said = remarks(
        found(only_here="the host is away", message="it had lost something"),
        "another machine chose its mode",
        new_directory=True,
    )
    assert said == [
        "What is here is resumed, for other machines couldn't be asked: the host is away.",
        "It had lost something.",
        "Another machine chose its mode.",
        TRUST,
    ]
    assert remarks(found(results=(), message="x"), "", new_directory=False) == []


@pytest.mark.parametrize(
    ("along", "said"), [(1, "1 more session came along:"), (2, "2 more sessions came along:")]
)
def test_what_came_along_with_a_branch_is_said(along: int, said: str) -> None:
    unchanged = Result(SESSION, Outcome.UNCHANGED)
    others = [Result(OTHER, Outcome.IMPORTED)] * along
    (remark,) = remarks(found(results=(unchanged, *others, unchanged)), "", new_directory=False)
    assert remark.startswith(said)


def test_a_newer_one_that_was_deleted_is_named() -> None:
    assert deleted_sentence(found()) == ""
    assert f"`claude-sync resume {OTHER}`" in deleted_sentence(found(deleted=OTHER))
