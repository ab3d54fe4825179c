"""Three machines watch one store for minutes while everything goes wrong that may.

    python -m pytest -m slow tests/soak --timeout 900

Two reach the store as a folder, one over a real ssh. Ten sessions grow, lines are torn and finished
later, the store and Claude's folders vanish and come back, and the watching processes are killed at
random. Nothing may be lost, nothing torn may arrive, all sides agree at the end, and no process
grows. CLAUDE_SYNC_SOAK_SECONDS makes it shorter or longer than 300; CLAUDE_SYNC_SOAK_SEED repeats
what chance did.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from claude_sync.state import preferences
from claude_sync.state.paths import Paths
from claude_sync.sync.setup import set_up
from conformance.sshd import SshHost, running_sshd
from machines import REMOTE, PlayedMachine, World, said
from repositories import bare_bones
from waiting import PATIENCE_SECONDS, until

SECONDS = float(os.environ.get("CLAUDE_SYNC_SOAK_SECONDS", "300"))
SEED = int(os.environ.get("CLAUDE_SYNC_SOAK_SEED", str(time.time_ns() % 10_000)))
SESSIONS = [f"{number:08x}-1111-4222-8333-444455556666" for number in range(10)]
SETTLING_SECONDS = 90.0
GROWTH_MB = 8.0
WARM_SECONDS = 20.0


class Watched:
    """A machine with its watching process."""

    def __init__(self, machine: PlayedMachine) -> None:
        self.machine = machine
        self.process: subprocess.Popen[bytes] | None = None
        self.started = 0.0
        self.first_mb: float | None = None
        self.growths: list[float] = []

    def start(self) -> None:
        environment = {
            **{key: value for key, value in os.environ.items() if key != "XDG_RUNTIME_DIR"},
            "HOME": str(self.machine.home),
        }
        with (self.machine.home / "said").open("ab") as words:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "claude_sync_app", "watch", "--interval", "2"],
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=words,
                env=environment,
            )
        self.started, self.first_mb = time.monotonic(), None

    def measure(self) -> None:
        """Note how much the process has grown since it was warm."""
        if self.process is None or time.monotonic() - self.started < WARM_SECONDS:
            return
        now = psutil.Process(self.process.pid).memory_info().rss / 1e6
        if self.first_mb is None:
            self.first_mb = now
            self.growths.append(0.0)
        self.growths[-1] = now - self.first_mb

    def kill(self) -> None:
        assert self.process is not None
        assert self.process.poll() is None, (self.machine.home / "said").read_text()
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        assert self.process is not None
        self.process.terminate()
        self.process.wait(PATIENCE_SECONDS)


@contextmanager
def three(tmp_path: Path, host: SshHost) -> Iterator[list[Watched]]:
    world = World(tmp_path)
    world.store = host.root / "store"
    locations = {
        "laptop": str(world.store),
        "desktop": str(world.store),
        "nas": host.location(world.store),
    }
    watched = []
    for name, location in locations.items():
        machine = PlayedMachine(world, name)
        home = machine.home
        state = home / ".local" / "state" / "claude-sync"
        machine.paths = Paths(home / ".config" / "claude-sync", state, state / "run")
        bare_bones(machine.project, REMOTE)
        (machine.claude / "sessions").mkdir(parents=True)
        machine.folder.mkdir(parents=True)
        preferences.change(machine.paths, ssh_command=host.ssh_command, quiet_seconds=0.5)
        with machine.here():
            set_up(machine.paths, location, name=name)
        machine.add_project()
        watched.append(Watched(machine))
    try:
        for one in watched:
            one.start()
        yield watched
    finally:
        for one in watched:
            if one.process is not None and one.process.poll() is None:
                one.process.kill()
                one.process.wait()


class Clients:
    """Ten clients, each with one session open on one machine.

    Attributes:
        truth: what each session holds, to the byte.
    """

    def __init__(self, watched: list[Watched], chance: random.Random) -> None:
        self._chance = chance
        self._owners = {
            session: watched[number % len(watched)].machine
            for number, session in enumerate(SESSIONS)
        }
        self._rest: dict[str, bytes] = {}
        self.truth = dict.fromkeys(SESSIONS, b"")
        for session, machine in self._owners.items():
            live = {"pid": os.getpid(), "sessionId": session}
            (machine.claude / "sessions" / f"{session}.json").write_text(json.dumps(live))

    def write(self) -> None:
        """Let one of them write a line, half of one, or the other half."""
        session = self._chance.choice(SESSIONS)
        rest = self._rest.pop(session, b"")
        if not rest:
            line = said("x" * self._chance.choice([10, 1000, 50_000]))
            cut = self._chance.choice([len(line), len(line), len(line) // 2])
            line, rest = line[:cut], line[cut:]
            if rest:
                self._rest[session] = rest
        else:
            line = rest
        self._append(session, line)

    def _append(self, session: str, data: bytes) -> None:
        self._owners[session].write(session, data)
        self.truth[session] += data

    def close(self) -> None:
        """Finish every line and leave."""
        for session, rest in self._rest.items():
            self._append(session, rest)
        for session, machine in self._owners.items():
            (machine.claude / "sessions" / f"{session}.json").unlink()

    def check(self, watched: list[Watched]) -> None:
        """Nothing torn and nothing foreign has arrived anywhere."""
        for one in watched:
            for session in SESSIONS:
                if self._owners[session] is one.machine or not one.machine.has(session):
                    continue
                data = one.machine.read(session)
                assert self.truth[session].startswith(data)
                assert data.endswith(b"\n"), f"a torn line arrived on {one.machine.name}"


def vanish(folder: Path, seconds: float) -> None:
    """Take a folder away for a while."""
    away = folder.with_name(f"{folder.name}-away")
    folder.rename(away)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.05)
    if folder.exists():
        # It was made anew meanwhile: what is in it is kept.
        shutil.copytree(folder, away, dirs_exist_ok=True)
        shutil.rmtree(folder)
    away.rename(folder)


@pytest.mark.slow
@pytest.mark.timeout(SECONDS + 240)
def test_nothing_is_lost_and_nothing_torn_arrives_whatever_goes_wrong(tmp_path: Path) -> None:
    print(f"seed {SEED}")
    chance = random.Random(SEED)
    (tmp_path / "sshd").mkdir()
    with running_sshd(tmp_path / "sshd") as host, three(tmp_path, host) as watched:
        clients = Clients(watched, chance)
        killed = vanished = 0
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            for _ in range(chance.randint(5, 40)):
                clients.write()
                time.sleep(0.03)
            clients.check(watched)
            for one in watched:
                one.measure()
            dice = chance.random()
            if dice < 0.15:
                victim = chance.choice(watched)
                victim.kill()
                victim.start()
                killed += 1
            elif dice < 0.22:
                vanish(watched[0].machine.world.store, chance.uniform(0.2, 3))
                vanished += 1
            elif dice < 0.27:
                vanish(chance.choice(watched).machine.claude / "projects", 1.0)
                vanished += 1
        clients.close()
        settling = time.monotonic()
        until(
            lambda: all(
                one.machine.has(session) and one.machine.read(session) == clients.truth[session]
                for one in watched
                for session in SESSIONS
            ),
            seconds=SETTLING_SECONDS,
        )
        settled = time.monotonic() - settling
        for one in watched:
            one.measure()
            one.stop()
        growth = max((grown for one in watched for grown in one.growths), default=0.0)
        size = sum(map(len, clients.truth.values())) / 1e6
        print(
            f"{killed} killed, {vanished} vanished, {size:.1f} MB written; all agreed after "
            f"{settled:.1f} s; the most that a process grew: {growth:.1f} MB"
        )
        assert growth < GROWTH_MB
