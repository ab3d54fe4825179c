"""What a stranger's files cost: ``python tests/benchmarks/strangers.py [part of a name …]``.

Each hostile input lies in a store beside a good bundle, or in Claude's tree. What is measured is a
whole process of the command, less what the same takes without the input: the first look at it, the
second, a pull and the doctor; and the most memory any of them had. One that misses its limit makes
the exit status 1.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
import tempfile
import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "core"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.processes import Run, run
from benchmarks.tables import Row, show
from benchmarks.trees import BenchMachine, Lines, session_ids
from bundles import crafted, packed

_ROOT = Path(__file__).resolve().parents[2]
_MIB = 1 << 20
_BIG = 15 * _MIB
_SPARSE = 1 << 30
_LIMIT_SECONDS = 1.0
_LIMIT_MB = 250.0
_KEY = "git:example.org/you/app-0"
_KEY_FOLDER = "git+example.org+you+app-0"
_OTHERS = "deadbeef-0000-4000-8000-000000000001"
_ID = session_ids(2)[1]


def _bundle(transcript: bytes = b'{"uuid":"1"}\n', **members: object) -> bytes:
    """A stranger's bundle with right hashes."""
    given: dict[str, Any] = {
        "session_id": _ID,
        "project_key": _KEY,
        "machine": "mallory",
        "machine_id": _OTHERS,
    }
    return packed(transcript, **(given | members))[0]


def _with_member(value: bytes) -> bytes:
    """A good bundle with a member that nobody knows."""
    return _bundle()[:-1] + b',"news":' + value + b"}"


