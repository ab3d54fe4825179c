"""How a command's process begins and ends."""

from __future__ import annotations

import gc
import subprocess
import sys

import pytest

from claude_sync_app.cli import main

ENDING = """
import atexit, gc, sys
atexit.register(lambda: print("set apart:", gc.get_freeze_count() > 0))
sys.argv = ["claude-sync", {argument!r}]
from claude_sync_app.cli import main
sys.exit(main())
"""


@pytest.mark.parametrize(("argument", "status"), [("--version", 0), ("no-such-command", 2)])
def test_a_process_that_ends_has_nothing_searched_for_cycles(argument: str, status: int) -> None:
    command = [sys.executable, "-c", ENDING.format(argument=argument)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == status
    assert done.stdout.splitlines()[-1] == "set apart: True"


def test_a_command_that_is_run_by_a_program_leaves_its_memory_as_it_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = gc.get_threshold(), gc.get_freeze_count()
    try:
        assert main(["--version"]) == 0
        assert gc.get_freeze_count() == before[1]
    finally:
        gc.set_threshold(*before[0])
    assert capsys.readouterr().out.startswith("claude-sync ")
