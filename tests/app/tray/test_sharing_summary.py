"""What is said before sessions are shared, and which projects are left out."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_sync.model import Finding, Level, SessionState, State
from claude_sync_app.tray.actions.findings import fix_label
from claude_sync_app.tray.actions.store import folder_for_store
from claude_sync_app.tray.sharing_summary import matches, pattern_of, readable

SESSION = "0f4c1d9e-1111-4222-8333-444455556666"


def _session(key: str, size: int = 1_000_000, *, here: bool = True) -> SessionState:
    path = Path("/x.jsonl") if here else None
    return SessionState("s", "t", key, None, path, size, 0, State.CHANGED)


@pytest.mark.parametrize(
    ("sessions", "ignored", "said"),
    [
        ([], [], "No session so far, and those to come"),
        ([_session("git:a/x")], [], "1 session of 1 project, 1.0 MB"),
        (
            [_session("git:a/x"), _session("git:a/x"), _session("git:a/y", 900)],
            [],
            "3 sessions of 2 projects, 2.0 MB",
        ),
        ([_session("git:a/x"), _session("git:b/y")], ["git:b/*"], "1 session of 1 project, 1.0 MB"),
        ([_session("git:b/y")], ["GIT:B/*"], "No session so far, and those to come"),
        ([_session("git:a/x", here=False)], [], "No session so far, and those to come"),
    ],
)
def test_what_will_be_readable(sessions: list[SessionState], ignored: list[str], said: str) -> None:
    assert readable(sessions, ignored) == said


@given(st.text(), st.text())
def test_a_project_is_left_out_by_its_own_pattern_and_no_other_project_is(
    key: str, other: str
) -> None:
    key, other = key.lower(), other.lower()
    assert matches(key, [pattern_of(key)])
    assert matches(other, [pattern_of(key)]) == (other == key)


@pytest.mark.parametrize(
    ("code", "fix", "label"),
    [
        ("autostart-broken", "`claude-sync autostart enable`", "Fix"),
        ("preference-wrong", "`claude-sync config set x VALUE`", "Open preferences file"),
        ("preferences-unreadable", "Mend it", "Open preferences file"),
        ("not-set-up", "`claude-sync init FOLDER`", "Choose a place…"),
        ("paused", "`claude-sync config set paused_until null`", "Resume syncing"),
        ("cleanup-soon", f"`claude-sync push {SESSION} {SESSION}`; or raise it", "Push now"),
        ("pull-broken-off", f"`claude-sync pull {SESSION}`", "Pull now"),
        ("machine-name-shared", "`claude-sync init LOCATION --name NAME`", "Copy command"),
        ("claude-missing", f"`claude-sync push --all {SESSION}`", "Copy command"),
        ("git-missing", "Install git", ""),
    ],
)
def test_what_a_click_can_do_about_a_finding(code: str, fix: str, label: str) -> None:
    assert fix_label(Finding(code, Level.WARNING, "title", "detail", fix)) == label


def test_sessions_get_a_folder_of_their_own_among_other_things(tmp_path: Path) -> None:
    assert folder_for_store(tmp_path / "new") == tmp_path / "new"
    assert folder_for_store(tmp_path) == tmp_path, "it is empty"
    (tmp_path / "a document").touch()
    assert folder_for_store(tmp_path) == tmp_path / "claude-sync"
    (tmp_path / ".ccsync-store").touch()
    assert folder_for_store(tmp_path) == tmp_path, "sessions meet there already"
