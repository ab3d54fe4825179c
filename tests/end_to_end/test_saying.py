"""How the command speaks: exit statuses, one-sentence errors, pipes, signals, encodings."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from claude_sync import __version__
from claude_sync.locks import Lock
from end_to_end.machine import COMMAND, SESSION, Machine, interrupt, outcomes


def test_help_and_version_say_what_they_should(new_laptop: Machine) -> None:
    assert new_laptop.does("--version") == f"claude-sync {__version__}\n"
    overview = new_laptop.does()
    assert overview == new_laptop.does("help") == new_laptop.does("--help")
    assert max(map(len, overview.splitlines())) <= 80
    names = [line.split()[0] for line in overview.splitlines() if line.startswith("  ")]
    for name in ("push", "pull", "status", "sessions", "resolve", "undo", "init", "forget"):
        assert name in names
        told = new_laptop.does(name, "--help")
        assert told == new_laptop.does("help", name)
        assert f"claude-sync {name} " in told
        assert max(map(len, told.splitlines())) <= 100, name
        assert "\n\n\n" not in told
        assert " \n" not in told


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("puhs", "there is no command 'puhs': did you mean `claude-sync push`?"),
        ("xyz", "there is no command 'xyz': see `claude-sync help`"),
        (
            "--all push",
            "there is no option --all here: options come after a command, see `claude-sync help`",
        ),
        ("push --al", "unrecognized arguments: --al: see `claude-sync push --help`"),
        ("undo", "the following arguments are required: SESSION: see `claude-sync undo --help`"),
        (
            "sessions --limit -1",
            "argument --limit: '-1' is no whole number: see `claude-sync sessions --help`",
        ),
        (
            "forget --older-than soon",
            "argument --older-than: 'soon' is no number of days: see `claude-sync forget --help`",
        ),
        (
            "push 3f --all",
            "sessions were named, and a project or all of them too: choose one way",
        ),
        ("push --project nowhere", "there is no such directory (nowhere): mend --project"),
    ],
)
def test_wrong_usage_is_one_sentence(new_laptop: Machine, arguments: str, sentence: str) -> None:
    assert new_laptop.misuses(*arguments.split()) == sentence


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


# --- being interrupted -------------------------------------------------------------------------


def state_of(machine: Machine) -> Path:
    return machine.home / ".local" / "state" / "claude-sync"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_waiting_for_another_ends_at_once(laptop: Machine, number: signal.Signals) -> None:
    laptop.says("hello")
    with Lock(state_of(laptop) / "lock", "testing"):
        process = laptop.start("push")
        wait_until_it_handles(process.pid, number)
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (130, b"")
    assert err == b"claude-sync: stopped while waiting for another claude-sync\n"
    assert outcomes(laptop.document("push")) == {SESSION: "pushed"}


def wait_until_it_handles(pid: int, number: signal.Signals) -> None:
    """Poll until a process has a handler of its own for a signal, one that was set after start."""
    end = time.monotonic() + 20
    mask = 1 << (number - 1)
    while time.monotonic() < end:
        status = Path(f"/proc/{pid}/status").read_text()
        (caught,) = [line.split()[1] for line in status.splitlines() if line.startswith("SigCgt")]
        both = mask | 1 << (signal.SIGTERM - 1)
        if int(caught, 16) & both == both:
            return
        time.sleep(0.005)
    raise AssertionError("it never listened")


def test_a_push_that_is_interrupted_leaves_nothing_half_done(laptop: Machine, place: Path) -> None:
    path = laptop.path()
    laptop.says("the beginning of a long session")
    with path.open("ab") as file:
        for _ in range(60):
            file.write(
                b'{"type":"progress","text":"' + os.urandom(500_000).hex().encode() + b'"}\n'
            )
    process = laptop.start("push")
    end = time.monotonic() + 30
    while not list(place.glob("*/.ccsync-*")) and time.monotonic() < end:
        time.sleep(0.001)
    done = interrupt(process)
    assert (done.status, done.out) == (130, "")
    assert done.err == (
        "claude-sync: stopped before it was done: nothing is half done; run it again\n"
    )
    assert [one for one in place.rglob("*") if one.suffix == ".ccsync"] == []
    assert list(place.rglob(".ccsync-*.tmp")) == []
    assert outcomes(laptop.document("push")) == {SESSION: "pushed"}


def test_two_at_once_both_come_to_their_end(laptop: Machine) -> None:
    for number in range(20):
        laptop.says("x", f"{number:08d}-0000-4000-8000-000000000000")
    processes = [laptop.start("push", "--all", "--json") for _ in range(3)]
    said = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert [err for _, err in said] == [b"", b"", b""]
    assert sum(out.count(b'"outcome": "pushed"') for out, _ in said) == 20


# --- what a terminal can't show ----------------------------------------------------------------


def test_an_encoding_that_knows_few_characters_is_no_hindrance(tmp_path: Path, place: Path) -> None:
    machine = Machine(tmp_path / "Bücher 😀", "git@github.com:you/app.git", "Änderungen")
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    machine.does("init", place, "--name", "books", environment=plain)
    machine.says("Straße 😀")
    pushed = machine.does("push", environment=plain)
    assert pushed == f"Pushed {SESSION} ? {place}\n"
    assert "Stra?e ?" in machine.does("sessions", environment=plain)
    assert machine.document("sessions")["sessions"][0]["title"] == "Straße 😀"
    again = Machine(tmp_path / "größer", "git@github.com:you/app.git", "Übung")
    again.does("init", place, "--name", "bigger", environment=plain)
    said = again.does("pull", environment=plain)
    assert again.read() == machine.read()
    assert "claude --resume" in said


def test_what_others_wrote_never_reaches_the_terminal_as_commands(
    laptop: Machine, desktop: Machine
) -> None:
    evil = "\x1b]0;title\x07\x1b[2J\u202eevil\u2066\x9b31m\r\nsecond"
    laptop.says(evil)
    shown = [laptop.does("sessions"), laptop.does("status")]
    laptop.does("push")
    for said in (*shown, desktop.does("sessions"), desktop.does("status")):
        assert "evil" in said
        assert not set("\x1b\x07\u202e\u2066\x9b\r") & set(said)
        assert len([line for line in said.splitlines() if "evil" in line]) == 1


def test_closed_streams_are_no_error(laptop: Machine) -> None:
    laptop.says("hello")
    for closed in (">&-", "2>&-", ">&- 2>&- <&-"):
        done = subprocess.run(
            ["sh", "-c", f'exec "$0" push {closed}', COMMAND],
            cwd=laptop.project,
            env=laptop.environment(),
            timeout=60,
            capture_output=True,
        )
        assert (done.returncode, done.stderr) == (0, b""), closed


def test_a_full_disk_behind_stdout_is_said(laptop: Machine) -> None:
    laptop.says("hello")
    done = subprocess.run(
        ["sh", "-c", 'exec "$0" push >/dev/full', COMMAND],
        cwd=laptop.project,
        env=laptop.environment(),
        timeout=60,
        capture_output=True,
    )
    assert done.returncode == 1
    assert done.stderr.decode().startswith("claude-sync: the system refused something: No space")


def test_a_directory_that_was_removed_under_us(laptop: Machine) -> None:
    gone = laptop.home / "gone"
    gone.mkdir()
    script = f'cd "{gone}" && rmdir "{gone}" && exec "$0" "$@"'
    for command, status in (("push", 2), ("push --all", 0), ("status", 0), ("--version", 0)):
        done = subprocess.run(
            ["sh", "-c", script, COMMAND, *command.split()],
            env=laptop.environment(),
            timeout=60,
            capture_output=True,
        )
        assert done.returncode == status, (command, done)
        assert done.stderr.count(b"\n") == (status != 0)
        gone.mkdir()
