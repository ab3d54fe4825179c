"""How fast a store over ssh is: ``python tests/benchmarks/ssh.py [PART …] [--round-trip MS]``.

Parts: many, grown, look (all of them without one). A real sshd on a loopback port, reached through
a ProxyCommand that delays every byte by half a round trip and counts it; compressed and encrypted
bytes are counted, handshakes included. Each figure is a whole process of the installed command: in
*many* of one run, else the median of several, in *grown* taken in turn with `rsync -az` of the same
session's files over the same ssh and the same proxy. *Cold*: no connection is open. *Warm*: one is,
and is shared. A limit that is missed makes the exit status 1. Everything is made in a temporary
folder (TMPDIR chooses the disk; 1 GB there is enough).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "core"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.processes import run
from benchmarks.tables import Row, show
from benchmarks.trees import BenchMachine, Lines, session_ids
from conformance.proxy import counted, through_proxy
from conformance.sshd import SshHost, running_sshd

_BIG_BYTES = 50 << 20
_SIDECAR_FILES, _SIDECAR_BYTES = 40, 512 << 10
_GROWTH_BYTES = 10 << 10
_SMALL_BYTES = 10 << 10
_OTHERS, _ALL = 300, 1000
_KIB = 1 << 10
_TIMES = 5


class Measured(NamedTuple):
    """A process over ssh: its time, and what went over the wire to make and to answer it."""

    seconds: float
    up: int
    down: int


class Bench:
    """A host, a way to it, and machines that use it.

    Args:
        folder: where all of it lies.
        host: the running sshd.
        round_trip: milliseconds.
    """

    def __init__(self, folder: Path, host: SshHost, round_trip: float) -> None:
        self.folder = folder
        self.host = host
        self.round_trip = round_trip
        self.counts = folder / "counts"
        self.counts.mkdir()
        self.store = host.root / "store"

    def command(self, round_trip: float | None = None) -> list[str]:
        """The ssh that leads through the proxy."""
        late = self.round_trip if round_trip is None else round_trip
        proxy = through_proxy(self.host.port, f"--round-trip={late:g}", f"--count={self.counts}")
        return self.host.command_with(proxy)

    def machine(self, name: str) -> BenchMachine:
        """A machine whose sessions meet on the host."""
        machine = BenchMachine(self.folder, name, 3)
        runtime = self.folder / f"r-{name}"
        runtime.mkdir(mode=0o700)
        machine.environment["XDG_RUNTIME_DIR"] = str(runtime)
        self.use(machine, self.round_trip)
        machine("init", self.host.location(self.store), "--name", name)
        roots = json.dumps([str(machine.directories[0].parent)])
        machine("config", "set", "projects_roots", roots)
        return machine

    def use(self, machine: BenchMachine, round_trip: float) -> None:
        """Have a machine reach the host in so many milliseconds."""
        machine("config", "set", "ssh_command", json.dumps(self.command(round_trip)))
        self.host.end_connections()

    def measured(self, work: Callable[[], object]) -> Measured:
        """Run something, counting what it sends and receives."""
        before = counted(self.counts)
        outcome = work()
        after = counted(self.counts)
        seconds = getattr(outcome, "seconds", 0.0)
        return Measured(seconds, after.up - before.up, after.down - before.down)


def median(runs: list[Measured]) -> Measured:
    """Of each figure the one in the middle."""
    return Measured(*(statistics.median(column) for column in zip(*runs, strict=True)))


# --- parts -------------------------------------------------------------------------------------


def many(bench: Bench) -> list[Row]:
    """A new machine's 300 small sessions."""
    machine = bench.machine("laptop")
    machine.fill(session_ids(_OTHERS), _SMALL_BYTES, Lines())
    bench.host.end_connections()
    push = bench.measured(lambda: machine("push", "--all"))
    other = bench.machine("desktop")
    bench.host.end_connections()
    pull = bench.measured(lambda: other("pull", "--all"))
    return [
        Row("push, cold", push.seconds, "s", 5, f"{push.up / _KIB:.0f} KiB sent"),
        Row("pull, cold", pull.seconds, "s", 5, f"{pull.down / _KIB:.0f} KiB came"),
    ]


