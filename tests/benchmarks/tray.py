"""How fast the tray answers, and what it costs: ``python tests/benchmarks/tray.py [SECONDS]``.

The installed program on a machine with a thousand sessions, on a session bus of its own, before a
panel and a notification server of the benchmark's: how long from the start to the icon, from a
click to the menu that says so, from another machine's push to the notification; then processor
time and memory while nothing happens, over a minute or the seconds that are given. Linux only.
The exit status is 1 if a limit was missed.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "core"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "app"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.processes import PROGRAM
from benchmarks.tables import Row, show
from benchmarks.trees import BenchMachine, Lines, session_ids
from desktop.notification_servers import NotificationServer
from desktop.panel import Panel
from desktop.programs import PrivateBus, Programs
from waiting import until

_SESSIONS = 1000
_SESSION_BYTES = 20_000
_STARTS = 7
_CLICKS = 15
_ARRIVALS = 7
_IDLE_SECONDS = 60.0
_SETTLE_SECONDS = 15.0
_TICKS = os.sysconf("SC_CLK_TCK")


class Bench:
    """A machine with its desktop."""

    def __init__(self, folder: Path, programs: Programs) -> None:
        self._programs = programs
        self.bus = PrivateBus(programs, folder, "bus")
        self.panel = Panel(self.bus.address)
        self.server = NotificationServer(self.bus.address)
        self.lines = Lines()
        self.here, self.there = BenchMachine(folder, "laptop", 20), BenchMachine(folder, "desk", 20)
        self.ids = session_ids(_SESSIONS + _ARRIVALS)
        self.here.fill(self.ids[:_SESSIONS], _SESSION_BYTES, self.lines)
        for machine in (self.here, self.there):
            machine.set_up()
        self.here("push", "--all")

    @contextmanager
    def tray(self) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
        """The program, and how long it took until its icon was there."""
        before = len(self.panel.watcher.registered)
        began = time.perf_counter()
        process = subprocess.Popen(
            [PROGRAM.with_name("claude-sync-tray")],
            env={**self.here.environment, "DBUS_SESSION_BUS_ADDRESS": self.bus.address},
            stdin=subprocess.DEVNULL,
        )
        try:
            _until(lambda: len(self.panel.watcher.registered) > before)
            yield process, time.perf_counter() - began
        finally:
            process.terminate()
            process.wait(10)

    def sentence(self) -> str:
        """What the menu's first row says."""
        return self.panel.menu().rows[0].label

    def close(self) -> None:
        self.panel.close()
        self.server.close()


def measure(folder: Path, programs: Programs, idle_seconds: float) -> list[Row]:
    """All figures."""
    bench = Bench(folder, programs)
    try:
        starts = [_start(bench) for _ in range(_STARTS)]
        with bench.tray() as (process, _):
            until(bench.sentence, lambda said: said.startswith("Up to date"), 30)
            clicks = [_click(bench) for _ in range(_CLICKS)]
            arrivals = [_arrival(bench, number) for number in range(_ARRIVALS)]
            time.sleep(_SETTLE_SECONDS)
            share = _idle(process.pid, idle_seconds)
            memory = _memory_mb(process.pid)
    finally:
        bench.close()
    return [
        Row("start to icon", statistics.median(starts), "s", 0.5, _worst(starts, "s")),
        Row("click to menu", statistics.median(clicks), "ms", 100, _worst(clicks, "ms")),
        Row(
            "arrival to notification", statistics.median(arrivals), "s", 1.5, _worst(arrivals, "s")
        ),
        Row(f"idle for {idle_seconds:.0f} s, of a core", share, "%", 0.1),
        Row("memory (PSS)", memory, "MB", 50),
    ]


def _start(bench: Bench) -> float:
    with bench.tray() as (_, seconds):
        until(bench.sentence, lambda said: said.startswith("Up to date"), 30)
        return seconds


def _click(bench: Bench) -> float:
    """Milliseconds from a click on Push to the menu's word that it is being pushed."""
    path = bench.here.transcript(bench.ids[0])
    with path.open("ab") as file:
        file.write(bench.lines.line(bench.here.directories[0]))
    bench.panel.tell("opened", 0)
    bench.panel.tell("closed", 0)
    until(
        lambda: any(label.startswith("Push 1") for label in bench.panel.menu().labels), seconds=30
    )
    number = next(row for row in bench.panel.menu().rows if row.label.startswith("Push 1")).number
    bench.panel.signals.clear()
    began = time.perf_counter()
    bench.panel.tell("clicked", number)
    _until(lambda: any("Pushing" in str(body) for _, body in list(bench.panel.signals)))
    seconds = time.perf_counter() - began
    until(bench.sentence, lambda said: said.startswith("Up to date"), 30)
    return 1000 * seconds


def _arrival(bench: Bench, number: int) -> float:
    """Seconds from the end of another machine's push to the notification of it."""
    session_id = bench.ids[_SESSIONS + number]
    bench.there.write(session_id, bench.lines.blocks(bench.there.directories[0], _SESSION_BYTES))
    before = len(bench.server.shown)
    bench.there("push", session_id)
    began = time.perf_counter()
    _until(lambda: len(bench.server.shown) > before)
    return time.perf_counter() - began


def _idle(pid: int, seconds: float) -> float:
    before = _ticks(pid)
    time.sleep(seconds)
    return 100 * (_ticks(pid) - before) / _TICKS / seconds


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _memory_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise SystemExit("the system doesn't tell how much memory a process has of its own")


def _until(done: Callable[[], bool]) -> None:
    """Look a thousand times a second, which costs the measured program nothing on another core."""
    end = time.monotonic() + 30
    while not done():
        if time.monotonic() > end:
            raise SystemExit("what is measured never came")
        time.sleep(0.001)


def _worst(figures: list[float], unit: str) -> str:
    return f"the worst of {len(figures)}: {max(figures):.3g} {unit}"


def main() -> int:
    """Measure, show, and say whether all limits held."""
    idle_seconds = float(sys.argv[1]) if len(sys.argv) > 1 else _IDLE_SECONDS
    folder = Path(tempfile.mkdtemp(prefix="claude-sync-tray-"))
    programs = Programs()
    try:
        rows = measure(folder, programs, idle_seconds)
    finally:
        programs.end_all()
        shutil.rmtree(folder, ignore_errors=True)
    return 0 if show(f"the tray, {_SESSIONS:,} sessions", rows) else 1


if __name__ == "__main__":
    sys.exit(main())
