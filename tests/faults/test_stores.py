"""Stores and Claude trees in trouble, through real pushes and pulls: nothing is lost over it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bundles import crafted
from claude_sync.errors import ClaudeHomeError, ClaudeSyncError, StoreOffline, TransportError
from claude_sync.model import Outcome
from claude_sync.state.vault import Vault
from faults.disks import elsewhere, ordinary_permissions, read_only, small_disk
from machines import KEY_FOLDER, OTHER, SESSION, Pair, PlayedMachine, World, agree, opened, said

BIG = 3 << 20


@pytest.fixture
def pair(pair: Pair) -> Pair:
    """The two machines; the laptop is a line ahead that it hasn't pushed."""
    laptop, _ = pair
    laptop.write(SESSION, said("second"))
    return pair


# --- the store's folder ------------------------------------------------------------------------


def test_a_read_only_store_fails_a_push_in_words_and_serves_a_pull(
    world: World, pair: Pair
) -> None:
    laptop, desktop = pair
    before = laptop.bundle().read_bytes()
    with read_only(world.store):
        result = laptop.push()[SESSION]
        assert result.outcome is Outcome.FAILED
        assert result.message
        assert desktop.pull()[SESSION].outcome is Outcome.UNCHANGED
    assert laptop.bundle().read_bytes() == before
    laptop.push()
    assert desktop.pull()[SESSION].outcome is Outcome.UPDATED


def test_a_full_store_costs_the_session_that_does_not_fit_and_keeps_its_old_bundle(
    world: World,
) -> None:
    with small_disk(world.store):
        (laptop,) = world.machines("laptop")
        whole = laptop.write(SESSION, said("first"))
        laptop.push()
        with elsewhere():
            laptop.write(SESSION, said("x" * BIG))
        laptop.write(OTHER, said("small"))
        results = laptop.push()
        assert results[SESSION].outcome is Outcome.FAILED
        assert results[OTHER].outcome is Outcome.PUSHED
        assert opened(laptop.bundle()).transcript == whole
        laptop.rewrite(SESSION, whole + said("no more than this"))
        assert laptop.push()[SESSION].outcome is Outcome.PUSHED


def _vanish(store: Path) -> None:
    shutil.rmtree(store)


def _unmount(store: Path) -> None:
    shutil.rmtree(store)
    store.mkdir()


def _be_another(store: Path) -> None:
    marker = store / ".ccsync-store"
    said_there = json.loads(marker.read_bytes())
    said_there["store_id"] = "00000000-0000-4000-8000-000000000000"
    marker.write_text(json.dumps(said_there))


def _be_a_file(store: Path) -> None:
    shutil.rmtree(store)
    store.write_bytes(b"")


@pytest.mark.parametrize("become", [_vanish, _unmount, _be_another, _be_a_file])
def test_a_store_that_is_not_there_is_said_to_be_so_and_never_made_anew(
    world: World, pair: Pair, become: Callable[[Path], None]
) -> None:
    laptop, _ = pair
    become(world.store)
    there = sorted(world.store.rglob("*"))
    for work in (laptop.push, laptop.pull, laptop.states):
        with pytest.raises(TransportError) as caught:
            work()
        if become is not _be_a_file:
            assert isinstance(caught.value, StoreOffline)
    assert sorted(world.store.rglob("*")) == there
    assert laptop.has()


def test_a_store_that_comes_back_empty_is_filled_again(world: World, pair: Pair) -> None:
    laptop, desktop = pair
    for bundle in world.bundles():
        bundle.unlink()
    assert laptop.push()[SESSION].outcome is Outcome.PUSHED
    assert desktop.pull()[SESSION].outcome is Outcome.UPDATED
    assert agree(laptop, desktop)


def test_a_file_where_the_projects_folder_goes_fails_the_push_in_words(world: World) -> None:
    (laptop,) = world.machines("laptop")
    (world.store / KEY_FOLDER).write_bytes(b"in the way")
    laptop.write(SESSION, said())
    result = laptop.push()[SESSION]
    assert result.outcome is Outcome.FAILED
    assert result.message
    assert (world.store / KEY_FOLDER).read_bytes() == b"in the way"


# --- what sync tools do ------------------------------------------------------------------------


def test_a_conflict_copy_of_an_older_bundle_changes_nothing(world: World, pair: Pair) -> None:
    laptop, desktop = pair
    copy = laptop.bundle().with_name(f"{SESSION}-laptop (conflicted copy).ccsync")
    shutil.copy2(laptop.bundle(), copy)
    laptop.push()
    assert desktop.pull()[SESSION].outcome is Outcome.UPDATED
    assert agree(laptop, desktop)
    assert laptop.push()[SESSION].outcome is Outcome.UNCHANGED
    assert copy.exists(), "nobody asked to remove it"


