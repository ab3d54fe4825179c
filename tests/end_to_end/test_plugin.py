"""The plugin for Claude Code, through the installed command and a client that stands in."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from end_to_end.machine import SESSION, Machine
from stand_in_client import StandInClient, settings_of
from waiting import PATIENCE_SECONDS, until

HOOK = Path(".local/share/claude-sync/plugin/session-sync/hooks/run")


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandInClient:
    made = StandInClient(tmp_path / "bin")
    monkeypatch.setenv("PATH", made.path)
    return made


def test_it_is_enabled_looked_at_and_disabled(client: StandInClient, laptop: Machine) -> None:
    assert laptop.does("plugin") == "claude-sync isn't inside Claude Code (~/.claude).\n"
    inside = "claude-sync is inside Claude Code (~/.claude)"
    assert laptop.does("plugin", "enable") == f"{inside}, from its next start on.\n"
    assert laptop.does("plugin", "status") == f"{inside}.\n"
    document = laptop.document("plugin", "status")
    assert (document["enabled"], document["outdated"]) == (True, False)
    assert Path(document["program"]).exists()
    assert document["claude_home"] == str(laptop.claude)
    laptop.does("plugin", "disable")
    assert laptop.document("plugin")["installed"] is False
    assert settings_of(laptop.claude) == {"enabledPlugins": {}}


def test_what_is_wrong_with_it_is_said_with_what_to_do(
    client: StandInClient, laptop: Machine
) -> None:
    laptop.does("plugin", "enable")
    program = laptop.home / HOOK.with_name("program")
    program.write_text("/gone/python\n/gone/hook.py\n/gone\n")
    done = laptop.run("plugin")
    assert (done.status, done.out) == (1, "")
    assert "/gone/python" in done.err
    assert "run `claude-sync plugin enable`" in done.err
    assert laptop.does("plugin", "enable").startswith("claude-sync is inside")


def test_a_client_that_is_too_old_is_said_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, laptop: Machine
) -> None:
    monkeypatch.setenv("PATH", StandInClient(tmp_path / "bin", "old").path)
    assert "too old for plugins" in laptop.fails("plugin", "enable")


def test_its_hook_pushes_with_the_installed_program(
    client: StandInClient, laptop: Machine, tmp_path: Path
) -> None:
    laptop.does("init", tmp_path / "store")
    laptop.does("plugin", "enable")
    laptop.says("hello")
    given = {
        "session_id": SESSION,
        "transcript_path": str(laptop.path()),
        "cwd": str(laptop.project),
        "hook_event_name": "SessionEnd",
    }
    done = subprocess.run(
        ["sh", laptop.home / HOOK, "end"],
        input=json.dumps(given).encode(),
        env=laptop.environment(),
        capture_output=True,
        timeout=PATIENCE_SECONDS,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    until(lambda: list(tmp_path.glob(f"store/*/{SESSION}-*.ccsync")))
