"""The client itself: named by a variable, or fetched once from npm into this environment."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from claude_sync.claude.transcript import LISTED_VERSION
from client.room import Room, entered
from programs import require

# Read now: no test sees variables of this kind.
_NAMED = os.environ.get("CLAUDE_SYNC_TEST_CLIENT")
_VERSION = ".".join(map(str, LISTED_VERSION))
_FETCHING_SECONDS = 900


@pytest.fixture(scope="session")
def client() -> Path:
    """The client's program."""
    if _NAMED:
        return Path(_NAMED).absolute()
    folder = Path(sys.prefix) / "clients" / _VERSION
    if not (found := _programs(folder)):
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip("needs Claude Code: set CLAUDE_SYNC_TEST_CLIENT, or install npm")
        package = f"@anthropic-ai/claude-code@{_VERSION}"
        command = [npm, "install", "--no-audit", "--no-fund", "--prefix", str(folder), package]
        cache = {**os.environ, "npm_config_cache": str(folder / "cache")}
        subprocess.run(command, env=cache, check=True, timeout=_FETCHING_SECONDS)
        shutil.rmtree(folder / "cache", ignore_errors=True)
        found = _programs(folder)
    return found[0]


def _programs(folder: Path) -> list[Path]:
    return sorted(folder.glob("node_modules/@anthropic-ai/claude-code-*/claude"))


@pytest.fixture
def room(client: Path, tmp_path: Path) -> Iterator[Room]:
    """A room with the stand-in for its API in it."""
    require("tmux", "unshare", "ip")
    folder = tmp_path / "room"
    folder.mkdir()
    with entered(folder, client) as room:
        yield room
