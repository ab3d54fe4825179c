"""Finding what was said through the installed command."""

from __future__ import annotations

import re

from end_to_end.machine import SESSION, Machine
from end_to_end.terminal import on_terminal


def test_what_was_said_is_found_on_the_other_machine(laptop: Machine, desktop: Machine) -> None:
    laptop.says("Where is the \x1b[31m login\u202e cookie?")
    laptop.does("push")
    row = desktop.does("search", "cookie", "log").rstrip("\n").split("\t")
    assert (row[0], row[2]) == (SESSION, "laptop")
    assert row[4:] == ["Where is the [31m login cookie?"] * 2
    document = desktop.document("search", '"login cookie"', "--machine", "laptop")
    (hit,) = document["hits"]
    assert (hit["session_id"], document["complete"]) == (SESSION, True)
    assert [hit["line"][start:end] for start, end in hit["marks"]] == ["login", "cookie"]
    assert desktop.does("search", "elephant", "--project", ".") == "Nothing was found.\n"
    shown = on_terminal(desktop, "search", "cookie")
    assert shown.status == 0
    title, facts, line = shown.lines[:3]
    assert title == f"Where is the [31m login cookie?  {SESSION[:8]}"
    assert re.search(r" · (just now|\d+ minutes? ago) · laptop$", facts)
    assert line == "  Where is the [31m login cookie?"
    desktop.does("config", "set", "search", "false")
    assert not list(desktop.home.rglob("search*.sqlite*"))
    assert "turned off" in desktop.fails("search", "cookie")
