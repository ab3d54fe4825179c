"""The copy of the plugin that the client reads: what is in it, and whether it is ours."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from capabilities import MODES, require_posix
from claude_sync import __version__
from claude_sync.errors import ClaudeSyncError
from claude_sync_app.inside_client.plugin_files import (
    MARKETPLACE,
    PLUGIN,
    PLUGIN_ID,
    Program,
    is_up_to_date,
    packaged_folder,
    plugin_folder,
    program_of,
    this_program,
    write_copy,
)

PLAIN = Program(
    r"C:\Users\me\pipx\venvs\claude-sync\Scripts\python.exe",
    r"C:\Users\me\lib\hook.py",
    r"C:\Users\me\lib",
)
WINDOWS = "win32"


def commands_in(folder: Path) -> dict[str, str]:
    """The command of each event in a copy's hooks."""
    document = json.loads((folder / PLUGIN / "hooks" / "hooks.json").read_text())
    return {
        event: entry["command"]
        for event, groups in document["hooks"].items()
        for group in groups
        for entry in group["hooks"]
    }


def test_the_manifests_name_what_is_installed() -> None:
    market = json.loads((packaged_folder() / ".claude-plugin" / "marketplace.json").read_text())
    assert f"{market['plugins'][0]['name']}@{market['name']}" == PLUGIN_ID
    assert market["plugins"][0]["source"] == f"./{PLUGIN}"
    assert market["name"] == MARKETPLACE
    manifest = packaged_folder() / PLUGIN / ".claude-plugin" / "plugin.json"
    assert json.loads(manifest.read_text())["version"] == __version__


def test_a_copy_is_private_whole_and_known_again(tmp_path: Path) -> None:
    folder = tmp_path / "plugin"
    write_copy(folder, this_program(), "linux")  # for Windows one file has other words
    assert is_up_to_date(folder, this_program(), system="linux")
    assert program_of(folder) == this_program()
    assert this_program().is_there
    for path in packaged_folder().rglob("*"):
        if path.is_file():
            copy = folder / path.relative_to(packaged_folder())
            assert copy.read_bytes() == path.read_bytes()
            assert not MODES or stat.S_IMODE(copy.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "name", ["hooks/run", "hooks/program", "commands/push.md", ".claude-plugin/plugin.json"]
)
def test_a_copy_that_differs_is_not_ours_until_it_is_made_again(tmp_path: Path, name: str) -> None:
    write_copy(tmp_path, this_program())
    (tmp_path / PLUGIN / name).write_text("another version's")
    assert not is_up_to_date(tmp_path, this_program())
    write_copy(tmp_path, this_program())
    assert is_up_to_date(tmp_path, this_program())


def test_a_copy_whose_program_is_elsewhere_is_not_ours(tmp_path: Path) -> None:
    write_copy(tmp_path, this_program()._replace(script="/gone/hook.py"))
    assert not is_up_to_date(tmp_path, this_program())
    found = program_of(tmp_path)
    assert found is not None
    assert not found.is_there


@pytest.mark.parametrize("text", [None, "", "one line", "1\n2\n3\n4\n"])
def test_a_program_that_cannot_be_read_is_none(tmp_path: Path, text: str | None) -> None:
    write_copy(tmp_path, this_program())
    path = tmp_path / PLUGIN / "hooks" / "program"
    path.unlink()
    if text is not None:
        path.write_text(text)
    assert program_of(tmp_path) is None


def test_the_copy_lies_with_the_users_data_and_not_with_ours(home: Path) -> None:
    assert home in plugin_folder().parents
    assert not plugin_folder().is_relative_to(Path(sys.prefix))


def test_the_program_can_be_run_as_it_is_written_down() -> None:
    program = this_program()
    command = [program.python, "-I", "-S", program.script, "nothing", program.packages]
    done = subprocess.run(command, input=b"{}", capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


# --- Windows -----------------------------------------------------------------------------------


def test_on_windows_the_hooks_say_themselves_what_to_start(tmp_path: Path) -> None:
    write_copy(tmp_path, PLAIN, WINDOWS)
    assert is_up_to_date(tmp_path, PLAIN, system=WINDOWS)
    assert commands_in(tmp_path) == {
        event: "C:/Users/me/pipx/venvs/claude-sync/Scripts/python.exe -X utf8 -I -S "
        f"C:/Users/me/lib/hook.py {word} 'C:/Users/me/lib'; exit 0"
        for event, word in (("SessionStart", "start"), ("Stop", "stop"), ("SessionEnd", "end"))
    }


@pytest.mark.parametrize("shell", ["bash", "dash"])
def test_the_words_for_windows_end_with_0_where_the_program_is_gone(
    tmp_path: Path, shell: str
) -> None:
    if shutil.which(shell) is None:
        require_posix("a shell of POSIX")
        shell = "sh"
    write_copy(tmp_path, PLAIN, WINDOWS)
    for command in commands_in(tmp_path).values():
        done = subprocess.run([shell, "-c", command], input=b"{}", capture_output=True)
        assert (done.returncode, done.stdout) == (0, b"")


@pytest.mark.parametrize(
    "python", [r"C:\Users\Me And You\python.exe", r"C:\a&calc\python.exe", r"C:\$(x)\python.exe"]
)
def test_on_windows_a_path_that_a_shell_would_read_otherwise_is_refused(
    tmp_path: Path, python: str
) -> None:
    with pytest.raises(ClaudeSyncError, match="blanks or signs"):
        write_copy(tmp_path, PLAIN._replace(python=python), WINDOWS)
    assert os.listdir(tmp_path) == []
