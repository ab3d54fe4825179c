"""Ctrl-C at a prompt ends the command at once, whenever it comes, and nothing is done."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from end_to_end.machine import SESSION, Machine
from end_to_end.terminal import Screen, on_terminal

INTERRUPTING = (sys.executable, Path(__file__).with_name("interrupting.py"))


def interruptions(screen: Screen) -> int:
    """How often the program in `interrupting` was interrupted before it was done with that."""
    assert screen.status == 0, screen.text
    (number,) = re.findall(r"^interrupted (\d+)$", screen.text, re.MULTILINE)
    return int(number)


def test_a_question_ends_whichever_line_of_it_the_signal_comes_before(new_laptop: Machine) -> None:
    screen = on_terminal(new_laptop, program=INTERRUPTING)
    assert interruptions(screen) > 20
    assert "Really?" in screen.text
    assert "Too late?" not in screen.text


def test_forgetting_ends_whichever_line_of_it_the_signal_comes_before(
    laptop: Machine, shared_folder: Path
) -> None:
    laptop.says("hello")
    laptop.does("push")
    screen = on_terminal(laptop, "forget", SESSION, program=INTERRUPTING, columns=200)
    assert interruptions(screen) > 50
    assert len(list(shared_folder.glob("*/*.ccsync"))) == 1


@pytest.mark.parametrize("command", ["forget", "resolve"])
def test_the_key_ends_a_question_each_time(
    laptop: Machine, desktop: Machine, shared_folder: Path, command: str
) -> None:
    laptop.says("hello")
    laptop.does("push")
    desktop.does("pull")
    laptop.says("here")
    of_desktop = desktop.says("there")
    laptop.does("push")
    desktop.run("push")
    bundles = sorted(path.read_bytes() for path in shared_folder.glob("*/*.ccsync"))
    for _ in range(8):
        screen = on_terminal(desktop, command, SESSION, answers=[("] ", "\x03")], columns=200)
        assert screen.status == 130, screen.text
        assert screen.lines[-1] == "claude-sync: interrupted"
    assert desktop.read() == of_desktop
    assert sorted(path.read_bytes() for path in shared_folder.glob("*/*.ccsync")) == bundles
