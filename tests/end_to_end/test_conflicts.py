"""Sessions that diverged, and what a person does about it, through the installed command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import pytest

from end_to_end.machine import SESSION, Machine, called, outcomes

NAME = called("Fix the login bug")


class ConflictView(NamedTuple):
    """One session after both machines continued it, and the laptop pushed first."""

    laptop: Machine
    desktop: Machine
    shared: bytes
    of_laptop: bytes
    of_desktop: bytes


@pytest.fixture
def diverged(laptop: Machine, desktop: Machine) -> ConflictView:
    shared = laptop.says("Fix the login bug")
    laptop.does("push")
    desktop.does("pull")
    of_laptop, of_desktop = laptop.says("on the laptop"), desktop.says("on the desktop")
    laptop.does("push")
    return ConflictView(laptop, desktop, shared, of_laptop, of_desktop)


def bundle(shared_folder: Path, machine: str) -> bytes:
    """The transcript in a machine's bundle."""
    (path,) = shared_folder.glob(f"*/*-{machine}.ccsync")
    text: str = json.loads(path.read_bytes())["transcript"]
    return text.encode("utf-8", "surrogateescape")


def in_the_vault(machine: Machine, data: bytes) -> bool:
    """Whether bytes are kept on a machine."""
    files = (machine.state / "vault").rglob("*")
    return any(path.is_file() and path.read_bytes() == data for path in files)


def test_a_conflict_touches_nothing_and_says_what_to_do(diverged: ConflictView) -> None:
    desktop = diverged.desktop
    done = desktop.run("pull")
    assert done.status == 1
    assert done.out == "Nothing to pull: 1 in conflict.\n"
    assert done.err == (
        f"claude-sync: {NAME} diverged on this machine and laptop: "
        f"choose with `claude-sync resolve {SESSION}`\n"
    )
    assert desktop.read() == diverged.of_desktop
    assert desktop.run("pull", SESSION).status == 1
    (listed,) = desktop.document("sessions")["sessions"]
    assert (listed["state"], listed["machines"]) == ("conflict", ["laptop"])
    (shown,) = desktop.document("status")["conflicts"]
    assert [
        (side["machine"], side["here"], side["lines"], side["offered"]) for side in shown["sides"]
    ] == [("desktop", True, 1, True), ("laptop", False, 1, True)]


def test_keep_mine(diverged: ConflictView, shared_folder: Path) -> None:
    assert (
        diverged.desktop.does("resolve", "3f2a", "--keep", "mine")
        == f"Pushed {NAME} → {shared_folder}\n"
    )
    assert diverged.desktop.read() == bundle(shared_folder, "desktop") == diverged.of_desktop
    assert in_the_vault(diverged.desktop, diverged.of_laptop)
    assert outcomes(diverged.laptop.document("pull")) == {SESSION: "replaced"}
    assert diverged.laptop.read() == diverged.of_desktop
    assert in_the_vault(diverged.laptop, diverged.of_laptop)


@pytest.mark.parametrize("keep", ["theirs", "laptop", "LapTop"])
def test_keep_theirs(diverged: ConflictView, keep: str) -> None:
    said = diverged.desktop.does("resolve", SESSION, "--keep", keep)
    assert said.startswith(
        f"Replaced {NAME} with laptop's; to go back: `claude-sync undo {SESSION}`"
    )
    assert f"claude --resume {SESSION}" in said
    assert diverged.desktop.read() == diverged.of_laptop
    assert in_the_vault(diverged.desktop, diverged.of_desktop)
    assert outcomes(diverged.laptop.document("pull")) == {SESSION: "unchanged"}


def test_keep_both(diverged: ConflictView) -> None:
    done = diverged.desktop.document("resolve", SESSION, "--keep", "both")
    (copy,) = [s for s, outcome in outcomes(done).items() if outcome == "pushed" and s != SESSION]
    assert diverged.desktop.sessions() == sorted([SESSION, copy])
    assert diverged.desktop.read() == diverged.of_desktop
    assert diverged.desktop.read(copy) == diverged.of_laptop
    assert outcomes(diverged.laptop.document("pull")) == {SESSION: "replaced", copy: "imported"}
    assert diverged.laptop.read(copy) == diverged.of_laptop


