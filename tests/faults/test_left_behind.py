"""A sidecar folder that a crash left without its transcript: gone on with, nothing in it lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from claude_sync.model import Outcome
from claude_sync.state.vault import Vault
from claude_sync.sync.tree.install import MARK
from machines import SESSION, PlayedMachine, World, said

SENT = {
    "tool-results/a.txt": b"one two",
    "tool-results/b.txt": b"theirs",
    "workflows/deep/c.txt": b"new",
}


@pytest.fixture
def machine(tmp_path: Path) -> PlayedMachine:
    """A machine that a session waits for, of which a crash left the sidecar folder."""
    laptop, desktop = World(tmp_path / "world").machines("laptop", "desktop")
    laptop.write(SESSION, said("first"))
    for name, words in SENT.items():
        laptop.write_sidecar(SESSION, name, words)
    laptop.push()
    desktop.write_sidecar(SESSION, MARK, b"")
    return desktop


def kept(machine: PlayedMachine, words: bytes) -> bool:
    return words in machine.kept() or words in machine.sidecar().values()


def test_it_is_gone_on_with(machine: PlayedMachine) -> None:
    machine.write_sidecar(SESSION, "tool-results/a.txt", b"one")
    machine.write_sidecar(SESSION, "tool-results/b.txt", b"theirs")
    assert machine.pull()[SESSION].outcome is Outcome.IMPORTED
    assert machine.sidecar() == SENT
    assert not machine.leftovers()


@pytest.mark.parametrize("words", [b"one", b"one two three", b"mine"])
def test_what_lies_in_it_is_kept_or_stays(machine: PlayedMachine, words: bytes) -> None:
    machine.write_sidecar(SESSION, "tool-results/a.txt", words)
    assert machine.pull()[SESSION].outcome is Outcome.IMPORTED
    assert kept(machine, words) or SENT["tool-results/a.txt"].startswith(words)
    assert not machine.leftovers()


@pytest.mark.parametrize("name", SENT)
def test_what_is_written_to_it_in_the_last_moment_is_kept_or_stays(
    machine: PlayedMachine, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    machine.write_sidecar(SESSION, "tool-results/a.txt", b"one")
    machine.write_sidecar(SESSION, "tool-results/b.txt", b"mine")
    keep: Callable[..., Any] = Vault.keep

    def keep_and_write(vault: Vault, *arguments: Any, **named: Any) -> Any:
        done = keep(vault, *arguments, **named)
        (machine.folder / SESSION / name).unlink(missing_ok=True)
        machine.write_sidecar(SESSION, name, b"late")
        return done

    with monkeypatch.context() as patch:
        patch.setattr(Vault, "keep", keep_and_write)
        assert machine.pull()[SESSION].outcome is Outcome.INCOMPLETE
    assert machine.sidecar()[name] == b"late"
    assert not machine.has()
    assert [path.name for path in machine.leftovers()] == [MARK]
    assert machine.pull()[SESSION].outcome is Outcome.IMPORTED
    assert kept(machine, b"late")
