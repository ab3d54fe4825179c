from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from claude_sync.doctor.login_environment import login_environment, parse_environment
from claude_sync.model import Level
from claude_sync.state import preferences
from claude_sync.sync.setup import set_up
from conformance.sshd import SshHost
from examined import Patient, follow
from repositories import repository


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on the PATH; it has nothing but sh."""
    box = tmp_path / "box"
    box.mkdir()
    _install(box, "sh", "cat")
    monkeypatch.setenv("PATH", str(box))
    return box


def _install(folder: Path, *programs: str) -> None:
    for program in programs:
        (folder / program).symlink_to(shutil.which(program, path=_EVERYWHERE) or program)


_EVERYWHERE = os.environ["PATH"]


def test_git_is_missing(patient: Patient, box: Path) -> None:
    repository(patient.home / "code" / "other", "https://example.org/you/other")
    with patient.at_work() as context:
        context.registry.learn(patient.home / "code" / "other")
    found = patient.the("git-missing", Level.ERROR)
    assert found.fix == "Install git"
    assert patient.is_well("project-key-unknown")  # it is said once
    _install(box, "git")
    assert patient.is_well("git-missing")


def test_git_is_missing_where_no_project_needs_it(patient: Patient, box: Path) -> None:
    assert box.is_dir()
    assert "names alone" in patient.the("git-missing", Level.WARNING).detail


def test_ssh_is_missing_where_sessions_meet_in_a_folder(patient: Patient, box: Path) -> None:
    patient.the("ssh-missing", Level.INFO)
    _install(box, "ssh")
    assert patient.is_well("ssh-missing")


def test_ssh_is_missing_where_sessions_meet_on_a_host(
    newcomer: Patient, ssh_host: SshHost, tmp_path: Path
) -> None:
    before = _on_host(newcomer, ssh_host, tmp_path)
    preferences.change(newcomer.paths, ssh_command=["no-such-ssh", *before[1:]])
    found = newcomer.the("ssh-missing", Level.ERROR)
    assert "box" in found.detail
    assert newcomer.findings()[0].level is Level.ERROR
    wrapper = tmp_path / "ssh wrapper"
    wrapper.write_text(f'#!/bin/sh\nexec {" ".join(before)} "$@"\n')
    wrapper.chmod(0o755)
    follow(found, fill=[("PROGRAM", wrapper)])
    assert newcomer.is_well("ssh-missing")
    newcomer.the("store", Level.OK)


def _on_host(newcomer: Patient, ssh_host: SshHost, tmp_path: Path) -> list[str]:
    """Choose a shared folder on a host; returns the ssh command for it."""
    newcomer.claude.mkdir()
    command = ssh_host.command_alone()
    preferences.change(newcomer.paths, ssh_command=command)
    set_up(newcomer.paths, ssh_host.location(tmp_path / "store"), name="laptop")
    return command


# --- as a program started at login sees it -----------------------------------------------------


@pytest.fixture
def login(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What systemd's user manager would read, told by a `systemctl` that reads it."""
    folder = tmp_path / "systemd"
    folder.mkdir()
    script = folder / "systemctl"
    script.write_text(
        '#!/bin/sh\nPATH="/nowhere"\n. "$HOME/.config/environment.d/path.conf"\n'
        "echo \"PATH=$PATH\"\nprintf '%s\\n' \"LANG=\\$'C.UTF-8'\"\n"
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{_EVERYWHERE}")
    configuration = home / ".config" / "environment.d" / "path.conf"
    configuration.parent.mkdir(parents=True)
    configuration.write_text("")
    return configuration


def test_a_login_does_not_find_git(patient: Patient, login: Path) -> None:
    found = patient.the("login-path", Level.WARNING)
    assert "git" in found.title
    assert "environment.d/path.conf" in found.fix
    login.write_text(found.fix.split("`")[1] + "\n")
    assert patient.is_well("login-path")
    assert patient.the("programs", Level.OK).title == "git and ssh are here"


@pytest.mark.parametrize("other", ["", "SSH_AUTH_SOCK=/run/another"])
def test_a_login_does_not_see_the_agent(
    newcomer: Patient,
    ssh_host: SshHost,
    tmp_path: Path,
    login: Path,
    monkeypatch: pytest.MonkeyPatch,
    other: str,
) -> None:
    command = _on_host(newcomer, ssh_host, tmp_path)
    login.write_text(f"PATH={_EVERYWHERE}\n{other}\n")
    script = Path(os.environ["PATH"].partition(":")[0]) / "systemctl"
    script.write_text(
        f'{script.read_text()}echo "SSH_AUTH_SOCK=$SSH_AUTH_SOCK"\n'.replace(
            'PATH="/nowhere"', 'PATH="/nowhere"; unset SSH_AUTH_SOCK'
        )
    )
    monkeypatch.setenv("SSH_AUTH_SOCK", "/run/agent")
    # A configuration as most have it, which says nothing of agents.
    mine = tmp_path / "config"
    text = ssh_host.config.read_text().replace("  IdentityAgent none\n", "")
    mine.write_text(text)
    command[command.index("-F") + 1] = str(mine)
    preferences.change(newcomer.paths, ssh_command=command)
    found = newcomer.the("login-agent", Level.WARNING)
    assert "`IdentityAgent`" in found.fix
    mine.write_text(f"IdentityAgent /run/agent\n{text}")
    assert newcomer.is_well("login-agent")


def test_what_systemctl_prints() -> None:
    text = "PATH=/a:/b c\nODD=$'it\\'s'\nnot a variable\nEMPTY=\n"
    assert parse_environment(text) == {"PATH": "/a:/b c", "ODD": "it's", "EMPTY": ""}


def test_a_login_on_macos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:{_EVERYWHERE}")
    script = tmp_path / "launchctl"
    script.write_text('#!/bin/sh\n[ "$*" = "getenv SSH_AUTH_SOCK" ] && echo /private/tmp/agent\n')
    script.chmod(0o755)
    login = login_environment("darwin")
    assert login.path == "/usr/bin:/bin:/usr/sbin:/sbin"
    assert login.agent == "/private/tmp/agent"
    assert "launchctl config user path {}:/usr/bin" in login.fix
    script.write_text('#!/bin/sh\n[ "$*" = "getenv PATH" ] && echo /opt/homebrew/bin:/usr/bin\n')
    login = login_environment("darwin")
    assert (login.path, login.agent) == ("/opt/homebrew/bin:/usr/bin", "")


def test_a_login_on_windows_sees_the_systems_path_and_then_the_users() -> None:
    login = login_environment("win32", lambda: ({"path": r"C:\Windows"}, {"path": r"C:\Me\bin"}))
    assert login.path == r"C:\Windows;C:\Me\bin"
    assert login.agent == ""
    login = login_environment("win32", lambda: ({}, {"ssh_auth_sock": r"\\.\pipe\agent"}))
    assert (login.path, login.agent) == ("", r"\\.\pipe\agent")


def test_a_login_without_a_user_manager_has_what_login_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert login_environment("linux")[:2] == ("/usr/local/bin:/usr/bin:/bin", None)
