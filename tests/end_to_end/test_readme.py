"""The README says nothing that isn't so: its code runs, its commands and keys are there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from claude_sync.state.preference_kinds import KINDS, Notifications
from claude_sync_app.cli.commands import COMMANDS
from end_to_end.machine import SESSION, Machine
from programs import require

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[str]:
    return [text for name, text in BLOCKS if name == language]


def test_the_library_is_embedded_in_ten_lines(new_laptop: Machine) -> None:
    (example,) = blocks("python")
    assert len(example.splitlines()) <= 10
    text = new_laptop.says("hello")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", example],
        cwd=new_laptop.home,
        env=new_laptop.environment(),
        capture_output=True,
        check=True,
    )
    assert done.stdout.decode().split("\n") == [
        f"{SESSION} pushed ",
        f"{SESSION} unchanged ",
        "",
    ]
    (bundle,) = (new_laptop.home / "Dropbox" / "sessions").glob("*/*.ccsync")
    (line,) = [line for block in blocks("") for line in block.splitlines() if "jq" in line]
    require("jq")
    line = line.replace("FILE.ccsync", f"'{bundle}'").replace("SESSION", "out")
    subprocess.run(["sh", "-c", line], cwd=new_laptop.home, check=True)
    assert (new_laptop.home / "out.jsonl").read_bytes() == text


def test_every_command_it_names_is_there(new_laptop: Machine) -> None:
    typed = re.findall(r"claude-sync ([a-z]+)((?: --[a-z-]+)*)", README)
    named = {name for name, _ in typed if name in COMMANDS}
    prose = {"moves", "at", "sh", "rclone"}  # the last is what pipx adds to it
    assert {name for name, _ in typed} - named <= prose
    assert {"push", "pull", "init", "resolve", "undo", "status", "sessions", "config"} <= named
    for name, options in typed:
        for option in options.split():
            assert option in new_laptop.does(name, "--help"), (name, option)


def test_every_message_about_a_host_that_it_explains_is_one_that_is_said() -> None:
    table = README.partition("| it says | so |\n")[2].partition("\n\n")[0]
    explained = [row.split(" | ")[0].strip("| ") for row in table.splitlines()[1:]]
    several = explained.pop(0).split(", ")
    assert len(explained) >= 5
    said = (ROOT / "core/claude_sync/transports/ssh/errors.py").read_text(encoding="utf-8")
    for words in [*several, *explained]:
        assert f'{words}"' in said, words


@pytest.mark.parametrize("key", KINDS)
def test_every_preference_stands_in_it(key: str) -> None:
    section = README.partition("## Configuration")[2].partition("\n## ")[0]
    assert f"`{key}`" in section


def test_every_kind_of_notification_can_be_named() -> None:
    named = set(re.findall(r"`notifications\.([a-z]+)`", README))
    assert named
    assert named <= set(Notifications._fields)


def test_what_it_links_to_is_there() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        if not target.startswith("https://"):
            assert (ROOT / target).is_file(), target


def test_its_lines_can_be_read_in_an_editor() -> None:
    prose = [line for line in README.splitlines() if not line.startswith("|")]
    assert [line for line in prose if len(line) > 110] == []
