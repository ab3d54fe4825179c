"""How the command speaks: help, exit statuses, errors of one sentence, other people's text."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from claude_sync import __version__
from claude_sync_app.cli import main
from claude_sync_app.cli.commands import COMMANDS
from end_to_end.machine import OTHER, SESSION, Machine
from repositories import repository

NEW = "5e5510a0-7a1e-4a77-9d5e-000000000003"


def test_help_and_version_say_what_they_should(new_laptop: Machine) -> None:
    version = re.escape(__version__)
    assert re.fullmatch(
        rf"claude-sync {version}( \(commit [0-9a-f]{{10}}\+?\))?\n", new_laptop.does("--version")
    )
    overview = new_laptop.does()
    assert overview == new_laptop.does("help") == new_laptop.does("--help")
    assert max(map(len, overview.splitlines())) <= 80
    assert new_laptop.does("help", "push") == new_laptop.does("push", "--help")
    names = [line.split()[0] for line in overview.splitlines() if line.startswith("  ")]
    assert set(COMMANDS) <= set(names)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_can_be_read(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "--help"]) == 0
    told = capsys.readouterr().out
    assert told.startswith(f"usage: claude-sync {name} ")
    assert COMMANDS[name].summary[1:] in told
    assert "examples:" in told
    assert f"  claude-sync {name}" in told
    assert max(map(len, told.splitlines())) <= 80
    assert "\n\n\n" not in told
    assert " \n" not in told


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("puhs", "there is no command 'puhs': did you mean `claude-sync push`?"),
        ("xyz", "there is no command 'xyz': see `claude-sync help`"),
        (
            "--all push",
            "there is no option --all here: options come after a command; see `claude-sync help`",
        ),
        ("list", "there is no command 'list': did you mean `claude-sync sessions`?"),
        ("-v", "there is no option '-v': did you mean `claude-sync --version`?"),
        ("push --al", "there is no option --al here: did you mean `--all`?"),
        ("pull --dryrun=1", "there is no option --dryrun=1 here: did you mean `--dry-run`?"),
        ("pull --zzz", "there is no option --zzz here: see `claude-sync pull --help`"),
        ("status 3f", "there is nothing to do with '3f' here: see `claude-sync status --help`"),
        ("autostart enabel", "there is no 'enabel' here: did you mean `enable`?"),
        ("config list", "there is no 'list' here: type get, set or path"),
        ("config get on_arival", "there is no preference 'on_arival': did you mean on_arrival?"),
        ("undo", "SESSION is missing: see `claude-sync undo --help`"),
        (
            "forget",
            "SESSION, --machine or --older-than is missing: see `claude-sync forget --help`",
        ),
        ("pack 3f -o", "a value is missing after --output: see `claude-sync pack --help`"),
        (
            "watch --interval 0",
            "--interval must be a number of seconds from 1 to 86400: "
            "see `claude-sync watch --help`",
        ),
        (
            "sessions --limit -1",
            "--limit: '-1' isn't a whole number: see `claude-sync sessions --help`",
        ),
        (
            "forget --older-than soon",
            "--older-than: 'soon' isn't a number of days: see `claude-sync forget --help`",
        ),
        (
            "push 3f --all",
            "sessions can't be combined with --all or --project: use one of them",
        ),
        (
            "pull 3f --project .",
            "sessions can't be combined with --all or --project: use one of them",
        ),
        ("push --project nowhere", "there is no such directory (nowhere): correct --project"),
    ],
)
def test_wrong_usage_is_one_sentence(new_laptop: Machine, arguments: str, sentence: str) -> None:
    assert new_laptop.misuses(*arguments.split()) == sentence


def test_two_at_once_both_come_to_their_end(laptop: Machine) -> None:
    for number in range(20):
        laptop.says("x", f"{number:08d}-0000-4000-8000-000000000000")
    processes = [laptop.start("push", "--all", "--json") for _ in range(3)]
    said = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert [err for _, err in said] == [b"", b"", b""]
    assert sum(out.count(b'"outcome": "pushed"') for out, _ in said) == 20


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


def test_on_a_new_machine_status_makes_no_file(new_laptop: Machine) -> None:
    new_laptop.says("hello")
    before = tree(new_laptop.home)
    assert "No shared folder is chosen yet" in new_laptop.does("status")
    assert tree(new_laptop.home) == before


def test_status_changes_nothing_anywhere(
    laptop: Machine, desktop: Machine, shared_folder: Path
) -> None:
    laptop.says("Fix the login")
    laptop.says("Only here", OTHER)
    laptop.does("push")
    desktop.does("pull", SESSION)
    laptop.says("of the laptop")
    laptop.does("push")
    desktop.says("of the desktop")
    elsewhere = repository(desktop.home / "code" / "new", "git@github.com:You/New.git")
    desktop.says("Never pushed", NEW, elsewhere)
    (desktop.state / "machine.json").unlink()  # so that its name has to be found out again
    before = tree(desktop.home, shared_folder)
    said = desktop.does("status", cwd=elsewhere)
    assert "To push (1)" in said
    assert "To pull (1)" in said
    assert "In conflict (1)" in said
    assert tree(desktop.home, shared_folder) == before


def tree(*folders: Path) -> dict[Path, tuple[int, int]]:
    """Every file and folder below, with its size and when it was last changed."""
    found = (path for folder in folders for path in [folder, *folder.rglob("*")])
    return {path: (path.lstat().st_size, path.lstat().st_mtime_ns) for path in found}
