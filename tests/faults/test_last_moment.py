"""What a client does in the last moment before its session is replaced: it is seen, or kept."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from claude_sync.disk import files
from claude_sync.errors import ClaudeSyncError
from claude_sync.model import Outcome, Stamp
from claude_sync.state.vault import Vault
from claude_sync.sync.pull import pull
from claude_sync.sync.tree import last_moment
from claude_sync.sync.tree.install import Installer
from machines import SESSION, PlayedMachine, World, agree, outcomes, said

Work = Callable[[PlayedMachine], Outcome]


def fast_forward(world: World) -> tuple[PlayedMachine, Work]:
    laptop, desktop = world.machines("laptop", "desktop")
    laptop.write(SESSION, said("first"))
    laptop.write_sidecar(SESSION, "tool-results/grown.txt", b"one")
    laptop.push()
    desktop.pull()
    laptop.write(SESSION, said("second"))
    laptop.write_sidecar(SESSION, "tool-results/grown.txt", b"one two")
    laptop.push()
    return desktop, lambda machine: machine.pull()[SESSION].outcome


def replacement(world: World) -> tuple[PlayedMachine, Work]:
    desktop, work = fast_forward(world)
    (laptop, _) = world.known
    work(desktop)
    laptop.write_sidecar(SESSION, "tool-results/grown.txt", b"one two three")
    laptop.begin_anew(SESSION, said("another beginning"))
    return desktop, work


def resolve(world: World) -> tuple[PlayedMachine, Work]:
    desktop, _ = fast_forward(world)
    desktop.write(SESSION, said("apart"))

    def work(machine: PlayedMachine) -> Outcome:
        return machine.resolve(SESSION, "theirs")[0].outcome

    return desktop, work


def undo(world: World) -> tuple[PlayedMachine, Work]:
    desktop, work = fast_forward(world)
    work(desktop)
    return desktop, lambda machine: machine.undo().outcome


def undo_of_an_import(world: World) -> tuple[PlayedMachine, Work]:
    desktop, _ = fast_forward(world)
    desktop.path().unlink()
    desktop.write_sidecar(SESSION, "tool-results/grown.txt", b"").unlink()
    (desktop.folder / SESSION / "tool-results").rmdir()
    (desktop.folder / SESSION).rmdir()
    desktop.pull(SESSION)
    return desktop, lambda machine: machine.undo().outcome


SCENES = [fast_forward, replacement, resolve, undo, undo_of_an_import]
scenes = pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)


def attempt(work: Work, machine: PlayedMachine) -> Outcome | ClaudeSyncError:
    try:
        return work(machine)
    except ClaudeSyncError as error:
        return error


def append(machine: PlayedMachine) -> bytes:
    return machine.write(SESSION, said("in the last moment"))


def open_it(machine: PlayedMachine) -> bytes:
    machine.open()
    return b""


def change_a_sidecar_file(machine: PlayedMachine) -> bytes:
    machine.write_sidecar(SESSION, "tool-results/grown.txt", b"rewritten")
    return b"rewritten"


def add_a_sidecar_file(machine: PlayedMachine) -> bytes:
    machine.write_sidecar(SESSION, "tool-results/new.txt", b"new")
    return b"new"


def append_late(patch: pytest.MonkeyPatch, path: Path, word: bytes) -> list[bytes]:
    """Have a client append to a file just before it is replaced or removed, for the first time.

    Returns:
        all of the file's bytes after that, once it has happened.
    """
    commit, remove = files.commit, files.remove
    found: list[bytes] = []

    def act(going: Path) -> None:
        if going == path and not found:
            with path.open("ab") as client:
                client.write(word)
            found.append(path.read_bytes())

    def commit_late(staged: files.Staged, target: Path) -> Stamp:
        act(target)
        return commit(staged, target)

    def remove_late(going: Path) -> None:
        act(going)
        remove(going)

    patch.setattr(files, "commit", commit_late)
    patch.setattr(files, "remove", remove_late)
    return found


def forbid_links(patch: pytest.MonkeyPatch) -> None:
    """Have the disk know no second names."""

    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(95, "no links here")

    patch.setattr(os, "link", refuse)


@scenes
@pytest.mark.parametrize("act", [append, open_it, change_a_sidecar_file, add_a_sidecar_file])
def test_what_happens_after_the_look_stops_the_replacement(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    scene: Callable[[World], tuple[PlayedMachine, Work]],
    act: Callable[[PlayedMachine], bytes],
) -> None:
    machine, work = scene(world)
    keep = Vault.keep
    words = []

    def keep_and_act(vault: Vault, *arguments: Any, **named: Any) -> Any:
        kept = keep(vault, *arguments, **named)
        words.append(act(machine))
        return kept

    before = machine.read()
    with monkeypatch.context() as patch:
        patch.setattr(Vault, "keep", keep_and_act)
        ending = attempt(work, machine)
    assert words, "nothing was kept"
    assert ending in (Outcome.INCOMPLETE, Outcome.OPEN) or isinstance(ending, ClaudeSyncError)
    assert machine.read().startswith(before)
    assert all(world.keeps(word) for word in words)
    assert not machine.leftovers()
    machine.close()
    if act is not append:
        assert not isinstance(attempt(work, machine), ClaudeSyncError)


@scenes
@pytest.mark.parametrize("links", [True, False], ids=["with second names", "without"])
def test_what_is_appended_even_later_is_kept(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    scene: Callable[[World], tuple[PlayedMachine, Work]],
    links: bool,
) -> None:
    machine, work = scene(world)
    with monkeypatch.context() as patch:
        words = append_late(patch, machine.path(), said("in the last moment"))
        if not links:
            forbid_links(patch)
        attempt(work, machine)
    assert words
    assert world.keeps(words[0])


@scenes
def test_where_open_files_can_not_be_replaced_their_second_name_keeps_what_is_appended(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    scene: Callable[[World], tuple[PlayedMachine, Work]],
) -> None:
    monkeypatch.setattr(last_moment, "_OPEN_FILES_CAN_BE_REPLACED", False)
    test_what_is_appended_even_later_is_kept(world, monkeypatch, scene, links=True)


@scenes
@pytest.mark.parametrize("links", [True, False], ids=["with second names", "without"])
@pytest.mark.parametrize("name", ["tool-results/grown.txt", "tool-results/new.txt"])
@pytest.mark.parametrize("way", ["append", "rewrite", "replace"])
def test_what_is_written_to_a_sidecar_file_even_later_is_kept(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    scene: Callable[[World], tuple[PlayedMachine, Work]],
    links: bool,
    name: str,
    way: str,
) -> None:
    machine, work = scene(world)
    (laptop, _) = world.known
    laptop.write_sidecar(SESSION, "tool-results/new.txt", b"from the laptop")
    laptop.push()
    target = machine.folder / SESSION / name
    words: list[bytes] = []

    def write_late() -> None:
        """What a client may do once all was looked at for the last time."""
        old = target.read_bytes() if target.exists() else b""
        word = old + b"late" if way == "append" else b"something else, late"
        if way == "replace":
            other = target.with_name("other.tmp")
            other.write_bytes(word)
            other.replace(target)
        else:
            target.write_bytes(word)
        words.append(word)

    check = Installer.check_still_same

    def check_and_write(installer: Installer, *arguments: Any) -> None:
        check(installer, *arguments)
        if not words:
            write_late()

    with monkeypatch.context() as patch:
        patch.setattr(Installer, "check_still_same", check_and_write)
        if not links:
            forbid_links(patch)
        attempt(work, machine)
    assert words
    assert world.keeps(words[0])
    assert not machine.leftovers()


@scenes
@pytest.mark.parametrize("links", [True, False], ids=["with second names", "without"])
def test_what_a_client_appends_while_a_sidecar_file_loses_its_name_is_kept(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    scene: Callable[[World], tuple[PlayedMachine, Work]],
    links: bool,
) -> None:
    machine, work = scene(world)
    with monkeypatch.context() as patch:
        words = append_late(
            patch, machine.folder / SESSION / "tool-results" / "grown.txt", b", and late"
        )
        if not links:
            forbid_links(patch)
        attempt(work, machine)
    assert words
    assert world.keeps(words[0])


def test_a_session_that_appears_meanwhile_is_not_written_over(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop, desktop = world.machines("laptop", "desktop")
    laptop.write(SESSION, said("first"))
    laptop.push()
    commit_new = files.commit_new

    def commit_late(staged: files.Staged, target: Path) -> Stamp:
        if target == desktop.path():
            desktop.rewrite(SESSION, b"mine\n")
        return commit_new(staged, target)

    with monkeypatch.context() as patch:
        patch.setattr(files, "commit_new", commit_late)
        assert outcomes(desktop.pull()) == {SESSION: Outcome.INCOMPLETE}
    assert desktop.read() == b"mine\n"
    assert not desktop.leftovers()


def test_a_bundle_that_changes_while_it_is_pulled_is_taken_whole_or_not_at_all(
    world: World,
) -> None:
    laptop, desktop = world.machines("laptop", "desktop")
    texts = {laptop.write(SESSION, said("x" * 500_000))}
    laptop.push()
    for moment in range(40):
        asked = 0

        def should_stop(moment: int = moment) -> bool:
            nonlocal asked
            if asked == moment:
                texts.add(laptop.write(SESSION, said("more")))
                laptop.push()
            asked += 1
            return False

        with desktop.at_work(should_stop) as context:
            (result,) = pull(context)
        assert result.outcome in (
            Outcome.IMPORTED,
            Outcome.UPDATED,
            Outcome.INCOMPLETE,
            Outcome.UNCHANGED,
        )
        if desktop.has():
            assert desktop.read() in texts
        if asked <= moment:
            break
    desktop.pull()
    assert agree(laptop, desktop)
