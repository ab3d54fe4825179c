"""The marker and the keys of an encrypted store: what is said of them, and what mends them."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path

import pytest

from claude_sync.errors import (
    MarkerReplaced,
    StoreAbsent,
    StoreKeyNeeded,
    StoreKeyWrong,
    StoreLocked,
    StoreMissing,
    StoreOffline,
    UsageError,
)
from claude_sync.model import Outcome
from claude_sync.sealed import keys
from claude_sync.state import preferences
from claude_sync.state.keys import keep_master, key_file
from claude_sync.sync.setup import set_up
from claude_sync.sync.store_key import KeyChoice, change_store_key
from machines import PASSPHRASE, SESSION, PlayedMachine, World, said

MARKER = ".ccsync-store"
TITLE = "An unmistakable title"
WORDS = "Nobody else may read this sentence"


pytestmark = pytest.mark.usefixtures("cheap_keys")


@pytest.fixture
def world(encrypted_world: World) -> World:
    return encrypted_world


# --- the marker --------------------------------------------------------------------------------


def test_a_marker_that_says_plain_is_not_believed(world: World) -> None:
    laptop, _ = world.machines("laptop", "desktop")
    laptop.write(SESSION, said(WORDS))
    (world.store / MARKER).write_bytes(plain(world.store_id()))
    before = world.stored()
    for work in (laptop.push, laptop.pull, laptop.set_up):
        with pytest.raises(MarkerReplaced, match="somebody replaced"):
            work()
    # No file there proves that the key here is that store's.
    with pytest.raises(MarkerReplaced, match="proves"):
        change(laptop)
    assert laptop.examined()["store-marker-replaced"].fix
    # Without its key, too: that it was encrypted is remembered elsewhere.
    key_file(laptop.paths, world.store_id()).unlink()
    with pytest.raises(StoreAbsent, match="encrypted"):
        laptop.push()
    assert world.stored() == before


def plain(store_id: str = "5f4dcc3b-5aa7-4659-9c2e-1b9a3d0d7f10") -> bytes:
    """The marker of a store that isn't encrypted."""
    return json.dumps({"schema": 1, "store_id": store_id}).encode()


@pytest.mark.parametrize("there", [None, b"", plain()])
@pytest.mark.parametrize("spelling", ["the same", "by a link"])
def test_a_store_that_was_encrypted_does_not_become_a_plain_one_by_setting_up(
    world: World, tmp_path: Path, there: bytes | None, spelling: str
) -> None:
    laptop, _ = world.machines("laptop", "desktop")
    marker = world.store / MARKER
    marker.unlink()
    if there is not None:
        marker.write_bytes(there)
    where = world.store
    if spelling == "by a link":
        where = tmp_path / "link"
        where.symlink_to(world.store)
    with laptop.here(), pytest.raises((UsageError, StoreOffline), match=r"encrypted|is empty"):
        set_up(laptop.paths, str(where), name="laptop")
    assert (marker.read_bytes() if marker.exists() else None) == there
    assert preferences.load(laptop.paths).encrypted


@pytest.mark.parametrize("there", [None, b"", b"\0" * 400, plain(), "its own id", b"junk"])
@pytest.mark.parametrize("key", [None, KeyChoice(True), KeyChoice(store_key=PASSPHRASE)])
def test_no_store_is_made_where_an_encrypted_ones_files_lie(
    world: World, there: bytes | str | None, key: KeyChoice | None
) -> None:
    (laptop,) = world.machines("laptop")
    laptop.write(SESSION, said(WORDS))
    laptop.push()
    marker = world.store / MARKER
    if there == "its own id":
        there = plain(world.store_id())
    marker.unlink()
    if isinstance(there, bytes):
        marker.write_bytes(there)
    before = world.stored()
    for machine in (laptop, PlayedMachine(world, "newcomer")):
        for anyway in (False, True):
            with machine.here(), pytest.raises(StoreOffline):
                set_up(machine.paths, str(world.store), name="it", anyway=anyway, key=key)
    assert world.stored() == before
    assert preferences.load(laptop.paths).encrypted


def test_a_key_without_encrypt_makes_no_store(world: World) -> None:
    newcomer = PlayedMachine(world, "newcomer")
    for key in (KeyChoice(store_key=PASSPHRASE), KeyChoice(True, new=False), KeyChoice(new=False)):
        with newcomer.here(), pytest.raises(StoreMissing, match="arrived"):
            set_up(newcomer.paths, str(world.store), name="newcomer", key=key)
    assert world.stored() == {}
    assert preferences.load(newcomer.paths).location is None


