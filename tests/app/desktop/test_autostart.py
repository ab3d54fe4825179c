"""Start at login: which command, and what macOS and Windows read of it; on every system."""

from __future__ import annotations

import plistlib
import sys
from pathlib import Path

import pytest

from claude_sync_app.desktop import autostart
from claude_sync_app.desktop.autostart import AutostartStatus, macos, windows


@pytest.mark.parametrize(
    ("name", "system"), [("claude-sync-tray", "linux"), ("claude-sync-tray.exe", "win32")]
)
def test_a_script_that_lies_apart_from_python_is_found(
    tmp_path: Path, name: str, system: str
) -> None:
    (python := tmp_path / "python").touch()
    scripts = tmp_path / "Scripts"
    scripts.mkdir()
    (scripts / name).touch()
    folders = ["relative", str(tmp_path / "missing"), str(scripts)]
    assert autostart.tray_command(system, str(python), folders) == [str(scripts / name)]


def test_no_console_opens_at_login_where_there_is_no_script(tmp_path: Path) -> None:
    (python := tmp_path / "python.exe").touch()
    module = ["-m", "claude_sync_app", "tray"]
    assert autostart.tray_command("win32", str(python), []) == [str(python), *module]
    (without_console := tmp_path / "pythonw.exe").touch()
    assert autostart.tray_command("win32", str(python), []) == [str(without_console), *module]
    assert autostart.tray_command("linux", str(python), []) == [str(python), *module]


# --- macOS and Windows, as far as files and values go ------------------------------------------


def test_a_launch_agent_is_what_launchd_reads(tmp_path: Path) -> None:
    said = {"print-disabled": ""}
    asked: list[tuple[str, ...]] = []

    def launchctl(*arguments: str) -> str:
        asked.append(arguments)
        return said.get(arguments[0], "")

    start = macos.LaunchAgent(tmp_path / "LaunchAgents", launchctl)
    assert start.status() == AutostartStatus(False)
    start.enable([sys.executable, "a b"])
    (file,) = (tmp_path / "LaunchAgents").iterdir()
    agent_file = plistlib.loads(file.read_bytes())
    assert agent_file["ProgramArguments"] == [sys.executable, "a b"]
    assert file.name == agent_file["Label"] + ".plist"
    assert agent_file["RunAtLoad"] is True
    assert start.status() == AutostartStatus(True, str(file), sys.executable)
    assert [arguments[0] for arguments in asked] == ["enable", "print-disabled"]

    for word in ("true", "disabled"):
        said["print-disabled"] = f'disabled services = {{\n\t"{macos.LABEL}" => {word}\n}}'
        assert not start.status().enabled
    file.write_bytes(b"not a plist")
    assert start.status() == AutostartStatus(False, str(file))
    start.disable()
    assert not file.exists()


class _WindowsRegistry:
    """Stands for a registry, which only Windows has."""

    def __init__(self) -> None:
        self.values: dict[tuple[str, str], str | bytes] = {}

    def read(self, key: str, name: str) -> str | bytes | None:
        return self.values.get((key, name))

    def write(self, key: str, name: str, value: str) -> None:
        self.values[key, name] = value

    def remove(self, key: str, name: str) -> None:
        self.values.pop((key, name), None)


def test_the_run_key_holds_one_line_and_the_task_manager_has_a_say() -> None:
    registry = _WindowsRegistry()
    start = windows.RunKey(registry)
    assert not start.status().enabled
    start.enable([r"C:\Program Files\claude-sync\tray.exe", "--x", "a b"])
    line = registry.values[windows.RUN, "claude-sync"]
    assert line == r'"C:\Program Files\claude-sync\tray.exe" --x "a b"'
    assert start.status().program == r"C:\Program Files\claude-sync\tray.exe"
    assert start.status().enabled
    registry.values[windows.APPROVED, "claude-sync"] = bytes([3, 0, 0, 0])
    assert not start.status().enabled
    registry.values[windows.APPROVED, "claude-sync"] = bytes([2, 0, 0, 0])
    assert start.status().enabled
    start.disable()
    assert registry.values == {}
    assert windows.program_of(r"C:\tray.exe --x") == r"C:\tray.exe"