class _Grown:
    """One big session that grows, pushed and pulled and, beside that, mirrored by rsync."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.here, self.there = bench.machine("laptop"), bench.machine("desktop")
        self.lines = Lines()
        self.session = session_ids(1)[0]
        cwd = self.here.directories[0]
        self.here.fill(session_ids(_OTHERS + 1)[1:], _SMALL_BYTES, self.lines)
        self.path = self.here.write(self.session, self.lines.blocks(cwd, _BIG_BYTES))
        sidecar = self.path.with_suffix("") / "tool-results"
        sidecar.mkdir(parents=True)
        for number in range(_SIDECAR_FILES):
            data = b"".join(self.lines.blocks(cwd, _SIDECAR_BYTES))
            (sidecar / f"{number:032x}.txt").write_bytes(data)
        self.here("push", "--all")
        self.there("pull", "--all")
        self.mirror = bench.host.root / "mirror"
        self.copied = bench.folder / "copied"
        self.rsync_up(self.cold_ssh)
        self.rsync_down(self.cold_ssh)

    @property
    def cold_ssh(self) -> list[str]:
        return [*self.bench.command(), "-oControlPath=none", "-oBatchMode=yes"]

    @property
    def warm_ssh(self) -> list[str]:
        path = self.bench.folder / "r-rsync"
        return [
            *self.bench.command(),
            *("-oControlMaster=auto", f"-oControlPath={path}", "-oControlPersist=60"),
        ]

    def grow(self) -> None:
        with self.path.open("ab") as file:
            file.writelines(self.lines.blocks(self.here.directories[0], _GROWTH_BYTES))

    def push(self) -> object:
        return self.here("push", self.session)

    def pull(self) -> object:
        return self.there("pull", self.session)

    def rsync_up(self, ssh: list[str]) -> object:
        source = [str(self.path), str(self.path.with_suffix(""))]
        return run([*self._rsync(ssh), *source, f"box:{self.mirror}/"], dict(os.environ))

    def rsync_down(self, ssh: list[str]) -> object:
        return run([*self._rsync(ssh), f"box:{self.mirror}/", f"{self.copied}/"], dict(os.environ))

    def _rsync(self, ssh: list[str]) -> list[str]:
        script = self.bench.folder / "rsync-ssh"
        quoted = " ".join("'" + word.replace("'", "'\\''") + "'" for word in ssh)
        script.write_text(f'#!/bin/sh\nexec {quoted} "$@"\n')
        script.chmod(0o755)
        return ["rsync", "-az", "-e", str(script)]

    def check(self) -> None:
        """Both ways brought what they should."""
        wanted = self.path.read_bytes()
        assert self.there.transcript(self.session).read_bytes() == wanted
        assert (self.copied / self.path.name).read_bytes() == wanted


def grown(bench: Bench) -> list[Row]:
    """50 MB with 20 MB beside it, grown by 10 KiB, among 300 others."""
    pair = _Grown(bench)
    rows: list[Row] = []
    for state, ssh in (("cold", pair.cold_ssh), ("warm", pair.warm_ssh)):
        works: dict[str, Callable[[], object]] = {
            "push": pair.push,
            "rsync up": partial(pair.rsync_up, ssh),
            "pull": pair.pull,
            "rsync down": partial(pair.rsync_down, ssh),
        }
        runs: dict[str, list[Measured]] = {name: [] for name in works}
        for turn in range(_TIMES + 1):
            pair.grow()
            for name, work in works.items():
                if state == "cold":
                    bench.host.end_connections()
                measured = bench.measured(work)
                if turn:  # the first one warms: connections, and what the system keeps of files
                    runs[name].append(measured)
            pair.check()
        rows += _compared(state, {name: median(taken) for name, taken in runs.items()})
    return rows


def _compared(state: str, of: dict[str, Measured]) -> Iterator[Row]:
    for verb, rsync in (("push", "rsync up"), ("pull", "rsync down")):
        sent = of[verb].up if verb == "push" else of[verb].down
        theirs = of[rsync].up if verb == "push" else of[rsync].down
        limit = 48 if state == "cold" else None
        yield Row(
            f"{verb}, {state}: over the wire",
            sent / _KIB,
            "KiB",
            limit,
            f"rsync -z {theirs / _KIB:.1f} KiB",
        )
        yield Row(
            f"{verb}, {state}: time, of rsync -z",
            of[verb].seconds / of[rsync].seconds,
            "x",
            1.0 if state == "cold" else 0.9,
            f"{of[verb].seconds:.3f} s, rsync {of[rsync].seconds:.3f} s",
        )


def look(bench: Bench) -> list[Row]:
    """1,000 bundles and nothing new."""
    machine, other = bench.machine("laptop"), bench.machine("desktop")
    machine.fill(session_ids(_ALL), _KIB, Lines())
    machine("push", "--all")
    other("pull", "--all")

    def looked() -> Measured:
        return bench.measured(lambda: other("pull", "--all"))

    looked()
    warm = median([looked() for _ in range(_TIMES)])
    seconds = []
    for late in (0.0, 2 * bench.round_trip):
        bench.use(other, late)
        looked()
        seconds.append(median([looked() for _ in range(_TIMES)]).seconds)
    trips = (seconds[1] - seconds[0]) / (2 * bench.round_trip / 1000)
    return [
        Row("over the wire, both ways, warm", (warm.up + warm.down) / _KIB, "KiB", 4),
        Row("round trips, two of them multiplexing's", trips, "x", 3.5),
        Row("pull, whole process", warm.seconds, "s"),
    ]


PARTS: dict[str, Callable[[Bench], list[Row]]] = {"many": many, "grown": grown, "look": look}


@contextlib.contextmanager
def _bench(round_trip: float) -> Iterator[Bench]:
    with tempfile.TemporaryDirectory(prefix="cs-") as name:
        folder = Path(name)
        (folder / "sshd").mkdir()
        with running_sshd(folder / "sshd") as host:
            yield Bench(folder, host, round_trip)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--round-trip", type=float, default=100.0, metavar="MS")
    chosen = parser.parse_args()
    random.seed(1)
    all_hold = True
    for part in chosen.parts or PARTS:
        with _bench(chosen.round_trip) as bench:
            title = f"{part}: {PARTS[part].__doc__} {chosen.round_trip:g} ms of round trip."
            all_hold &= show(title, PARTS[part](bench))
    return 0 if all_hold else 1


if __name__ == "__main__":
    sys.exit(main())
