"""The main job with a host in the middle; and mixed, where one machine has the folder itself."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.proxy import through_proxy
from conformance.sshd import SshHost, running_sshd
from end_to_end.machine import OTHER, SESSION, Machine, called, outcomes

NAME = called("Fix the login bug 😀")

WAYS = {
    "both over ssh": ("ssh", "ssh"),
    "mixed": ("ssh", "folder"),
    "mixed back": ("folder", "ssh"),
}


@pytest.fixture(scope="module")
def ssh_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshHost]:
    with running_sshd(tmp_path_factory.mktemp("sshd")) as host:
        yield host


@pytest.fixture
def nas(ssh_host: SshHost) -> Iterator[SshHost]:
    """The host. What machines share of connections to it ends with the test."""
    yield ssh_host
    ssh_host.end_connections()


@pytest.fixture
def root(nas: SshHost, tmp_path: Path) -> Path:
    """The store's folder on the host."""
    return nas.home / tmp_path.name / "sessions of ours"


def configure(machine: Machine, *command: str) -> None:
    machine.does("config", "set", "ssh_command", json.dumps(command))


def set_up(machine: Machine, way: str, nas: SshHost, root: Path) -> str:
    """Choose the store, by the host or by its folder; how it is called."""
    configure(machine, *nas.ssh_command)
    below_home = root.relative_to(nas.home)
    machine.does("init", f"box:{below_home}" if way == "ssh" else root, "--name", machine.name)
    return "box" if way == "ssh" else str(root)


@pytest.mark.parametrize("ways", WAYS.values(), ids=WAYS)
def test_a_session_goes_there_and_back(
    ways: tuple[str, str], new_laptop: Machine, new_desktop: Machine, nas: SshHost, root: Path
) -> None:
    laptop, desktop = new_laptop, new_desktop
    from_laptop = set_up(laptop, ways[0], nas, root)
    from_desktop = set_up(desktop, ways[1], nas, root)
    assert stat.S_IMODE(root.stat().st_mode) == 0o700

    first = laptop.says("Fix the login bug 😀")
    output = laptop.path().with_suffix("") / "tool-results" / "toolu_1.txt"
    output.parent.mkdir(parents=True)
    output.write_bytes(b"\xff a long output \x00" * 10_000)
    assert laptop.does("push") == f"Pushed {NAME} → {from_laptop}\n"
    assert desktop.does("pull").splitlines()[0] == f"Imported {NAME} from laptop"
    assert desktop.read() == first
    came = desktop.path().with_suffix("") / "tool-results" / "toolu_1.txt"
    assert came.read_bytes() == output.read_bytes()

    longer = desktop.says("and the logout too")
    assert desktop.does("push") == f"Pushed {NAME} → {from_desktop}\n"
    assert laptop.does("pull").splitlines()[0] == f"Updated {NAME} from desktop"
    assert laptop.read() == longer
    assert laptop.does("push") == "Nothing to push: 1 up to date.\n"
    assert desktop.does("pull").startswith("Nothing to pull")

    mine, theirs = laptop.says("on the train"), desktop.says("at the desk")
    laptop.does("push")
    desktop.run("push")
    assert desktop.run("pull").status == 1
    desktop.does("resolve", SESSION, "--keep", "theirs")
    assert desktop.read() == mine
    desktop.does("undo", SESSION)
    assert desktop.read() == theirs
    laptop.does("forget", SESSION, "--yes")
    left = [path.name for path in root.glob("*/*")]
    assert left == [f"{SESSION}-desktop.ccsync"]


