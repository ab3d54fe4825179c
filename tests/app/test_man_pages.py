"""The manual pages that the packages hold, as the parser makes them."""

from __future__ import annotations

import subprocess
import sys
from argparse import SUPPRESS
from pathlib import Path

import pytest

from claude_sync_app.cli.commands import COMMANDS
from claude_sync_app.cli.whole_parser import command_parser
from programs import require
from waiting import PATIENCE_SECONDS

SCRIPT = Path(__file__).resolve().parents[2] / "packaging" / "man_pages.py"


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the manual pages."""
    folder = tmp_path_factory.mktemp("man") / "man1"
    subprocess.run([sys.executable, SCRIPT, folder], check=True, timeout=PATIENCE_SECONDS)
    return folder


def test_each_command_has_a_page_that_says_all_that_its_help_does(pages: Path) -> None:
    names = {page.name for page in pages.iterdir()}
    assert names == {"claude-sync.1", *(f"claude-sync-{name}.1" for name in COMMANDS)}
    for name, command in COMMANDS.items():
        text = (pages / f"claude-sync-{name}.1").read_text(encoding="utf-8").replace("\\-", "-")
        assert f"claude-sync-{name} - {command.summary}" in text
        for action in command_parser(command)._actions:
            said = action.help or ""
            if "--help" not in action.option_strings and said is not SUPPRESS:
                assert said in text, action
        assert f".BR claude-sync-{name} (1)" in (pages / "claude-sync.1").read_text(
            encoding="utf-8"
        ).replace("\\-", "-")


def test_the_pages_are_such_as_man_shows_without_a_warning(pages: Path) -> None:
    require("groff")
    for page in sorted(pages.iterdir()):
        done = subprocess.run(
            ["groff", "-man", "-ww", "-z", "-Tutf8", page],
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
        )
        assert (done.returncode, done.stderr) == (0, ""), page.name
