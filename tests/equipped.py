"""A session with everything: task list, plan, checkpoint, to-do list."""

from __future__ import annotations

from claude_sync.model import Outcome
from machines import SESSION, PlayedMachine, World, outcomes, said

HASH = "0123456789abcdef"
TASK = f"tasks/{SESSION}/1.json"
PLAN = "plans/calm-otter.md"
CHECKPOINT = f"file-history/{SESSION}/{HASH}@v1"
TODOS = f"todos/{SESSION}-agent-{SESSION}.json"
ALL = {TASK: b"to do", PLAN: b"# A plan", CHECKPOINT: b"print()\n", TODOS: b"[]"}


def planned(text: str = "hello") -> bytes:
    """A line of a session that has a plan."""
    return said(text, slug="calm-otter")


def equip(machine: PlayedMachine, files: dict[str, bytes] = ALL) -> None:
    """Write companions."""
    for path, data in files.items():
        machine.write_companion(path, data)


def equipped(world: World) -> PlayedMachine:
    """A new machine, the laptop, with a session that has everything, pushed."""
    laptop = world.machine("laptop")
    laptop.write(SESSION, planned())
    equip(laptop)
    laptop.push()
    return laptop


def settle(*machines: PlayedMachine) -> int:
    """Everybody pushes and pulls until nothing moves; how many rounds that took."""
    for rounds in range(20):
        moved = False
        for machine in machines:
            pushed, pulled = machine.push(), machine.pull()
            moved |= Outcome.PUSHED in outcomes(pushed).values()
            moved |= not set(outcomes(pulled).values()) <= {Outcome.UNCHANGED, Outcome.AHEAD}
        if not moved:
            return rounds
    raise AssertionError("it never ends")
