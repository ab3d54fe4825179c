"""Becoming the client, also where one process can't become another."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from claude_sync.errors import ClaudeSyncError, UsageError
from claude_sync_app.handover import Handover, hand_over, plan_handover
from machines import SESSION

OURS = ("--permission-mode", "default", "--system-prompt-snapshot", "off")


def planned(
    client: str = "/bin/claude",
    *,
    arguments: Sequence[str] = (),
    options: Sequence[str] = OURS,
    platform: str = "linux",
    **environment: str,
) -> Handover:
    home = Path(os.path.expanduser("~"))
    return plan_handover(
        client,
        SESSION,
        Path("/p"),
        options=options,
        arguments=arguments,
        environment=environment,
        claude_home=home / ".claude",
        platform=platform,
    )


@pytest.mark.parametrize(
    ("arguments", "left"),
    [
        ((), OURS),
        (("fix it",), OURS),
        (("--permission-mode", "plan"), OURS[2:]),
        (("--permission-mode=plan", "x"), OURS[2:]),
        (("--system-prompt-snapshot", "on", "--permission-mode", "plan"), ()),
        (("--model", "opus", "--", "--permission-mode"), OURS),
        (("--permission-mode", "plan", "--", "--system-prompt-snapshot"), OURS[2:]),
    ],
)
def test_what_a_person_says_takes_the_place_of_what_we_say(
    arguments: Sequence[str], left: Sequence[str]
) -> None:
    command, *_, options = planned(arguments=arguments)
    assert options == left
    assert command == ("/bin/claude", "--resume", SESSION, *left, *arguments)


@pytest.mark.parametrize("argument", ['say "hi"', "50%", "a & b", "a|b", "<x>", "x^y", "!", "a\nb"])
def test_what_cmd_would_read_anew_is_not_given_to_a_batch_file(argument: str) -> None:
    with pytest.raises(UsageError, match=r"claude\.cmd can't be given"):
        planned("C:/npm/claude.cmd", arguments=[argument], platform="win32")
    whole = planned("C:/bin/claude.exe", arguments=[argument], platform="win32")
    assert whole.command[-1] == argument
    assert planned("/bin/claude.cmd", arguments=[argument]).command[-1] == argument


def test_a_batch_file_looks_for_its_programs_outside_of_the_project() -> None:
    environment = planned("C:/npm/claude.cmd", platform="win32").environment
    assert environment["NoDefaultCurrentDirectoryInExePath"] == "1"
    assert "NoDefaultCurrentDirectoryInExePath" not in planned().environment


def test_only_our_own_encoding_is_taken_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert planned(PYTHONIOENCODING="latin-1").environment["PYTHONIOENCODING"] == "latin-1"
    monkeypatch.setitem(sys._xoptions, "claude_sync_restarted", True)
    assert "PYTHONIOENCODING" not in planned(PYTHONIOENCODING="ascii:replace").environment


def client(folder: Path, script: str) -> tuple[str, ...]:
    program = folder / "claude"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return (str(program), "--resume", SESSION)


@pytest.mark.skipif(os.name == "nt", reason="the stand-in is a shell script")
def test_where_it_cannot_become_the_client_it_waits_and_ends_as_the_client_did(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    project = tmp_path / "project"
    project.mkdir()
    # Ctrl-C reaches both; it means the client.
    command = client(tmp_path, f'kill -INT $PPID; echo "$MARK $2" > "{tmp_path}/said"; pwd; exit 5')
    handover = Handover(command, project, {**os.environ, "MARK": "here"})
    assert hand_over(handover, "win32") == 5
    assert (tmp_path / "said").read_text() == f"here {SESSION}\n"
    assert Path.cwd() == project


@pytest.mark.parametrize("platform", ["linux", "win32"])
def test_a_client_that_does_not_start_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, platform: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "claude").write_bytes(b"\x7fELF but no program")
    (tmp_path / "claude").chmod(0o755)
    for name in ("claude", "nothing"):
        handover = Handover((str(tmp_path / name),), tmp_path, os.environ)
        with pytest.raises(ClaudeSyncError, match="can't be started"):
            hand_over(handover, platform)
    if os.name != "nt":
        # Else the next pipe that nobody reads would end whoever goes on.
        assert signal.getsignal(signal.SIGPIPE) is signal.SIG_IGN