def test_a_machine_that_has_an_encrypted_store_gets_a_plain_one_only_if_asked_for(
    world: World, tmp_path: Path
) -> None:
    (laptop,) = world.machines("laptop")
    other = tmp_path / "other"
    with laptop.here():
        with pytest.raises(UsageError, match="is encrypted, and there is none there"):
            set_up(laptop.paths, str(other), name="laptop")
        assert preferences.load(laptop.paths).encrypted
        assert not set_up(laptop.paths, str(other), key=KeyChoice(plain=True)).encrypted


def test_older_versions_take_an_encrypted_stores_marker_for_none_of_theirs(world: World) -> None:
    world.machines("laptop")
    assert json.loads((world.store / MARKER).read_bytes())["schema"] == 2


def tampered(world: World, **members: object) -> None:
    """Write the marker with other members."""
    document = json.loads((world.store / MARKER).read_bytes())
    (world.store / MARKER).write_text(json.dumps({**document, **members}))


@pytest.mark.parametrize("how", ["n", "true", "no proof", "junk", "gone", "empty", "plain"])
def test_a_marker_that_was_changed_is_said_and_written_anew_where_the_key_is(
    world: World, how: str
) -> None:
    laptop, desktop = world.machines("laptop", "desktop")
    laptop.write(SESSION, said("first"))
    laptop.push()
    marker = world.store / MARKER
    wrapped = json.loads(marker.read_bytes())["encrypted"]
    if how == "n":
        tampered(world, encrypted={**wrapped, "n": 1 << 30})
    elif how == "true":
        tampered(world, encrypted=True)
    elif how == "no proof":
        tampered(world, mac=None)
    elif how == "gone":
        marker.unlink()
    else:
        marker.write_bytes({"junk": b"{", "empty": b"", "plain": plain(world.store_id())}[how])
    before = world.stored()
    laptop.write(SESSION, said("more"))
    for work in (laptop.push, desktop.pull):
        with pytest.raises(StoreAbsent, match="key change"):
            work()
    assert {"store-marker-replaced", "store-not-mounted"} & set(laptop.examined())
    newcomer = PlayedMachine(world, "newcomer")
    with newcomer.here(), pytest.raises((StoreOffline, StoreLocked)):
        set_up(newcomer.paths, str(world.store), key=KeyChoice(True, PASSPHRASE))
    assert world.stored() == before
    made = change(laptop)
    assert laptop.push()[SESSION].outcome is Outcome.PUSHED
    assert desktop.pull()[SESSION].outcome is Outcome.IMPORTED
    world.key = KeyChoice(True, made)
    newcomer.set_up()
    assert newcomer.pull()[SESSION].outcome is Outcome.IMPORTED


def test_a_key_that_is_another_stores_changes_nothing_and_is_given_again(world: World) -> None:
    laptop, _ = world.machines("laptop", "desktop")
    laptop.write(SESSION, said("first"))
    laptop.push()
    keep_master(laptop.paths, world.store_id(), keys.Master.new())
    laptop.write(SESSION, said("more"))
    before = world.stored()
    for work in (laptop.push, laptop.pull, lambda: change(laptop)):
        with pytest.raises(MarkerReplaced, match="key on this machine"):
            work()
    with laptop.here(), pytest.raises(StoreKeyNeeded):
        set_up(laptop.paths, str(world.store), key=KeyChoice(True))
    assert laptop.examined()["store-marker-replaced"].fix
    assert world.stored() == before
    laptop.set_up()
    assert laptop.push()[SESSION].outcome is Outcome.PUSHED


def test_a_key_change_writes_no_marker_into_an_empty_mount_point(world: World) -> None:
    (laptop,) = world.machines("laptop")
    laptop.write(SESSION, said("first"))
    laptop.push()
    shutil.rmtree(world.store)
    world.store.mkdir()
    with pytest.raises(MarkerReplaced, match="proves"):
        change(laptop)
    assert world.stored() == {}


def test_a_marker_that_would_cost_too_much_is_refused(world: World) -> None:
    laptop, _ = world.machines("laptop", "desktop")
    laptop.push()
    document = json.loads((world.store / MARKER).read_bytes())
    tampered(world, encrypted={**document["encrypted"], "n": 1 << 19})
    newcomer = PlayedMachine(world, "newcomer")
    with newcomer.here(), pytest.raises(StoreLocked, match="form"):
        set_up(newcomer.paths, str(world.store), key=KeyChoice(store_key=PASSPHRASE))


