"""An encrypted store in strangers' hands: nothing is told, and nothing of theirs is believed."""

from __future__ import annotations

import base64
import json
import os
import shutil
from pathlib import Path

import pytest

from bundles import crafted
from claude_sync.errors import (
    StoreKeyNeeded,
    StoreKeyWrong,
    StoreLocked,
)
from claude_sync.model import Outcome, State
from claude_sync.sealed import keys
from claude_sync.state import preferences
from claude_sync.state.keys import key_file
from claude_sync.sync.pull import pull
from claude_sync.sync.setup import set_up
from claude_sync.sync.store_key import KeyChoice
from machines import KEY, OTHER, PASSPHRASE, SESSION, PlayedMachine, World, agree, outcomes, said
from plain_text import told

MARKER = ".ccsync-store"
TITLE = "An unmistakable title"
WORDS = "Nobody else may read this sentence"


pytestmark = pytest.mark.usefixtures("cheap_keys")


@pytest.fixture
def world(encrypted_world: World) -> World:
    return encrypted_world


def pulled_by_itself(machine: PlayedMachine) -> dict[str, Outcome]:
    """What a pull does that nobody asked for: watching, or the tray."""
    with machine.at_work() as context:
        return {one.session_id: one.outcome for one in pull(context, replace=False)}


# --- secrecy -----------------------------------------------------------------------------------


def test_nothing_in_the_store_tells_what_is_in_it(world: World) -> None:
    laptop, desktop = world.machines("laptop", "desktop")
    laptop.write(SESSION, said(WORDS), json.dumps({"type": "summary", "summary": TITLE}).encode())
    laptop.write(SESSION, b"\n", said("more"))
    laptop.write_sidecar(SESSION, "subagents/agent-unmistakable.jsonl", said(WORDS))
    laptop.push()
    desktop.pull()
    desktop.write(SESSION, said(WORDS))
    desktop.push()
    laptop.pull()
    with laptop.at_work() as context:
        machine_id = context.machine.id
    secrets = [
        *(WORDS, TITLE, SESSION, SESSION.replace("-", ""), KEY, "example.org", "you/app", "laptop"),
        *("desktop", str(laptop.home), "agent-unmistakable", machine_id, PASSPHRASE, "transcript"),
        "sidecar",
    ]
    assert told(world.store, map(str.encode, secrets)) == []
    everything = b"\n".join(world.stored().values())
    master = world.master().key
    assert master not in everything
    assert base64.b64encode(master) not in everything


def test_the_same_search_finds_in_a_plain_store_what_is_in_it(tmp_path: Path) -> None:
    world = World(tmp_path / "world")
    (laptop,) = world.machines("laptop")
    laptop.write(SESSION, said(WORDS))
    laptop.push()
    found = told(world.store, [said(WORDS), SESSION.encode(), KEY.encode(), b"laptop"])
    assert {WORDS.encode(), SESSION.encode(), KEY.encode(), b"laptop", b"message"} <= set(found)


