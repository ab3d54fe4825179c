"""What Claude Code itself says of the plugin, without a way out of this machine."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from claude_sync_app.inside_client.plugin_files import PLUGIN, this_program, write_copy
from client.room import alone
from programs import require
from waiting import PATIENCE_SECONDS


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The copy of the plugin that a person's client reads."""
    folder = tmp_path / "plugin"
    write_copy(folder, this_program())
    return folder


def verdict(client: Path, folder: Path, home: Path) -> tuple[int, str]:
    """How the client's own check ends, warnings counted as errors; and what it says."""
    done = subprocess.run(
        [*alone(), client, "plugin", "validate", "--strict", folder],
        env={**os.environ, "HOME": str(home), "DISABLE_AUTOUPDATER": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE_SECONDS,
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize("part", ["", PLUGIN], ids=["marketplace", "plugin"])
def test_the_client_finds_nothing_wrong(
    client: Path, copy: Path, tmp_path: Path, part: str
) -> None:
    require("unshare")
    status, said = verdict(client, copy / part, tmp_path)
    assert status == 0, said


def test_the_client_would_find_what_is_wrong(client: Path, copy: Path, tmp_path: Path) -> None:
    require("unshare")
    hooks = copy / PLUGIN / "hooks" / "hooks.json"
    hooks.write_text(hooks.read_text().replace('"Stop"', '"Stopp"'))
    status, said = verdict(client, copy / PLUGIN, tmp_path)
    assert (status, "Stopp" in said) == (1, True), said
