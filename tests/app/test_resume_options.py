"""What the client is told when it resumes what came from elsewhere."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path, PurePosixPath

import pytest

from claude_sync.claude.client import knows_snapshot_option
from claude_sync.sync.pack import unpack
from claude_sync_app.resume_line import resume_line
from claude_sync_app.resume_options import NO_OPTIONS, resume_options
from machines import SESSION, Pair, PlayedMachine, said

ACCEPTS = json.dumps({"type": "permission-mode", "permissionMode": "acceptEdits"}).encode() + b"\n"
DEFAULT = ("--permission-mode", "default")


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A client on the PATH that notes how often it was asked for its help."""
    program = tmp_path / "bin" / "claude"
    program.parent.mkdir()
    _install(program, "  --system-prompt-snapshot <mode>")
    monkeypatch.setenv("PATH", str(program.parent))
    return program


def _install(program: Path, text: str, status: int = 0) -> None:
    program.write_text(
        f"#!{sys.executable}\n"
        "import sys\n"
        f"open({str(program) + '.log'!r}, 'a').write(' '.join(sys.argv[1:]) + '\\n')\n"
        f"print({text!r})\n"
        f"sys.exit({status})\n"
    )
    program.chmod(0o755)


def _asked(program: Path) -> list[str]:
    log = Path(f"{program}.log")
    return log.read_text().splitlines() if log.exists() else []


def _of(machine: PlayedMachine) -> tuple[tuple[str, ...], str]:
    state = machine.states()[SESSION]
    return resume_options(machine.paths, state.path, state.from_elsewhere)


def test_a_session_of_this_machine_is_resumed_as_it_is(pair: Pair, client: Path) -> None:
    laptop, _ = pair
    laptop.write(SESSION, ACCEPTS)
    assert _of(laptop) == NO_OPTIONS
    assert _asked(client) == []


def test_a_mode_that_was_chosen_elsewhere_is_not_taken_over(pair: Pair) -> None:
    laptop, desktop = pair
    laptop.write(SESSION, ACCEPTS, said())
    laptop.push()
    result = desktop.pull()[SESSION]
    options = resume_options(desktop.paths, result.path, result.from_elsewhere)
    assert options.arguments == DEFAULT
    assert options.remark == (
        "another machine chose its permission mode (acceptEdits), so it starts in the default"
    )
    assert _of(desktop) == options
    desktop.write(SESSION, ACCEPTS)
    assert _of(desktop) == NO_OPTIONS, "now a person chose it here"


def test_a_file_by_hand_chooses_none_either(pair: Pair, tmp_path: Path) -> None:
    laptop, desktop = pair
    laptop.write(SESSION, ACCEPTS)
    laptop.push()
    desktop.path().unlink()
    with desktop.at_work() as context:
        result = unpack(context, laptop.bundle())
    assert resume_options(desktop.paths, result.path, result.from_elsewhere).arguments == DEFAULT


def test_after_an_undo_nothing_is_taken_over_either(pair: Pair) -> None:
    laptop, desktop = pair
    for more in (ACCEPTS, said()):
        laptop.write(SESSION, more)
        laptop.push()
        desktop.pull()
    result = desktop.undo()
    assert resume_options(desktop.paths, result.path, result.from_elsewhere).arguments == DEFAULT
    assert _of(desktop)[0] == DEFAULT


def test_a_client_that_knows_how_renders_its_prompt_afresh(pair: Pair, client: Path) -> None:
    _, desktop = pair
    for _ in range(3):
        assert _of(desktop) == (("--system-prompt-snapshot", "off"), "")
    assert _asked(client) == ["--help"]


def test_it_is_asked_again_when_it_was_changed(tmp_path: Path, client: Path) -> None:
    memory = tmp_path / "state" / "client.json"
    assert knows_snapshot_option(memory)
    _install(client, "an older one")
    assert not knows_snapshot_option(memory)
    assert not knows_snapshot_option(memory)
    assert len(_asked(client)) == 2
    memory.write_text("{")
    assert not knows_snapshot_option(memory)
    assert len(_asked(client)) == 3


def test_one_that_fails_or_is_not_there_knows_nothing(tmp_path: Path, client: Path) -> None:
    memory = tmp_path / "client.json"
    _install(client, "--system-prompt-snapshot", status=1)
    assert not knows_snapshot_option(memory)
    client.unlink()
    assert not knows_snapshot_option(memory)
    assert not memory.exists()


def test_one_in_the_current_directory_is_not_asked(
    tmp_path: Path, client: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(client.parent)
    monkeypatch.setenv("PATH", os.pathsep.join(("", ".")))
    assert not knows_snapshot_option(tmp_path / "client.json")
    assert _asked(client) == []


def test_the_line_to_type_has_them_behind_the_session() -> None:
    line = resume_line(PurePosixPath("/p"), SESSION, "linux", options=DEFAULT)
    assert line == f"cd /p && claude --resume {SESSION} --permission-mode default"
    line = resume_line(Path("/p"), SESSION, "win32", options=DEFAULT)
    assert line.endswith(f"; claude --resume {SESSION} --permission-mode default")
