"""One word on the machine just arrived at: the installed command becomes the client."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from conformance.sshd import running_sshd
from end_to_end.client import STATUS, Client, became, put_client
from end_to_end.machine import COMMAND, OTHER, SESSION, Done, Machine, called, one_sentence
from end_to_end.terminal import Answer, Screen, on_terminal
from repositories import GIT
from waiting import PATIENCE_SECONDS

NAME = called("Fix the login bug")

TRUST = (
    "if it asks, and you trust what is in it, choose “Yes, I trust this folder”, which isn't the "
    "answer that is preselected."
)
AFRESH = ["--system-prompt-snapshot", "off"]


class Seat:
    """A machine with a client on the PATH, and a person before it.

    Args:
        machine: where.
        folder: for the client.
    """

    def __init__(self, machine: Machine, folder: Path) -> None:
        self.machine = machine
        self.folder = folder
        self.path = put_client(folder)

    def run(
        self,
        *arguments: str | Path,
        cwd: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Done:
        """Run ``resume`` without a terminal."""
        more = {"PATH": self.path, **(environment or {})}
        return self.machine.run("resume", *arguments, cwd=cwd, environment=more)

    def goes_on(self, *arguments: str | Path, cwd: Path | None = None) -> tuple[Client, Done]:
        """Resume, which has to work; the client, and what was said before it was there."""
        done = self.run(*arguments, cwd=cwd)
        assert done.status == STATUS, done
        client = became(self.folder)
        assert client is not None
        return client, done

    def refuses(self, *arguments: str | Path) -> str:
        """Resume, which says one sentence and starts nothing; the sentence."""
        done = self.run(*arguments)
        assert became(self.folder) is None
        assert done.status == 1, done
        return one_sentence(done)

    def asked(self, *answers: Answer, until: str = "[nothing] ") -> Screen:
        """Resume on a terminal, with an answer to each question."""
        return on_terminal(
            self.machine,
            "resume",
            columns=200,
            answers=[(until, answer) for answer in answers],
            environment={"PATH": self.path},
        )

    def trusts(self, directory: Path) -> None:
        """Have a person trust a directory, as the client remembers it."""
        known = {"projects": {str(directory): {"hasTrustDialogAccepted": True}}}
        (self.machine.home / ".claude.json").write_text(json.dumps(known))


@pytest.fixture
def seat(desktop: Machine, tmp_path: Path) -> Seat:
    """The machine that somebody arrives at, where the project's directory is trusted."""
    seat = Seat(desktop, tmp_path / "client of desktop")
    seat.trusts(desktop.project)
    return seat


def ten_minutes_old(machine: Machine, session: str = SESSION) -> None:
    then = time.time() - 600
    os.utime(machine.path(session), (then, then))


def shown(path: Path) -> str:
    """How a path in the home directory is shown."""
    return f"~/{path.parent.name}/{path.name}"


def titled(machine: Machine, title: str, session: str = SESSION) -> None:
    with machine.path(session).open("a") as file:
        file.write(json.dumps({"type": "custom-title", "customTitle": title}) + "\n")


# --- becoming the client -----------------------------------------------------------------------


def test_one_word_goes_on_where_the_other_machine_stopped(laptop: Machine, seat: Seat) -> None:
    laptop.says("hello")
    titled(laptop, "Fix the login \x1b[31mbug")
    ten_minutes_old(laptop)
    laptop.does("push")
    client, done = seat.goes_on()
    assert done.out == "Pulled “Fix the login [31mbug” from laptop, 10 minutes ago.\n"
    assert done.err == ""
    assert client.arguments == ["--resume", SESSION, *AFRESH]
    assert client.directory == os.path.realpath(seat.machine.project)
    assert seat.machine.read() == laptop.read()
    again, done = seat.goes_on("3f2a", cwd=seat.machine.home)
    assert (done.out, done.err) == ("", f"Resuming in {shown(seat.machine.project)}.\n")
    assert (again.arguments, again.directory) == (client.arguments, client.directory)


