"""What a choice did is said before a session is resumed, if it then is."""

from __future__ import annotations

import pytest

from claude_sync.model import Outcome, Result
from claude_sync.sync.resume import Resumption
from claude_sync_app.cli.commands import resume
from machines import SESSION

FOUND = Resumption(SESSION, "", "", None, None)


def test_a_choice_of_which_something_failed_starts_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    failed = Result(SESSION, Outcome.FAILED, message="the store is full")
    assert resume._print_settled(FOUND, [failed], "store") is None
    assert f"{SESSION[:8]}: the store is full" in capsys.readouterr().err
    pushed = Result(SESSION, Outcome.PUSHED)
    assert resume._print_settled(FOUND, [pushed], "store") == {}
    said = capsys.readouterr()
    assert f"Pushed {SESSION[:8]} → store" in said.out
    assert f"To go back: `claude-sync undo {SESSION}`." in said.err


def test_what_was_deleted_here_and_what_was_pulled_are_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    pulled = Result(SESSION, Outcome.REPLACED, machine="laptop")
    resume._print_pulled(FOUND._replace(deleted="0f4c1d9e", results=(pulled,)))
    said = capsys.readouterr()
    assert "`claude-sync resume 0f4c1d9e` brings it back." in said.err
    assert "from laptop" in said.out
    assert f"To go back: `claude-sync undo {SESSION}`." in said.err