def test_a_conflict_copy_that_bears_the_newest_bytes_counts(world: World, pair: Pair) -> None:
    laptop, desktop = pair
    old = laptop.bundle().read_bytes()
    laptop.push()
    laptop.bundle().rename(laptop.bundle().with_name("x.sync-conflict-20261122.ccsync"))
    laptop.bundle().write_bytes(old)
    assert desktop.pull()[SESSION].outcome is Outcome.UPDATED
    assert agree(laptop, desktop)
    laptop.write(SESSION, said("third"))
    laptop.push()
    desktop.pull()
    assert agree(laptop, desktop)


def test_a_bundle_still_arriving_is_waited_for(world: World, pair: Pair) -> None:
    laptop, desktop = pair
    laptop.push()
    whole = laptop.bundle().read_bytes()
    laptop.bundle().write_bytes(whole[: len(whole) // 2])
    results = desktop.pull()
    assert {result.outcome for result in results.values()} == {Outcome.INCOMPLETE}
    assert desktop.states()[SESSION].path == desktop.path()
    laptop.bundle().write_bytes(whole)
    assert desktop.pull()[SESSION].outcome is Outcome.UPDATED


def test_what_icloud_keeps_elsewhere_is_waited_for(world: World, pair: Pair) -> None:
    laptop, desktop = pair
    laptop.push()
    elsewhere = laptop.bundle().with_name(f".{laptop.bundle().name}.icloud")
    laptop.bundle().rename(elsewhere)
    assert Outcome.INCOMPLETE in {result.outcome for result in desktop.pull().values()}
    elsewhere.rename(laptop.bundle())
    assert desktop.pull()[SESSION].outcome is Outcome.UPDATED


# --- this machine's own bundle, unreadable -----------------------------------------------------
#
# A machine that was restored may find its own newer bundle there before all of it has arrived.


def set_back(machine: PlayedMachine) -> bytes:
    """Push, then set the machine back to before that; the transcript that was pushed."""
    home = machine.home
    shutil.copytree(home, home.with_name("backup"))
    pushed = machine.write(SESSION, said("in the last week"))
    machine.push()
    shutil.rmtree(home)
    home.with_name("backup").rename(home)
    return pushed


def test_an_own_bundle_that_has_not_arrived_whole_is_not_written_over(
    world: World, pair: Pair
) -> None:
    laptop, _ = pair
    pushed = set_back(laptop)
    whole = laptop.bundle().read_bytes()
    laptop.bundle().write_bytes(whole[:-50])
    assert laptop.push()[SESSION].outcome is Outcome.INCOMPLETE
    assert laptop.bundle().read_bytes() == whole[:-50]
    laptop.bundle().write_bytes(whole)
    assert laptop.push()[SESSION].outcome is Outcome.BEHIND
    assert laptop.pull()[SESSION].outcome is Outcome.UPDATED
    assert laptop.read() == pushed


def test_an_own_bundle_that_is_in_the_cloud_only_is_not_written_over(
    world: World, pair: Pair
) -> None:
    laptop, _ = pair
    set_back(laptop)
    elsewhere = laptop.bundle().with_name(f".{laptop.bundle().name}.icloud")
    laptop.bundle().rename(elsewhere)
    for named in ((), (SESSION,)):
        assert laptop.push(*named)[SESSION].outcome in (Outcome.INCOMPLETE, Outcome.FAILED)
        assert elsewhere.exists()
        assert not laptop.bundle().exists()


def test_an_own_bundle_that_will_never_arrive_is_kept_and_replaced_when_it_is_named(
    pair: Pair,
) -> None:
    laptop, _ = pair
    half = laptop.bundle().read_bytes()[:-50]
    laptop.bundle().write_bytes(half)
    assert laptop.push()[SESSION].outcome is Outcome.INCOMPLETE
    assert laptop.push(SESSION)[SESSION].outcome is Outcome.PUSHED
    assert opened(laptop.bundle()).transcript == laptop.read()
    assert half in laptop.kept()


@pytest.mark.parametrize("names", [("laptop", "LAPTOP"), ("LAPTOP", "laptop")])
def test_what_is_kept_is_the_very_file_that_is_replaced_where_names_differ_by_case(
    pair: Pair, names: tuple[str, str]
) -> None:
    laptop, _ = pair
    files = [laptop.bundle().with_name(f"{SESSION}-{name}.ccsync") for name in names]
    laptop.bundle().rename(files[0])
    if files[1].exists():
        pytest.skip("names that differ by case are one file here")
    halves = [files[0].read_bytes()[:-size] for size in (50, 60)]
    for file, half in zip(files, halves, strict=True):
        file.write_bytes(half)
    laptop.set_up(name=names[1])
    assert laptop.push()[SESSION].outcome is Outcome.INCOMPLETE
    assert laptop.push(SESSION)[SESSION].outcome is Outcome.PUSHED
    assert opened(files[1]).transcript == laptop.read()
    assert files[0].read_bytes() == halves[0]
    assert halves[1] in laptop.kept()
    assert halves[0] not in laptop.kept(), "it wasn't replaced"
    laptop.write(SESSION, said("more"))
    assert laptop.push()[SESSION].outcome is Outcome.PUSHED


def test_an_own_bundle_that_is_damaged_is_kept_and_replaced(pair: Pair) -> None:
    laptop, desktop = pair
    damaged = bytearray(laptop.bundle().read_bytes())
    damaged[20] ^= 1
    laptop.bundle().write_bytes(damaged)
    assert laptop.push()[SESSION].outcome is Outcome.PUSHED
    assert bytes(damaged) in laptop.kept()
    desktop.pull()
    assert agree(laptop, desktop)


def test_the_same_damaged_file_is_kept_once(pair: Pair) -> None:
    laptop, _ = pair
    damaged = bytearray(laptop.bundle().read_bytes())
    damaged[20] ^= 1
    for _ in range(3):
        laptop.bundle().write_bytes(damaged)
        assert laptop.push(SESSION)[SESSION].outcome is Outcome.PUSHED
    assert laptop.kept().count(bytes(damaged)) == 1


def test_an_own_bundle_that_a_newer_claude_sync_wrote_is_never_written_over(pair: Pair) -> None:
    laptop, _ = pair
    newer = crafted(laptop.bundle().read_bytes(), schema=2)
    laptop.bundle().write_bytes(newer)
    for named in ((), (SESSION,)):
        result = laptop.push(*named)[SESSION]
        assert result.outcome is Outcome.FAILED
        assert "newer" in result.message
        assert laptop.bundle().read_bytes() == newer


# --- Claude's tree and the vault ---------------------------------------------------------------


def test_a_tree_that_can_not_be_written_costs_a_pull_in_words(world: World, pair: Pair) -> None:
    laptop, desktop = pair
    laptop.push()
    before = desktop.read()
    with read_only(desktop.claude / "projects"):
        result = desktop.pull()[SESSION]
        assert result.outcome is Outcome.FAILED
        assert result.message
    assert desktop.read() == before
    assert desktop.pull()[SESSION].outcome is Outcome.UPDATED


def test_a_tree_that_is_full_costs_the_session_that_does_not_fit(world: World) -> None:
    laptop, desktop = world.machines("laptop", "desktop")
    laptop.write(SESSION, said("x" * BIG))
    laptop.write(OTHER, said("small"))
    laptop.push()
    with small_disk(desktop.claude / "projects"):
        results = desktop.pull()
        assert results[SESSION].outcome is Outcome.FAILED
        assert results[OTHER].outcome is Outcome.IMPORTED
        assert not desktop.has()
        assert not desktop.leftovers()


def test_a_file_where_the_tree_should_be_costs_a_pull_in_words(world: World) -> None:
    laptop, desktop = world.machines("laptop", "desktop")
    laptop.write(SESSION, said())
    laptop.push()
    (desktop.claude / "projects").write_bytes(b"in the way")
    with pytest.raises(ClaudeHomeError, match="can't be read"):
        desktop.pull()
    assert (desktop.claude / "projects").read_bytes() == b"in the way"


def test_nothing_is_replaced_while_the_vault_can_not_keep_it(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop, desktop = pair
    desktop.write(SESSION, said("apart"))
    laptop.push()
    mine = desktop.read()
    with monkeypatch.context() as patch:
        patch.setattr(Vault, "limit", lambda vault: 10)
        with pytest.raises(ClaudeSyncError):
            desktop.resolve(SESSION, "theirs")
    assert desktop.read() == mine
    desktop.paths.vault_directory.mkdir(parents=True, exist_ok=True)
    desktop.paths.vault_directory.chmod(0o500)
    try:
        with ordinary_permissions(), pytest.raises(ClaudeSyncError):
            desktop.resolve(SESSION, "theirs")
    finally:
        desktop.paths.vault_directory.chmod(0o700)
    assert desktop.read() == mine
    desktop.resolve(SESSION, "theirs")
    assert desktop.read() == laptop.read()
    assert mine in desktop.kept()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_a_transcript_that_may_not_be_read_costs_only_itself(pair: Pair) -> None:
    laptop, _ = pair
    laptop.write(OTHER, said())
    laptop.path().chmod(0)
    with ordinary_permissions():
        results = laptop.push()
    laptop.path().chmod(0o600)
    assert results[SESSION].outcome is Outcome.FAILED
    assert results[OTHER].outcome is Outcome.PUSHED
