"""FORMAT.md's script opens a sealed file with nothing of ours."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from claude_sync.sync.store_key import KeyChoice, change_store_key
from machines import SESSION, PlayedMachine, World, opened, said

PAGE = (Path(__file__).parents[3] / "core" / "FORMAT.md").read_text(encoding="utf-8")
(SCRIPT,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def run(machine: PlayedMachine, key: str) -> subprocess.CompletedProcess[bytes]:
    """Run the script as it stands there, where nothing of ours can be imported."""
    store = machine.world.store
    return subprocess.run(
        [sys.executable, "-I", "-c", SCRIPT, store / ".ccsync-store", machine.bundle(), "out"],
        input=f"{key}\n".encode(),
        cwd=machine.home,
        capture_output=True,
        check=False,
    )


def test_it_is_short_and_imports_nothing_of_ours() -> None:
    assert len(SCRIPT.splitlines()) <= 40
    assert "claude_sync" not in SCRIPT


@pytest.mark.parametrize("size", [10, 2_500_000])
def test_it_opens_what_a_push_wrote_with_the_key_that_was_shown(tmp_path: Path, size: int) -> None:
    world = World(tmp_path / "world", key=KeyChoice(True))
    laptop = PlayedMachine(world, "laptop")
    key = laptop.set_up().made_key
    assert key is not None
    world.known.append(laptop)
    transcript = laptop.write(SESSION, said("x" * size), said("ünd\\ \x00"))
    laptop.write_sidecar(SESSION, "subagents/agent-1.jsonl", said("y" * size))
    laptop.push()
    done = run(laptop, key)
    assert done.returncode == 0, done.stderr.decode()
    found = opened(laptop.home / "out")
    assert found.transcript == transcript
    assert found.sidecar == laptop.sidecar()
    with laptop.here():
        change_store_key(laptop.paths, "a passphrase of my own")
    assert run(laptop, key).returncode != 0
    assert run(laptop, "a passphrase of my own").returncode == 0
