"""How long the doctor takes: ``python tests/benchmarks/doctor.py``.

A thousand sessions here and a thousand bundles in a folder, in three states: all pushed and
remembered; half of them taken from another machine, which has gone on with a hundred; and with
nothing remembered, so that every bundle has to be looked into. Each figure is a whole process of
the installed command, the median of several; one that misses its limit makes the exit status 1.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "core"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.processes import PROGRAM, Run, alternately, median, run
from benchmarks.tables import Row, show
from benchmarks.trees import BenchMachine, Lines, session_ids

_SESSIONS = 1000
_SESSION_BYTES = 20_000
_GONE_ON = 100
_LIMIT_SECONDS = 1.0


def measure(folder: Path) -> list[Row]:
    """The doctor over a thousand bundles."""
    here, there = BenchMachine(folder, "laptop", 20), BenchMachine(folder, "desktop", 20)
    ids, lines = session_ids(_SESSIONS), Lines()
    here.fill(ids, _SESSION_BYTES, lines)
    here.set_up()
    here("push", "--all")
    nothing, pushed = alternately(
        7, lambda: run([PROGRAM, "--version"]), lambda: here("doctor", "--json")
    )
    _share(here, there, ids, lines)
    [shared] = alternately(7, lambda: here("doctor", "--json"))
    for runs in (pushed, shared):
        if f"{_SESSIONS:,} bundles" not in runs[0].said:
            raise SystemExit(f"the doctor saw something else:\n{runs[0].said}")
    [deep] = alternately(3, lambda: here("doctor", "--deep", "--json"))
    [lost] = alternately(5, lambda: _without_records(here))
    return [
        Row("claude-sync --version", median(nothing), "s"),
        Row("all pushed", median(pushed), "s", _LIMIT_SECONDS, _memory(pushed)),
        Row("half from another machine", median(shared), "s", _LIMIT_SECONDS, _memory(shared)),
        Row("the same, --deep", median(deep), "s", None, _memory(deep)),
        Row("nothing remembered", median(lost), "s", _LIMIT_SECONDS, _memory(lost)),
    ]


def _share(here: BenchMachine, there: BenchMachine, ids: list[str], lines: Lines) -> None:
    """Have half of the bundles be another machine's, which has gone on with some."""
    half = ids[: _SESSIONS // 2]
    shutil.rmtree(here.store)
    here.set_up()
    here("push", *ids[_SESSIONS // 2 :])
    for number, session_id in enumerate(half):
        target = there.transcript(session_id, number)
        target.parent.mkdir(exist_ok=True)
        shutil.copy2(here.transcript(session_id, number), target)
        if number < _GONE_ON:
            with target.open("ab") as file:
                file.write(lines.line(there.directories[0]))
    there.set_up()
    there("push", "--all")
    here("status")


def _without_records(machine: BenchMachine) -> Run:
    for records in machine.home.rglob("records"):
        shutil.rmtree(records)
    return machine("doctor", "--json")


def _memory(runs: list[Run]) -> str:
    return f"{max(one.peak_mb for one in runs):.0f} MB at most"


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        held = show(f"The doctor: {_SESSIONS:,} sessions and bundles", measure(Path(folder)))
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
