"""What it costs to hear of arrivals on a host: ``python tests/benchmarks/store_watch.py``.

``[WAY …] [--seconds REST] [--bundles IN THE STORE] [--round-trip MS …] [--trials ARRIVALS]``

``claude-sync watch`` over a real sshd, through a proxy that delays and counts, beside other ways to
do the same: the host tells, with inotifywait and without, or it is asked every second, every five
and every minute. At rest: bytes over the wire both ways, and processor time here (ssh included) and
on the host (sshd included). Then bundles are put there: how long after each got its name an arrival
is told of.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "core"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.service import Watcher, bundle, until, watching
from benchmarks.trees import BenchMachine, Lines, session_ids
from conformance.proxy import counted, through_proxy
from conformance.sshd import SshHost, running_sshd

_ROOT = Path(__file__).resolve().parents[2]
_SMALL_BYTES = 2_000
_HOUR = 3600.0


class Way(NamedTuple):
    """How a machine learns of arrivals.

    Attributes:
        name: for the table.
        flavour: which kind of host it is.
        watched: whether the host is watched.
        interval: how often it is asked, seconds.
    """

    name: str
    flavour: str
    watched: bool
    interval: float


WAYS = (
    Way("told, inotifywait", "box", True, 60.0),
    Way("told, loop", "box-deaf", True, 60.0),
    Way("told, loop of busybox", "box-busybox", True, 60.0),
    Way("asked every minute", "box", False, 60.0),
    Way("asked every 5 s", "box", False, 5.0),
    Way("asked every second", "box", False, 1.0),
)


class Cost(NamedTuple):
    """What a way costs."""

    bytes_a_minute: float
    here_an_hour: float
    host_an_hour: float
    arrival: float
    worst_arrival: float


class Bench:
    """A host, a machine that writes there, and one that watches.

    Args:
        folder: where all of it lies.
        host: the running sshd.
        bundles: how many lie there.
        trials: how many arrivals are timed.
    """

    def __init__(self, folder: Path, host: SshHost, bundles: int, trials: int) -> None:
        self.trials = trials
        self.folder, self.host = folder, host
        self.counts = folder / "counts"
        self.counts.mkdir()
        self.there = BenchMachine(folder, "desktop", 20, _ROOT)
        self.lines = Lines()
        self.there.fill(session_ids(bundles), _SMALL_BYTES, self.lines)
        self.there.set_up()
        self.there("push", "--all")
        self.number = 0

    def measure(self, way: Way, round_trip: float, seconds: float) -> Cost:
        """What one way costs."""
        self.number += 1
        here = BenchMachine(self.folder, f"laptop-{self.number}", 1, _ROOT)
        runtime = self.folder / f"r{self.number}"
        runtime.mkdir(mode=0o700)
        here.environment["XDG_RUNTIME_DIR"] = str(runtime)
        proxy = through_proxy(
            self.host.port, f"--round-trip={round_trip:g}", f"--count={self.counts}"
        )
        here("config", "set", "ssh_command", json.dumps(self.host.command_with(proxy)))
        here("config", "set", "watch_store", str(way.watched).lower())
        here("init", self.host.location(here.store, way.flavour), "--name", here.name)
        roots = json.dumps([str(here.directories[0].parent)])
        here("config", "set", "projects_roots", roots)
        here("pull", "--all")
        self.host.end_connections()
        with watching(here, "--no-pull", f"--interval={way.interval:g}") as watcher:
            until(lambda: counted(self.counts))
            time.sleep(10)  # the doctor looks once at the start
            before = self._used(watcher, runtime)
            time.sleep(seconds)
            used = [
                now - then for now, then in zip(self._used(watcher, runtime), before, strict=True)
            ]
            delays = [self._arrival(watcher) for _ in range(self.trials)]
        self.host.end_connections()
        sent, here_seconds, host_seconds = used
        return Cost(
            bytes_a_minute=sent * 60 / seconds,
            here_an_hour=here_seconds * _HOUR / seconds,
            host_an_hour=host_seconds * _HOUR / seconds,
            arrival=statistics.median(delays),
            worst_arrival=max(delays),
        )

    def _used(self, watcher: Watcher, runtime: Path) -> tuple[float, float, float]:
        """Bytes so far, and processor seconds here and on the host."""
        traffic = counted(self.counts)
        assert self.host.process is not None
        sshd = psutil.Process(self.host.process.pid)
        masters = [one for one in psutil.process_iter() if _is_master(one, runtime)]
        ssh = [one for one in watcher.children() if "ssh" in one.name()]
        return (
            float(traffic.up + traffic.down),
            watcher.cpu_seconds + sum(map(_own_seconds, {*masters, *ssh})),
            sum(map(_seconds, [sshd, *sshd.children(recursive=True)])),
        )

    def _arrival(self, watcher: Watcher) -> float:
        time.sleep(3.3)  # as far apart as the pushes of a session that is worked in
        self.number += 1
        session_id = f"{self.number:08d}-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
        self.there.write(session_id, self.lines.blocks(self.there.directories[0], _SMALL_BYTES))
        before = watcher.said.count("new from")
        self.there("push", session_id)
        written = bundle(self.there, session_id).stat().st_ctime
        until(lambda: watcher.said.count("new from") > before, 90.0)
        return time.time() - written


def _is_master(process: psutil.Process, runtime: Path) -> bool:
    with suppress(psutil.Error):
        return process.name() == "ssh" and any(str(runtime) in word for word in process.cmdline())
    return False


def _own_seconds(process: psutil.Process) -> float:
    with suppress(psutil.Error):
        times = process.cpu_times()
        return float(times.user + times.system)
    return 0.0


def _seconds(process: psutil.Process) -> float:
    with suppress(psutil.Error):
        times = process.cpu_times()
        return float(times.user + times.system + times.children_user + times.children_system)
    return 0.0


def show(title: str, costs: Sequence[tuple[str, Cost]]) -> None:
    """Print what each way costs."""
    head = ("", "bytes/min", "here, CPU s/h", "host, CPU s/h", "arrival", "worst")
    rows = [head, *(_cells(name, cost) for name, cost in costs)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    print(f"\n{title}")
    for first, *others in rows:
        cells = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        print("  ".join([first.ljust(widths[0]), *cells]), flush=True)


def _cells(name: str, cost: Cost) -> tuple[str, ...]:
    return (
        name,
        f"{cost.bytes_a_minute:,.0f}",
        f"{cost.here_an_hour:.1f}",
        f"{cost.host_an_hour:.1f}",
        f"{cost.arrival:.2f} s",
        f"{cost.worst_arrival:.2f} s",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("ways", nargs="*", metavar="WAY", help="by its beginning")
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--bundles", type=int, default=300)
    parser.add_argument("--round-trip", type=float, nargs="*", default=[0.0, 50.0])
    parser.add_argument("--trials", type=int, default=5)
    chosen = parser.parse_args()
    ways = [way for way in WAYS if way.name.startswith(tuple(chosen.ways) or "")]
    with tempfile.TemporaryDirectory(prefix="cs-") as name:
        folder = Path(name)
        (folder / "sshd").mkdir()
        with running_sshd(folder / "sshd") as host:
            bench = Bench(folder, host, chosen.bundles, chosen.trials)
            for late in chosen.round_trip:
                costs = [(way.name, bench.measure(way, late, chosen.seconds)) for way in ways]
                title = f"{chosen.bundles} bundles in 20 projects, {late:g} ms of round trip"
                show(title, costs)


if __name__ == "__main__":
    main()
