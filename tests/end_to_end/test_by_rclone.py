"""The main job with a cloud in the middle; and mixed, where one machine has its folder mirrored."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from conformance.clouds import BUCKET, Clouds, Proxy, running_clouds
from end_to_end.machine import SESSION, Machine, called, interrupt
from waiting import until

NAME = called("Fix the login bug 😀")


@pytest.fixture(scope="module")
def clouds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clouds]:
    with running_clouds(tmp_path_factory.mktemp("clouds")) as running:
        yield running


@pytest.fixture(autouse=True)
def _known(clouds: Clouds, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RCLONE_CONFIG", str(clouds.config))


def is_running(process: psutil.Process) -> bool:
    """Whether a process is more than an entry that nobody asked for."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize("mixed", [False, True], ids=["both by rclone", "mixed"])
def test_a_session_goes_there_and_back(
    clouds: Clouds, new_laptop: Machine, new_desktop: Machine, tmp_path: Path, mixed: bool
) -> None:
    laptop, desktop = new_laptop, new_desktop
    root = clouds.folder / BUCKET / tmp_path.name
    location = clouds.location("webdav", tmp_path.name)
    said = laptop.does("init", location, "--name", "laptop")
    assert "Whoever can log in to webdav" in said
    desktop.does("init", root if mixed else location, "--name", "desktop")
    first = laptop.says("Fix the login bug 😀")
    there = f"webdav:{BUCKET}/{tmp_path.name}"
    assert laptop.does("push") == f"Pushed {NAME} → {there}\n"
    assert desktop.does("pull").splitlines()[0] == f"Imported {NAME} from laptop"
    assert desktop.read() == first
    longer = desktop.says("and the logout too")
    desktop.does("push")
    assert laptop.does("pull").splitlines()[0] == f"Updated {NAME} from desktop"
    assert laptop.read() == longer
    assert laptop.does("push") == "Nothing to push: 1 up to date.\n"
    laptop.says("on the train")
    laptop.does("push")
    assert desktop.does("pull").splitlines()[0] == f"Updated {NAME} from laptop"
    desktop.does("forget", SESSION, "--yes")
    assert len(list(root.glob("*/*.ccsync"))) == 1


def test_the_bytes_of_a_day_are_said_and_a_named_session_goes(
    clouds: Clouds, new_laptop: Machine, tmp_path: Path
) -> None:
    new_laptop.does("init", clouds.location("webdav", tmp_path.name), "--name", "laptop")
    new_laptop.does("config", "set", "cloud_megabytes_a_day", "0.1")
    new_laptop.says("x" * 200_000)
    new_laptop.does("push")
    new_laptop.says("more")
    held = new_laptop.does("push")
    assert held.startswith("Skipped 1 session: no more than 100 KB a day"), held
    assert "1 held back for today" in held
    said = new_laptop.does("status")
    assert "Held back until midnight (1): claude-sync push SESSION" in said
    assert "1 session held back from the cloud until midnight" in said
    assert "push --all" not in said
    assert new_laptop.does("push", SESSION).startswith(f"Pushed {SESSION[:8]} ")


def test_a_remote_that_is_gone_is_one_sentence(clouds: Clouds, new_laptop: Machine) -> None:
    assert "rclone has no remote of that name" in new_laptop.fails("init", "rclone:gone:sessions")


def test_a_silent_cloud_keeps_nobody_and_rclone_ends(
    clouds: Clouds, new_laptop: Machine, tmp_path: Path
) -> None:
    proxy = Proxy(clouds.ports["webdav"])
    try:
        clouds.remote(f"silent-{proxy.port}", "webdav", proxy.port)
        location = f"rclone:silent-{proxy.port}:{BUCKET}/{tmp_path.name}"
        new_laptop.does("init", location, "--name", "laptop")
        proxy.gate, before = 10_000, proxy.opened
        process = new_laptop.start("pull", "--all")
        until(lambda: proxy.opened > before or process.poll() is not None)
        assert process.poll() is None, process.communicate()
        children = psutil.Process(process.pid).children(recursive=True)
        assert any(child.name() == "rclone" for child in children)
        done = interrupt(process)
        assert done.status == 130
        assert len(done.err.splitlines()) == 1
        until(lambda: not any(map(is_running, children)))
    finally:
        proxy.close()
