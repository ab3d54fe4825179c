"""How the window is opened: by whom, in which program, and without others seeing how to get in."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from claude_sync.errors import ClaudeSyncError
from claude_sync.service.service import Service
from claude_sync_app.desktop.app_windows import folder_it_can_read, linux, macos, windows
from claude_sync_app.desktop.browser import folder_of_snap
from claude_sync_app.window.opening import Window
from desktop.programs import install
from desktop.tray_program import TrayMachine
from machines import PlayedMachine, World
from programs import require
from services import prepare, serving
from waiting import PATIENCE_SECONDS, until
from window.test_server import Caller

NOTES_ALL = '#!/bin/sh\nprintf "%s\\n" "$@" > {notes}.part\nmv {notes}.part {notes}\n{end}\n'


def noted(path: Path) -> list[str]:
    """The arguments that a program took note of, once it has."""
    until(path.exists)
    return path.read_text().splitlines()


def test_a_browser_is_told_how_to_get_in_where_only_this_user_can_read_it(
    window: Window, laptop: PlayedMachine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = tmp_path / "notes"
    install(tmp_path, monkeypatch, "google-chrome", NOTES_ALL.format(notes=notes, end="exit 0"))
    window.open("doctor")
    (argument,) = noted(notes)
    assert argument.startswith("--app=file://")
    page = Path(argument.removeprefix("--app=file://"))
    assert page.stat().st_mode & 0o777 == 0o600
    assert page.parent.stat().st_mode & 0o777 == 0o700
    address = page.read_text().partition("url=")[2].partition('"')[0]
    assert address.partition("#")[2] not in argument
    caller = Caller(address)
    assert caller.ask("GET", f"{caller.enter()}/doctor")[0] == 200
    window.close()
    assert not page.exists()


def test_where_such_a_browser_does_not_start_the_usual_one_opens_it(
    window: Window, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = tmp_path / "notes"
    for name in linux.candidates({}):
        install(tmp_path, monkeypatch, name, "#!/bin/sh\nexit 1\n")
    install(tmp_path, monkeypatch, "xdg-open", NOTES_ALL.format(notes=notes, end="exit 0"))
    window.open()
    (argument,) = noted(notes)
    assert Path(argument).read_text().count("http://127.0.0.1:") == 2


def test_browsers_are_looked_for_where_each_system_has_them(tmp_path: Path) -> None:
    found = windows.candidates({"ProgramFiles": r"C:\Program Files", "LOCALAPPDATA": r"C:\me"})
    assert r"C:\Program Files\Microsoft\Edge\Application\msedge.exe" in found
    assert r"C:\me\Google\Chrome\Application\chrome.exe" in found
    found = macos.candidates({"HOME": "/Users/me"})
    assert "/Users/me/Applications/Chromium.app/Contents/MacOS/Chromium" in found
    assert folder_it_can_read("/opt/google/chrome", tmp_path) is None
    assert folder_of_snap(tmp_path, "chromium").is_relative_to(tmp_path / "snap" / "chromium")


# --- the command -------------------------------------------------------------------------------


@pytest.fixture
def fresh(world: World) -> TrayMachine:
    """A machine whose programs find its claude-sync, set up with a shared folder."""
    require("git")
    machine = TrayMachine(world, "laptop")
    machine.set_up()
    prepare(machine)
    return machine


@pytest.fixture
def command(fresh: TrayMachine) -> Iterator[subprocess.Popen[bytes]]:
    """`claude-sync open --print` on it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "claude_sync_app", "open", "--print"],
        env={**os.environ, **fresh.environment},
        stdout=subprocess.PIPE,
    )
    yield process
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    assert process.wait() in (0, 130)
    assert process.stdout is not None
    process.stdout.close()


def said_by(process: subprocess.Popen[bytes]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().decode().strip()


def test_without_an_icon_the_command_serves_the_window_itself_and_a_second_one_asks_the_first(
    command: subprocess.Popen[bytes], fresh: TrayMachine
) -> None:
    first = Caller(said_by(command))
    assert first.ask("GET", f"{first.enter()}/sessions")[0] == 200
    assert command.poll() is None
    again = subprocess.run(
        [sys.executable, "-m", "claude_sync_app", "open", "--print"],
        env={**os.environ, **fresh.environment},
        capture_output=True,
        check=True,
    )
    second = Caller(again.stdout.decode().strip())
    assert second.host == first.host
    assert second.token != first.token
    assert second.ask("GET", f"{second.enter()}/sessions")[0] == 200


def test_where_no_browser_opens_the_address_can_be_had(fresh: TrayMachine, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "claude_sync_app", "open"],
        env={**os.environ, **fresh.environment, "PATH": str(tmp_path)},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1
    assert b"claude-sync open --print" in done.stderr


def test_a_service_without_a_window_is_named(fresh: TrayMachine) -> None:
    with serving(fresh):
        done = subprocess.run(
            [sys.executable, "-m", "claude_sync_app", "open"],
            env={**os.environ, **fresh.environment},
            capture_output=True,
            check=False,
        )
    assert done.returncode == 1
    assert b"has no window" in done.stderr


class HeldUp:
    """A service whose window's server gets no further than its port, until it is let go."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self.let_go = threading.Event()

    def __getattr__(self, name: str) -> object:
        if threading.current_thread().name == "claude-sync window":
            self.let_go.wait(PATIENCE_SECONDS)
        return getattr(self._service, name)


def test_an_address_is_there_before_its_server_which_answers_whoever_came_meanwhile(
    service: Service,
) -> None:
    held_up = HeldUp(service)
    window = Window(lambda: cast("Service", held_up))
    try:
        caller = Caller(window.address_if_any("doctor"))
        host, _, port = caller.host.partition(":")
        with socket.create_connection((host, int(port)), PATIENCE_SECONDS) as early:
            early.sendall(f"GET / HTTP/1.1\r\nHost: {caller.host}\r\n\r\n".encode())
            held_up.let_go.set()
            assert early.recv(12) == b"HTTP/1.1 200"
        window.wait_until_ready()
        assert caller.enter()
    finally:
        held_up.let_go.set()
        window.close()
    assert window.address_if_any("doctor") == ""


def test_who_opens_a_window_whose_server_does_not_start_is_told(
    window: Window, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, laptop: PlayedMachine
) -> None:
    install(tmp_path, monkeypatch, "google-chrome", "#!/bin/sh\nexit 0\n")
    # As where a package of the system is broken.
    monkeypatch.setitem(sys.modules, "claude_sync_app.window.serving", None)
    with pytest.raises(ClaudeSyncError, match="server has ended"):
        window.open()
    assert "window: claude_sync_app.window.server met ModuleNotFoundError" in until(
        laptop.paths.log_file.read_text
    )
    monkeypatch.undo()
    assert Caller(window.address()).enter()
