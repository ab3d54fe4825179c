"""A session that lost something, and what a person does about it, through the installed command."""

from __future__ import annotations

from pathlib import Path

import pytest

from end_to_end.machine import OTHER, SESSION, Machine, called, outcomes
from end_to_end.terminal import on_terminal


@pytest.fixture
def whole(laptop: Machine) -> bytes:
    """Three turns that were pushed, of which only something new is left."""
    for text in ("one", "two", "three"):
        said = laptop.says(text)
    laptop.does("push")
    laptop.path().unlink()
    laptop.says("the newest turn only")
    return said


def test_what_is_missing_is_said_everywhere_and_goes_nowhere(
    laptop: Machine, whole: bytes, shared_folder: Path
) -> None:
    (bundle,) = shared_folder.glob("*/*.ccsync")
    before = bundle.read_bytes()
    lost = "3 turns that were here are no longer in its file"
    for arguments in ([], [SESSION]):
        done = laptop.run("push", *arguments)
        assert done.status == 1
        assert f"{lost}: `claude-sync restore {SESSION}` shows what can be brought back" in done.err
    assert outcomes(laptop.run("push", "--json").document) == {SESSION: "shortened"}
    assert bundle.read_bytes() == before
    assert "conflict: laptop, shortened" in laptop.does("status")
    assert lost in laptop.does("doctor")
    (listed,) = laptop.document("sessions")["sessions"]
    assert (listed["state"], listed["shortened"]) == ("conflict", True)
    (listed,) = laptop.document("restore")["sessions"]
    assert (listed["shortened"], listed["versions"], listed["kept"]) == (True, 0, None)


def test_one_command_brings_it_back(laptop: Machine, desktop: Machine, whole: bytes) -> None:
    listed = laptop.does("restore", SESSION, "--list").split("\t")
    assert listed[0] == "1"
    assert listed[2] == "3"
    assert listed[4] == "laptop"
    done = laptop.does("restore", SESSION, "--version", "1")
    assert f"{called('one')} is as it was" in done
    assert f"claude --resume {SESSION}" in done
    assert laptop.read() == whole
    desktop.does("pull")
    assert desktop.read() == whole
    (left,) = laptop.document("restore", SESSION, "--list")["versions"]
    assert (left["turns"], left["machine"], left["reason"]) == (1, None, "restore")
    assert [one["session_id"] for one in laptop.document("restore")["sessions"]] == [SESSION]
    assert SESSION in laptop.run("restore").out
    back = laptop.document("restore", SESSION, "--version", left["sha256"][:8])
    assert outcomes(back) == {SESSION: "pushed"}


def test_on_a_terminal_it_asks_which(laptop: Machine, whole: bytes) -> None:
    seen = on_terminal(laptop, "restore", SESSION, answers=[("] ", "7\n"), ("] ", "\n")])
    assert (seen.status, "no version is called that" in seen.text) == (1, True)
    assert laptop.read() != whole
    seen = on_terminal(laptop, "restore", SESSION, answers=[("] ", "1\n")])
    assert seen.status == 0, seen.text
    assert laptop.read() == whole


def test_what_can_not_be_is_said(laptop: Machine, whole: bytes) -> None:
    laptop.says("another", OTHER)
    assert "no earlier version" in laptop.fails("restore", OTHER, "--version", "1")
    assert "no terminal to ask on" in laptop.misuses("restore", SESSION)
    assert "--version needs a session" in laptop.misuses("restore", "--version", "1")
    for version in ("0", "2", "x", "00000", "ffffffffffff"):
        assert "no version is called that" in laptop.fails("restore", SESSION, "--version", version)
    assert laptop.read() != whole
