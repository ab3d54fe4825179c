"""The clipboard, and programs that open things, on a display of the test's own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import psutil
import pytest

from claude_sync_app.desktop import clipboard, launching, opening
from claude_sync_app.desktop.launching import DesktopError, start
from programs import require
from waiting import PATIENCE_SECONDS, until


def test_a_line_is_copied_as_it_is(display: str) -> None:
    require("xclip")
    line = "cd '/tmp/a'\"'\"'b;$(touch x)' && claude --resume 1 — é 😀"
    assert clipboard.copy_text(line)
    pasted = subprocess.run(
        ["xclip", "-selection", "clipboard", "-out"],
        capture_output=True,
        timeout=PATIENCE_SECONDS,
        check=True,
    )
    assert pasted.stdout.decode() == line


def test_without_a_display_nothing_is_copied_and_that_is_said() -> None:
    assert clipboard.copy_text("x") is False


def test_wayland_comes_first_and_x_is_there_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("wl-copy", "xclip", "xsel"):
        (tmp_path / name).write_text("")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    both = {"WAYLAND_DISPLAY": "wayland-0", "DISPLAY": ":0"}
    assert [c[0] for c in clipboard.commands("linux", both)] == ["wl-copy", "xclip", "xsel"]
    assert clipboard.commands("linux", {}) == []


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the program that opens things was given."""
    log = tmp_path / "opened"
    program = tmp_path / "bin" / "xdg-open"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\nprintf '%s\\n' \"$@\" >> '{log}'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    return log


def test_a_folder_of_any_name_is_opened(opened: Path, tmp_path: Path) -> None:
    folder = tmp_path / "-a'b\"c;$(touch x)&<b>"
    folder.mkdir()
    opening.open_path(folder)
    assert opened.read_text().splitlines() == [str(folder)]


def test_what_is_not_there_is_not_opened(opened: Path, tmp_path: Path) -> None:
    with pytest.raises(DesktopError, match="isn't there any more"):
        opening.open_path(tmp_path / "gone")
    assert not opened.exists()


def test_a_program_that_lives_on_is_put_to_rest_when_it_has_ended(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    start(["cat", str(gate)])
    (program,) = launching._running
    gate.write_text("")
    until(lambda: psutil.Process(program.pid).status() == psutil.STATUS_ZOMBIE)
    start(["true"])
    assert launching._running == []
    assert not psutil.pid_exists(program.pid)


def test_a_program_that_is_missing_or_fails_at_once_is_said(tmp_path: Path) -> None:
    with pytest.raises(DesktopError, match="missing can't be started"):
        start([str(tmp_path / "missing")])
    with pytest.raises(DesktopError, match="sh ended with status 3"):
        start(["/bin/sh", "-c", "exit 3"])


def test_each_system_has_a_program_that_opens_things() -> None:
    assert (opening.opener("linux"), opening.opener("darwin")) == ("xdg-open", "open")
