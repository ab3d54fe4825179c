"""The command as a process among others: pipes, signals, streams and locales of POSIX."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import psutil
import pytest

from claude_sync.disk.locks import Lock
from end_to_end.machine import (
    COMMAND,
    SESSION,
    Done,
    Machine,
    interrupt,
    one_sentence,
    outcomes,
)
from waiting import until


def in_a_shell(machine: Machine, script: str, *arguments: str) -> Done:
    """Run a line of a POSIX shell, in which "$0" is the command."""
    done = subprocess.run(
        ["sh", "-c", script, COMMAND, *arguments],
        cwd=machine.project,
        env=machine.environment(),
        capture_output=True,
        timeout=60,
    )
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.mark.parametrize(
    "typed", ["sessions", "config set recent_limit 5", "init place", "autostart enable", "tray"]
)
def test_without_a_home_directory_nothing_is_made_and_why_is_said(
    laptop: Machine, tmp_path: Path, typed: str
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    # A command that continued all the same would write here, and not in the root of the disk.
    variables = ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "CLAUDE_CONFIG_DIR")
    environment = {"HOME": "", **{name: str(elsewhere / name) for name in variables}}
    done = laptop.run(*typed.split(), cwd=elsewhere, environment=environment)
    assert done.status in (1, 2)
    assert one_sentence(done) == (
        "this user's home directory isn't known, for HOME is empty: set HOME to it"
    )
    assert list(elsewhere.iterdir()) == []


def test_a_reader_that_goes_away_is_no_error(laptop: Machine) -> None:
    for number in range(400):
        laptop.says("x" * 200, f"{number:08d}-0000-4000-8000-000000000000")
    process = laptop.start("sessions")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.read(1)
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(60) == 0


def test_closed_streams_are_no_error(laptop: Machine) -> None:
    laptop.says("hello")
    for closed in (">&-", "2>&-", ">&- 2>&- <&-"):
        done = in_a_shell(laptop, f'exec "$0" push {closed}')
        assert (done.status, done.err) == (0, ""), closed


def test_output_that_cannot_be_written_is_said(laptop: Machine) -> None:
    for command in ("help", "config", "--version"):
        done = in_a_shell(laptop, 'ulimit -f 0; exec "$0" "$1" >out', command)
        assert done.status == 1, (command, done)
        assert done.err == "claude-sync: the system reported an error: File too large\n", command


def test_a_directory_that_was_removed_under_us(laptop: Machine) -> None:
    for command, status in (("push", 2), ("push --all", 0), ("status", 0), ("--version", 0)):
        done = in_a_shell(
            laptop, 'mkdir x && cd x && rmdir "$PWD" && exec "$0" "$@"', *command.split()
        )
        assert done.status == status, (command, done)
        assert done.err.count("\n") == (status != 0), done


def test_names_of_directories_never_reach_the_terminal_as_commands(
    new_laptop: Machine, tmp_path: Path
) -> None:
    shared_folder = tmp_path / "a\x1b[2Jplace\u202e"
    project = new_laptop.home / "x\x1b]0;y\x07\nz"
    new_laptop.project.rename(project)
    new_laptop.project = project
    new_laptop.says("hello")
    said = new_laptop.does("init", shared_folder, "--name", "laptop")
    said += new_laptop.does("push") + new_laptop.does("projects") + new_laptop.does("status")
    new_laptop.path().unlink()
    said += new_laptop.does("pull", SESSION)
    assert not set("\x1b\x07\u202e") & set(said)
    assert "a[2Jplace" in said
    assert f"then: claude --resume {SESSION}" in said


# --- being interrupted -------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_waiting_for_another_ends_at_once(laptop: Machine, number: signal.Signals) -> None:
    laptop.says("hello")
    with Lock(laptop.state / "lock", "testing"):
        process = laptop.start("push")
        records = os.path.realpath(laptop.state / "records")
        opened = psutil.Process(process.pid)
        until(lambda: any(file.path.startswith(records) for file in opened.open_files()))
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, b"")
    assert err == b"claude-sync: stopped while waiting for another claude-sync\n"
    assert outcomes(laptop.document("push")) == {SESSION: "pushed"}


def test_a_push_that_is_interrupted_leaves_nothing_half_done(
    laptop: Machine, shared_folder: Path
) -> None:
    path = laptop.path()
    laptop.says("the beginning of a long session")
    with path.open("ab") as file:
        for _ in range(240):  # long enough that the signal comes in the midst of it
            file.write(
                b'{"type":"progress","text":"' + os.urandom(500_000).hex().encode() + b'"}\n'
            )
    process = laptop.start("push")
    until(lambda: list(shared_folder.glob("*/.ccsync-*")))
    done = interrupt(process)
    assert (done.status, done.out) == (130, "")
    assert done.err == (
        "claude-sync: stopped before it was done: nothing is half done; run it again\n"
    )
    assert [one for one in shared_folder.rglob("*") if one.suffix == ".ccsync"] == []
    assert list(shared_folder.rglob(".ccsync-*.tmp")) == []
    assert outcomes(laptop.document("push")) == {SESSION: "pushed"}


# --- what a terminal can't show ----------------------------------------------------------------


def test_an_encoding_that_knows_few_characters_is_no_hindrance(
    tmp_path: Path, shared_folder: Path
) -> None:
    machine = Machine(tmp_path / "Bücher 😀", "git@github.com:you/app.git", "Änderungen")
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    machine.does("init", shared_folder, "--name", "books", environment=plain)
    machine.says("Straße 😀")
    pushed = machine.does("push", environment=plain)
    assert pushed == f"Pushed ?Stra?e ?? ({SESSION[:8]}) ? {shared_folder}\n"
    assert "Stra?e ?" in machine.does("sessions", environment=plain)
    assert machine.document("sessions")["sessions"][0]["title"] == "Straße 😀"
    again = Machine(tmp_path / "größer", "git@github.com:you/app.git", "Übung")
    again.does("init", shared_folder, "--name", "bigger", environment=plain)
    said = again.does("pull", environment=plain)
    assert again.read() == machine.read()
    assert "claude --resume" in said


def test_nothing_of_the_current_directory_is_run_in_any_locale(laptop: Machine) -> None:
    for name in ("claude_sync_app", "rich", "json"):
        (laptop.project / name).mkdir()
        (laptop.project / name / "__init__.py").write_text("raise SystemExit('not of ours')\n")
    for locale in ({}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}):
        assert "Nothing to push" in laptop.does("status", environment=locale)
