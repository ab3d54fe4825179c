"""What can't be seen isn't absent: nothing is decided about it, and nothing is written over it."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from claude_sync.claude import listed_files
from claude_sync.disk.snapshot import entry_status
from claude_sync.errors import ClaudeHomeError, PreferencesError, StoreUnseen
from claude_sync.model import Outcome, State
from claude_sync.projects.registry import Registry
from claude_sync.store.packing import Packing
from claude_sync.sync.pull import pull
from claude_sync.sync.setup import set_up_default
from claude_sync.sync.tree.install import Installer
from claude_sync.transports import open_transport
from conformance.sshd import SshHost
from failing_calls import failing
from faults.disks import ordinary_permissions
from machines import KEY_FOLDER, SESSION, Pair, PlayedMachine, World, opened, said

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
        assert state.state is State.UNKNOWN
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


@pytest.mark.parametrize("kind", ["world", "encrypted_world"])
@pytest.mark.parametrize("code", [errno.EIO, errno.EACCES, errno.ESTALE])
def test_a_session_is_not_up_to_date_while_a_bundle_of_it_can_not_be_read(
    request: pytest.FixtureRequest, code: int, kind: str
) -> None:
    world: World = request.getfixturevalue(kind)
    laptop, desktop = world.machines("laptop", "desktop")
    laptop.write(SESSION, said("first"))
    laptop.push()
    desktop.pull()
    desktop.push(SESSION)
    laptop.write(SESSION, said("more"))
    laptop.push()
    with failing(laptop.bundle(), code, "open"):
        with desktop.at_work() as context:
            (result,) = pull(context)
        assert (result.session_id, result.outcome) == (SESSION, Outcome.FAILED)
        state = desktop.states()[SESSION]
        assert state.state is State.UNKNOWN
        assert state.detail == result.message
        desktop.write(SESSION, said("there"))
        assert desktop.states()[SESSION].state is State.CHANGED, "a push doesn't hang on it"
    assert desktop.states()[SESSION].state is State.CONFLICT


@pytest.mark.parametrize("code", [errno.EIO, errno.EACCES])
def test_nor_is_one_that_was_never_here(pair: Pair, world: World, code: int) -> None:
    laptop, _ = pair
    tablet = world.machine("tablet")
    laptop.write(SESSION, said("more"))
    laptop.push()
    with failing(laptop.bundle(), code, "open"):
        assert tablet.states()[SESSION].state is State.UNKNOWN
        assert tablet.pull()[SESSION].outcome is Outcome.FAILED


def test_a_session_is_not_up_to_date_while_a_newer_bundle_arrives(pair: Pair) -> None:
    laptop, desktop = pair
    desktop.push(SESSION)
    laptop.write(SESSION, said("more"))
    laptop.push()
    laptop.bundle().write_bytes(laptop.bundle().read_bytes()[:-50])
    with desktop.at_work() as context:
        (result,) = pull(context)
    assert result.outcome is Outcome.INCOMPLETE
    assert desktop.states()[SESSION].state is State.INCOMPLETE


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


def test_nor_over_one_that_was_listed_and_can_not_be_reached(
    pair: Pair, world: World, tmp_path: Path
) -> None:
    laptop, _ = pair
    shutil.copytree(laptop.home, tmp_path / "backup", symlinks=True)
    laptop.write(SESSION, said("after the backup"))
    laptop.push()
    newest = laptop.bundle().read_bytes()
    put_back(laptop, tmp_path / "backup")
    laptop.write(SESSION, said("on the restored home"))
    with failing(world.store / KEY_FOLDER, errno.ENOTDIR, "lstat"):
        assert laptop.push()[SESSION].outcome is Outcome.INCOMPLETE
    assert laptop.bundle().read_bytes() == newest


@pytest.mark.parametrize("code", [errno.ENOENT, errno.ENOTDIR, errno.EIO])
def test_a_folder_that_the_root_still_lists_is_not_gone(
    pair: Pair, world: World, code: int
) -> None:
    laptop, _ = pair
    with failing(world.store / KEY_FOLDER, code, "scandir", "stat"), laptop.at_work() as context:
        assert context.store.listing().unseen == (KEY_FOLDER,)


@pytest.mark.parametrize("below", ["", "tool-results"])
@pytest.mark.parametrize("call", ["scandir", "lstat"])
@pytest.mark.parametrize("code", [errno.ENOENT, errno.ENOTDIR, errno.EACCES])
def test_files_beside_a_transcript_that_can_not_be_seen_are_not_dropped_from_its_bundle(
    pair: Pair, code: int, call: str, below: str
) -> None:
    laptop, _ = pair
    laptop.write_sidecar(SESSION, "tool-results/one.txt", b"one")
    laptop.push()
    laptop.write(SESSION, said("more"))
    folder = laptop.folder / SESSION
    with failing(folder / below if below else folder, code, call):
        result = laptop.push()[SESSION]
    assert result.outcome is Outcome.FAILED
    assert "can't be read" in result.message
    assert opened(laptop.bundle()).sidecar == {"tool-results/one.txt": b"one"}
    assert laptop.push()[SESSION].outcome is Outcome.PUSHED


def test_a_file_that_goes_away_while_its_folder_is_looked_at_hides_no_other(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop, _ = pair
    files = [laptop.write_sidecar(SESSION, f"tool-results/{n}.txt", b"x") for n in range(9)]
    going: list[str] = []

    def meanwhile(entry: os.DirEntry[str]) -> os.stat_result:
        if not going and entry.name.endswith(".txt"):
            going.append(entry.name)
            os.unlink(entry.path)
        return entry_status(entry)

    monkeypatch.setattr(listed_files, "entry_status", meanwhile)
    found = listed_files.sidecar_stamps(laptop.folder / SESSION).stamps
    left = [f"tool-results/{file.name}" for file in files if file.name not in going]
    assert [name for name, _ in found] == left


@pytest.mark.parametrize("code", [errno.ENOENT, errno.EACCES])
def test_sessions_are_not_gone_where_claude_codes_folder_can_not_be_listed(
    pair: Pair, code: int
) -> None:
    laptop, desktop = pair
    with failing(desktop.claude / "projects", code, "scandir"):
        with pytest.raises(ClaudeHomeError, match="can't be read"):
            desktop.pull()
        with pytest.raises(ClaudeHomeError, match="can't be read"):
            desktop.states()
    laptop.write(SESSION, said("more"))
    laptop.push()
    with failing(desktop.folder, code, "scandir"):
        assert desktop.pull()[SESSION].outcome is Outcome.FAILED
        assert desktop.states()[SESSION].state is State.UNKNOWN
    assert desktop.pull()[SESSION].outcome is Outcome.UPDATED


def test_where_the_client_never_ran_there_are_no_sessions(world: World) -> None:
    desktop = PlayedMachine(world, "desktop", live_files=False)
    desktop.set_up()
    assert not desktop.claude.exists()
    assert desktop.pull() == {}


def test_what_was_chosen_and_can_not_be_read_was_not_unchosen(pair: Pair) -> None:
    laptop, _ = pair
    with failing(laptop.paths.preferences_file, errno.EIO, "open"):
        with pytest.raises(PreferencesError, match="can't be read"):
            laptop.push()
        with pytest.raises(PreferencesError, match="can't be read"):
            set_up_default(laptop.paths)


def test_a_list_of_projects_that_can_not_be_read_is_not_written_over(
    pair: Pair, tmp_path: Path
) -> None:
    laptop, _ = pair
    before = laptop.paths.projects_file.read_bytes()
    with failing(laptop.paths.projects_file, errno.EIO, "open"):
        registry = Registry(laptop.paths.projects_file)
        registry.add(tmp_path)
        with pytest.raises(PreferencesError):
            registry.save()
    assert laptop.paths.projects_file.read_bytes() == before


def test_what_is_open_is_said_to_be_unknown_where_it_can_not_be_seen_at_the_last_moment(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop, desktop = pair
    laptop.write(SESSION, said("more"))
    laptop.push()
    live = desktop.claude / "sessions"
    check_same = Installer.check_same

    def blind(installer: Installer, *given: Any, **more: Any) -> None:
        with failing(live, errno.EIO, "listdir"):
            check_same(installer, *given, **more)

    monkeypatch.setattr(Installer, "check_same", blind)
    result = desktop.pull()[SESSION]
    assert result.outcome is Outcome.OPEN
    assert "list of open sessions can't be read" in result.message


def test_a_transcript_that_can_not_be_seen_at_the_last_moment_did_not_change(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop, desktop = pair
    laptop.write(SESSION, said("more"))
    laptop.push()
    check_same = Installer.check_same

    def blind(installer: Installer, *given: Any, **more: Any) -> None:
        with failing(desktop.path(), errno.EIO, "lstat"):
            check_same(installer, *given, **more)

    monkeypatch.setattr(Installer, "check_same", blind)
    assert "can't be read" in desktop.pull()[SESSION].message


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