def test_growth_sends_and_brings_only_what_is_new(
    new_laptop: Machine, new_desktop: Machine, nas: SshHost, root: Path
) -> None:
    laptop, desktop = new_laptop, new_desktop
    set_up(laptop, "ssh", nas, root)
    set_up(desktop, "ssh", nas, root)
    laptop.says(os.urandom(500_000).hex())
    output = laptop.path().with_suffix("") / "tool-results" / "toolu_1.txt"
    output.parent.mkdir(parents=True)
    output.write_text(os.urandom(200_000).hex())
    everything = laptop.document("push")["results"][0]["bytes"]
    assert everything > 1_400_000
    assert desktop.document("pull")["results"][0]["bytes"] > 1_400_000
    laptop.says("a little more")
    assert laptop.document("push")["results"][0]["bytes"] < 10_000
    pulled = desktop.document("pull")["results"][0]
    assert (pulled["outcome"], pulled["bytes"] < 10_000) == ("updated", True)
    assert desktop.read() == laptop.read()
    # Another sidecar beside the unchanged one.
    (output.parent / "toolu_0.txt").write_text("new")
    laptop.says("and more")
    assert laptop.document("push")["results"][0]["bytes"] < 10_000
    assert desktop.document("pull")["results"][0]["bytes"] < 10_000
    assert (desktop.path().with_suffix("") / "tool-results" / "toolu_0.txt").read_text() == "new"
    # The file on the host isn't what it was: all of it is sent.
    (bundle,) = root.glob("*/*.ccsync")
    data = bytearray(bundle.read_bytes())
    data[5_000:5_100] = bytes(100)
    status = bundle.stat()
    bundle.write_bytes(data)
    os.utime(bundle, ns=(status.st_atime_ns, status.st_mtime_ns))
    laptop.says("once more")
    assert laptop.document("push")["results"][0]["bytes"] > everything
    desktop.does("pull")
    assert desktop.read() == laptop.read()


def test_what_diverged_is_found_out_though_it_was_taken_for_growth(
    new_laptop: Machine, new_desktop: Machine, nas: SshHost, root: Path
) -> None:
    laptop, desktop = new_laptop, new_desktop
    set_up(laptop, "ssh", nas, root)
    set_up(desktop, "ssh", nas, root)
    laptop.says("Fix the login bug")
    laptop.does("push")
    desktop.does("pull")
    desktop.says("at the desk")
    # Longer: the desktop asks only for what seems new, and then for all.
    laptop.says("on the train " * 10_000)
    laptop.does("push")
    for named in ((), (SESSION,)):
        parted = desktop.run("pull", *named)
        assert (parted.status, "diverged on" in parted.err) == (1, True), parted


def test_a_host_that_can_not_be_reached_is_one_sentence_and_the_next_push_goes_well(
    new_laptop: Machine, nas: SshHost, root: Path
) -> None:
    laptop = new_laptop
    laptop.says("hello")
    configure(laptop, *nas.command_with("PubkeyAuthentication=no"))
    said = laptop.fails("init", "box:sessions")
    assert "doesn't accept this user's keys (box)" in said
    assert laptop.fails("init", "ssh://box:1/~/sessions").startswith("the host refuses connections")
    assert laptop.misuses("init", "ssh://-oProxyCommand=id/x").startswith("the name of the host")
    assert not (nas.home / "sessions").exists()
    set_up(laptop, "ssh", nas, root)
    root.rename(root.with_name("unmounted"))
    assert "isn't there on the host" in laptop.fails("push")
    assert not root.exists()
    root.with_name("unmounted").rename(root)
    cut = through_proxy(nas.port, "--cut-up=6500")
    configure(laptop, *nas.command_alone(cut))
    assert "box" in laptop.fails("push")
    configure(laptop, *nas.ssh_command)
    laptop.does("push")


def test_many_sessions_at_once_arrive_whole(
    new_laptop: Machine, new_desktop: Machine, nas: SshHost, root: Path
) -> None:
    set_up(new_laptop, "ssh", nas, root)
    set_up(new_desktop, "ssh", nas, root)
    ids = [f"{number:08x}{OTHER[8:]}" for number in range(250)]
    for session in ids:
        new_laptop.says(f"session {session}", session)
    assert set(outcomes(new_laptop.document("push")).values()) == {"pushed"}
    assert set(outcomes(new_desktop.document("pull")).values()) == {"imported"}
    assert new_desktop.sessions() == sorted(ids)
    for session in ids:
        assert new_desktop.read(session) == new_laptop.read(session)


def test_a_session_is_read_and_found_on_the_host(
    new_laptop: Machine, new_desktop: Machine, nas: SshHost, root: Path
) -> None:
    for machine in (new_laptop, new_desktop):
        set_up(machine, "ssh", nas, root)
    for number in range(30):
        new_laptop.says(f"needle {number} in a haystack")
    new_laptop.does("push")
    shown = new_desktop.does("show", SESSION)
    assert "needle 0 in a haystack" in shown
    assert "needle 29 in a haystack" in shown
    (hit,) = new_desktop.document("search", '"needle 7"')["hits"]
    assert "needle 7 in a haystack" in hit["line"]
    assert not list(new_desktop.claude.glob("projects/*/*"))
