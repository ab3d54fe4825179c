"""How ssh is called: with the user's own configuration, never asking, and sharing connections."""

from __future__ import annotations

import os
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from claude_sync.transports.location import HostLocation
from claude_sync.transports.ssh.command import ssh_argv
from programs import require

PLACE = HostLocation("nas.local", "/srv/$(id)", "me", 2222)
NEEDS_SHARING = pytest.mark.skipif(os.name == "nt", reason="Windows' ssh shares no connections")


def options(argv: list[str]) -> dict[str, str]:
    found = [word[2:].partition("=") for word in argv if word.startswith("-o")]
    return {name: value for name, _, value in found}


def test_the_host_comes_after_the_end_of_options_and_the_path_nowhere(tmp_path: Path) -> None:
    argv = ssh_argv([], PLACE, tmp_path / "run")
    assert argv[0] == "ssh"
    assert argv[-3:-1] == ["--", "nas.local"]
    assert argv[-1].startswith("exec /bin/sh -c ")
    assert argv[argv.index("-p") + 1] == "2222"
    assert argv[argv.index("-l") + 1] == "me"
    assert not any("/srv" in word for word in argv)


def test_the_remote_command_is_the_same_for_every_place(tmp_path: Path) -> None:
    other = HostLocation("other", "~/x y")
    assert ssh_argv([], PLACE, tmp_path)[-1] == ssh_argv([], other, tmp_path)[-1]


def test_it_never_asks_and_gives_up_in_time_and_forwards_nothing(tmp_path: Path) -> None:
    chosen = options(ssh_argv([], PLACE, tmp_path))
    wanted = {
        "BatchMode": "yes",
        "ConnectTimeout": "10",
        "Compression": "yes",
        "RemoteCommand": "none",
        "ClearAllForwardings": "yes",
        "ForwardAgent": "no",
    }
    assert wanted.items() <= chosen.items()
    alive = int(chosen["ServerAliveInterval"]) * (1 + int(chosen["ServerAliveCountMax"]))
    assert alive < 15


def test_without_user_and_port_the_configuration_decides(tmp_path: Path) -> None:
    argv = ssh_argv(["ssh"], HostLocation("nas", "/x"), tmp_path)
    assert "-p" not in argv
    assert "-l" not in argv


def test_the_users_own_command_comes_first_so_that_its_options_count(tmp_path: Path) -> None:
    command = ["/opt/my ssh", "-F", "other config", "-oConnectTimeout=3"]
    argv = ssh_argv(command, PLACE, tmp_path)
    assert argv[:4] == command


def test_openssh_takes_every_option(tmp_path: Path) -> None:
    require("ssh")
    argv = ssh_argv(["ssh", "-F", os.devnull], PLACE, tmp_path)
    # -G prints the configuration that would be used, and connects nowhere.
    said = subprocess.run([argv[0], "-G", *argv[1:]], capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr
    wanted = {"batchmode yes", "hostname nas.local", "user me", "port 2222", "tunnel false"}
    assert wanted <= set(said.stdout.splitlines())


def test_options_that_an_older_ssh_does_not_know_come_after_its_leave_to_ignore_them(
    tmp_path: Path,
) -> None:
    names = list(options(ssh_argv([], PLACE, tmp_path)))
    newer = ("SessionType", "StdinNull", "ForkAfterAuthentication")
    assert all(names.index("IgnoreUnknown") < names.index(name) for name in newer)


# --- sharing -----------------------------------------------------------------------------------


@pytest.fixture
def near() -> Iterator[Path]:
    """A folder whose path is short enough for a socket, wherever the tests have their files."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield Path(folder)


@NEEDS_SHARING
def test_one_connection_is_shared_through_a_private_folder(near: Path) -> None:
    runtime = near / "run"
    chosen = options(ssh_argv([], PLACE, runtime))
    assert chosen["ControlMaster"] == "auto"
    assert 60 <= int(chosen["ControlPersist"]) <= 600
    assert Path(chosen["ControlPath"]).parent == runtime
    assert stat.S_IMODE(runtime.stat().st_mode) == 0o700


@NEEDS_SHARING
def test_other_users_ports_hosts_and_commands_get_other_sockets(tmp_path: Path) -> None:
    locations = [
        PLACE,
        HostLocation("nas.local", "/srv", "you", 2222),
        HostLocation("nas.local", "/srv", "me", 22),
        HostLocation("nas", "/srv", "me", 2222),
    ]
    paths = [options(ssh_argv([], location, tmp_path))["ControlPath"] for location in locations]
    paths.append(options(ssh_argv(["ssh", "-A"], PLACE, tmp_path))["ControlPath"])
    assert len(set(paths)) == len(paths)
    other_folder = HostLocation("nas.local", "/another", "me", 2222)
    assert options(ssh_argv([], other_folder, tmp_path))["ControlPath"] == paths[0]


@NEEDS_SHARING
@pytest.mark.parametrize("name", ["n" * 100, "with space", "per%cent", "quo'te", "ünï"])
def test_where_the_folders_path_is_too_long_or_odd_a_short_one_is_used(
    tmp_path: Path, name: str
) -> None:
    path = Path(options(ssh_argv([], PLACE, tmp_path / name))["ControlPath"])
    assert path.parent == Path(f"/tmp/claude-sync-{os.getuid()}")
    assert len(os.fsencode(path)) <= 86
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@NEEDS_SHARING
@pytest.mark.parametrize("trouble", ["open to others", "a link", "a file"])
def test_a_folder_that_is_not_private_is_not_used(near: Path, trouble: str) -> None:
    runtime = near / "run"
    if trouble == "open to others":
        runtime.mkdir()
        runtime.chmod(0o777)
    elif trouble == "a link":
        (near / "elsewhere").mkdir(mode=0o700)
        runtime.symlink_to("elsewhere")
    else:
        runtime.write_text("")
    chosen = options(ssh_argv([], PLACE, runtime))
    assert Path(chosen["ControlPath"]).parent != runtime


def test_where_ssh_can_not_share_nothing_is_said_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "name", "nt")
    argv = ssh_argv([], PLACE, tmp_path)
    assert not any("Control" in word for word in argv)
    assert options(argv)["BatchMode"] == "yes"
