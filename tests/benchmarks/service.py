"""What watching costs: ``python tests/benchmarks/service.py [minutes of traffic, 5]``.

The installed command watches a thousand sessions in a folder: at rest for a minute; with a session
growing and others arriving for some minutes; with one of 300 MB that grows all the time. That one
is pushed once in 450 seconds: what one push costs, and what growing costs between two of them, are
measured apart, and added up. A figure that misses its limit makes the exit status 1.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "core"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.tables import Row, show
from benchmarks.trees import BenchMachine, Lines, session_ids
from claude_sync.service import schedule

_SESSIONS = 1000
_SESSION_BYTES = 20_000
_QUIET_SECONDS = 3.0
_IDLE_SECONDS = 60.0
_GROWING_SECONDS = 60.0
_BIG_BYTES = 300_000_000
_HOUR = 3600.0
_TRIALS = 5


class Watcher:
    """A running ``claude-sync watch``, and what it has cost so far."""

    def __init__(self, process: subprocess.Popen[bytes], words: Path) -> None:
        self._process = psutil.Process(process.pid)
        self._words = words

    @property
    def cpu_seconds(self) -> float:
        """Of itself and of the children that have ended."""
        times = self._process.cpu_times()
        return float(times.user + times.system + times.children_user + times.children_system)

    def children(self) -> list[psutil.Process]:
        """The processes that it has started and that are still there."""
        return self._process.children(recursive=True)

    @property
    def megabytes(self) -> float:
        return float(self._process.memory_info().rss / 1e6)

    @property
    def written(self) -> int:
        """Bytes it had the system write."""
        return int(self._process.io_counters().write_chars)

    @property
    def said(self) -> str:
        return self._words.read_text()


@contextmanager
def watching(machine: BenchMachine, *options: str) -> Iterator[Watcher]:
    """Have a machine watch."""
    words = machine.home / "said"
    with words.open("wb") as file:
        process = subprocess.Popen(
            [*machine.program, "watch", *options],
            env=machine.environment,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
        )
    try:
        watcher = Watcher(process, words)
        until(lambda: "Watching" in watcher.said)
        yield watcher
    finally:
        process.terminate()
        process.wait(10)


def until(condition: Callable[[], object], seconds: float = 60.0) -> float:
    """Wait for something to come true; how long that took."""
    begun = time.monotonic()
    while not condition():
        if time.monotonic() - begun > seconds:
            raise SystemExit("it never came true")
        time.sleep(0.002)
    return time.monotonic() - begun


def settled(watcher: Watcher) -> None:
    """Wait until it does nothing any more."""
    before = -1.0
    while watcher.cpu_seconds - before > 0.02:
        before = watcher.cpu_seconds
        time.sleep(3)


def grow(path: Path, line: bytes) -> None:
    with path.open("ab") as file:
        file.write(line)


def bundle(machine: BenchMachine, session_id: str) -> Path:
    (path,) = machine.store.glob(f"*/{session_id}-{machine.name}.ccsync")
    return path


# --- a thousand sessions -----------------------------------------------------------------------


def measure_many(here: BenchMachine, there: BenchMachine, minutes: float) -> list[Row]:
    """Rest, latencies and traffic."""
    ids, lines = session_ids(_SESSIONS), Lines()
    here.fill(ids, _SESSION_BYTES, lines)
    here.set_up()
    there.set_up()
    here("push", "--all")
    with watching(here, "--no-pull") as watcher:
        settled(watcher)
        begun = watcher.cpu_seconds
        time.sleep(_IDLE_SECONDS)
        idle = (watcher.cpu_seconds - begun) / _IDLE_SECONDS
        pushes = [_push_latency(here, ids[number], lines) for number in range(_TRIALS)]
        arrivals = [_arrival_latency(watcher, there, number, lines) for number in range(_TRIALS)]
        growth = _traffic(watcher, here, there, ids, minutes, lines)
    return [
        Row("1,000 sessions at rest, of one core", 100 * idle, "%", 0.1),
        Row("in the store after the quiet time", max(pushes), "s", 0.5, f"worst of {_TRIALS}"),
        Row("an arrival is reported after", max(arrivals), "s", 1.0, f"worst of {_TRIALS}"),
        Row("memory, from the first minute of traffic", growth, "MB", 1.0, f"to the {minutes:g}th"),
    ]


def _push_latency(here: BenchMachine, session_id: str, lines: Lines) -> float:
    path = here.transcript(session_id, session_ids(_SESSIONS).index(session_id))
    file = bundle(here, session_id)
    before = file.stat().st_ino
    grow(path, lines.line(here.home))
    return until(lambda: file.stat().st_ino != before) - _QUIET_SECONDS


def _arrival_latency(watcher: Watcher, there: BenchMachine, number: int, lines: Lines) -> float:
    session_id = f"{number:08d}-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
    there.write(session_id, lines.blocks(there.directories[0], _SESSION_BYTES))
    before = watcher.said.count("new from")
    there("push", session_id)
    written = bundle(there, session_id).stat().st_ctime
    until(lambda: watcher.said.count("new from") > before)
    return time.time() - written


def _traffic(
    watcher: Watcher,
    here: BenchMachine,
    there: BenchMachine,
    ids: list[str],
    minutes: float,
    lines: Lines,
) -> float:
    """How much it grows from the first minute of traffic to the last."""
    first = 0.0
    begun = time.monotonic()
    number = 0
    while (past := time.monotonic() - begun) < minutes * 60:
        number += 1
        grow(here.transcript(ids[number % 10], number % 10), lines.line(here.home))
        if number % 40 == 0:
            arrived = f"{number:08d}-bbbb-4aaa-8aaa-aaaaaaaaaaaa"
            there.write(arrived, lines.blocks(there.directories[0], _SESSION_BYTES))
            there("push", arrived)
        if past >= 60 and not first:
            first = watcher.megabytes
        time.sleep(0.25)
    return watcher.megabytes - (first or watcher.megabytes)


# --- one big session ---------------------------------------------------------------------------


def measure_big(here: BenchMachine) -> list[Row]:
    """A session of 300 MB that grows all the time."""
    [session_id], lines = session_ids(1), Lines()
    path = here.write(session_id, lines.blocks(here.directories[0], _BIG_BYTES))
    live = here.home / ".claude" / "sessions" / "1.json"
    live.write_text(f'{{"pid": 1, "sessionId": "{session_id}"}}')
    here.set_up()
    here("push", "--all")
    file = bundle(here, session_id)
    with watching(here) as watcher:
        settled(watcher)
        # The first push after the start needn't wait; the next one has to.
        _pushed_once(watcher, path, file, lines)
        settled(watcher)
        begun, written = watcher.cpu_seconds, watcher.written
        before = file.stat().st_ino
        end = time.monotonic() + _GROWING_SECONDS
        while time.monotonic() < end:
            grow(path, lines.line(here.home))
            time.sleep(0.25)
        if file.stat().st_ino != before:
            raise SystemExit("it was pushed before its time")
        growing = (watcher.cpu_seconds - begun) / _GROWING_SECONDS
        trickle = (watcher.written - written) / _GROWING_SECONDS
        begun, written = watcher.cpu_seconds, watcher.written
        live.unlink()
        until(lambda: file.stat().st_ino != before)
        settled(watcher)
        push, bytes_pushed = watcher.cpu_seconds - begun, watcher.written - written
    interval = schedule.push_interval(_BIG_BYTES)
    hourly = (trickle + bytes_pushed / interval) * _HOUR
    return [
        Row("one push of 300 MB, processor", push, "s", None, f"{bytes_pushed / 1e6:.0f} MB"),
        Row("growing between two pushes, of one core", 100 * growing, "%"),
        Row("300 MB that grow, of one core", 100 * (growing + push / interval), "%", 3.0),
        Row("written in an hour", hourly / 1e6, "MB", 5000.0),
    ]


def _pushed_once(watcher: Watcher, path: Path, file: Path, lines: Lines) -> None:
    before = file.stat().st_ino
    grow(path, lines.line(path.parent))
    until(lambda: file.stat().st_ino != before)


def main() -> int:
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        (base / "many").mkdir()
        (base / "big").mkdir()
        big = measure_big(BenchMachine(base / "big", "laptop"))
        here, there = (BenchMachine(base / "many", name, 20) for name in ("laptop", "desktop"))
        rows = [*measure_many(here, there, minutes), *big]
    return 0 if show("Watching", rows) else 1


if __name__ == "__main__":
    sys.exit(main())