def test_no_temporary_in_the_store_ever_holds_plain_text(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    (laptop,) = world.machines("laptop")
    laptop.write(SESSION, said(WORDS))
    seen: list[bytes] = []
    replace, link = os.replace, os.link

    def looked(source: str, target: str, **more: int) -> None:
        if str(target).startswith(str(world.store)):
            seen.append(Path(source).read_bytes())
        (link if more else replace)(source, target, **more)

    monkeypatch.setattr(os, "replace", looked)
    monkeypatch.setattr(os, "link", lambda source, target, **more: looked(source, target, **more))
    laptop.push()
    assert not [data for data in seen if WORDS.encode() in data]


def test_keys_and_what_holds_them_are_for_their_owner_only(world: World) -> None:
    (laptop,) = world.machines("laptop")
    file = key_file(laptop.paths, world.store_id())
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert PASSPHRASE not in file.read_text()
    for path in laptop.home.rglob("*.log"):
        assert PASSPHRASE not in path.read_text()


# --- two machines ------------------------------------------------------------------------------


def test_two_machines_meet_and_what_comes_is_the_same_byte_for_byte(world: World) -> None:
    laptop, desktop = world.machines("laptop", "desktop")
    laptop.write(SESSION, said("x" * 3_000_000), said("ünd\\ \x00"))
    laptop.write_sidecar(SESSION, "subagents/agent-1.jsonl", said("y" * 200_000))
    assert laptop.push()[SESSION].outcome is Outcome.PUSHED
    assert desktop.pull()[SESSION].outcome is Outcome.IMPORTED
    for machine, other in ((desktop, laptop), (laptop, desktop)) * 2:
        machine.write(SESSION, said("more"))
        assert machine.push()[SESSION].outcome is Outcome.PUSHED
        assert other.pull()[SESSION].outcome is Outcome.UPDATED
    assert agree(laptop, desktop)
    assert laptop.sidecar() == desktop.sidecar()
    # What comes out is the ordinary bundle.
    assert world.opened(laptop.bundle()).transcript == laptop.read(SESSION)


def test_a_decision_that_is_found_there_is_followed_unasked(world: World) -> None:
    laptop, desktop = world.machines("laptop", "desktop")
    laptop.write(SESSION, said("first"))
    laptop.push()
    desktop.pull()
    laptop.write(SESSION, said("here"))
    desktop.write(SESSION, said("there"))
    laptop.push()
    desktop.push()
    laptop.pull()
    laptop.resolve(SESSION, "mine")
    assert not desktop.states()[SESSION].replaces
    lost = desktop.read(SESSION)
    assert pulled_by_itself(desktop) == {SESSION: Outcome.REPLACED}
    assert agree(laptop, desktop)
    assert lost in desktop.kept()


def test_a_machine_without_the_key_sees_only_that_there_is_a_store(world: World) -> None:
    laptop, _ = world.machines("laptop", "desktop")
    laptop.write(SESSION, said(WORDS))
    laptop.push()
    before = world.stored()
    stranger = PlayedMachine(world, "stranger")
    with stranger.here():
        with pytest.raises(StoreKeyNeeded, match="encrypted"):
            set_up(stranger.paths, str(world.store), name="stranger")
        for wrong in (keys.new_store_key(), "another passphrase"):
            with pytest.raises(StoreKeyWrong, match="doesn't open") as caught:
                set_up(stranger.paths, str(world.store), key=KeyChoice(store_key=wrong))
            assert wrong not in str(caught.value)
    assert preferences.load(stranger.paths).location is None
    assert world.stored() == before
    # As little as one that was told by hand where it is.
    preferences.change(stranger.paths, location=str(world.store), store_id=world.store_id())
    with pytest.raises(StoreLocked, match="doesn't have its key"):
        stranger.pull()
    stranger.write(SESSION, said("plain text"))
    with pytest.raises(StoreLocked):
        stranger.push()
    assert world.stored() == before


# --- what strangers write ----------------------------------------------------------------------


def test_what_nobody_with_the_key_wrote_is_foreign_and_rivals_nothing(
    world: World, tmp_path: Path
) -> None:
    laptop, desktop = world.machines("laptop", "desktop")
    laptop.write(SESSION, said("first"))
    laptop.push()
    desktop.pull()
    folder = laptop.bundle().parent
    (folder / "plain.ccsync").write_bytes(crafted(said("evil")))
    other = World(tmp_path / "other", key=KeyChoice(True, PASSPHRASE))
    (stranger,) = other.machines("stranger")
    stranger.write(SESSION, said("first"), said("evil"))
    stranger.push()
    shutil.copy(stranger.bundle(), folder / "theirs.ccsync")
    (folder / "zeros.ccsync").write_bytes(bytes(100_000))
    (folder / "cut.ccsync").write_bytes(stranger.bundle().read_bytes()[:200])
    for machine in (laptop, desktop):
        assert outcomes(machine.pull()) == {SESSION: Outcome.UNCHANGED}
        assert machine.states()[SESSION].state is State.SYNCED
        found = machine.examined()["bundle-foreign"]
        assert "4 files were not written by one of your machines" in found.title
        assert "bundle-incomplete" not in machine.examined()
    desktop.write(SESSION, said("more"))
    desktop.push()
    assert laptop.pull()[SESSION].outcome is Outcome.UPDATED


def test_a_foreign_file_in_the_place_of_ours_is_kept_and_written_over(world: World) -> None:
    (laptop,) = world.machines("laptop")
    laptop.write(SESSION, said("first"))
    laptop.push()
    laptop.bundle().write_bytes(foreign := crafted(said("evil")))
    assert laptop.push()[SESSION].outcome is Outcome.PUSHED
    assert world.opened(laptop.bundle()).transcript == laptop.read(SESSION)
    assert foreign in laptop.kept()


def test_a_file_of_ours_that_is_half_there_is_still_arriving(world: World) -> None:
    laptop, desktop = world.machines("laptop", "desktop")
    laptop.write(SESSION, said("first"))
    laptop.push()
    desktop.pull()
    laptop.write(SESSION, said(os.urandom(50_000).hex()))
    laptop.push()
    whole = laptop.bundle().read_bytes()
    for part in (whole[:20_000], whole[:20_000] + bytes(len(whole) - 20_000)):
        laptop.bundle().write_bytes(part)
        assert desktop.pull()[SESSION].outcome is Outcome.INCOMPLETE
    laptop.bundle().write_bytes(whole)
    assert desktop.pull()[SESSION].outcome is Outcome.UPDATED


def test_no_damage_of_any_byte_reaches_claudes_tree(world: World) -> None:
    laptop, desktop = world.machines("laptop", "desktop")
    laptop.write(SESSION, said("first"))
    laptop.push()
    whole = laptop.bundle().read_bytes()
    for at in range(0, len(whole), 37):
        damaged = bytearray(whole)
        damaged[at] ^= 1 << at % 8
        laptop.bundle().write_bytes(damaged)
        assert SESSION not in desktop.pull() or not desktop.has(SESSION)
        laptop.bundle().write_bytes(whole[:at])
        desktop.pull()
        assert not desktop.has(SESSION)
    laptop.bundle().write_bytes(whole)
    assert desktop.pull()[SESSION].outcome is Outcome.IMPORTED


def test_a_file_under_another_name_is_still_the_one_it_is(world: World) -> None:
    laptop, desktop = world.machines("laptop", "desktop")
    laptop.write(SESSION, said("first"))
    laptop.write(OTHER, said("other"))
    laptop.push()
    one, other = laptop.bundle(), laptop.bundle(OTHER)
    data = one.read_bytes(), other.read_bytes()
    one.write_bytes(data[1])
    other.write_bytes(data[0])
    (one.parent / "name (conflicted copy).ccsync").write_bytes(data[0])
    desktop.pull()
    assert agree(laptop, desktop)
    assert agree(laptop, desktop, session=OTHER)


def test_an_older_file_that_is_put_back_does_not_win_and_is_said(world: World) -> None:
    laptop, desktop = world.machines("laptop", "desktop")
    laptop.write(SESSION, said("first"))
    laptop.push()
    desktop.pull()
    old = laptop.bundle().read_bytes()
    laptop.write(SESSION, said("second"))
    laptop.push()
    desktop.pull()
    laptop.bundle().write_bytes(old)
    assert desktop.pull().get(SESSION) is None or agree(laptop, desktop)
    assert "bundle-older" in desktop.examined()
    # Also after the newer one was away for a while.
    laptop.bundle().unlink()
    desktop.pull()
    laptop.bundle().write_bytes(old)
    desktop.pull()
    assert "bundle-older" in desktop.examined()
    laptop.write(SESSION, said("third"))
    assert laptop.push()[SESSION].outcome is Outcome.PUSHED
    assert desktop.pull()[SESSION].outcome is Outcome.UPDATED
    assert agree(laptop, desktop)
    assert "bundle-older" not in desktop.examined()


@pytest.mark.parametrize("copied", ["older", "newer"])
def test_a_copy_beside_the_newest_file_is_a_copy(world: World, copied: str) -> None:
    """As sync tools make them: the one that came last has the name, the other one another."""
    laptop, desktop = world.machines("laptop", "desktop")
    laptop.write(SESSION, said("first"))
    laptop.push()
    place = laptop.bundle()
    older = place.read_bytes()
    laptop.write(SESSION, said("second"))
    laptop.push()
    newer = place.read_bytes()
    place.write_bytes(newer if copied == "older" else older)
    for name in ("0", "zz"):
        copy = place.with_name(f"{name} (conflicted copy).ccsync")
        copy.write_bytes(older if copied == "older" else newer)
    tablet = world.machine("tablet")
    for machine in (laptop, desktop, tablet):
        machine.pull()
        assert agree(laptop, machine)
        found = machine.examined()
        assert "bundle-copies" in found
        assert "bundle-older" not in found


def test_an_older_file_that_would_win_here_is_left_out(world: World) -> None:
    """A machine without a copy would import whatever counts."""
    laptop, desktop = world.machines("laptop", "desktop")
    laptop.write(SESSION, said("first"))
    laptop.push()
    old = laptop.bundle().read_bytes()
    laptop.write(SESSION, said("second"))
    laptop.push()
    desktop.states()
    laptop.states()
    laptop.bundle().write_bytes(old)
    assert not [one for one in desktop.pull().values() if one.outcome is Outcome.IMPORTED]
    assert not desktop.has(SESSION)
    with desktop.at_work() as context:
        view = context.store.view()
        assert view.bundles == {}
        assert [one.kind for one in view.skipped] == ["BundleRolledBack"]
    # Also the machine that lost its records goes on from the greatest revision that it saw.
    laptop.bundle().unlink()
    with laptop.at_work() as context:
        greatest = context.store.greatest_seen(SESSION, context.machine.id)
        assert greatest == 2
        with context.database.transaction():
            context.records.remember(SESSION, revision=0)
    laptop.push(SESSION)
    assert world.opened(laptop.bundle()).head.revision == greatest + 1
    assert desktop.pull()[SESSION].outcome is Outcome.IMPORTED


def test_a_forgotten_file_that_is_put_back_is_not_offered_and_is_said(world: World) -> None:
    laptop, desktop = world.machines("laptop", "desktop")
    written = laptop.write(SESSION, said("first"))
    laptop.push()
    place = laptop.bundle()
    old = place.read_bytes()
    laptop.forget()
    laptop.path().unlink()
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(old)
    laptop.pull()
    assert not laptop.has()
    assert "bundle-older" in laptop.examined()
    laptop.write(SESSION, written, said("second"))
    assert laptop.push(SESSION)[SESSION].outcome is Outcome.PUSHED
    assert desktop.pull()[SESSION].outcome is Outcome.IMPORTED
    assert agree(laptop, desktop)


def test_only_who_says_so_accepts_what_was_put_back(world: World) -> None:
    laptop, desktop = world.machines("laptop", "desktop")
    laptop.write(SESSION, said("first"))
    laptop.push()
    old = laptop.bundle().read_bytes()
    laptop.write(SESSION, said("second"))
    laptop.push()
    desktop.pull()
    laptop.bundle().write_bytes(old)
    desktop.pull()
    assert "bundle-older" in desktop.examined()
    desktop.set_up()
    assert "bundle-older" in desktop.examined()
    with desktop.here():
        set_up(desktop.paths, str(world.store), name="desktop", accept_older=True)
    assert "bundle-older" not in {
        code for code, one in desktop.examined().items() if "skipped" in one.detail
    }


def test_lost_records_cost_nothing_in_an_encrypted_store_either(world: World) -> None:
    laptop, desktop = world.machines("laptop", "desktop")
    laptop.write(SESSION, said("first"))
    laptop.push()
    laptop.lose_records()
    laptop.write(SESSION, said("second"))
    assert laptop.push()[SESSION].outcome is Outcome.PUSHED
    assert desktop.pull()[SESSION].outcome is Outcome.IMPORTED
    assert agree(laptop, desktop)
