"""Another version that is installed while `claude-sync watch` runs."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from claude_sync import __version__
from end_to_end.machine import SESSION, Machine
from waiting import PATIENCE_SECONDS

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A copy of the program, to be upgraded."""
    place = tmp_path / "installed"
    for package in ("core/claude_sync", "app/claude_sync_app"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / package, place / package, ignore=ignored)
    return place


@pytest.fixture
def watching(laptop: Machine, installed: Path) -> Iterator[subprocess.Popen[str]]:
    paths = os.pathsep.join(str(installed / name) for name in ("core", "app"))
    process = subprocess.Popen(
        [sys.executable, "-m", "claude_sync_app", "watch", "--interval", "1"],
        cwd=laptop.project,
        env=laptop.environment({"PYTHONPATH": paths}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    yield process
    if process.poll() is None:
        process.kill()
    process.communicate()


def up_to(process: subprocess.Popen[str], wanted: str) -> str:
    """What it prints up to a line that holds something."""
    assert process.stdout is not None
    words = ""
    for line in iter(process.stdout.readline, ""):
        words += line
        if wanted in line:
            return words
    raise AssertionError(f"it ended without {wanted!r}: {words}")


def test_watching_starts_anew_after_an_upgrade_as_it_was_started(
    laptop: Machine, installed: Path, watching: subprocess.Popen[str]
) -> None:
    laptop.says("hello")
    up_to(watching, f"Pushed {SESSION[:8]}")
    own = installed / "core/claude_sync/__init__.py"
    whole = own.read_text()
    # A version that can't be started is none.
    own.write_text("raise SystemExit(1)\n")
    laptop.says("more")
    words = up_to(watching, f"Pushed {SESSION[:8]}")
    assert "starting anew" not in words
    newer = f'__version__ = "{__version__}.1"'
    own.write_text(whole.replace(f'__version__ = "{__version__}"', newer))
    words = up_to(watching, "Watching.")
    assert re.fullmatch(
        r"(?s).*Another version of claude-sync is here: starting anew\.\nWatching\. .+\n", words
    )
    # The new one does what the old one did, as the same process.
    laptop.says("of the newer version")
    up_to(watching, f"Pushed {SESSION[:8]}")
    watching.send_signal(signal.SIGINT)
    watching.communicate(timeout=PATIENCE_SECONDS)
    assert watching.returncode == 130
