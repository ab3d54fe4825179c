"""Whether the system's word is heard, and whether its silence is noticed. Real folders."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from claude_sync.service.watch import Area, Watch
from machines import SESSION, World, said
from services import prepare, serving
from waiting import until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="plays with folders in use")


class Heard:
    """What a watch told of."""

    def __init__(self) -> None:
        self.events: list[tuple[Area, str]] = []
        self._lock = threading.Lock()

    def __call__(self, area: Area, path: str) -> None:
        with self._lock:
            self.events.append((area, path))

    def clear(self) -> None:
        with self._lock:
            self.events.clear()

    def of(self, path: Path) -> bool:
        with self._lock:
            return any(heard == str(path) for _, heard in self.events)


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def watch(tmp_path: Path, heard: Heard) -> Iterator[Watch]:
    for name in ("projects", "sessions", "store", "tasks", "plans"):
        (tmp_path / name).mkdir()
    watch = Watch(
        projects=tmp_path / "projects",
        companions={tmp_path / "tasks": True, tmp_path / "plans": False},
        live=tmp_path / "sessions",
        store=tmp_path / "store",
        heartbeats=tmp_path / "run" / "heartbeats",
        notify=heard,
    )
    watch.start()
    yield watch
    watch.stop()


def hears(heard: Heard, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    until(lambda: heard.of(path))


def test_what_is_written_below_each_folder_is_heard(
    watch: Watch, heard: Heard, tmp_path: Path
) -> None:
    hears(heard, tmp_path / "projects" / "-a" / f"{SESSION}.jsonl")
    hears(heard, tmp_path / "projects" / "-a" / SESSION / "subagents" / "agent-1.jsonl")
    hears(heard, tmp_path / "sessions" / "1.json")
    hears(heard, tmp_path / "store" / "git+x" / "a.ccsync")
    hears(heard, tmp_path / "tasks" / SESSION / "1.json")
    hears(heard, tmp_path / "plans" / "calm-otter.md")
    assert not watch.is_blind
    assert {area for area, _ in heard.events} == set(Area)


@pytest.mark.usefixtures("watch")
def test_of_what_is_unfinished_in_a_store_nothing_is_heard_until_it_has_its_name(
    heard: Heard, tmp_path: Path
) -> None:
    unfinished = tmp_path / "store" / ".ccsync-1.tmp"
    unfinished.write_bytes(b"x")
    whole = unfinished.with_name(f"{SESSION}-laptop.ccsync")
    unfinished.rename(whole)
    until(lambda: heard.of(whole))
    assert not heard.of(unfinished)


@pytest.mark.usefixtures("watch")
def test_reading_is_no_change(heard: Heard, tmp_path: Path) -> None:
    path = tmp_path / "projects" / "-a" / "b.jsonl"
    hears(heard, path)
    # Writing is more than one event, and they come in order: after this file's, none is left.
    hears(heard, path.with_name("c.jsonl"))
    heard.clear()
    path.read_bytes()
    os.listdir(path.parent)
    hears(heard, path.with_name("d.jsonl"))
    assert not heard.of(path)


def test_a_folder_that_was_made_anew_is_watched_again(
    watch: Watch, heard: Heard, tmp_path: Path
) -> None:
    projects = tmp_path / "projects"
    projects.rename(tmp_path / "away")
    assert Area.SESSION in watch.restart_if_dead()
    assert watch.is_blind
    until(lambda: watch.restart_if_dead() == [])
    projects.mkdir()
    assert Area.SESSION in watch.restart_if_dead()
    assert not watch.is_blind
    hears(heard, projects / "-a" / "b.jsonl")


def test_an_observer_that_died_is_replaced(watch: Watch, heard: Heard, tmp_path: Path) -> None:
    observer = watch._observer
    assert observer is not None
    observer.stop()
    observer.join()
    assert watch.restart_if_dead() != []
    hears(heard, tmp_path / "projects" / "-a" / "b.jsonl")


def test_an_observer_that_lives_but_says_nothing_is_replaced(
    watch: Watch, heard: Heard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    until(lambda: watch._heartbeat_seen)
    assert watch.restart_if_dead() == []
    until(lambda: watch._heartbeat_seen)
    # Its thread runs on, but what it is told goes nowhere.
    observer = watch._observer
    assert observer is not None
    monkeypatch.setattr(observer, "dispatch_events", lambda queue: queue.get(timeout=0.1))
    until(lambda: watch.restart_if_dead() != [])
    assert watch._observer is not observer
    hears(heard, tmp_path / "projects" / "-a" / "b.jsonl")


LIMITED = """
import ctypes, os, sys
from pathlib import Path

if ctypes.CDLL(None, use_errno=True).unshare(0x10000000):  # CLONE_NEWUSER, man 2 unshare
    sys.exit("no namespaces here")
Path("/proc/sys/user/max_inotify_watches").write_text(sys.argv[2])

from claude_sync.service.watch import Watch

root = Path(sys.argv[1])
watch = Watch(
    projects=root / "projects",
    companions={},
    live=root / "sessions",
    store=None,
    heartbeats=root / "run",
    notify=lambda area, path: None,
)
watch.start()
print(watch.is_blind, "limit" in watch.problem)
assert watch.restart_if_dead() == []
watch.stop()
"""


@pytest.mark.parametrize(("limit", "reached"), [(20, True), (100, False)])
def test_the_limit_on_watches_is_noticed(tmp_path: Path, limit: int, reached: bool) -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("only Linux limits watches so")
    for number in range(30):
        (tmp_path / "projects" / str(number)).mkdir(parents=True)
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path), str(limit)], capture_output=True, text=True
    )
    if "no namespaces here" in done.stderr:
        pytest.skip("this system lets nobody lower the limit")
    assert done.stdout.split() == [str(reached), str(reached)], done.stderr


def test_without_events_what_changes_is_found_by_looking(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("claude_sync.service.schedule.POLL_SECONDS", 0.3)
    monkeypatch.setattr(Watch, "_watch_heartbeats", _no_watches_left)
    laptop = world.machine("laptop")
    prepare(laptop)
    with serving(laptop):
        laptop.write(SESSION, said())
        until(laptop.bundle().exists)


def _no_watches_left(watch: Watch, observer: object) -> None:
    del watch, observer
    raise OSError(errno.ENOSPC, "inotify watch limit reached")
