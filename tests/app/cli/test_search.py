"""What `claude-sync search` says of what it found."""

from __future__ import annotations

import pytest

from claude_sync.model import IndexProgress
from claude_sync.search.marked_line import MarkedLine
from claude_sync.search.searching import SearchAnswer, SearchHit
from claude_sync_app.cli.commands import search

HIT = SearchHit(
    session_id="0f4c1d9e-1111-4222-8333-444455556666",
    title="Fix the login",
    project_key="",
    directory=None,
    machines=("laptop",),
    mtime_ns=0,
    time=0,
    speaker="person",
    offset=0,
    line=MarkedLine("the login"),
    places=1,
)


@pytest.mark.parametrize(
    ("found", "note"), [(10, "--limit 20"), (300, "--limit 500"), (500, "add a word")]
)
def test_what_more_can_be_asked_for_can_be_typed(
    monkeypatch: pytest.MonkeyPatch, found: int, note: str
) -> None:
    notes: list[str] = []
    monkeypatch.setattr(search, "is_terminal", lambda _: True)
    monkeypatch.setattr(search, "print_note", notes.append)
    search._print(SearchAnswer((HIT,) * found, more=True))
    assert notes == [f"(there are more: {note})"]


@pytest.mark.parametrize(
    ("progress", "note"),
    [
        (None, "Not everything could be read yet"),
        (IndexProgress(412, 1000, complete=False), "412 of 1,000 sessions are read so far; older"),
        (IndexProgress(7, 7, complete=False), "Not everything could be read yet"),
    ],
)
def test_what_is_not_found_yet_is_said(progress: IndexProgress | None, note: str) -> None:
    assert search._incomplete(progress).startswith(note)