def test_what_cannot_be_chosen_is_said(diverged: ConflictView) -> None:
    desktop = diverged.desktop
    assert desktop.fails("resolve", SESSION, "--keep", "nobody").endswith(
        "choose mine, both, laptop"
    )
    assert desktop.misuses("resolve", SESSION) == (
        "there is no terminal to ask on: add --keep mine, theirs, MACHINE or both"
    )
    desktop.does("resolve", SESSION, "--keep", "mine")
    assert desktop.fails("resolve", SESSION, "--keep", "mine") == (
        f"that session isn't in conflict ({SESSION[:8]})"
    )
    desktop.open()
    diverged.laptop.says("once more")
    diverged.laptop.does("push", SESSION)
    assert desktop.fails("resolve", SESSION, "--keep", "theirs") == (
        f"the session can't be replaced now: open here: close it first ({SESSION[:8]})"
    )


def test_undo_brings_back_what_was_and_is_not_overruled(diverged: ConflictView) -> None:
    laptop, desktop = diverged.laptop, diverged.desktop
    desktop.does("resolve", SESSION, "--keep", "theirs")
    said = desktop.does("undo", "3f2a").splitlines()
    assert said[0] == f"{NAME} is as it was before the last pull, resolve or restore."
    assert f"claude --resume {SESSION}" in said[1]
    assert desktop.read() == diverged.of_desktop
    assert in_the_vault(desktop, diverged.of_laptop)
    assert outcomes(desktop.document("pull")) == {SESSION: "declined"}
    assert laptop.read() == diverged.of_laptop
    assert desktop.fails("undo", SESSION).startswith("no pull or resolve")
    assert outcomes(desktop.document("pull", SESSION)) == {SESSION: "replaced"}  # after all
    assert desktop.read() == diverged.of_laptop


def test_undo_says_which_copies_stay(diverged: ConflictView) -> None:
    desktop = diverged.desktop
    desktop.does("resolve", SESSION, "--keep", "both")
    (copy,) = set(desktop.sessions()) - {SESSION}
    desktop.says("more", copy)
    said = desktop.does("undo", SESSION).splitlines()
    assert said[1] == f"The copy {copy} stays: it is open here or was continued."


def test_undo_of_an_import_takes_it_away_again(laptop: Machine, desktop: Machine) -> None:
    text = laptop.says("hello")
    laptop.does("push")
    desktop.does("pull")
    assert desktop.does("undo", SESSION) == (
        f"Removed {called('hello')}, which wasn't here before the last pull.\n"
    )
    assert desktop.sessions() == []
    assert in_the_vault(desktop, text)
    passed = desktop.document("pull")
    assert set(outcomes(passed).values()) <= {"gone", "declined"}
    assert outcomes(desktop.document("pull", SESSION)) == {SESSION: "imported"}
    assert desktop.read() == text


def test_what_is_gone_here_stays_gone_until_it_is_named(laptop: Machine, desktop: Machine) -> None:
    text = laptop.says("hello")
    laptop.does("push")
    desktop.does("pull")
    desktop.path().unlink()
    assert outcomes(desktop.document("pull")) == {SESSION: "gone"}
    assert outcomes(desktop.document("push", "--all")) == {}
    (listed,) = desktop.document("sessions")["sessions"]
    assert (listed["state"], listed["path"]) == ("gone", None)
    assert desktop.document("status")["pull"] == []
    assert laptop.read() == text
    assert outcomes(desktop.document("pull", "3f2a")) == {SESSION: "imported"}
    assert desktop.read() == text


def test_forgetting_removes_a_bundle_and_pushes_no_more(
    laptop: Machine, desktop: Machine, shared_folder: Path
) -> None:
    laptop.says("hello")
    laptop.does("push")
    assert laptop.misuses("forget", SESSION) == (
        "there is no terminal to ask on: add --yes to remove without asking"
    )
    assert laptop.does("forget", SESSION, "--yes") == f"Removed 1 bundle from {shared_folder}.\n"
    assert list(shared_folder.glob("*/*.ccsync")) == []
    laptop.says("more")
    assert outcomes(laptop.document("push")) == {SESSION: "unchanged"}
    assert laptop.document("status")["push"] == []
    assert "changed, forgotten" in laptop.does("sessions")
    assert outcomes(laptop.document("push", SESSION)) == {SESSION: "pushed"}
    assert laptop.document("forget", "--older-than", "1") == {"removed": 0}
    assert desktop.fails("forget", "--machine", "nobody", "--yes").startswith(
        "no other machine of that name has bundles there (nobody)"
    )
    assert desktop.document("forget", "--machine", "Laptop", "--yes") == {"removed": 1}
    assert list(shared_folder.glob("*/*.ccsync")) == []
    assert laptop.fails("forget", SESSION, "--yes") == (
        f"this machine has no bundle of that session ({SESSION[:8]})"
    )
