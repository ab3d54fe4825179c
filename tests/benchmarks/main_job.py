"""How fast the main job is: ``python tests/benchmarks/main_job.py [PART …]``.

Parts: start, big, memory, thousand, resume, checkpoints, many (all of them without one). Each
figure is a whole process of the installed command, the median of several runs taken in turn with
what it is compared with; its limit stands beside it, and one that is missed makes the exit status
1. *Cold*: the records know nothing and the place is empty; the page cache is as it comes.
Everything is made in a temporary folder (TMPDIR chooses the disk; `many` needs 1 GB there,
`memory` 5 GB).
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "core"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.processes import PROGRAM, Run, alternately, copy_and_hash, median, run
from benchmarks.tables import Row, show
from benchmarks.trees import BenchMachine, Lines, session_ids

_BIG_BYTES = 50 << 20
_HUGE_BYTES = 1 << 30
_GROWTH_BYTES = 10 << 10
_MOST_FILES = 10_000


def start(_: Path) -> list[Row]:
    """The command beside a Python that does nothing."""
    nothing, version, usage = alternately(
        21,
        lambda: run([sys.executable, "-c", "pass"]),
        lambda: run([PROGRAM, "--version"]),
        lambda: run([PROGRAM, "--help"]),
    )
    base = median(nothing)
    return [
        Row("python -c pass", 1000 * base, "ms"),
        Row("claude-sync --version, above it", 1000 * (median(version) - base), "ms", 60),
        Row("claude-sync --help, above it", 1000 * (median(usage) - base), "ms"),
    ]


def big(folder: Path) -> list[Row]:
    """One transcript of 50 MB, against cp and sha256sum of it."""
    here, there = BenchMachine(folder, "laptop"), BenchMachine(folder, "desktop")
    [session] = session_ids(1)
    lines, cwd = Lines(), here.directories[0]
    path = here.write(session, lines.blocks(cwd, _BIG_BYTES))

    def pushed_cold() -> Run:
        shutil.rmtree(here.store, ignore_errors=True)
        here.set_up()
        return here("push", "--all")

    def pulled_cold() -> Run:
        there.clear_tree()
        there.set_up()
        return there("pull", "--all")

    def grown() -> None:
        with path.open("ab") as file:
            file.writelines(lines.blocks(cwd, _GROWTH_BYTES))

    def pushed_grown() -> Run:
        grown()
        return here("push", "--all")

    compared, push, pull = alternately(
        7, lambda: copy_and_hash(path, folder / "copy"), pushed_cold, pulled_cold
    )
    push_grown, pull_grown = alternately(5, pushed_grown, lambda: there("pull", "--all"))
    base = median(compared)
    return [
        Row("cp + sha256sum", base, "s"),
        Row("cold push, of it", median(push) / base, "x", 2, f"{median(push):.3f} s"),
        Row("cold pull, of it", median(pull) / base, "x", 2.5, f"{median(pull):.3f} s"),
        Row("push after 10 KB of growth, of it", median(push_grown) / base, "x"),
        Row("pull of that growth, of it", median(pull_grown) / base, "x"),
    ]


def memory(folder: Path) -> list[Row]:
    """The most memory that a process has for one transcript of a gigabyte."""
    here, there = BenchMachine(folder, "laptop"), BenchMachine(folder, "desktop")
    [session] = session_ids(1)
    here.write(session, Lines().blocks(here.directories[0], _HUGE_BYTES))
    for machine in (here, there):
        machine.set_up()
    file = folder / "one.ccsync"
    done = {
        "pack": here("pack", session, "-o", str(file)),
        "unpack": there("unpack", str(file)),
    }
    file.unlink()
    there.clear_tree()
    there.set_up()
    done["push"] = here("push", "--all")
    done["pull"] = there("pull", "--all")
    return [
        Row(f"{name}, peak of the process", one.peak_mb, "MB", 50, f"{one.seconds:.2f} s")
        for name, one in done.items()
    ]


def thousand(folder: Path) -> list[Row]:
    """1,000 sessions of 50 KB in ten projects."""
    here = BenchMachine(folder, "laptop", projects=10)
    there = BenchMachine(folder, "desktop", projects=10)
    ids, lines = session_ids(1000), Lines()
    here.fill(ids, 50_000, lines)

    def pushed_cold() -> Run:
        shutil.rmtree(here.store, ignore_errors=True)
        here.set_up()
        return here("push", "--all")

    def pulled_cold() -> Run:
        there.clear_tree()
        there.set_up()
        return there("pull", "--all")

    def pushed_one() -> Run:
        with here.transcript(ids[0]).open("ab") as file:
            file.write(lines.line(here.directories[0]))
        return here("push", "--all")

    push, pull = alternately(5, pushed_cold, pulled_cold)
    idle = _nothing_to_do(here, 9, 0.15)
    idle_there = alternately(9, lambda: there("pull", "--all"))
    changed, pulling = alternately(9, pushed_one, lambda: there("pull", "--all"))
    return [
        Row("cold push", median(push), "s", 1.5),
        Row("cold pull", median(pull), "s", 1.5),
        *idle,
        Row("pull on the other machine, nothing to do", median(idle_there[0]), "s", 0.15),
        Row("pull of the one that changed", median(pulling), "s"),
        Row("push of one that changed", median(changed), "s"),
    ]


def resume(folder: Path) -> list[Row]:
    """From the word to the client, among 1,000 sessions of ten projects; the client just ends."""
    here = BenchMachine(folder, "laptop", projects=10)
    there = BenchMachine(folder, "desktop", projects=10)
    ids, lines = session_ids(1000), Lines()
    here.fill(ids, 50_000, lines)
    client = folder / "bin" / "claude"
    client.parent.mkdir()
    client.write_text("#!/bin/sh\nexit 0\n")
    client.chmod(0o755)
    for machine in (here, there):
        machine.set_up()
        machine.environment["PATH"] = f"{client.parent}{os.pathsep}{machine.environment['PATH']}"
    here("push", "--all")
    there("pull", "--all")
    typed = ("resume", "--project", str(there.directories[0]))
    there(*typed)

    def grown() -> Run:
        with here.transcript(ids[0]).open("ab") as file:
            file.write(lines.line(here.directories[0]))
        here("push", "--all")
        return there(*typed)

    nothing, pull, ended = alternately(
        9,
        lambda: there(*typed),
        lambda: there("pull", "--project", str(there.directories[0])),
        lambda: run([client], there.environment),
    )
    [pulled] = alternately(5, grown)
    return [
        Row("resume, nothing to pull", median(nothing), "s", 0.3),
        Row("pull of that project, nothing to do", median(pull), "s"),
        Row("the client alone", median(ended), "s"),
        Row("resume that pulls what has grown", median(pulled), "s"),
    ]


def checkpoints(folder: Path) -> list[Row]:
    """One session with 10,000 checkpoints of 4 KB and a task list."""
    here, there = BenchMachine(folder, "laptop"), BenchMachine(folder, "desktop")
    [session] = session_ids(1)
    lines, cwd = Lines(), here.directories[0]
    path = here.write(session, lines.blocks(cwd, 50_000))
    source = next(lines.blocks(cwd, 4_000))
    for number in range(_MOST_FILES - 1):
        name = f"file-history/{session}/{number:016x}@v1"
        here.write_companion(name, b"%d" % number + source)
    task = here.write_companion(f"tasks/{session}/1.json", b"{}")

    def pushed_cold() -> Run:
        shutil.rmtree(here.store, ignore_errors=True)
        here.set_up()
        return here("push", "--all")

    def pulled_cold() -> Run:
        there.clear_tree()
        there.set_up()
        return there("pull", "--all")

    def done() -> None:
        task.write_bytes(lines.line(cwd))

    def looked_at_done() -> Run:
        done()
        return here("status")

    def pushed_done() -> Run:
        done()
        return here("push", "--all")

    def pushed_grown() -> Run:
        with path.open("ab") as file:
            file.write(lines.line(cwd))
        return here("push", "--all")

    # Once each but for what is quick: 10,000 files are written, and made durable, again and again.
    push, pull = alternately(1, pushed_cold, pulled_cold)
    idle = _nothing_to_do(here, 5)
    looked, ticked, pull_ticked = alternately(
        1, looked_at_done, pushed_done, lambda: there("pull", "--all")
    )
    grown, pull_grown = alternately(1, pushed_grown, lambda: there("pull", "--all"))
    return [
        Row("cold push", median(push), "s"),
        Row("cold pull", median(pull), "s"),
        *idle,
        Row("status once a task was done", median(looked), "s"),
        Row("push once a task was done", median(ticked), "s"),
        Row("pull of that", median(pull_ticked), "s"),
        Row("push after a line", median(grown), "s"),
        Row("pull of that line", median(pull_grown), "s"),
    ]


def many(folder: Path) -> list[Row]:
    """10,000 sessions, each with a bundle of three machines, two of which are behind."""
    ids, lines = session_ids(10_000), Lines()
    machine: BenchMachine | None = None
    pushed = []
    for name in ("old-laptop", "desktop", "laptop"):
        before, machine = machine, BenchMachine(folder, name, projects=30)
        for number, session in enumerate(ids):
            cwd = machine.directories[number % 30]
            begun = before.transcript(session, number).read_bytes() if before else b""
            machine.write(session, iter([begun, lines.line(cwd), lines.line(cwd)]), number)
        machine.set_up()
        pushed.append(machine("push", "--all"))
    assert machine is not None
    pulled = machine("pull", "--all")
    return [
        *_nothing_to_do(machine, 5, 1),
        Row("cold push of 10,000 small ones", median(pushed), "s"),
        Row("first pull, which compares all versions", pulled.seconds, "s"),
    ]


def _nothing_to_do(machine: BenchMachine, times: int, limit: float | None = None) -> list[Row]:
    push, pull, status, sessions = alternately(
        times,
        lambda: machine("push", "--all"),
        lambda: machine("pull", "--all"),
        lambda: machine("status"),
        lambda: machine("sessions", "--all", "--limit", "20"),
    )
    return [
        Row("push, nothing to do", median(push), "s", limit),
        Row("pull, nothing to do", median(pull), "s", limit),
        Row("status", median(status), "s"),
        Row("sessions --all --limit 20", median(sessions), "s"),
    ]


_PARTS: dict[str, Callable[[Path], list[Row]]] = {
    "start": start,
    "big": big,
    "memory": memory,
    "thousand": thousand,
    "resume": resume,
    "checkpoints": checkpoints,
    "many": many,
}


def main() -> int:
    chosen = sys.argv[1:] or list(_PARTS)
    if unknown := set(chosen) - set(_PARTS):
        raise SystemExit(f"there is no part {', '.join(unknown)}: {', '.join(_PARTS)}")
    held = True
    for name in chosen:
        part = _PARTS[name]
        with tempfile.TemporaryDirectory(prefix="claude-sync-benchmark-") as folder:
            title = (part.__doc__ or name).rstrip(".")
            held = show(title, part(Path(folder))) and held
    return 0 if held else 1


if __name__ == "__main__":
    raise SystemExit(main())
