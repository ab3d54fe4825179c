"""One session as one file by hand: the same rules, and nothing is lost over it."""

from __future__ import annotations

from pathlib import Path

import pytest

from claude_sync.errors import (
    BundleCorrupt,
    BundleIncomplete,
    SessionNotFound,
    SessionUnplaced,
    UsageError,
)
from claude_sync.model import Outcome, Result
from claude_sync.sync.pack import pack, unpack
from machines import KEY, SESSION, Pair, PlayedMachine, World, agree, opened, said


def packed(machine: PlayedMachine, output: Path, session: str = SESSION) -> Path:
    with machine.at_work() as context:
        return pack(context, session, output)


def unpacked(machine: PlayedMachine, file: Path, into: Path | None = None) -> Result:
    with machine.at_work() as context:
        return unpack(context, file, into)


def test_a_file_holds_the_whole_session(world: World, tmp_path: Path) -> None:
    (laptop,) = world.machines("laptop")
    whole = laptop.write(SESSION, said("Mend the roof"))
    laptop.write_sidecar(SESSION, "tool-results/one.txt", b"one")
    path = packed(laptop, tmp_path, "0f4c")
    assert path == tmp_path / f"{SESSION}-laptop.ccsync"
    bundle = opened(path)
    assert bundle.transcript == whole
    assert bundle.sidecar == {"tool-results/one.txt": b"one"}
    assert (bundle.head.project_key, bundle.head.title) == (KEY, "Mend the roof")
    assert world.bundles() == []


def test_a_file_is_what_a_push_writes(world: World, tmp_path: Path) -> None:
    (laptop,) = world.machines("laptop")
    laptop.write(SESSION, said("Fix the roof"))
    laptop.write_sidecar(SESSION, "tool-results/one.txt", b"one")
    laptop.push()
    packed_file, pushed_file = opened(packed(laptop, tmp_path)), opened(laptop.bundle())
    assert packed_file.head._replace(pushed_at="") == pushed_file.head._replace(pushed_at="")
    assert packed_file.sidecar == pushed_file.sidecar


def test_a_file_is_replaced_only_if_it_was_named(world: World, tmp_path: Path) -> None:
    (laptop,) = world.machines("laptop")
    laptop.write(SESSION, said("first"))
    path = packed(laptop, tmp_path)
    before = path.read_bytes()
    laptop.write(SESSION, said("second"))
    whole = laptop.read()
    with pytest.raises(UsageError, match="there already"):
        packed(laptop, tmp_path)
    assert path.read_bytes() == before
    assert opened(packed(laptop, path)).transcript == whole


def test_no_set_up_is_needed(home: Path, world: World, tmp_path: Path) -> None:
    alone = PlayedMachine(world, "alone")
    alone.project.mkdir(parents=True)
    (alone.claude / "sessions").mkdir(parents=True)
    alone.write(SESSION, said(cwd=str(alone.project)))
    path = packed(alone, tmp_path / "session.ccsync")
    whole = alone.read()
    alone.path().unlink()
    assert unpacked(alone, path, alone.project).outcome is Outcome.IMPORTED
    assert alone.read() == whole


def test_what_is_packed_here_is_unpacked_there(world: World, tmp_path: Path) -> None:
    laptop, desktop = world.machines("laptop", "desktop")
    laptop.write(SESSION, said())
    laptop.write_sidecar(SESSION, "tool-results/one.txt", b"one")
    path = packed(laptop, tmp_path)
    result = unpacked(desktop, path)
    assert (result.outcome, result.directory) == (Outcome.IMPORTED, desktop.project)
    assert agree(laptop, desktop)
    assert desktop.sidecar() == laptop.sidecar()
    assert unpacked(desktop, path).outcome is Outcome.UNCHANGED


def test_it_can_be_told_where_to(world: World, tmp_path: Path) -> None:
    laptop, desktop = world.machines("laptop", "desktop")
    laptop.write(SESSION, said())
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    result = unpacked(desktop, packed(laptop, tmp_path), elsewhere)
    assert result.directory == elsewhere
    assert result.path is not None
    assert result.path.read_bytes() == laptop.read()
    assert not desktop.has()


def test_a_longer_one_is_taken_and_a_shorter_one_is_not(pair: Pair, tmp_path: Path) -> None:
    laptop, desktop = pair
    old = packed(laptop, tmp_path / "old.ccsync")
    laptop.write(SESSION, said("second"))
    new = packed(laptop, tmp_path / "new.ccsync")
    assert unpacked(desktop, new).outcome is Outcome.UPDATED
    assert unpacked(desktop, old).outcome is Outcome.AHEAD
    assert agree(laptop, desktop)


def test_one_that_went_its_own_way_is_a_conflict_and_overwrites_nothing(
    diverged: Pair, tmp_path: Path
) -> None:
    laptop, desktop = diverged
    before = desktop.read()
    result = unpacked(desktop, packed(laptop, tmp_path))
    assert result.outcome is Outcome.CONFLICT
    # Nothing of it lies in the shared folder, so there is nothing to resolve yet.
    assert "push from both into one shared folder, then" in f"{result.message} {result.todo}"
    assert desktop.read() == before


def test_ones_own_file_is_taken_back(pair: Pair, tmp_path: Path) -> None:
    laptop, _ = pair
    first = laptop.read()
    laptop.write(SESSION, said("second"))
    path = packed(laptop, tmp_path)
    whole = laptop.read()
    laptop.rewrite(SESSION, first)
    assert unpacked(laptop, path).outcome is Outcome.UPDATED
    assert laptop.read() == whole


def test_a_session_without_a_project_can_not_be_packed(world: World, tmp_path: Path) -> None:
    (laptop,) = world.machines("laptop")
    folder = laptop.claude / "projects" / "-somewhere-else"
    folder.mkdir(parents=True)
    (folder / f"{SESSION}.jsonl").write_bytes(said())
    with pytest.raises(SessionUnplaced):
        packed(laptop, tmp_path)
    with pytest.raises(SessionNotFound):
        packed(laptop, tmp_path, "nothing")


def test_what_is_no_bundle_is_refused_in_words(world: World, tmp_path: Path) -> None:
    (laptop,) = world.machines("laptop")
    laptop.write(SESSION, said())
    path = packed(laptop, tmp_path)
    whole = path.read_bytes()
    for data, error in [(whole[:-9], BundleIncomplete), (b"PK\x03\x04" * 99, BundleCorrupt)]:
        path.write_bytes(data)
        with pytest.raises(error):
            unpacked(laptop, path)
    with pytest.raises(UsageError):
        unpacked(laptop, tmp_path / "nothing.ccsync")
    (tmp_path / "other.txt").write_bytes(whole)
    with pytest.raises(UsageError):
        unpacked(laptop, tmp_path / "other.txt")


def test_a_place_that_can_not_be_written_is_said(world: World, tmp_path: Path) -> None:
    (laptop,) = world.machines("laptop")
    laptop.write(SESSION, said())
    with pytest.raises(UsageError):
        packed(laptop, tmp_path / "nowhere" / "x.ccsync")
