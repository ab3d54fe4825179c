"""What a changed preference leaves as it was is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from claude_sync_app.cli import main
from examined import Patient
from machines import SESSION, World, said


def test_that_checkpoints_were_pushed_before_is_said_where_they_are_to_stay(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["config", "set", "checkpoints", "false"]) == 0
    assert main(["config", "set", "checkpoints", "true"]) == 0
    patient = Patient(World(tmp_path / "world"))
    patient.set_up()
    patient.write(SESSION, said())
    patient.write_companion(f"file-history/{SESSION}/0123456789abcdef@v1", b"secret = 1\n")
    patient.push()
    capsys.readouterr()
    assert main(["config", "set", "checkpoints", "false"]) == 0
    assert capsys.readouterr().out == (
        "checkpoints is false.\n"
        "1 session was pushed with checkpoints: `claude-sync push --all` takes them out of the "
        "shared folder, and `claude-sync doctor` names what is left.\n"
    )
    patient.push()
    assert main(["config", "set", "checkpoints", "false"]) == 0
    assert capsys.readouterr().out == "checkpoints is false.\n"
