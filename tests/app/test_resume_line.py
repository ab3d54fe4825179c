"""The line that a person types, in a real shell."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path, PureWindowsPath

import pytest

from capabilities import require_posix
from claude_sync_app.resume_line import resume_line

SESSION = "3f0c1a52-7a1e-4a77-9d5e-000000000001"


@pytest.mark.parametrize("name", ["plain", "a b", "a'b\"c;$(touch x)&<b>", "~", "-x", "é😀", "!!"])
def test_a_shell_goes_there_and_resumes(tmp_path: Path, name: str) -> None:
    require_posix("a shell of POSIX")
    folder = tmp_path / name
    folder.mkdir()
    claude = tmp_path / "bin" / "claude"
    claude.parent.mkdir()
    claude.write_text('#!/bin/sh\npwd; echo "$@"\n')
    claude.chmod(0o755)
    line = resume_line(folder, SESSION, "linux")
    path = f"{claude.parent}:{os.environ['PATH']}"
    for shell in ("sh", "bash"):
        done = subprocess.run(
            [shell, "-c", line], env={**os.environ, "PATH": path}, capture_output=True, check=True
        )
        assert done.stdout.decode() == f"{folder}\n--resume {SESSION}\n"


def test_a_directory_that_is_not_there_is_made_first(tmp_path: Path) -> None:
    require_posix("a shell of POSIX")
    folder = tmp_path / "a b" / "-x"
    line = resume_line(folder, SESSION, "linux", missing=True)
    made, going = line.split(" && cd ")
    subprocess.run(["sh", "-c", f"{made} && cd {going.partition(' && ')[0]} && pwd"], check=True)
    assert folder.is_dir()
    assert resume_line(PureWindowsPath("C:\\it's"), SESSION, "win32", missing=True) == (
        "mkdir -Force 'C:\\it''s' | Out-Null; "
        f"cd -LiteralPath 'C:\\it''s'; claude --resume {SESSION}"
    )


def test_windows_gets_powershells_quotes() -> None:
    folder = PureWindowsPath("C:\\it's $x `y` \u2019z")
    assert resume_line(folder, SESSION, "win32") == (
        f"cd -LiteralPath 'C:\\it''s $x `y` \u2019\u2019z'; claude --resume {SESSION}"
    )


def test_cmd_and_git_bash_get_lines_of_their_own() -> None:
    folder = PureWindowsPath("C:\\it's here & there")
    cmd = resume_line(folder, SESSION, "win32", environment={"PROMPT": "$P$G"})
    assert cmd == f'cd /d "C:\\it\'s here & there" && claude --resume {SESSION}'
    made = resume_line(folder, SESSION, "win32", environment={"PROMPT": ""}, missing=True)
    assert made == f'mkdir "C:\\it\'s here & there" && {cmd}'
    bash = resume_line(folder, SESSION, "win32", environment={"PROMPT": "", "MSYSTEM": "MINGW64"})
    assert bash == f"cd {shlex.quote(str(folder))} && claude --resume {SESSION}"
    odd = PureWindowsPath("C:\\%PATH%")
    assert resume_line(odd, SESSION, "win32", environment={"PROMPT": ""}) == resume_line(
        odd, SESSION, "win32"
    ), "cmd would put in what the variable holds, and run it"


def test_what_a_terminal_would_take_for_keys_is_not_written() -> None:
    for directory, session in (("/a\nb", SESSION), ("/a\x1bb", SESSION), ("/a", "--x"), ("/a", "")):
        assert resume_line(Path(directory), session, "linux") == ""
