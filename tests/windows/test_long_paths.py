"""Sessions whose paths are longer than the 260 characters that Windows took of old."""

from __future__ import annotations

from machines import SESSION, World, said


def test_a_session_with_a_long_path_goes_there_and_back(world: World) -> None:
    laptop, desktop = world.machines("laptop", "desktop")
    laptop.write(SESSION, said("first"))
    deep = laptop.path(SESSION).with_suffix("") / "subagents" / f"agent-{'a' * 120}.jsonl"
    assert len(str(deep)) > 260
    deep.parent.mkdir(parents=True)
    deep.write_bytes(said("of an agent"))
    laptop.push()
    desktop.pull()
    there = desktop.path(SESSION).with_suffix("") / "subagents" / deep.name
    assert there.read_bytes() == deep.read_bytes()
