"""Whole processes, as a person starts them: how long each took, and the most memory it had."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

PROGRAM = Path(sys.executable).with_name("claude-sync.exe" if os.name == "nt" else "claude-sync")
"""The installed command of the Python that runs the benchmark."""


class Run(NamedTuple):
    """One process that ended well.

    Attributes:
        seconds: from its start to its end.
        cpu_seconds: of a processor, its children's included; 0 where the system doesn't tell.
        peak_mb: the most memory it had at once, 0 where the system doesn't tell.
        said: its standard output.
    """

    seconds: float
    cpu_seconds: float
    peak_mb: float
    said: str


def run(command: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> Run:
    """Run a program to its end.

    Raises:
        SystemExit: it failed; what it said is shown.
    """
    with tempfile.TemporaryFile() as said:
        start = time.perf_counter()
        process = subprocess.Popen(
            list(map(str, command)), env=environment, stdout=said, stderr=subprocess.STDOUT
        )
        cpu_seconds, peak_mb = _wait(process)
        seconds = time.perf_counter() - start
        said.seek(0)
        text = said.read().decode(errors="replace")
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))} ended with {process.returncode}:\n{text}")
    return Run(seconds, cpu_seconds, peak_mb, text)


def _wait(process: subprocess.Popen[bytes]) -> tuple[float, float]:
    if sys.platform == "win32":
        process.wait()
        return 0.0, 0.0
    # A child's peak counts from its parent's size at the start: this process must stay small.
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    peak_mb = used.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)
    return used.ru_utime + used.ru_stime, peak_mb


def median(runs: Sequence[Run]) -> float:
    """Seconds of the run in the middle."""
    return statistics.median(one.seconds for one in runs)


def alternately(times: int, *measured: Callable[[], Run]) -> list[list[Run]]:
    """Runs of several things, taken in turn, so that what disturbs one disturbs the others too."""
    runs: list[list[Run]] = [[] for _ in measured]
    for _ in range(times):
        for kept, measure in zip(runs, measured, strict=True):
            kept.append(measure())
    return runs


def copy_and_hash(source: Path, target: Path) -> Run:
    """`cp` and `sha256sum` of a file: what a ratio is a ratio to. The copy is removed."""
    if shutil.which("sha256sum") is None:
        raise SystemExit("cp and sha256sum are needed to compare with")
    copied, hashed = run(["cp", source, target]), run(["sha256sum", source])
    target.unlink()
    return Run(
        seconds=copied.seconds + hashed.seconds,
        cpu_seconds=copied.cpu_seconds + hashed.cpu_seconds,
        peak_mb=0.0,
        said=hashed.said,
    )
