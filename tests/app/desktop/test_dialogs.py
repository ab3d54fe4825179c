"""What a dialog's program says by its exit status; on every system."""

from __future__ import annotations

import sys

import pytest

from claude_sync_app.desktop.dialogs.asking import REFUSED, DialogCommand, Dialogs
from claude_sync_app.desktop.dialogs.powershell import Powershell
from claude_sync_app.desktop.launching import DesktopError


class _Exits(Powershell):
    """Stands for PowerShell, which only Windows has: its script ends like this."""

    def __init__(self, status: int) -> None:
        self._status = status

    def text(self, title: str, question: str, initial: str) -> DialogCommand:
        ends = f"raise SystemExit({self._status})"
        return DialogCommand((sys.executable, "-c", ends))


def test_a_machine_whose_rules_forbid_dialogs_is_no_cancel() -> None:
    assert Dialogs(_Exits(1)).ask_text("Title", "Which?") is None
    with pytest.raises(DesktopError, match="rules keep PowerShell"):
        Dialogs(_Exits(REFUSED)).ask_text("Title", "Which?")


def test_every_question_of_powershell_asks_first_whether_it_may() -> None:
    asked = Powershell()
    for command in (
        asked.folder("a", "b"),
        asked.text("a", "b", "c"),
        asked.secret("a", "b"),
        asked.buttons("a", "b", ["c"]),
        asked.shown("a", "b", ["c"]),
    ):
        script = command.arguments[-1]
        assert f"'FullLanguage') {{ exit {REFUSED} }}" in script.splitlines()[0]
        assert "TopMost = $true" in script, "it may not open behind another window"
