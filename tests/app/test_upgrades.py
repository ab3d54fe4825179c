"""Starting what is installed now where a process can't become another, as on Windows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from claude_sync_app.upgrades import start_anew
from waiting import until


def test_in_a_terminal_it_lasts_as_long_as_what_it_started() -> None:
    command = [sys.executable, "-c", "raise SystemExit(3)"]
    assert start_anew(command, waits=True, platform="win32") == 3


def test_elsewhere_it_ends_before_what_it_started(tmp_path: Path) -> None:
    begun, may_end = tmp_path / "begun", tmp_path / "may end"
    new = (
        "import pathlib, sys, time\n"
        "pathlib.Path(sys.argv[1]).touch()\n"
        "while not pathlib.Path(sys.argv[2]).exists(): time.sleep(0.01)\n"
        "pathlib.Path(sys.argv[1]).unlink()\n"
    )
    old = (
        "import sys\n"
        "from claude_sync_app.upgrades import start_anew\n"
        "sys.exit(start_anew([sys.executable, *sys.argv[1:]], platform='win32'))\n"
    )
    done = subprocess.run([sys.executable, "-c", old, "-c", new, begun, may_end], check=False)
    assert done.returncode == 0
    until(begun.exists)
    may_end.touch()
    until(lambda: not begun.exists())


def test_what_can_not_be_started_is_a_failure(tmp_path: Path) -> None:
    missing = [str(tmp_path / "claude-sync")]
    assert start_anew(missing, platform="win32") == 1
    assert start_anew(missing, waits=True, platform="win32") == 1
    assert start_anew(missing, platform="linux") == 1
