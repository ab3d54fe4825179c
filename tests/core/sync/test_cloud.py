"""Machines that meet in a cloud, and how much of it goes by itself in a day."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from claude_sync.doctor import examine
from claude_sync.errors import StoreOffline
from claude_sync.model import Outcome
from claude_sync.state import preferences
from claude_sync.sync.context import Context
from claude_sync.sync.store_key import KeyChoice
from claude_sync.transports.rclone import calls
from claude_sync.transports.rclone.listing import Seen, seen_in
from conformance.clouds import BUCKET, Clouds, let_servers_forget, running_clouds
from machines import KEY_FOLDER, OTHER, SESSION, PlayedMachine, World, said

MEGABYTE = 1_000_000


@pytest.fixture(scope="session")
def clouds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clouds]:
    with running_clouds(tmp_path_factory.mktemp("clouds")) as running:
        yield running


@pytest.fixture
def folder(clouds: Clouds, tmp_path: Path) -> Path:
    """Where the cloud keeps the store."""
    return clouds.folder / BUCKET / tmp_path.name


@pytest.fixture(params=["webdav", "local"])
def world(
    request: pytest.FixtureRequest,
    clouds: Clouds,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> World:
    monkeypatch.setenv("RCLONE_CONFIG", str(clouds.config))
    return World(tmp_path, clouds.location(request.param, folder.name))


def outcome(machine: PlayedMachine, *sessions: str) -> Outcome:
    return machine.push(*sessions)[SESSION].outcome


def bundles(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / KEY_FOLDER).iterdir())


def findings(machine: PlayedMachine) -> dict[str, str]:
    with machine.at_work() as context:
        return {finding.code: finding.title for finding in examine(context)}


def test_a_session_goes_there_and_back(world: World, folder: Path) -> None:
    laptop, desktop = world.machines("laptop", "desktop")
    laptop.write(SESSION, said("hello"))
    assert outcome(laptop) is Outcome.PUSHED
    assert desktop.pull()[SESSION].outcome is Outcome.IMPORTED
    desktop.write(SESSION, said("and on"))
    assert outcome(desktop) is Outcome.PUSHED
    assert outcome(desktop) is Outcome.UNCHANGED
    laptop.pull()
    assert laptop.read(SESSION) == desktop.read(SESSION)
    laptop.write(SESSION, said("and on"))
    assert outcome(laptop) is Outcome.PUSHED
    # One file of each, for the older ones are removed.
    assert len(bundles(folder)) == 2


@pytest.mark.parametrize("key", [KeyChoice(), KeyChoice(True, "correct horse battery staple")])
def test_an_older_revision_that_was_left_is_removed_by_the_next_push(
    world: World, folder: Path, key: KeyChoice
) -> None:
    world.key = key
    (laptop,) = world.machines("laptop")
    laptop.write(SESSION, said("hello"))
    laptop.push()
    (older,) = folder.glob("*/*")
    data = older.read_bytes()
    laptop.write(SESSION, said("and on"))
    laptop.push()
    older.write_bytes(data)
    let_servers_forget()
    assert "cloud-revisions" in findings(laptop)
    assert not {"bundle-copies", "bundle-rolled-back"} & set(findings(laptop))
    laptop.write(SESSION, said("and on"))
    assert outcome(laptop) is Outcome.PUSHED
    assert len(list(folder.glob("*/*"))) == 1
    assert "cloud-revisions" not in findings(laptop)


def test_forgetting_removes_the_revision_that_is_there(world: World, folder: Path) -> None:
    (laptop,) = world.machines("laptop")
    laptop.write(SESSION, said("hello"))
    laptop.push()
    assert laptop.forget() == 1
    assert bundles(folder) == []


@pytest.mark.parametrize("world", ["local"], indirect=True)
def test_names_that_several_files_bear_are_said(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Google Drive has them: a name is listed twice."""
    (laptop,) = world.machines("laptop")
    laptop.write(SESSION, said("hello"))
    laptop.push()
    assert "cloud-duplicates" not in findings(laptop)

    def twice(items: Iterable[object], directory: str = "") -> Seen:
        return seen_in([item for one in items for item in (one, one)], directory)

    monkeypatch.setattr("claude_sync.transports.rclone.place.seen_in", twice)
    for _ in range(2):  # also where nothing has changed since
        assert (
            findings(laptop)["cloud-duplicates"] == "2 names in the cloud that several files bear"
        )
        assert outcome(laptop) is Outcome.UNCHANGED


# --- a day's bytes -----------------------------------------------------------------------------


def limited(machine: PlayedMachine, megabytes: float) -> None:
    preferences.change(machine.paths, cloud_megabytes_a_day=megabytes)


@pytest.fixture
def laptop(world: World) -> PlayedMachine:
    (laptop,) = world.machines("laptop")
    return laptop


@pytest.mark.parametrize("world", ["local"], indirect=True)
def test_what_is_more_than_a_day_may_have_is_held_back_and_said(laptop: PlayedMachine) -> None:
    limited(laptop, 1)
    laptop.write(SESSION, said("x" * MEGABYTE))
    assert outcome(laptop) is Outcome.PUSHED  # whatever its size, for it is the first
    laptop.write(SESSION, said("more"))
    held = laptop.push()[SESSION]
    assert held.outcome is Outcome.HELD
    assert "1.0 MB a day" in held.message
    assert "cloud_megabytes_a_day" in held.message
    assert "cloud-allowance" in findings(laptop)


