"""What encryption costs: ``python tests/benchmarks/encrypted.py [PART …]``.

Parts: big, memory, thousand, ssh (all of them without one). Each figure is a whole process, beside
the same with a plain store in the same run, in turn. What main_job.py says of its figures holds
here, too.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "core"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.processes import Run, alternately, copy_and_hash, median
from benchmarks.tables import Row, show
from benchmarks.trees import BenchMachine, Lines, session_ids
from conformance.sshd import running_sshd

_SOURCES = Path(__file__).resolve().parents[2]
_BIG_BYTES = 50 << 20
_HUGE_BYTES = 1 << 30
_GROWTH_BYTES = 10 << 10
_CUT_BYTES = 1 << 20
_PASSPHRASE = "correct horse battery staple"


class _Pair(NamedTuple):
    """Two machines with the same sessions and one store."""

    here: BenchMachine
    there: BenchMachine

    @classmethod
    def made(cls, folder: Path, passphrase: str, projects: int = 1) -> _Pair:
        """New ones, below a folder of their own."""
        folder.mkdir()
        return cls(
            *(
                BenchMachine(
                    folder, name, projects=projects, sources=_SOURCES, passphrase=passphrase
                )
                for name in ("laptop", "desktop")
            )
        )

    def pushed_cold(self) -> Run:
        shutil.rmtree(self.here.store, ignore_errors=True)
        self.here.set_up()
        return self.here("push", "--all")

    def pulled_cold(self) -> Run:
        self.there.clear_tree()
        self.there.set_up()
        return self.there("pull", "--all")

    def grow(self, session: str, lines: Lines) -> None:
        with self.here.transcript(session).open("ab") as file:
            file.writelines(lines.blocks(self.here.directories[0], _GROWTH_BYTES))


def _pairs(folder: Path, projects: int = 1) -> tuple[_Pair, _Pair]:
    """One with a plain store, one with an encrypted one."""
    return (
        _Pair.made(folder / "plain", "", projects),
        _Pair.made(folder / "encrypted", _PASSPHRASE, projects),
    )


def big(folder: Path) -> list[Row]:
    """One transcript of 50 MB, encrypted, against cp and sha256sum of it and against plain."""
    plain, sealed = _pairs(folder)
    [session], lines = session_ids(1), Lines()
    for pair in (plain, sealed):
        path = pair.here.write(session, Lines().blocks(pair.here.directories[0], _BIG_BYTES))
    compared, *times = alternately(
        5,
        lambda: copy_and_hash(path, folder / "copy"),
        plain.pushed_cold,
        plain.pulled_cold,
        sealed.pushed_cold,
        sealed.pulled_cold,
    )
    base = median(compared)
    plain_push, plain_pull, push, pull = map(median, times)

    def grown(pair: _Pair) -> Run:
        pair.grow(session, lines)
        return pair.here("push", "--all")

    plain_grown, plain_got, push_grown, pull_grown = map(
        median,
        alternately(
            5,
            lambda: grown(plain),
            lambda: plain.there("pull", "--all"),
            lambda: grown(sealed),
            lambda: sealed.there("pull", "--all"),
        ),
    )
    size = sum(file.stat().st_size for file in sealed.here.store.rglob("*.ccsync"))
    return [
        Row("cp + sha256sum", base, "s"),
        Row("cold push, of it", push / base, "x", 2.5, f"{push:.3f} s; plain {plain_push:.3f} s"),
        Row("cold pull, of it", pull / base, "x", 2.5, f"{pull:.3f} s; plain {plain_pull:.3f} s"),
        Row("push of 10 KB of growth, of plain", push_grown / plain_grown, "x", 1, _s(push_grown)),
        Row("pull of that growth, of plain", pull_grown / plain_got, "x", None, _s(pull_grown)),
        Row("size in the store, of the transcript", size / _BIG_BYTES, "x"),
    ]


def thousand(folder: Path) -> list[Row]:
    """1,000 sessions of 50 KB in ten projects, encrypted, against plain."""
    plain, sealed = _pairs(folder, 10)
    ids = session_ids(1000)
    for pair in (plain, sealed):
        pair.here.fill(ids, 50_000, Lines())
    plain_push, plain_pull, push, pull = map(
        median,
        alternately(
            3, plain.pushed_cold, plain.pulled_cold, sealed.pushed_cold, sealed.pulled_cold
        ),
    )
    plain_look, look = map(
        median,
        alternately(15, lambda: plain.here("push", "--all"), lambda: sealed.here("push", "--all")),
    )
    return [
        Row("cold push, of plain", push / plain_push, "x", 1.3, f"{push:.2f} s"),
        Row("cold pull, of plain", pull / plain_pull, "x", 1.3, f"{pull:.2f} s"),
        Row("a look with nothing to do, of plain", look / plain_look, "x", 1.2, _s(look)),
    ]


def memory(folder: Path) -> list[Row]:
    """The most memory that a process has for one transcript of a gigabyte, encrypted."""
    pair = _Pair.made(folder / "encrypted", _PASSPHRASE)
    [session], lines = session_ids(1), Lines()
    pair.here.write(session, lines.blocks(pair.here.directories[0], _HUGE_BYTES))
    done = {"push": pair.pushed_cold(), "pull": pair.pulled_cold()}
    pair.grow(session, lines)
    done["push of 10 KB of growth"] = pair.here("push", "--all")
    return [
        Row(f"{name}, peak of the process", one.peak_mb, "MB", 60, f"{one.seconds:.2f} s")
        for name, one in done.items()
    ]


def ssh(folder: Path) -> list[Row]:
    """50 MB and its growth over ssh, encrypted, against plain."""
    plain, sealed = _pairs(folder)
    [session], lines = session_ids(1), Lines()
    with running_sshd(folder) as host:
        for pair in (plain, sealed):
            pair.here.write(session, Lines().blocks(pair.here.directories[0], _BIG_BYTES))
            for machine in pair:
                machine.location = host.location(machine.store)
                machine.ssh_command = host.ssh_command
        rows = []
        cold = alternately(3, plain.pushed_cold, sealed.pushed_cold)
        pulls = alternately(3, plain.pulled_cold, sealed.pulled_cold)
        for what, (one, other) in (("push", cold), ("pull", pulls)):
            ratio = median(other) / median(one)
            rows.append(Row(f"cold {what}, of plain", ratio, "x", None, _s(median(other))))

        sent: list[int] = []
        received: list[int] = []

        def grown(pair: _Pair) -> Run:
            pair.grow(session, lines)
            return pair.here("push", "--all", "--json")

        def pushed() -> Run:
            done = grown(sealed)
            sent.append(_bytes(done))
            return done

        def pulled() -> Run:
            done = sealed.there("pull", "--all", "--json")
            received.append(_bytes(done))
            return done

        plain_push, plain_pull, push, pull = map(
            median,
            alternately(
                5,
                lambda: grown(plain),
                lambda: plain.there("pull", "--all", "--json"),
                pushed,
                pulled,
            ),
        )
    limit = (48 << 10) + _CUT_BYTES
    return [
        *rows,
        Row("push of 10 KB of growth, of plain", push / plain_push, "x", 1, _s(push)),
        Row("pull of that growth, of plain", pull / plain_pull, "x", None, _s(pull)),
        Row("sent for that growth", max(sent) / 1024, "KiB", limit / 1024),
        Row("received for it", max(received) / 1024, "KiB", limit / 1024),
    ]


def _bytes(done: Run) -> int:
    return sum(one["bytes"] for one in json.loads(done.said)["results"])


def _s(seconds: float) -> str:
    return f"{seconds:.3f} s"


_PARTS: dict[str, Callable[[Path], list[Row]]] = {
    "big": big,
    "memory": memory,
    "thousand": thousand,
    "ssh": ssh,
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
