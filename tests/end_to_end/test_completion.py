"""What a shell completes, asked of the shells themselves."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from claude_sync_app.cli.commands import COMMANDS
from end_to_end.machine import COMMAND, OTHER, SESSION, Machine
from end_to_end.terminal import on_terminal
from programs import require
from waiting import PATIENCE_SECONDS

HOSTILE = "$(touch pwned) `touch pwned` \x1b[31m\u202e;touch pwned"


@pytest.fixture
def script(laptop: Machine, request: pytest.FixtureRequest) -> Path:
    """The script for the shell that the test asks for, on a machine that has two sessions."""
    laptop.says(HOSTILE)
    laptop.says("Fix the login", OTHER)
    laptop.does("push")
    shell = request.param
    path = laptop.home / f"completion.{shell}"
    path.write_text(laptop.does("completion", shell))
    return path


def completed(machine: Machine, shell: str, script: Path, line: str) -> list[str]:
    """What a shell offers at the end of a line."""
    if shell != "bash":
        require(shell)
    asks = {
        "bash": f'. "{script}"; COMP_WORDS=({line.replace(" ", " ")}); [[ "{line}" != *" " ]] || '
        'COMP_WORDS+=(""); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); '
        '_shtab_claude_sync; printf "%s\\n" "${COMPREPLY[@]}"',
        "fish": f'source "{script}"; complete -C "{line}"',
    }
    done = subprocess.run(
        [shell, "-c", asks[shell]],
        cwd=machine.project,
        env=machine.environment({"PATH": f"{COMMAND.parent}:/usr/bin:/bin"}),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )
    assert (done.returncode, done.stderr) == (0, ""), done
    assert not (machine.project / "pwned").exists()
    return [found.partition("\t")[0] for found in done.stdout.splitlines()]


@pytest.mark.parametrize(
    ("shell", "script"), [("bash", "bash"), ("fish", "fish")], indirect=["script"]
)
def test_commands_options_sessions_and_preferences_are_completed(
    laptop: Machine, shell: str, script: Path
) -> None:
    found = completed(laptop, shell, script, "claude-sync res")
    assert set(found) == {"resume", "resolve", "restore"}
    assert set(completed(laptop, shell, script, "claude-sync ")) == set(COMMANDS)
    assert completed(laptop, shell, script, "claude-sync pull --dr") == ["--dry-run"]
    assert set(completed(laptop, shell, script, "claude-sync resume ")) == {SESSION, OTHER}
    assert completed(laptop, shell, script, f"claude-sync undo {OTHER[:4]}") == [OTHER]
    keep = completed(laptop, shell, script, f"claude-sync resolve {OTHER} --keep ")
    assert set(keep) == {"mine", "theirs", "both", "laptop"}
    assert "on_arrival" in completed(laptop, shell, script, "claude-sync config get on")
    (laptop.project / "below").mkdir()
    found = completed(laptop, shell, script, "claude-sync pull --project be")
    assert [name.rstrip("/") for name in found] == ["below"]


@pytest.mark.parametrize("script", ["zsh"], indirect=True)
def test_zsh_completes_as_one_types(laptop: Machine, script: Path) -> None:
    require("zsh")
    folder = script.parent / "zfunc"
    folder.mkdir()
    script.rename(folder / "_claude-sync")  # where the help says that it is to be kept
    answers = [
        ("> ", f"fpath+='{folder}'; autoload -Uz compinit; compinit -D -u; print rea''dy\n"),
        ("ready", "claude-sync resol\t"),
        ("resolve", f"{OTHER[:3]}\t"),
        (OTHER, "\x15exit\n"),
    ]
    path = {"PATH": f"{COMMAND.parent}:/usr/bin:/bin", "PS1": "now> "}
    seen = on_terminal(laptop, program=("zsh", "-f", "-i"), answers=answers, environment=path)
    assert OTHER in seen.text
    assert not (laptop.project / "pwned").exists()


def test_what_shells_ask_for_changes_nothing_and_shows_titles(
    laptop: Machine, desktop: Machine, shared_folder: Path
) -> None:
    laptop.says("Fix the\tlogin \x1b[31m\u202e", SESSION)
    laptop.does("push")
    desktop.does("pull", "--dry-run")
    before = snapshot(desktop.home, shared_folder)
    assert desktop.does("completion", "--list", "sessions") == f"{SESSION}\tFix the login [31m\n"
    assert desktop.does("completion", "--list", "machines") == "laptop\n"
    assert "notifications.arrival\n" in desktop.does("completion", "--list", "preferences")
    assert snapshot(desktop.home, shared_folder) == before


def snapshot(*folders: Path) -> dict[Path, tuple[int, int]]:
    """Every file and folder below, with its size and when it was last changed."""
    found = (path for folder in folders for path in [folder, *folder.rglob("*")])
    return {path: (path.lstat().st_size, path.lstat().st_mtime_ns) for path in found}


def test_a_shell_has_to_be_named(laptop: Machine) -> None:
    assert "bash, zsh, fish, powershell" in laptop.misuses("completion")
    assert "$PROFILE" in laptop.does("completion", "--help")
    assert "Register-ArgumentCompleter" in laptop.does("completion", "powershell")