@pytest.mark.parametrize("world", ["local"], indirect=True)
def test_a_session_that_is_named_goes_all_the_same_and_counts(laptop: PlayedMachine) -> None:
    limited(laptop, 1)
    laptop.write(SESSION, said("x" * MEGABYTE))
    assert outcome(laptop, SESSION) is Outcome.PUSHED
    laptop.write(OTHER, said("y"))
    assert laptop.push()[OTHER].outcome is Outcome.HELD
    assert "1 session held back" in findings(laptop)["cloud-allowance"]
    laptop.write(SESSION, said("more"))
    assert outcome(laptop, SESSION) is Outcome.PUSHED


@pytest.mark.parametrize("world", ["local"], indirect=True)
def test_the_doctor_says_what_is_held_back_though_much_is_left(laptop: PlayedMachine) -> None:
    limited(laptop, 1)
    laptop.write(SESSION, said("x"))
    laptop.push()
    assert "cloud-allowance" not in findings(laptop)
    laptop.write(SESSION, said("more"))
    laptop.write(OTHER, said("y" * MEGABYTE))
    assert "1 session held back" in findings(laptop)["cloud-allowance"]
    assert laptop.push()[OTHER].outcome is Outcome.HELD


@pytest.mark.parametrize("world", ["local"], indirect=True)
def test_another_day_begins_anew(laptop: PlayedMachine) -> None:
    limited(laptop, 1)
    laptop.write(SESSION, said("x" * MEGABYTE))
    laptop.push()
    laptop.write(SESSION, said("more"))
    assert outcome(laptop) is Outcome.HELD
    with laptop.at_work() as context, context.database.transaction():
        _, sent = json.loads(context.cache.setting("sent-on") or "")
        assert sent > MEGABYTE
        context.cache.put_setting("sent-on", json.dumps(["2001-01-01", sent]))
    assert outcome(laptop) is Outcome.PUSHED


@pytest.mark.parametrize("world", ["local"], indirect=True)
def test_without_a_limit_all_goes(laptop: PlayedMachine) -> None:
    limited(laptop, 0)
    for _ in range(2):
        laptop.write(SESSION, said("x" * MEGABYTE))
        assert outcome(laptop) is Outcome.PUSHED


def test_a_folder_has_no_limit(tmp_path: Path) -> None:
    (laptop,) = World(tmp_path).machines("laptop")
    with laptop.at_work() as context:
        assert _limit(context) == 0


def _limit(context: Context) -> int:
    return context.daily_limit


# --- encrypted ---------------------------------------------------------------------------------


def test_machines_meet_in_an_encrypted_cloud(
    clouds: Clouds, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RCLONE_CONFIG", str(clouds.config))
    world = World(
        tmp_path,
        clouds.location("webdav", folder.name),
        key=KeyChoice(True, "a passphrase of these tests"),
    )
    laptop, desktop = world.machines("laptop", "desktop")
    secret = "a word that nobody else may read"
    laptop.write(SESSION, said(secret))
    assert outcome(laptop) is Outcome.PUSHED
    assert desktop.pull()[SESSION].outcome is Outcome.IMPORTED
    desktop.write(SESSION, said("and on"))
    assert outcome(desktop) is Outcome.PUSHED
    desktop.write(SESSION, said("and on"))
    assert outcome(desktop) is Outcome.PUSHED
    laptop.pull()
    assert laptop.read(SESSION) == desktop.read(SESSION)
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) == 3  # the marker, and one of each machine
    assert not any(secret.encode() in path.read_bytes() for path in files)


@pytest.mark.parametrize("world", ["local"], indirect=True)
def test_bytes_that_were_sent_in_vain_count(
    laptop: PlayedMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited(laptop, 1)
    laptop.write(SESSION, said("x" * MEGABYTE))
    upload = calls.upload

    def short(fs: str, path: str, blocks: Callable[[], Iterator[bytes]], size: int) -> object:
        return upload(fs, path, lambda: iter([b"".join(blocks())[:-100]]), size)

    with monkeypatch.context() as patched:
        patched.setattr("claude_sync.transports.rclone.writing.upload", short)
        assert outcome(laptop) is Outcome.FAILED
    laptop.write(SESSION, said("more"))
    assert outcome(laptop) is Outcome.HELD


@pytest.mark.parametrize("world", ["local"], indirect=True)
def test_bytes_of_a_line_that_broke_count(
    laptop: PlayedMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited(laptop, 1)
    laptop.write(SESSION, said("x" * MEGABYTE))
    upload = calls.upload

    def broken(fs: str, path: str, blocks: Callable[[], Iterator[bytes]], size: int) -> object:
        def sent() -> Iterator[bytes]:
            yield next(blocks())[:-100]
            raise StoreOffline("the line broke")

        return upload(fs, path, sent, size)

    with monkeypatch.context() as patched:
        patched.setattr("claude_sync.transports.rclone.writing.upload", broken)
        with pytest.raises(StoreOffline):
            laptop.push()
    assert outcome(laptop) is Outcome.HELD


@pytest.mark.parametrize("world", ["local"], indirect=True)
def test_what_is_compressed_is_held_back_by_what_is_sent_of_it(world: World) -> None:
    world.key = KeyChoice(True, "correct horse battery staple")
    (laptop,) = world.machines("laptop")
    limited(laptop, 1)
    laptop.write(SESSION, said("x" * MEGABYTE))
    assert outcome(laptop) is Outcome.PUSHED
    for _ in range(3):
        laptop.write(SESSION, said("more"))
        assert outcome(laptop) is Outcome.PUSHED
    laptop.write(SESSION, said(random.Random(1).randbytes(MEGABYTE).hex()))
    assert outcome(laptop) is Outcome.PUSHED
    laptop.write(SESSION, said("more"))
    assert outcome(laptop) is Outcome.HELD
