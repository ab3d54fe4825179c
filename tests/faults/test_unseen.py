"""What can't be seen isn't absent: nothing is decided about it, and nothing is written over it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from claude_sync.errors import StoreUnseen
from claude_sync.model import Outcome, State
from claude_sync.store.packing import Packing
from claude_sync.sync.pull import pull
from claude_sync.transports import open_transport
from conformance.sshd import SshHost
from faults.disks import ordinary_permissions
from machines import KEY_FOLDER, SESSION, Pair, PlayedMachine, World, said

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")


@contextmanager
def unreadable(folder: Path, mode: int = 0o300) -> Iterator[None]:
    """Let a folder be there, and nobody list it."""
    folder.chmod(mode)
    try:
        with ordinary_permissions():
            yield
    finally:
        folder.chmod(0o700)


def put_back(laptop: PlayedMachine, before: Path) -> None:
    """Restore a machine's home as a backup does: transcripts and records of an earlier day."""
    shutil.rmtree(laptop.home)
    shutil.copytree(before, laptop.home, symlinks=True)


@pytest.mark.parametrize("mode", [0o300, 0o000, 0o600])
def test_a_folder_that_can_not_be_listed_stops_what_would_be_decided_by_it(
    pair: Pair, world: World, mode: int
) -> None:
    laptop, desktop = pair
    laptop.write(SESSION, said("more"))
    newest = laptop.bundle().read_bytes()
    with unreadable(world.store / KEY_FOLDER, mode):
        pushed = laptop.push()[SESSION]
        assert pushed.outcome is Outcome.FAILED
        assert "can't be listed" in pushed.message
        with desktop.at_work() as context:
            (result,) = pull(context)
        assert (result.outcome, result.bundle) == (Outcome.FAILED, KEY_FOLDER)
        state = laptop.states()[SESSION]
        assert state.state is State.INCOMPLETE
        assert "can't be listed" in state.detail
        with pytest.raises(StoreUnseen):
            laptop.resolve(SESSION, "mine")
    assert laptop.bundle().read_bytes() == newest
    assert laptop.push()[SESSION].outcome is Outcome.PUSHED
    assert desktop.pull()[SESSION].outcome is Outcome.UPDATED


def test_what_others_keep_beside_projects_is_nobodys_business(pair: Pair, world: World) -> None:
    laptop, desktop = pair
    (world.store / "lost+found").mkdir()
    laptop.write(SESSION, said("more"))
    with unreadable(world.store / "lost+found"):
        assert laptop.push()[SESSION].outcome is Outcome.PUSHED
        assert set(desktop.pull()) == {SESSION}
    assert desktop.read() == laptop.read()


def test_a_home_from_a_backup_writes_over_no_newer_bundle_that_it_can_not_see(
    pair: Pair, world: World, tmp_path: Path
) -> None:
    laptop, _ = pair
    shutil.copytree(laptop.home, tmp_path / "backup", symlinks=True)
    laptop.write(SESSION, said("after the backup"))
    laptop.push()
    newest = laptop.bundle().read_bytes()
    put_back(laptop, tmp_path / "backup")
    laptop.write(SESSION, said("on the restored home"))
    with unreadable(world.store / KEY_FOLDER, 0o000):
        assert laptop.push()[SESSION].outcome is Outcome.FAILED
    assert laptop.bundle().read_bytes() == newest


def test_what_a_mirror_delivers_while_a_push_packs_is_not_written_over(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop, _ = pair
    laptop.write(SESSION, said("more"))
    delivered = b'{"schema":1,"session_id":"a newer bundle that comes just now"'
    blocks = Packing.blocks

    def meanwhile(packing: Packing) -> Iterator[object]:
        yield from blocks(packing)
        laptop.bundle().write_bytes(delivered)

    monkeypatch.setattr(Packing, "blocks", meanwhile)
    result = laptop.push()[SESSION]
    assert result.outcome is Outcome.INCOMPLETE
    assert "arrived there" in result.message
    assert laptop.bundle().read_bytes() == delivered


@pytest.mark.parametrize("flavour", ["box-tied", "box-busybox"])
def test_a_host_says_which_folder_it_could_not_list(
    ssh_host: SshHost, tmp_path: Path, flavour: str
) -> None:
    if flavour == "box-busybox" and os.geteuid() == 0:
        flavour = "box-tied"  # root sees everything there
    root = tmp_path / "store"
    for folder in ("p", "q"):
        (root / folder).mkdir(parents=True)
        (root / folder / "a.ccsync").write_bytes(b"x")
    command = ssh_host.command_alone()
    store = open_transport(ssh_host.location(root, flavour), command, tmp_path / "r")
    try:
        whole = store.list_files()
        assert whole.unseen == ()
        for mode in (0o300, 0o000, 0o600):
            (root / "p").chmod(mode)
            listing = store.list_files(whole)
            (root / "p").chmod(0o700)
            assert listing.unseen == ("p",)
            assert [entry.name for entry in listing.entries] == ["q/a.ccsync"]
        assert store.list_files(whole) == whole
    finally:
        store.close()