def test_a_store_stays_what_it_was_born_as(tmp_path: Path) -> None:
    plain = World(tmp_path / "plain")
    (laptop,) = plain.machines("laptop")
    with laptop.here():
        for key in (KeyChoice(True), KeyChoice(True, PASSPHRASE), KeyChoice(False, PASSPHRASE)):
            with pytest.raises(UsageError, match="isn't encrypted"):
                set_up(laptop.paths, str(plain.store), name="laptop", key=key)
    assert "encrypted" not in json.loads((plain.store / MARKER).read_bytes())
    with laptop.here(), pytest.raises(UsageError, match="isn't encrypted"):
        change_store_key(laptop.paths)


# --- keys --------------------------------------------------------------------------------------


def change(machine: PlayedMachine, key: str | None = None) -> str | None:
    with machine.here():
        return change_store_key(machine.paths, key)


def test_a_lost_key_is_replaced_from_a_machine_that_is_alive(world: World) -> None:
    laptop, desktop = world.machines("laptop", "desktop")
    laptop.write(SESSION, said("first"))
    laptop.push()
    made = change(laptop)
    assert made is not None
    assert re.fullmatch(r"ccs1(-\w{4}){7}", made)
    # The other goes on as it is; a third one needs the new key.
    assert desktop.pull()[SESSION].outcome is Outcome.IMPORTED
    tablet = PlayedMachine(world, "tablet")
    with tablet.here(), pytest.raises(StoreKeyWrong):
        set_up(tablet.paths, str(world.store), key=KeyChoice(store_key=PASSPHRASE))
    world.key = KeyChoice(store_key=made.lower())
    tablet.set_up()
    assert tablet.pull()[SESSION].outcome is Outcome.IMPORTED
    with pytest.raises(StoreKeyWrong, match="12"):
        change(laptop, "short")
    assert change(laptop, "a passphrase of my own") is None


def test_a_made_key_is_shown_before_anything_depends_on_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    there: list[bool] = []
    shown: list[str] = []

    def show(key: str) -> None:
        shown.append(key)
        there.append((world.store / MARKER).exists())

    newcomer = PlayedMachine(world, "newcomer")
    with newcomer.here():
        set_up(newcomer.paths, str(world.store), name="it", key=KeyChoice(True, show=show))
        old = (world.store / MARKER).read_bytes()

        def show_new(key: str) -> None:
            shown.append(key)
            there.append((world.store / MARKER).read_bytes() != old)

        change_store_key(newcomer.paths, show=show_new)
    assert there == [False, False]
    world.key = KeyChoice(True, shown[1])
    assert PlayedMachine(world, "second").set_up().encrypted


def test_too_little_memory_for_a_key_is_said(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.machines("laptop")
    assert sys.platform == "linux"
    import resource

    (soft, hard) = resource.getrlimit(resource.RLIMIT_AS)
    newcomer = PlayedMachine(world, "newcomer")
    document = json.loads((world.store / MARKER).read_bytes())
    tampered(world, encrypted={**document["encrypted"], "n": 1 << 18})
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + (64 << 20), hard))
    try:
        with newcomer.here(), pytest.raises(StoreLocked, match="memory"):
            set_up(newcomer.paths, str(world.store), key=KeyChoice(True, PASSPHRASE))
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def test_a_made_key_opens_the_store_that_it_was_made_for(world: World) -> None:
    world.key = KeyChoice(True)
    first = PlayedMachine(world, "first")
    done = first.set_up()
    assert done.encrypted
    assert done.made_key is not None
    assert done.made_key not in repr(done)
    world.key = KeyChoice(store_key=done.made_key)
    assert PlayedMachine(world, "second").set_up().made_key is None


@pytest.mark.parametrize("damage", ["lost", "garbage", "another store's", "a folder", "short"])
def test_a_key_file_that_is_not_the_one_is_said_and_given_again(world: World, damage: str) -> None:
    laptop, _ = world.machines("laptop", "desktop")
    laptop.write(SESSION, said("first"))
    laptop.push()
    before = world.stored()
    file = key_file(laptop.paths, world.store_id())
    document = json.loads(file.read_text())
    file.unlink()
    if damage == "garbage":
        file.write_bytes(b"\xff\0{")
    elif damage == "another store's":
        file.write_text(json.dumps({**document, "store_id": "another"}))
    elif damage == "a folder":
        file.mkdir()
    elif damage == "short":
        file.write_text(json.dumps({**document, "master": "AAAA"}))
    laptop.write(SESSION, said("more"))
    for work in (laptop.push, laptop.pull):
        with pytest.raises(StoreLocked, match="key"):
            work()
    assert laptop.examined()["store-locked"].fix
    assert world.stored() == before
    if damage == "a folder":
        file.rmdir()
    laptop.set_up()
    assert laptop.push()[SESSION].outcome is Outcome.PUSHED
