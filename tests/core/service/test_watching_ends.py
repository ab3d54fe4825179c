"""How watching ends: at a signal, whatever hangs for however long, with nothing left running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from capabilities import require_posix
from claude_sync.state import preferences
from machines import OTHER, SESSION, PlayedMachine, World, said
from waiting import PATIENCE_SECONDS, until

HANGING_PACKAGE = """
import os, time

class Hanging:
    location, label, remote = "hang://there", "there", False

    def list_files(self, known=None):
        open(os.environ["HANGS"], "w").close()
        while True:
            time.sleep(60)

    def interrupt(self):
        pass

    def close(self):
        pass

def open_hanging(location, ssh_command):
    return Hanging()
"""


@pytest.fixture
def laptop(home: Path) -> PlayedMachine:
    """A machine in the process's home, where a program that is started finds all by itself."""
    from claude_sync.state.paths import paths

    machine = PlayedMachine(World(home.parent / f"{home.name}-world"), "laptop")
    machine.home, machine.paths, machine.claude = home, paths(), home / ".claude"
    machine.project = home / "app"
    machine.set_up()
    machine.folder.mkdir(parents=True)
    return machine


@contextmanager
def watching(*options: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "claude_sync_app", "watch", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def ended_by(process: subprocess.Popen[str], number: signal.Signals) -> str:
    require_posix("signals that ask a process to end")
    process.send_signal(number)
    words, _ = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 130
    return words


def end(process: subprocess.Popen[str]) -> None:
    """End a process; on Windows that kills it."""
    process.terminate()
    process.communicate(timeout=PATIENCE_SECONDS)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it(laptop: PlayedMachine, number: signal.Signals) -> None:
    laptop.write(SESSION, said())
    with watching() as process:
        assert process.stdout is not None
        lines = iter(process.stdout.readline, "")
        words = next(lines)
        while SESSION[:8] not in words:
            words += next(lines)
        words += ended_by(process, number)
    assert "Watching. Sessions are shared through" in words
    assert f"Pushed {SESSION[:8]}" in words
    assert "Traceback" not in words


def test_a_signal_ends_it_while_ssh_hangs_and_ssh_with_it(
    laptop: PlayedMachine, tmp_path: Path
) -> None:
    ssh = tmp_path / "ssh"
    ssh.write_text(f"#!/bin/sh\necho $$ > '{tmp_path}/pid'\nexec sleep 3600\n")
    ssh.chmod(0o755)
    preferences.change(laptop.paths, location="ssh://nowhere.example/store", ssh_command=[str(ssh)])
    with watching() as process:
        until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
        ended_by(process, signal.SIGTERM)
    pid = int((tmp_path / "pid").read_text())
    until(lambda: not psutil.pid_exists(pid))


def test_a_signal_ends_it_while_a_folder_call_hangs(
    laptop: PlayedMachine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "hanging"
    metadata = package / "hanging-1.0.dist-info"
    metadata.mkdir(parents=True)
    (package / "hanging.py").write_text(HANGING_PACKAGE)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: hanging\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(
        "[claude_sync.transports]\nhang = hanging:open_hanging\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{package}{os.pathsep}{os.environ['PYTHONPATH']}")
    monkeypatch.setenv("HANGS", str(tmp_path / "hangs"))
    preferences.change(laptop.paths, location="hang://there")
    with watching() as process:
        until((tmp_path / "hangs").exists)
        ended_by(process, signal.SIGTERM)


def test_the_first_line_says_that_it_watches(laptop: PlayedMachine) -> None:
    desktop = laptop.world.machine("desktop")
    desktop.write(SESSION, said())
    desktop.push()
    with watching() as process:
        words = words_up_to(process, f"Imported {SESSION[:8]}")
        ended_by(process, signal.SIGTERM)
    assert words.startswith("Watching. ")


def test_a_second_one_says_who_watches(laptop: PlayedMachine) -> None:
    with watching() as first:
        until(lambda: laptop.paths.service_lock_file.exists())
        until(lambda: b"watching" in laptop.paths.service_lock_file.read_bytes())
        with watching() as second:
            words, _ = second.communicate(timeout=PATIENCE_SECONDS)
        assert second.returncode == 1
        assert f"pid {first.pid}" in words
        end(first)
    # A lock dies with its process, however that ends.
    with watching() as killed:
        until(lambda: str(killed.pid).encode() in laptop.paths.service_lock_file.read_bytes())
        killed.kill()
        killed.wait()
    with watching() as again:
        until(lambda: str(again.pid).encode() in laptop.paths.service_lock_file.read_bytes())
        end(again)


def test_a_second_folder_of_claude_code_has_a_watching_of_its_own(
    laptop: PlayedMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop.write(SESSION, said("private"))
    with watching() as private:
        first_words = words_up_to(private, f"Pushed {SESSION[:8]}")
        laptop.claude = laptop.home / ".claude-work"
        (laptop.claude / "sessions").mkdir(parents=True)
        monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(laptop.claude))
        laptop.write(OTHER, said("at work"))
        with watching() as work:
            words_up_to(work, f"Pushed {OTHER[:8]}")
            # What the one pushed is what arrives at the other, as on two machines.
            words_up_to(private, f"Imported {OTHER[:8]}")
            with watching() as third:
                words, _ = third.communicate(timeout=PATIENCE_SECONDS)
            assert third.returncode == 1
            assert f"pid {work.pid}" in words
            end(work)
        assert private.poll() is None
        end(private)
    assert OTHER[:8] not in first_words


def words_up_to(process: subprocess.Popen[str], wanted: str) -> str:
    """What was printed up to a line that holds something."""
    assert process.stdout is not None
    words = ""
    for line in iter(process.stdout.readline, ""):
        words += line
        if wanted in line:
            return words
    raise AssertionError(f"it ended without {wanted!r}: {words}")


def test_an_interval_that_is_none_is_wrong_usage(laptop: PlayedMachine) -> None:
    for wrong in ("0", "-1", "nan", "soon"):
        with watching("--interval", wrong) as process:
            process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == 2
