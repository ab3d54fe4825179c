"""Nothing is lost and nothing gives way unasked, whatever mirrors, strangers and disks do.

    python -m pytest -m slow tests/properties/test_hard_histories.py -s

plays 10,000 histories, by number; CLAUDE_SYNC_HISTORIES=FROM:TO plays others.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from claude_sync.sync.store_key import KeyChoice
from faults.disks import small_disk
from machines import PASSPHRASE
from properties.hard_histories import DISK_BYTES, HardHistory, hard_acts, prepared_mirror
from randomness import examples

_PARTS = 5
"""A history takes seconds, and many of them on a busy machine as long as a test that hangs."""
FIRST, LAST = map(int, os.environ.get("CLAUDE_SYNC_HISTORIES", "0:10000").split(":"))


@pytest.fixture
def without_syncing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody cuts the power here, so no disk has to be waited for."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk that fills up."""
    with small_disk(tmp_path / "disk", DISK_BYTES) as disk:
        yield disk


@pytest.fixture(params=[None, KeyChoice(True, PASSPHRASE)], ids=["plain", "encrypted"])
def key(request: pytest.FixtureRequest, cheap_keys: None) -> KeyChoice | None:
    """The store's key, which costs little here; None for a plain store."""
    chosen: KeyChoice | None = request.param
    return chosen


def _play(disk: Path, aside: Path, seeds: Iterable[int], key: KeyChoice | None) -> None:
    # What machines are called follows from where they lie, so they are copied to where they were.
    world = prepared_mirror(disk / "world", key)
    shutil.copytree(world, aside)
    for seed in seeds:
        shutil.rmtree(disk / "world-backups", ignore_errors=True)
        shutil.rmtree(world)
        shutil.copytree(aside, world)
        history = HardHistory(world, seed, key)
        try:
            for act in hard_acts(seed):
                history.play(act)
            history.come_to_rest()
        except BaseException:
            print(f"history {seed}")
            raise


@pytest.mark.parametrize("part", range(_PARTS))
@pytest.mark.usefixtures("without_syncing")
def test_nothing_is_lost_whatever_happens_around(
    disk: Path, tmp_path: Path, key: KeyChoice | None, part: int
) -> None:
    many = examples(50 // _PARTS)
    _play(disk, tmp_path / "aside", range(part * many, (part + 1) * many), key)


@pytest.mark.slow
@pytest.mark.timeout(0)
@pytest.mark.usefixtures("without_syncing")
def test_nothing_is_lost_whatever_happens_around_over_thousands_of_histories(
    disk: Path, tmp_path: Path, key: KeyChoice | None
) -> None:
    _play(disk, tmp_path / "aside", range(FIRST, LAST), key)