def _times(unit: bytes, size: int = _BIG) -> bytes:
    return unit * (size // len(unit))


def _list(unit: bytes) -> bytes:
    return b"[" + _times(unit + b",") + unit + b"]"


def _transcript_of_escapes(escape: bytes, decoded: bytes) -> bytes:
    count = _BIG // len(escape)
    data = decoded * count
    whole = crafted(
        _bundle(b"x"),
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        encoded_size=len(escape) * count,
    )
    return whole.replace(b'"transcript":"x"', b'"transcript":"' + escape * count + b'"')


def _sidecar(count: int) -> bytes:
    empty = hashlib.sha256().hexdigest()
    entries = [
        {"path": f"tool-results/{'d/' * 100}{number:06}", "data": "", "size": 0, "sha256": empty}
        for number in range(count)
    ]
    lines = "".join(f"{one['path']}\0{one['sha256']}\n" for one in entries)
    digest = hashlib.sha256(lines.encode()).hexdigest()
    return crafted(_bundle(), sidecar=entries, sidecar_sha256=digest)


def _sparse(path: Path, head: bytes = b"", tail: bytes = b"", size: int = _SPARSE) -> None:
    with path.open("wb") as file:
        file.write(head)
        file.truncate(size)
        file.seek(size - len(tail))
        file.write(tail)


def _declares_all_of_it(path: Path) -> None:
    """Both ends are those of a good bundle, and NUL bytes between them."""
    around = len(crafted(_bundle(b""), size=_SPARSE, encoded_size=_SPARSE, sha256="0" * 64))
    whole = crafted(_bundle(b""), size=_SPARSE, encoded_size=_SPARSE, sha256="0" * 64)
    front, back = whole.split(b'"transcript":"', 1)
    front += b'"transcript":"'
    _sparse(path, front, back, around + _SPARSE)


BIG: dict[str, Callable[[], bytes]] = {
    "15 MB of objects": lambda: _with_member(_list(b"{}")),
    "15 MB of objects with a member": lambda: _with_member(_list(b'{"a":{}}')),
    "15 MB of lists": lambda: _with_member(_list(b"[]")),
    "15 MB of numbers": lambda: _with_member(_list(b"1")),
    "15 MB of strings": lambda: _with_member(_list(b'""')),
    "15 MB of escaped strings": lambda: _with_member(_list(b'"\\u0041"')),
    "15 MB of blanks": lambda: _with_member(_times(b" ") + b"1"),
    "nested 60,000 deep, often": lambda: _with_member(_list(b"[" * 60_000 + b"]" * 60_000)),
    "nested 15 MB deep": lambda: _with_member(_times(b"[")),
    "nested objects 15 MB deep": lambda: _with_member(_times(b'{"":')),
    "an object of many members": lambda: (
        _bundle()[:-1] + b"".join(b',"%d":1' % number for number in range(_BIG // 10)) + b"}"
    ),
    "a nested object of many members": lambda: _with_member(
        b"{" + b",".join(b'"%d":1' % number for number in range(_BIG // 10)) + b"}"
    ),
    "an unknown string of escapes": lambda: _with_member(b'"' + _times(b"\\u0041") + b'"'),
    "an unknown string of surrogates": lambda: _with_member(b'"' + _times(b"\\udc80") + b'"'),
    "an unknown plain string": lambda: _with_member(b'"' + _times(b"x") + b'"'),
    "an unknown name of 15 MB": lambda: _bundle()[:-1] + b',"' + _times(b"x") + b'":1}',
    "a title of escapes": lambda: _bundle().replace(
        b'"Mend the roof"', b'"' + _times(b"\\u0041") + b'"'
    ),
    "a number of 15 MB": lambda: _with_member(_times(b"1")),
    "a transcript of escapes": lambda: _transcript_of_escapes(b"\\u0041", b"A"),
    "a transcript of invalid bytes": lambda: _bundle(b"\xff" * (_BIG // 6)),
    "a transcript of controls": lambda: _bundle(b"\x01" * (_BIG // 6)),
    "a transcript of blank lines": lambda: _bundle(b"\n" * (_BIG // 2)),
    "a transcript of short lines": lambda: _bundle(b"{}\n" * (_BIG // 4)),
    "10,000 sidecar files": lambda: _sidecar(10_000),
    "30,000 sidecar files": lambda: _sidecar(30_000),
    "a sidecar of objects": lambda: _bundle().replace(
        b'"sidecar":[', b'"sidecar":' + _list(b"{}")[:-1] + b","
    ),
    "a sidecar file with unknown members": lambda: _bundle().replace(
        b'"sidecar":[', b'"sidecar":[{"news":' + _list(b"{}") + b"},"
    ),
    "supersedes of objects": lambda: _bundle().replace(
        b'"supersedes":[]', b'"supersedes":' + _list(b"{}")
    ),
    "a size that is a list": lambda: _bundle().replace(
        b'"size":', b'"size":' + _list(b"{}") + b',"x":'
    ),
    "15 MB after the end": lambda: _bundle() + _times(b" "),
    "15 MB before the beginning": lambda: _times(b" ") + _bundle(),
}

SPARSE: dict[str, Callable[[Path], None]] = {
    "1 GB of NUL bytes": _sparse,
    "1 GB of NUL bytes after a beginning": lambda path: _sparse(path, _bundle()[:500]),
    "the same, of another spelling": lambda path: _sparse(path, b'{ "schema": 1, "session_id": "'),
    "1 GB of NUL bytes after a bundle": lambda path: _sparse(path, _bundle()),
    "1 GB of NUL bytes after garbage": lambda path: _sparse(path, b"PK" * 4096),
    "1 GB of NUL bytes before an end": lambda path: _sparse(path, b"", _bundle()[-400:]),
    "1 GB of NUL bytes between both ends": lambda path: _sparse(
        path, _bundle()[:500], _bundle()[-400:]
    ),
    "the same, as declared": _declares_all_of_it,
    "the same, with blanks": lambda path: _sparse(path, b'{ "transcript":"', b'" }'),
}


class Victim:
    """A machine with one session, pushed, and a store that strangers can write into."""

    def __init__(self, folder: Path) -> None:
        self.machine = BenchMachine(folder, "laptop", 1, sources=_ROOT)
        self.machine.fill(session_ids(1), 20_000, Lines())
        self.machine.set_up()
        self.push()
        self.store = self.machine.store
        self.folder = self.store / _KEY_FOLDER
        self.kept = folder / "kept"
        shutil.copytree(self.machine.home, self.kept / "home", symlinks=True)
        shutil.copytree(self.store, self.kept / "store")

    def push(self) -> Run:
        return self("push", "--all")

    def __call__(self, *arguments: str) -> Run:
        """Run claude-sync there; a stranger's file may make its exit status 1."""
        command = [*self.machine.program, *arguments]
        return run(["sh", "-c", '"$@" || [ $? -lt 4 ]', "sh", *command], self.machine.environment)

    def renew(self) -> None:
        """Have neither a stranger's file nor a memory of one."""
        shutil.rmtree(self.store)
        shutil.copytree(self.kept / "store", self.store)
        shutil.rmtree(self.machine.home)
        shutil.copytree(self.kept / "home", self.machine.home, symlinks=True)


_LOOKS = {
    "first look": ("status",),
    "second look": ("status",),
    "pull": ("pull",),
    "second pull": ("pull",),
    "push": ("push", "--all"),
    "doctor": ("doctor",),
}


def _looks(victim: Victim) -> list[Run]:
    return [victim(*arguments, "--json") for arguments in _LOOKS.values()]


def _apart(number: int) -> bytes:
    """Versions of which most are of one size."""
    return b'{"uuid":"%d"}\n' % number


def _of_all_sizes(number: int) -> bytes:
    return b'{"uuid":"%d%s"}\n' % (number, b"x" * number)


def _same(_: int) -> bytes:
    return b'{"uuid":"1"}\n'


def _beginning(number: int) -> bytes:
    return b'{"uuid":"1"}\n' * (number + 1)


def _rivals(victim: Victim, count: int, session: str, of: Callable[[int], bytes] = _apart) -> None:
    for number in range(count):
        data = _bundle(
            of(number),
            session_id=session,
            machine=f"m{number}",
            machine_id=str(uuid.UUID(int=number, version=4)),
        )
        (victim.folder / f"m{number}.ccsync").write_bytes(data)


def _entries(victim: Victim, directories: int, files: int, name: str) -> None:
    for directory in range(directories):
        folder = victim.store / f"name+{directory}"
        folder.mkdir(exist_ok=True)
        for number in range(files):
            (folder / name.format(number)).touch()


def _inputs(victim: Victim) -> dict[str, Callable[[], object]]:
    """How to put each hostile input where it does harm."""
    inputs: dict[str, Callable[[], object]] = {}
    for count in (16, 60, 600, 5000):
        for where, session in ((" here", session_ids(1)[0]), (" elsewhere", _ID)):
            inputs[f"{count:,} rivals{where}"] = partial(_rivals, victim, count, session)
    for name, of in (
        ("1,000 rivals of all sizes", _of_all_sizes),
        ("1,000 rivals that are one version", _same),
        ("1,000 rivals that are beginnings of one", _beginning),
    ):
        inputs[name] = partial(_rivals, victim, 1000, session_ids(1)[0], of)
    path = victim.folder / "mallory.ccsync"
    for name, make in BIG.items():
        inputs[name] = partial(_write, path, make)
    for name, write in SPARSE.items():
        inputs[name] = partial(write, path)
    transcript = victim.machine.transcript(_ID)
    inputs["a transcript of 1 GB of NUL bytes"] = partial(_sparse, transcript)
    inputs["a transcript and 1 GB of them"] = partial(_sparse, transcript, b'{"uuid":"1"}\n')
    for name, folders, files, called in (
        ("100,000 files in a folder", 1, 100_000, "{}.txt"),
        ("100,000 files in 1,000 folders", 1000, 100, "{}.txt"),
        ("20,000 folders", 20_000, 1, "{}.txt"),
        ("100,000 empty bundles", 1, 100_000, "{}.ccsync"),
    ):
        inputs[name] = partial(_entries, victim, folders, files, called)
    return inputs


def _write(path: Path, make: Callable[[], bytes]) -> None:
    path.write_bytes(make())


def measure(victim: Victim, wanted: list[str]) -> list[Row]:
    """Every input whose name holds a word that is wanted; all where there is none."""
    _looks(victim)
    without = _looks(victim)
    rows = []
    for name, put in _inputs(victim).items():
        if wanted and not any(part in name for part in wanted):
            continue
        victim.renew()
        put()
        runs = _looks(victim)
        added = [one.seconds - less.seconds for one, less in zip(runs, without, strict=True)]
        memory = max(one.peak_mb for one in runs)
        times = zip(_LOOKS, added, strict=True)
        note = "  ".join(f"{what} {seconds:.2f}" for what, seconds in times)
        rows.append(Row(name, max(added), "s", _LIMIT_SECONDS, note))
        rows.append(Row("", memory, "MB", _LIMIT_MB))
        print(f"{name}: {max(added):.2f} s, {memory:.0f} MB", flush=True)
    return rows


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        rows = measure(Victim(Path(folder)), sys.argv[1:])
        held = show("What strangers' files cost", rows)
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
