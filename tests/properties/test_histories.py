"""No byte is lost, no open session touched, and all agree in the end: over random histories."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from claude_sync.store import packing
from claude_sync.sync.bundles import pack_ahead as packing_ahead
from claude_sync.sync.store_key import KeyChoice
from distant import Distant
from properties.histories import KINDS, Act, History, prepared
from randomness import examples

MOST_STEPS = 60
KEY = KeyChoice(True, "correct horse battery staple")

ACTS = some.lists(
    some.builds(
        Act,
        kind=some.sampled_from(KINDS),
        machine=some.integers(0, 2),
        session=some.integers(0, 3),
        number=some.integers(0, MOST_STEPS),
    ),
    min_size=8,
    max_size=40,
)
PASSED_OVER = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three machines that are set up, to be copied: their ids follow where they are copied to."""
    return tmp_path_factory.mktemp("histories")


@pytest.fixture
def without_syncing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody cuts the power here, so no disk has to be waited for."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.fixture
def where_bytes_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    """The store counts as a distant one, and no session as too small to be packed ahead."""
    Distant(monkeypatch)
    monkeypatch.setattr(packing_ahead, "WORTH_IT_BYTES", 0)
    monkeypatch.setattr(packing, "LEAST_REUSE_BYTES", 64)


def _play(folder: Path, acts: list[Act], seed: int, key: KeyChoice | None = None) -> None:
    folder = folder / ("plain" if key is None else "encrypted")
    folder.mkdir(exist_ok=True)
    saved = folder / "saved"
    world = folder / "world"
    if not saved.exists():
        shutil.rmtree(world, ignore_errors=True)
        shutil.move(prepared(world, key), saved)
    for old in (world, folder / "world-backups"):
        shutil.rmtree(old, ignore_errors=True)
    shutil.copytree(saved, world)
    history = History(world, seed, key)
    for act in acts:
        history.play(act)
    history.come_to_rest()


@settings(max_examples=examples(60), suppress_health_check=PASSED_OVER)
@given(acts=ACTS, seed=some.integers(0, 1000))
@pytest.mark.usefixtures("without_syncing")
def test_no_byte_is_lost_and_all_agree_in_the_end(
    template: Path, acts: list[Act], seed: int
) -> None:
    _play(template, acts, seed)


@settings(max_examples=examples(30), suppress_health_check=PASSED_OVER)
@given(acts=ACTS, seed=some.integers(0, 1000))
@pytest.mark.usefixtures("without_syncing", "where_bytes_cost")
def test_the_same_holds_where_bytes_cost(template: Path, acts: list[Act], seed: int) -> None:
    _play(template, acts, seed)


@settings(max_examples=examples(30), suppress_health_check=PASSED_OVER)
@given(acts=ACTS, seed=some.integers(0, 1000))
@pytest.mark.usefixtures("without_syncing", "cheap_keys")
def test_the_same_holds_in_an_encrypted_store_and_nothing_can_be_read_there(
    template: Path, acts: list[Act], seed: int
) -> None:
    _play(template, acts, seed, KEY)


@settings(max_examples=examples(20), suppress_health_check=PASSED_OVER)
@given(acts=ACTS, seed=some.integers(0, 1000))
@pytest.mark.usefixtures("without_syncing", "where_bytes_cost", "cheap_keys")
def test_the_same_holds_in_an_encrypted_store_where_bytes_cost(
    template: Path, acts: list[Act], seed: int
) -> None:
    _play(template, acts, seed, KEY)


@pytest.mark.slow
@pytest.mark.timeout(0)
@settings(max_examples=3000, suppress_health_check=PASSED_OVER)
@given(acts=ACTS, seed=some.integers(0, 1000))
@pytest.mark.usefixtures("without_syncing")
def test_no_byte_is_lost_and_all_agree_in_the_end_over_thousands_of_histories(
    template: Path, acts: list[Act], seed: int
) -> None:
    _play(template, acts, seed)


@pytest.mark.slow
@pytest.mark.timeout(0)
@settings(max_examples=1500, suppress_health_check=PASSED_OVER)
@given(acts=ACTS, seed=some.integers(0, 1000))
@pytest.mark.usefixtures("without_syncing", "cheap_keys")
def test_the_same_holds_in_an_encrypted_store_over_thousands_of_histories(
    template: Path, acts: list[Act], seed: int
) -> None:
    _play(template, acts, seed, KEY)
