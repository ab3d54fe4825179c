"""What a click's answer says of what was pushed or pulled."""

from __future__ import annotations

from claude_sync.model import Outcome, Result
from claude_sync_app.window.results import results_answer
from tray_values import status

TYPED = "`claude-sync pull s` does that"


def test_what_is_to_be_typed_elsewhere_is_a_button_here() -> None:
    what = "laptop's version replaces 3 lines that are only here"
    chosen = Result("s", Outcome.CONFLICT, message=f"{what}: {TYPED}", todo=TYPED)
    answer = results_answer(status(), [chosen])
    assert answer.is_error
    assert (
        answer.message
        == f"Session s: {what[0].upper()}{what[1:]}: “Compare” shows what can be done."
    )


def test_what_changed_meanwhile_is_not_said_to_arrive() -> None:
    codes = ["SessionChanging", "FileGone", "BundlePlaceholder"]
    results = [Result(code, Outcome.INCOMPLETE, code=code) for code in codes]
    answer = results_answer(status(), results)
    assert answer.message == "3 sessions: 2 changed meanwhile, 1 still arriving."
