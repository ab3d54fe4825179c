"""New sessions are made durable a folder at a time, and remembered only then."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from claude_sync.disk import files
from claude_sync.model import Outcome
from claude_sync.state.records import Records
from claude_sync.sync.tree.install import MARK
from machines import OTHER, SESSION, PlayedMachine, World, outcomes, said

BOTH = (SESSION, OTHER)


@pytest.fixture
def desktop(world: World) -> PlayedMachine:
    """A machine that two sessions with sidecars wait for."""
    laptop, machine = world.machines("laptop", "desktop")
    for session in BOTH:
        laptop.write(session, said(session))
        laptop.write_sidecar(session, "tool-results/one.txt", b"one\n")
    laptop.push()
    return machine


def marks(machine: PlayedMachine) -> list[Path]:
    return list(machine.claude.rglob(MARK))


def test_a_folder_is_synced_once_after_all_and_before_any_is_remembered(
    desktop: PlayedMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    sync, remember = files.sync_directory, Records.remember

    def note_sync(directory: Path) -> None:
        if directory == desktop.folder and all(map(desktop.has, BOTH)):
            seen.append("synced")
            assert len(marks(desktop)) == 2
        sync(directory)

    def note_remember(self: Records, session_id: str, **changes: object) -> None:
        seen.append("remembered")
        assert marks(desktop) == []
        remember(self, session_id, **changes)

    monkeypatch.setattr(files, "sync_directory", note_sync)
    monkeypatch.setattr(Records, "remember", note_remember)
    assert set(outcomes(desktop.pull()).values()) == {Outcome.IMPORTED}
    assert seen == ["synced", "remembered", "remembered"]


def test_what_may_not_be_durable_failed_and_is_taken_again(
    desktop: PlayedMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync = files.sync_directory

    def fail(directory: Path) -> None:
        if directory == desktop.folder and desktop.has(OTHER):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        sync(directory)

    monkeypatch.setattr(files, "sync_directory", fail)
    assert outcomes(desktop.pull()) == dict.fromkeys(BOTH, Outcome.FAILED)
    with desktop.at_work() as context:
        assert not any(context.records.session(session).seen for session in BOTH)
    monkeypatch.undo()
    assert outcomes(desktop.pull()) == dict.fromkeys(BOTH, Outcome.UNCHANGED)
    with desktop.at_work() as context:
        assert all(context.records.session(session).seen for session in BOTH)
