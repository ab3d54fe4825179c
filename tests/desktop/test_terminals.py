"""Resume in terminal: a real xterm on a display of the test's own."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from claude_sync_app.desktop import terminals
from claude_sync_app.desktop.launching import DesktopError
from claude_sync_app.desktop.terminals import linux, macos, windows
from programs import require
from waiting import until

NASTY = "a'b\"c;$(touch x)&<b>"
SESSION = "3f0c1a52-7a1e-4a77-9d5e-000000000001"

_CLAUDE = """\
#!{python}
import json, os, sys
with open({log!r} + ".new", "w") as file:
    json.dump([sys.argv[1:], os.getcwd(), sys.stdin.isatty()], file)
os.rename({log!r} + ".new", {log!r})
"""


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a `claude` on the PATH was started with, in an xterm."""
    require("xterm")
    log = tmp_path / "log"
    programs = tmp_path / "bin"
    programs.mkdir()
    claude = programs / "claude"
    claude.write_text(_CLAUDE.format(python=sys.executable, log=str(log)))
    claude.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    return log


def _quit_shell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str = "bash") -> None:
    """A shell of the user's that runs what it is given and ends where it would wait for keys."""
    shell = tmp_path / name
    shell.write_text('#!/bin/sh\n[ "$2" = -c ] && exec /bin/bash "$@"\nexit 0\n')
    shell.chmod(0o755)
    monkeypatch.setenv("SHELL", str(shell))


@pytest.mark.parametrize("shell", ["bash", "nushell"])
def test_a_terminal_opens_in_the_folder_and_resumes_the_session(
    display: str, log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shell: str
) -> None:
    _quit_shell(monkeypatch, tmp_path, shell)
    folder = tmp_path / NASTY
    folder.mkdir()
    terminals.run_claude(folder, SESSION, "xterm")
    arguments, where, is_terminal = json.loads(
        until(lambda: log.read_text() if log.exists() else "")
    )
    assert arguments == ["--resume", SESSION]
    assert Path(where) == folder
    assert is_terminal
    assert not (folder / "x").exists()


def test_the_preference_may_hold_arguments_that_are_never_split(
    display: str, log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _quit_shell(monkeypatch, tmp_path)
    terminals.run_claude(tmp_path, SESSION, ["xterm", "-T", "a title; touch x", "-e"])
    until(log.exists)


def test_the_client_is_told_what_it_is_to_be_told(
    display: str, log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _quit_shell(monkeypatch, tmp_path)
    options = ("--permission-mode", "default")
    terminals.run_claude(tmp_path, SESSION, "xterm", options)
    arguments, _, _ = json.loads(until(lambda: log.read_text() if log.exists() else ""))
    assert arguments == ["--resume", SESSION, *options]
    for wrong in ("$(touch x)", "a b", "--x;y", "'", ""):
        with pytest.raises(DesktopError, match="such options"):
            terminals.run_claude(tmp_path, SESSION, "xterm", (wrong,))
    launch = macos.launch(Path("/p"), SESSION, (), {}, options)
    assert launch is not None
    assert sum('& " --permission-mode default"' in one for one in launch.arguments) == 1
    launch = windows.launch(Path("/p"), SESSION, (), options, find=lambda name: name)
    assert launch is not None
    assert launch.arguments[-4:] == ("--resume", SESSION, *options)


def test_what_can_not_be_resumed_is_said(tmp_path: Path, display: str) -> None:
    with pytest.raises(DesktopError, match="its folder isn't there"):
        terminals.run_claude(tmp_path / "gone", SESSION)
    with pytest.raises(DesktopError, match="never resumed"):
        terminals.run_claude(tmp_path, "--dangerously-skip-permissions")
    with pytest.raises(DesktopError, match="no terminal was found"):
        terminals.run_claude(tmp_path, SESSION, "no-such-terminal --with=arguments")


def test_a_terminal_that_fails_at_once_is_said(tmp_path: Path) -> None:
    require("xterm")
    with pytest.raises(DesktopError, match="xterm ended with status 1"):
        terminals.run_claude(tmp_path, SESSION, "xterm")  # There is no display.


# --- which one, and how; nothing is started ----------------------------------------------------


def _chosen(
    environment: dict[str, str], *installed: str, preference: tuple[str, ...] = ()
) -> list[str] | None:
    launch = linux.launch(
        Path("/p") / NASTY, SESSION, preference, environment, has=installed.__contains__
    )
    if launch is None:
        return None
    shell = launch.arguments.index("/bin/sh")
    assert launch.arguments[shell + 3 :] == ("claude-sync", f"/p/{NASTY}", SESSION)
    assert "touch" not in launch.arguments[shell + 2]
    return list(launch.arguments[:shell])


def test_the_users_choice_comes_first_then_the_desktops() -> None:
    everything = ("kitty", "foot", "konsole", "gnome-terminal", "x-terminal-emulator", "xterm")
    kde = {"XDG_CURRENT_DESKTOP": "KDE"}
    assert _chosen({**kde, "TERMINAL": "foot"}, *everything, preference=("kitty",)) == ["kitty"]
    assert _chosen({**kde, "TERMINAL": "foot"}, *everything) == ["foot"]
    assert _chosen(kde, *everything) == ["konsole", "-e"]
    gnome = {"XDG_CURRENT_DESKTOP": "ubuntu:GNOME"}
    assert _chosen(gnome, *everything) == ["gnome-terminal", "--"]
    assert _chosen({}, *everything) == ["x-terminal-emulator", "-e"]
    assert _chosen({}, "xterm") == ["xterm", "-e"]
    assert _chosen({}) is None
    assert _chosen({}, *everything, preference=("gone",)) is None


def test_each_terminal_gets_the_command_in_its_own_way() -> None:
    for given, expected in (
        (("wezterm",), ["wezterm", "start", "--"]),
        (("/opt/bin/xfce4-terminal",), ["/opt/bin/xfce4-terminal", "-x"]),
        (("mine", "-T", "x"), ["mine", "-T", "x", "-e"]),
        (("mine", "run", "--"), ["mine", "run", "--"]),
    ):
        assert _chosen({}, given[0], preference=given) == expected
