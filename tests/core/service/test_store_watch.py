"""A store that tells of changes itself: what the service makes of it. A real host, real threads."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from claude_sync.errors import ClaudeSyncError, Stopped, StoreDenied, StoreOffline
from claude_sync.service import schedule
from claude_sync.service.store_watch import StoreWatch
from claude_sync.service.watch import Area
from claude_sync.sync.setup import set_up
from conformance.sshd import SshHost, is_waiting, running_sshd
from machines import SESSION, PlayedMachine, World, said
from services import log_of, prepare, serving
from waiting import PATIENCE_SECONDS, until


@pytest.fixture(scope="module")
def ssh_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshHost]:
    with running_sshd(tmp_path_factory.mktemp("sshd")) as host:
        yield host


# --- on a host ---------------------------------------------------------------------------------


def meet_on(
    host: SshHost, machine: PlayedMachine, root: Path, flavour: str = "box", **changes: object
) -> None:
    """Have a machine's sessions meet on the host, over connections that nobody shares."""
    machine.folder.mkdir(parents=True, exist_ok=True)
    prepare(machine, ssh_command=host.command_alone(), **changes)
    with machine.here():
        set_up(machine.paths, host.location(root, flavour), name=machine.name)
    machine.add_project()


@pytest.mark.parametrize("flavour", ["box", "box-deaf"])
def test_an_arrival_on_a_host_is_seen_before_the_interval(
    world: World, ssh_host: SshHost, flavour: str
) -> None:
    root = ssh_host.root / f"told-{flavour}"
    laptop, desktop = world.machine("laptop"), world.machine("desktop")
    meet_on(ssh_host, laptop, root, flavour)
    meet_on(ssh_host, desktop, root, flavour)
    with serving(laptop) as service:
        until(lambda: is_waiting(root))
        desktop.write(SESSION, said("from the desktop"))
        desktop.push()
        (arrival,) = until(lambda: service.status.arrivals)
        assert arrival.session_id == SESSION
        assert service.status.unwatched == ""
    until(lambda: not is_waiting(root))


def test_a_host_is_watched_again_after_its_connections_were_cut(
    world: World, ssh_host: SshHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "FIRST_RETRY_SECONDS", 0.1)
    root = ssh_host.root / "cut"
    laptop, desktop = world.machine("laptop"), world.machine("desktop")
    meet_on(ssh_host, laptop, root)
    meet_on(ssh_host, desktop, root)
    with serving(laptop) as service:
        until(lambda: is_waiting(root))
        ssh_host.cut_connections()
        until(lambda: not is_waiting(root))
        desktop.write(SESSION, said("while nobody watched"))
        desktop.push()
        until(lambda: service.status.arrivals)


def test_a_host_that_cannot_be_watched_is_looked_at_by_the_interval_and_that_is_said_once(
    world: World, ssh_host: SshHost
) -> None:
    root = ssh_host.root / "bare"
    laptop = world.machine("laptop")
    meet_on(ssh_host, laptop, root, "box-bare")
    with serving(laptop) as service:
        until(lambda: "can't wait for changes" in service.status.unwatched)
        for _ in range(2):
            service.look_now().result(PATIENCE_SECONDS)
            service.run_doctor().result(PATIENCE_SECONDS)
        (finding,) = (one for one in service.status.findings if one.code == "store-unwatched")
        assert finding.title == "Changes on box-bare are looked for every 3,600 seconds"
        assert service.status.error == ""
        assert service.status.offline_since is None
    assert log_of(laptop).count("can't wait for changes") == 1


def test_with_the_preference_off_no_connection_is_held(world: World, ssh_host: SshHost) -> None:
    root = ssh_host.root / "off"
    laptop = world.machine("laptop")
    meet_on(ssh_host, laptop, root, watch_store=False)
    with serving(laptop) as service:
        assert not of_watching()
        service.change(watch_store=True).result(PATIENCE_SECONDS)
        until(of_watching)
        until(lambda: is_waiting(root))
        service.change(watch_store=False).result(PATIENCE_SECONDS)
        until(lambda: not of_watching())
        until(lambda: not is_waiting(root))


