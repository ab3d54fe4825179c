"""A stranger who writes into a store, and what must hold of a machine that pulls from it."""

from __future__ import annotations

from pathlib import Path

from bundles import crafted, packed
from claude_sync.model import Outcome, Result
from claude_sync.sync.pull import pull
from machines import KEY, KEY_FOLDER, OTHER, SESSION, PlayedMachine, World

ELSEWHERE = "11111111-2222-5333-8444-555566667777"
UNHAPPY = {Outcome.FAILED, Outcome.INCOMPLETE}


def bundle(transcript: bytes = b'{"uuid":"1"}\n', /, **changes: object) -> bytes:
    """Another machine's bundle, good but for the changes."""
    members = {
        "session_id": SESSION,
        "project_key": KEY,
        "machine": "tablet",
        "machine_id": ELSEWHERE,
    }
    good, _ = packed(transcript, {"tool-results/b.txt": b"b"}, **members)
    return crafted(good, **changes) if changes else good


def put(world: World, data: bytes, name: str = "tablet.ccsync") -> Path:
    path = world.store / KEY_FOLDER / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    return path


def pulled(machine: PlayedMachine) -> list[Result]:
    """Everything that a pull says."""
    with machine.at_work() as context:
        return pull(context)


def check_passed_over(world: World, desktop: PlayedMachine) -> list[Result]:
    """Pull: all in the store that is no good is passed over; the results that say so."""
    before = {path: path.lstat().st_mtime_ns for path in world.store.rglob("*")}
    outside = {path for path in desktop.home.rglob("*") if not _may_change(desktop, path)}
    results = pulled(desktop)
    assert desktop.sessions() == [OTHER]
    assert not desktop.leftovers()
    assert {path: path.lstat().st_mtime_ns for path in world.store.rglob("*")} == before
    now = {path for path in desktop.home.rglob("*") if not _may_change(desktop, path)}
    assert now == outside, "something was written outside"
    wrong = [result for result in results if result.session_id != OTHER]
    assert all(result.outcome in UNHAPPY and result.message for result in wrong), wrong
    return wrong


def _may_change(machine: PlayedMachine, path: Path) -> bool:
    ours = (machine.paths.state, machine.paths.config, machine.paths.runtime, machine.folder)
    return any(path == place or place in path.parents for place in ours) or (
        path in machine.folder.parents
    )
