"""What a click can do about what the doctor found."""

from __future__ import annotations

import pytest

from claude_sync.model import Finding, Level
from claude_sync_app.finding_fixes import fix_of

SESSION = "0f4c1d9e-1111-4222-8333-444455556666"


@pytest.mark.parametrize(
    ("code", "fix", "label"),
    [
        ("autostart-broken", "`claude-sync autostart enable`", "Fix"),
        ("plugin-broken", "`claude-sync plugin enable`", "Fix"),
        ("plugin-outdated", "`claude-sync plugin enable`", "Fix"),
        ("preference-wrong", "`claude-sync config set x VALUE`", "Open preferences file"),
        ("preferences-unreadable", "Fix it", "Open preferences file"),
        ("not-set-up", "`claude-sync init FOLDER`", "Choose shared folder…"),
        ("paused", "`claude-sync config set paused_until null`", "Resume syncing"),
        ("cleanup-soon", f"`claude-sync push {SESSION} {SESSION}`; or raise it", "Push now"),
        ("pull-broken-off", f"`claude-sync pull {SESSION}`", "Pull now"),
        ("machine-name-shared", "`claude-sync init LOCATION --name NAME`", "Copy command"),
        ("claude-missing", f"`claude-sync push --all {SESSION}`", "Copy command"),
        ("git-missing", "Install git", ""),
    ],
)
def test_what_a_click_can_do_about_a_finding(code: str, fix: str, label: str) -> None:
    assert fix_of(Finding(code, Level.WARNING, "title", "detail", fix)).label == label
