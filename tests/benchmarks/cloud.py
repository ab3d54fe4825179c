"""How fast a store in a cloud by rclone is: ``python tests/benchmarks/cloud.py [KIND …]``.

Kinds: webdav, s3 (both without one). `rclone serve` of a folder on a loopback port, reached with
rclone's usual settings. Each figure is a whole process of the installed command, or of the tree's
with ``--tree``; a look with nothing new stands beside what rclone takes to start, of which the
median of several is taken. A limit that is missed makes the exit status 1. Everything is made in a
temporary folder.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "core"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.tables import Row, show
from benchmarks.trees import BenchMachine, Lines, session_ids
from claude_sync.transports.rclone.calls import Caller, command
from conformance.clouds import Clouds, running_clouds

_SESSIONS, _BYTES, _PROJECTS = 300, 10 << 10, 3
_TIMES = 5
ROOT = Path(__file__).resolve().parents[2]


def _machine(folder: Path, name: str, clouds: Clouds, kind: str, tree: Path | None) -> BenchMachine:
    machine = BenchMachine(folder, name, _PROJECTS, tree)
    runtime = folder / f"r-{name}"
    runtime.mkdir(mode=0o700)
    machine.environment |= {
        "XDG_RUNTIME_DIR": str(runtime),
        "RCLONE_CONFIG": str(clouds.config),
    }
    machine("init", clouds.location(kind, "store"), "--name", name)
    roots = json.dumps([str(machine.directories[0].parent)])
    machine("config", "set", "projects_roots", roots)
    return machine


def _beside(folder: Path, tree: Path | None) -> tuple[float, float]:
    """What a push of as much and a look take in a folder, in the same minute."""
    machine = BenchMachine(folder, "beside", _PROJECTS, tree)
    machine.set_up()
    machine.fill(session_ids(_SESSIONS), _BYTES, Lines())
    push = machine("push", "--all").seconds
    return push, statistics.median(machine("pull", "--all").seconds for _ in range(_TIMES))


def _start_seconds(folder: Path, kind: str) -> float:
    """What rclone takes from nothing to its first answer, and to its end."""
    taken = []
    for _ in range(_TIMES):
        before = time.perf_counter()
        with closing(Caller(folder / "r-start", kind, kind)) as caller:
            caller.call(command("rc/noop")).close()
        taken.append(time.perf_counter() - before)
    return statistics.median(taken)


def measured(kind: str, folder: Path, clouds: Clouds, tree: Path | None) -> list[Row]:
    """A new machine's 300 sessions, and looks with nothing new."""
    laptop = _machine(folder, "laptop", clouds, kind, tree)
    laptop.fill(session_ids(_SESSIONS), _BYTES, Lines())
    push = laptop("push", "--all").seconds
    desktop = _machine(folder, "desktop", clouds, kind, tree)
    pull = desktop("pull", "--all").seconds
    looks = [desktop("pull", "--all").seconds for _ in range(_TIMES)]
    start = _start_seconds(folder, kind)
    beside = _beside(folder, tree)
    look = statistics.median(looks)
    return [
        Row("push of 300, cold", push, "s", 10),
        Row("pull of 300, cold", pull, "s", 10),
        Row("a look, nothing new, without rclone's start", look - start, "s", 0.5),
        Row("rclone's start and end", start, "s", note=f"a look is {look:.3f} s with it"),
        Row("the same push in a folder, for comparison", beside[0], "s"),
        Row("the same look in a folder, for comparison", beside[1], "s"),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("kinds", nargs="*", metavar="KIND", default=["webdav", "s3"])
    parser.add_argument("--tree", action="store_true", help="run this tree's claude-sync")
    chosen = parser.parse_args()
    all_hold = True
    for kind in chosen.kinds:
        with tempfile.TemporaryDirectory(prefix="cs-") as name:
            folder = Path(name)
            with running_clouds(folder / "clouds", patient=True) as clouds:
                os.environ["RCLONE_CONFIG"] = str(clouds.config)
                tree = ROOT if chosen.tree else None
                rows = measured(kind, folder, clouds, tree)
                all_hold &= show(f"{kind}: {measured.__doc__}", rows)
    return 0 if all_hold else 1


if __name__ == "__main__":
    sys.exit(main())