def of_watching() -> list[str]:
    names = [thread.name for thread in threading.enumerate()]
    return [name for name in names if name == "claude-sync store watch"]


def test_a_folder_needs_no_such_thread(world: World) -> None:
    laptop = world.machine("laptop")
    prepare(laptop)
    laptop.set_up()
    with serving(laptop):
        assert not of_watching()


# --- what waits, played ------------------------------------------------------------------------


class Played:
    """What waits, and answers as a test tells it."""

    def __init__(self) -> None:
        self.asked = 0
        self.closed = 0
        self._answers: queue.Queue[bool | ClaudeSyncError] = queue.Queue()

    def has_been_asked(self, times: int) -> Callable[[], bool]:
        return lambda: self.asked == times

    def answer(self, answer: bool | ClaudeSyncError) -> None:
        self._answers.put(answer)

    def wait(self) -> bool:
        self.asked += 1
        answer = self._answers.get(timeout=PATIENCE_SECONDS)
        if isinstance(answer, ClaudeSyncError):
            raise answer
        return answer

    def end(self) -> None:
        self.answer(Stopped("ended"))

    def close(self) -> None:
        self.closed += 1


@contextmanager
def watching(played: Played) -> Iterator[tuple[StoreWatch, list[tuple[Area, str]]]]:
    hints: list[tuple[Area, str]] = []
    watch = StoreWatch(played, lambda area, path: hints.append((area, path)))
    watch.start()
    try:
        yield watch, hints
    finally:
        watch.stop()
    until(lambda: not of_watching())
    assert played.closed


def test_each_change_is_one_hint_and_silence_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "_BETWEEN_HINTS_SECONDS", 0.01)
    played = Played()
    with watching(played) as (_, hints):
        for answer in (True, False, False, True):
            played.answer(answer)
        until(lambda: played.asked == 5)
        assert hints == [(Area.STORE, "")] * 2


def test_what_fails_is_tried_again_later_or_when_it_may_work_again() -> None:
    played = Played()
    with watching(played) as (watch, hints):
        played.answer(StoreDenied("it can't"))
        until(lambda: watch.problem == "It can't")
        assert played.asked == 1, "not before an hour"
        watch.try_now()
        until(lambda: played.asked == 2)
        assert watch.problem == "It can't", "until it is known to work"
        played.answer(True)
        until(lambda: not watch.problem)
        assert hints


def test_a_bad_moment_is_no_problem_but_several_in_a_row_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(schedule, "FIRST_RETRY_SECONDS", 0.01)
    played = Played()
    with watching(played) as (watch, _):
        for number in range(1, 4):
            until(played.has_been_asked(number))
            assert watch.problem == ""
            played.answer(StoreOffline("nobody answers", where="nas"))
        until(lambda: watch.problem == "Nobody answers (nas)")


@pytest.mark.parametrize("waits", [0.0, 0.5, 1.0, 4.9])
def test_whoever_claims_changes_all_the_time_costs_few_looks(waits: float) -> None:
    passed, left, looks = 0.0, schedule.MOST_HINTS, 0
    rest = 0.0
    while passed < 600.0:
        left = schedule.hints_left(left, waits + rest)
        rest = schedule.rest_after_hint(left)
        passed += waits + rest
        looks += 1
    assert looks <= 10 * 12 + schedule.MOST_HINTS


def test_a_few_changes_together_are_each_told_of_at_once() -> None:
    left = schedule.MOST_HINTS
    for _ in range(8):
        left = schedule.hints_left(left, 0.3)
        assert schedule.rest_after_hint(left) < 0.5
    for _ in range(20):
        left = schedule.hints_left(left, 0.3)
    assert schedule.rest_after_hint(left) > 1.0
    assert schedule.rest_after_hint(schedule.hints_left(left, 60.0)) < 0.5
