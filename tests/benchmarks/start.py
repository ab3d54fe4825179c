"""How fast a push with nothing to do is, beside another commit's.

``python tests/benchmarks/start.py --against REV`` (``--help`` lists what else can be chosen).

Both trees are run by this Python, this one and that of REV in turn, so that what disturbs one
disturbs the other too; each has a machine of its own with the same sessions, all of them pushed.
Importing is what ``python -X importtime`` adds up to. With ``--at-most IMPORT PUSH`` the ratios
have limits, and one that is missed makes the exit status 1.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "core"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.processes import Run, alternately, run
from benchmarks.tables import Row, show
from benchmarks.trees import BenchMachine, Lines, session_ids

ROOT = Path(__file__).resolve().parents[2]
_SESSION_BYTES = 20_000
_PROJECTS = 10
_IMPORT_MARK = "import time:"


def check_out(revision: str, folder: Path) -> str:
    """Put a commit's tree into a folder; its short name."""
    commit = _git("-C", ROOT, "rev-parse", "--verify", f"{revision}^{{commit}}")
    _git("clone", "--quiet", "--shared", "--no-checkout", ROOT, folder)
    _git("-C", folder, "checkout", "--quiet", "--detach", commit)
    return _git("-C", folder, "rev-parse", "--short", "HEAD")


def _git(*arguments: str | Path) -> str:
    done = subprocess.run(
        ["git", *map(str, arguments)], stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode != 0:
        raise SystemExit(f"git {arguments[-1]} ended with {done.returncode}; see above")
    return done.stdout.strip()


def pushed_machine(folder: Path, sources: Path, sessions: int) -> BenchMachine:
    """A machine that runs a tree's claude-sync and has pushed everything with it."""
    machine = BenchMachine(folder, "laptop", _PROJECTS, sources)
    runs_from = run([sys.executable, "-c", _WHERE], machine.environment).said.split()
    if Path(runs_from[0]) != sources / "core" or Path(runs_from[1]) != sources / "app":
        raise SystemExit(f"the sources of {sources} aren't those that are run: {runs_from}")
    machine.fill(session_ids(sessions), _SESSION_BYTES, Lines())
    machine.set_up()
    machine("push", "--all")
    machine("push", "--all")  # and once more, so that what is compiled and cached once is
    return machine


_WHERE = """
import pathlib, claude_sync, claude_sync_app
for package in (claude_sync, claude_sync_app):
    print(pathlib.Path(package.__file__).resolve().parents[1])
"""


def importing(machine: BenchMachine) -> Run:
    """A push with nothing to do that tells what each import took."""
    python, *rest = machine.program
    return run([python, "-X", "importtime", *rest, "push", "--all"], machine.environment)


def import_ms(told: Run) -> float:
    """What all imports of a process took: Python's own at its start are among them."""
    lines = [line for line in told.said.splitlines() if line.startswith(_IMPORT_MARK)]
    own = [line.removeprefix(_IMPORT_MARK).split("|")[0].strip() for line in lines]
    return sum(int(text) for text in own if text.isdigit()) / 1000


def compare(
    what: str,
    runs: Sequence[Sequence[Run]],
    figure_ms: Callable[[Run], float],
    names: Sequence[str],
    limit: float | None,
) -> list[Row]:
    """Rows for both trees and how they relate: the medians of all runs."""
    here, there = (statistics.median(map(figure_ms, of_one)) for of_one in runs)
    return [
        Row(f"{what}, {names[1]}", there, "ms"),
        Row(f"{what}, {names[0]}", here, "ms"),
        Row(f"{what}, of it", here / there, "x", limit),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--against", metavar="REV", required=True, help="the other commit")
    parser.add_argument("--turns", type=int, default=15, help="how often each is run")
    parser.add_argument("--sessions", type=int, default=1000, help="how many are unchanged")
    parser.add_argument(
        "--at-most",
        type=float,
        nargs=2,
        metavar=("IMPORT", "PUSH"),
        help="limits of the two ratios, such as 0.5 0.67",
    )
    asked = parser.parse_args()
    import_limit, push_limit = asked.at_most or (None, None)
    with tempfile.TemporaryDirectory(prefix="claude-sync-benchmark-") as temporary:
        folder = Path(temporary).resolve()
        names = ["this tree", check_out(asked.against, folder / "other")]
        machines = []
        for sources, home in ((ROOT, folder / "ours"), (folder / "other", folder / "theirs")):
            home.mkdir()
            machines.append(pushed_machine(home, sources, asked.sessions))
        here, there = machines
        imports = alternately(asked.turns, lambda: importing(here), lambda: importing(there))
        pushes = alternately(
            asked.turns, lambda: here("push", "--all"), lambda: there("push", "--all")
        )
    rows = compare("importing", imports, import_ms, names, import_limit)
    rows += compare("a whole push", pushes, lambda one: 1000 * one.seconds, names, push_limit)
    if any(one.cpu_seconds for of_one in pushes for one in of_one):
        rows += compare(
            "processor time of it", pushes, lambda one: 1000 * one.cpu_seconds, names, None
        )
    return 0 if show(f"Push of {asked.sessions:,} unchanged sessions", rows) else 1


if __name__ == "__main__":
    raise SystemExit(main())
