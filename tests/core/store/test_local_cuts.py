"""Of a session's files in an encrypted store only those are fetched that don't lie here."""

from __future__ import annotations

import random

import pytest

from claude_sync.model import Outcome
from distant import Distant
from machines import SESSION, World, said


def text(seed: int, size: int) -> bytes:
    """What can't be compressed to less than half."""
    return random.Random(seed).randbytes(size // 2).hex().encode()


@pytest.mark.parametrize(
    ("sizes", "changed"),
    [([200_000] * 5, ["002", "new", "0"]), ([2_500_000, 10, 300_000], ["002", "new"])],
)
def test_a_changed_file_is_fetched_without_the_others(
    encrypted_world: World, monkeypatch: pytest.MonkeyPatch, sizes: list[int], changed: list[str]
) -> None:
    Distant(monkeypatch)
    laptop, desktop = encrypted_world.machines("laptop", "desktop")
    laptop.write(SESSION, said("hello"))
    for number, size in enumerate(sizes):
        laptop.write_sidecar(SESSION, f"tool-results/{number:03}.txt", text(number, size))
    laptop.push()
    desktop.pull()
    for name in changed:
        laptop.write_sidecar(SESSION, f"tool-results/{name}.txt", text(7, 20_000))
        laptop.write(SESSION, said("more"))
        laptop.push()
        pulled = desktop.pull()[SESSION]
        assert pulled.outcome is Outcome.UPDATED
        assert desktop.sidecar() == laptop.sidecar()
        assert 0 < pulled.bytes < 0.5 * sum(sizes) / 2


def test_files_here_that_are_none_of_it_hurt_nothing(
    encrypted_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    Distant(monkeypatch)
    laptop, desktop = encrypted_world.machines("laptop", "desktop")
    laptop.write(SESSION, said("hello"))
    laptop.write_sidecar(SESSION, "tool-results/1.txt", text(1, 200_000))
    laptop.push()
    desktop.pull()
    for number in (2, 3):
        desktop.write_sidecar(SESSION, f"tool-results/{number}.txt", text(number, 100_000))
        laptop.write_sidecar(SESSION, f"tool-results/{number + 5}.txt", text(number, 100_000))
    laptop.write(SESSION, said("more"))
    laptop.push()
    assert desktop.pull()[SESSION].outcome is Outcome.UPDATED
    assert desktop.sidecar() == {
        f"tool-results/{number}.txt": text(seed, size)
        for number, seed, size in [
            *((1, 1, 200_000), (2, 2, 100_000), (3, 3, 100_000)),
            *((7, 2, 100_000), (8, 3, 100_000)),
        ]
    }
