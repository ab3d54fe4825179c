"""Reading a session through the installed command."""

from __future__ import annotations

import json

from end_to_end.machine import SESSION, Machine
from end_to_end.terminal import on_terminal


def test_a_session_is_read_where_it_never_was(laptop: Machine, desktop: Machine) -> None:
    laptop.says("Where is the \x1b[31mbug\u202e?")
    laptop.does("push")
    shown = desktop.does("show", SESSION[:8])
    assert shown.splitlines()[0] == "Where is the [31mbug?"
    assert "\nRead from: laptop, " in shown
    assert "\nYou" in shown
    assert not list(desktop.claude.glob("projects/*/*"))
    document = desktop.document("show", SESSION)
    assert document["machines"][0]["machine"] == "laptop"
    assert document["turns"][0]["parts"][0]["text"] == "Where is the \x1b[31mbug\u202e?"
    assert desktop.does("show", SESSION, "--markdown").startswith("# Where is the \\[31mbug?")
    page = desktop.home / "talk.html"
    assert str(page) in desktop.does("show", SESSION, "--html", "-o", page)
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert page.stat().st_mode & 0o077 == 0
    on_screen = on_terminal(desktop, "show", SESSION)
    assert on_screen.status == 0
    assert "no copy of the session" in desktop.fails("show", SESSION, "--machine", "tablet")
    assert "choose another place" in desktop.fails("show", SESSION, "-o", desktop.home / "no/x")


def test_a_subagent_is_read_by_the_id_that_its_session_names(
    laptop: Machine, desktop: Machine
) -> None:
    laptop.says("Where is the bug?")
    (transcript,) = laptop.claude.glob(f"projects/*/{SESSION}.jsonl")
    aside = {"type": "user", "isSidechain": True, "message": {"content": "Look into the tests"}}
    agent = transcript.with_suffix("") / "subagents" / "agent-a22eb0f041f4ed98e.jsonl"
    agent.parent.mkdir(parents=True)
    agent.write_text(json.dumps(aside) + "\n")
    laptop.does("push")
    assert "  a22eb0f0  Subagent a22eb0f0 (1 turn)" in desktop.does("show", SESSION).splitlines()
    assert desktop.does("show", SESSION, "--agent", "a22e").endswith(
        "\nTask\nLook into the tests\n"
    )
    assert "no subagent's id begins with that" in desktop.fails("show", SESSION, "--agent", "b")