def test_what_was_used_here_last_is_gone_on_with_and_nothing_is_said(
    laptop: Machine, seat: Seat
) -> None:
    laptop.says("older", OTHER)
    ten_minutes_old(laptop, OTHER)
    laptop.does("push")
    seat.machine.says("newest")
    client, done = seat.goes_on()
    assert client.arguments == ["--resume", SESSION]
    assert (done.out, done.err) == ("", "")
    client, _ = seat.goes_on("--project", seat.machine.project, cwd=seat.machine.home)
    assert client.arguments == ["--resume", SESSION]
    assert seat.machine.sessions() == [SESSION]


def test_the_process_is_the_client_and_nothing_of_ours_is_left_in_it(
    laptop: Machine, seat: Seat
) -> None:
    laptop.says("hello")
    laptop.does("push")
    process = subprocess.Popen(
        [COMMAND, "resume"],
        cwd=seat.machine.project,
        env=seat.machine.environment({"PATH": seat.path}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert process.wait(PATIENCE_SECONDS) == STATUS
    client = became(seat.folder)
    assert client is not None
    assert client.pid == process.pid
    assert client.files == ["/dev/null"] * 3
    assert client.children == []
    assert not client.ignored & 1 << (signal.SIGPIPE - 1), "a pipe that nobody reads ends it"


def test_over_ssh_no_connection_is_left_in_the_client(
    new_laptop: Machine, new_desktop: Machine, tmp_path: Path
) -> None:
    with running_sshd(tmp_path) as host:
        for machine in (new_laptop, new_desktop):
            machine.does("config", "set", "ssh_command", json.dumps(list(host.ssh_command)))
            machine.does("init", f"box:{tmp_path.name}", "--name", machine.name)
        new_laptop.says("hello")
        new_laptop.does("push")
        client, _ = Seat(new_desktop, tmp_path / "client").goes_on()
        host.end_connections()
    assert client.children == []
    assert [file for file in client.files if not file.startswith(("pipe:", "/dev/null"))] == []
    assert len(client.files) == 3


def test_the_shells_variables_are_the_clients(laptop: Machine, seat: Seat) -> None:
    seat.machine.says("hello")
    mine = {"PYTHONIOENCODING": "latin-1", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"}
    for given in ({}, mine, {name: mine[name] for name in mine if name != "PYTHONIOENCODING"}):
        assert seat.run(environment=given).status == STATUS
        client = became(seat.folder)
        assert client is not None
        expected = seat.machine.environment({"PATH": seat.path, **given})
        expected["PWD"] = os.path.realpath(seat.machine.project)
        seen = client.environment
        for name in ("_", "OLDPWD", "SHLVL"):  # the shell's, through which the client is started
            seen.pop(name, None)
            expected.pop(name, None)
        assert seen == expected


def test_the_folder_that_was_chosen_at_set_up_is_the_clients_too(
    new_desktop: Machine, shared_folder: Path, tmp_path: Path
) -> None:
    elsewhere = new_desktop.home / "claude-elsewhere"
    (elsewhere / "sessions").mkdir(parents=True)
    named = {"CLAUDE_CONFIG_DIR": str(elsewhere)}
    new_desktop.does("init", shared_folder, environment=named)
    new_desktop.claude = elsewhere
    new_desktop.says("hello")
    seat = Seat(new_desktop, tmp_path / "client")
    client, _ = seat.goes_on()
    assert client.environment["CLAUDE_CONFIG_DIR"] == str(elsewhere)
    done = seat.run(cwd=new_desktop.home, environment={"CLAUDE_CONFIG_DIR": "claude-elsewhere"})
    assert "none is here" in done.err, "the home is another project"
    done = seat.run(
        SESSION, cwd=new_desktop.home, environment={"CLAUDE_CONFIG_DIR": "claude-elsewhere"}
    )
    again = became(seat.folder)
    assert again is not None
    assert again.environment["CLAUDE_CONFIG_DIR"] == str(elsewhere)


# --- what the client is told -------------------------------------------------------------------


def test_the_persons_own_arguments_stand_behind_ours_and_win(laptop: Machine, seat: Seat) -> None:
    laptop.says("hello")
    with laptop.path().open("a") as file:
        file.write('{"type":"permission-mode","permissionMode":"acceptEdits"}\n')
    laptop.does("push")
    client, done = seat.goes_on()
    default = ["--permission-mode", "default"]
    assert client.arguments == ["--resume", SESSION, *default, *AFRESH]
    assert "another machine chose its permission mode (acceptedits)" in done.err.lower()
    typed = ["--model", "opus", "--", "go on; $(touch x) -- please"]
    client, _ = seat.goes_on("--", *typed)
    assert client.arguments == ["--resume", SESSION, *default, *AFRESH, *typed]
    client, done = seat.goes_on(SESSION, "--", "--permission-mode=plan")
    assert "permission mode" not in done.err, "it isn't ours that it starts in"
    assert client.arguments == ["--resume", SESSION, *AFRESH, "--permission-mode=plan"]


def test_into_a_folder_that_is_new_to_the_client_it_says_which_answer(
    laptop: Machine, seat: Seat
) -> None:
    laptop.says("hello")
    laptop.does("push")
    known = seat.machine.home / ".claude.json"
    known.unlink()
    assert TRUST in seat.goes_on()[1].err
    seat.trusts(seat.machine.project / "below")
    assert TRUST in seat.goes_on()[1].err
    seat.trusts(seat.machine.home)
    assert seat.goes_on()[1].err == ""
    known.write_text("{")
    assert seat.goes_on()[1].err == ""


# --- what is asked -----------------------------------------------------------------------------


class Diverged(NamedTuple):
    """A session that both went on with: what lies on the laptop, and at the seat."""

    laptop: Machine
    seat: Seat
    of_laptop: bytes
    here: bytes


@pytest.fixture
def diverged(laptop: Machine, seat: Seat) -> Diverged:
    laptop.says("hello")
    titled(laptop, "Fix the login bug")
    laptop.does("push")
    seat.machine.does("pull")
    laptop.says("on the laptop")
    of_laptop, here = laptop.says("twice"), seat.machine.says("on the desktop")
    laptop.does("push")
    return Diverged(laptop, seat, of_laptop, here)


@pytest.mark.parametrize("answer", ["laptop", "theirs"])
def test_a_conflict_is_asked_about_and_gone_on_with_as_it_was_settled(
    diverged: Diverged, answer: str
) -> None:
    _, seat, of_laptop, here = diverged
    left = seat.asked("\n")
    assert left.lines[0] == "“Fix the login bug” (3f2a91c4) diverged:"
    assert left.lines[1].startswith("  mine (this machine, desktop): 1 turn more (1 line), last")
    assert left.lines[2].startswith("  laptop: 2 turns more (2 lines), last used ")
    assert left.lines[3].startswith("Keep mine, laptop, both, or nothing for now?")
    assert (left.status, left.lines[-1]) == (1, "Nothing was changed.")
    assert seat.asked("\x03").status == 130
    assert became(seat.folder) is None
    assert seat.machine.read() == here
    seen = seat.asked(f"{answer}\n")
    assert f"Replaced {NAME} with laptop's; to go back: `claude-sync undo {SESSION}`" in seen.text
    assert "claude --resume" not in seen.text, "nobody has to type it"
    assert seen.status == STATUS
    assert became(seat.folder) is not None
    assert seat.machine.read() == of_laptop
    seat.machine.does("undo", SESSION)
    assert seat.machine.read() == here


def test_what_keeps_this_machines_side_says_how_to_go_back(diverged: Diverged) -> None:
    _, seat, _, here = diverged
    seen = seat.asked("mine\n")
    assert f"To go back: `claude-sync undo {SESSION}`." in seen.text
    assert seen.status == STATUS
    seat.machine.does("undo", SESSION)
    assert "diverged" in seat.run().err
    assert seat.machine.read() == here


def test_without_a_terminal_a_conflict_says_what_to_do(diverged: Diverged) -> None:
    _, seat, _, here = diverged
    assert seat.refuses() == (
        f"{NAME} diverged on this machine and laptop: choose with `claude-sync resolve {SESSION}`"
    )
    assert seat.machine.read() == here


def test_both_sides_are_kept_and_this_machines_is_gone_on_with(diverged: Diverged) -> None:
    _, seat, of_laptop, here = diverged
    seen = seat.asked("both\n")
    assert seen.status == STATUS
    assert seat.machine.read() == here
    [copy] = set(seat.machine.sessions()) - {SESSION}
    assert (
        f"Imported {called(f'Fix the login bug (copy {copy[:4]})', copy)} from laptop" in seen.text
    )
    assert f"claude --resume {copy}" in seen.text
    assert f"To go back: `claude-sync undo {SESSION}`." in seen.text
    assert seat.machine.read(copy) == of_laptop


@pytest.mark.parametrize("answer", ["1", "mine", ""])
def test_one_that_lost_something_is_asked_about(laptop: Machine, seat: Seat, answer: str) -> None:
    machine = seat.machine
    machine.says("one")
    whole = machine.says("two")
    machine.does("push")
    left = whole[: whole.index(b"\n") + 1]
    machine.path().write_bytes(left)
    left = machine.says("after")
    assert "a turn that was here is no longer in its file" in seat.refuses()
    seen = seat.asked(f"{answer}\n")
    assert "a turn that was here is no longer in its file" in seen.text
    assert "Bring back 1, mine to go on with what is left, or nothing?" in seen.text
    assert seen.status == (STATUS if answer else 1)
    assert (f"To go back: `claude-sync undo {SESSION}`." in seen.text) == bool(answer)
    assert (f"{called('one')} is as it was." in seen.text) == (answer == "1")
    assert (became(seat.folder) is not None) == bool(answer)
    assert machine.read() == (whole if answer == "1" else left)


@pytest.mark.parametrize("answer", ["y", "n"])
def test_what_was_chosen_elsewhere_replaces_what_is_only_here_when_asked(
    laptop: Machine, seat: Seat, answer: str
) -> None:
    laptop.says("hello")
    laptop.does("push")
    seat.machine.does("pull")
    laptop.says("on the laptop")
    here = seat.machine.says("here")
    seat.machine.run("push")
    laptop.does("resolve", SESSION, "--keep", "mine")
    assert "replaces 1 line that is only here" in seat.refuses()
    seen = seat.asked(f"{answer}\n", until="[y/N] ")
    assert "laptop's version was chosen there and replaces 1 line that is only here" in seen.text
    assert seen.status == (STATUS if answer == "y" else 1)
    assert (f"To go back: `claude-sync undo {SESSION}`." in seen.text) == (answer == "y")
    assert seat.machine.read() == (laptop.read() if answer == "y" else here)


@pytest.mark.parametrize("answer", ["y", "n"])
def test_what_is_still_arriving_may_be_newer(
    laptop: Machine, seat: Seat, shared_folder: Path, answer: str
) -> None:
    laptop.says("hello")
    laptop.does("push")
    seat.machine.does("pull")
    laptop.says("more")
    laptop.does("push")
    [bundle] = shared_folder.glob("*/*-laptop.ccsync")
    bundle.write_bytes(bundle.read_bytes()[:-50])
    assert "arriving" in seat.refuses()
    seen = seat.asked(f"{answer}\n", until="[y/N] ")
    assert seen.status == (STATUS if answer == "y" else 1)


# --- what can't be done ------------------------------------------------------------------------


def test_whatever_is_in_the_way_is_one_sentence(
    laptop: Machine, seat: Seat, shared_folder: Path
) -> None:
    machine = seat.machine
    assert "no machine has pushed a session of this project" in seat.refuses()
    assert "no session has that id (ffff)" in seat.refuses("ffff")
    laptop.says("hello")
    laptop.does("push")
    seat.goes_on()
    live = machine.open()
    assert seat.refuses() == (
        f"that session is open here already ({SESSION[:8]}): go on where it is open, or close it "
        "there first"
    )
    live.unlink()
    machine.path().unlink()
    assert f"`claude-sync resume {SESSION}` brings the newest of them back" in seat.refuses()
    seat.goes_on(SESSION)
    shutil.rmtree(machine.project)
    machine.project = machine.home
    assert "the session's directory isn't there" in seat.refuses(SESSION)


def test_a_session_whose_project_is_not_here_says_so(laptop: Machine, tmp_path: Path) -> None:
    laptop.says("hello")
    laptop.does("push")
    other = Machine(tmp_path / "nas", None, "elsewhere")
    other.does("init", laptop.home.parent / "shared folder", "--name", "nas")
    sentence = Seat(other, tmp_path / "client").refuses(SESSION)
    assert "no directory of git:github.com/you/app is known on this machine" in sentence


def test_without_a_client_nothing_is_done(laptop: Machine, seat: Seat) -> None:
    laptop.says("hello")
    laptop.does("push")
    (seat.folder / "claude").rename(seat.machine.project / "claude")
    (seat.folder / "git").symlink_to(GIT)
    seat.path = os.pathsep.join(["", ".", str(seat.folder)])
    assert seat.refuses().startswith("Claude Code isn't installed here")
    assert seat.machine.sessions() == []
    installed = seat.machine.home / ".local" / "bin"
    installed.mkdir(parents=True)
    (seat.machine.project / "claude").rename(installed / "claude")
    seat.goes_on()


def test_a_client_that_does_not_start_is_said(seat: Seat) -> None:
    seat.machine.says("hello")
    (seat.folder / "claude").write_bytes(b"\x7fELF but no program")
    sentence = seat.refuses()
    assert sentence.startswith("Claude Code can't be started (")
    assert "see whether `claude --version` works" in sentence


def test_a_store_that_is_away_keeps_nobody_from_what_is_here(
    laptop: Machine, seat: Seat, shared_folder: Path
) -> None:
    laptop.says("hello")
    laptop.does("push")
    seat.goes_on()
    shared_folder.rename(shared_folder.with_name("unplugged"))
    client, done = seat.goes_on()
    assert client.arguments[:2] == ["--resume", SESSION]
    assert done.out == ""
    [line] = done.err.splitlines()
    assert line.startswith("What is here is resumed, for other machines couldn't be asked: ")
    seat.machine.path().unlink()
    assert str(shared_folder) in seat.refuses()


def test_without_a_shared_folder_what_is_here_is_resumed(
    new_desktop: Machine, tmp_path: Path
) -> None:
    seat = Seat(new_desktop, tmp_path / "client")
    done = seat.run()
    assert done.status == 2
    assert "claude-sync init LOCATION" in one_sentence(done)
    new_desktop.says("hello")
    _, done = seat.goes_on()
    assert "no shared folder is chosen yet" in done.err
    assert not (new_desktop.home / "claude-sync").exists(), "nothing is set up by the way"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([SESSION, "--project", "."], "can't be combined"),
        (["--project", "nowhere"], "there is no such directory"),
        ([SESSION, OTHER], "there is nothing to do with"),
        (["--model", "opus"], "--model here: what is for Claude Code stands behind --;"),
    ],
)
def test_wrong_usage_is_said(seat: Seat, arguments: Sequence[str], words: str) -> None:
    done = seat.run(*arguments)
    assert done.status == 2
    assert words in one_sentence(done)
