"""A connection cut after any number of bytes, in either direction, loses and corrupts nothing."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from claude_sync.errors import StoreOffline
from claude_sync.state import preferences
from claude_sync.transports import open_transport
from claude_sync.transports.base import MARKER_NAME, Block, Entry, Get, Put, Range, Transport
from claude_sync.transports.folder.transport import FolderTransport
from conformance.proxy import Traffic, counted, through_proxy
from conformance.sshd import SshHost
from conformance.storages import MARKER, put_of, write_all
from machines import SESSION, PlayedMachine, World, agree, bookkeeping, said
from randomness import examples
from waiting import until

DAY_SECONDS = 86_400
_CHANCE = random.Random(3)
OLD = _CHANCE.randbytes(40_000)
NEW = OLD[:30_000] + _CHANCE.randbytes(9_000)
FIRST, SECOND = _CHANCE.randbytes(3_000), _CHANCE.randbytes(70_000)


@dataclass(frozen=True)
class Line:
    """A way to the host.

    Attributes:
        host: which.
        root: the store's folder there.
        counts: a folder for counts.
    """

    host: SshHost
    root: Path
    counts: Path

    def command(self, *options: str) -> list[str]:
        """The ssh that goes this way, with these options of the proxy."""
        proxy = through_proxy(self.host.port, *options)
        # Compressed, pieces of a conversation would be too few bytes to be cut apart.
        return self.host.command_alone("Compression=no", proxy)

    def open(self, *options: str) -> Transport:
        location = self.host.location(self.root)
        return open_transport(location, self.command(*options), self.counts)

    def traffic(self, work: Callable[[Transport], object]) -> Traffic:
        """What some work that nothing cuts sends and receives."""
        before = counted(self.counts)
        with closing(self.open(f"--count={self.counts}")) as transport:
            work(transport)
        after = counted(self.counts)
        return Traffic(after.up - before.up, after.down - before.down)


@pytest.fixture
def line(ssh_host: SshHost, tmp_path: Path) -> Line:
    counts = tmp_path / "counts"
    counts.mkdir()
    return Line(ssh_host, tmp_path / "store", counts)


def cuts(traffic: Traffic, count: int) -> list[str]:
    """So many places to cut each way at; most after the handshake, which says nothing of ours."""
    found = []
    for way, total in (("up", traffic.up), ("down", traffic.down)):
        handshake = min(3_000, total // 2)
        after = max(1, (total - handshake) // count)
        found += [f"--cut-{way}={at}" for at in (0, 60, handshake // 2)]
        found += [f"--cut-{way}={at}" for at in range(handshake, total + 1, after)]
    return found


def fresh(root: Path) -> Entry:
    """Make a store with an old file in it."""
    folder = FolderTransport(str(root))
    folder.create()
    write_all(folder, put_of(MARKER_NAME, MARKER), put_of("p/old", OLD))
    return folder.list_files().entries[0]


def puts_over(base: Entry) -> list[Put]:
    grown = [Block(NEW[:30_000], 0), Block(NEW[30_000:])]
    return [
        put_of("p/first", FIRST),
        Put("p/old", lambda: iter(grown), base),
        put_of("q/x", SECOND),
    ]


WANTED = {"p/first": FIRST, "p/old": NEW, "q/x": SECOND}


def traffic_of_writing(line: Line) -> Traffic:
    whole = replace(line, root=line.root.with_name("whole"))
    base = fresh(whole.root)
    return whole.traffic(lambda store: (store.list_files(), list(store.write(puts_over(base)))))


def write_over_cuts(line: Line, where: Sequence[str]) -> int:
    """Cut the same writing at each place; how often anything was lost on the way."""
    cut = 0
    for number, option in enumerate(where):
        # A store for each: the script on the host may still be at work when the line is cut.
        root = line.root / f"{number}"
        base = fresh(root)
        answered = set()
        with closing(replace(line, root=root).open(option)) as transport:
            try:
                transport.list_files()
                for written in transport.write(puts_over(base)):
                    assert written.error is None, option
                    answered.add(written.name)
            except StoreOffline:
                cut += 1
        # What listings see, through another door: nothing but whole files.
        seen = {entry.name for entry in FolderTransport(str(root)).list_files().entries}
        assert {"p/old"} | answered <= seen <= set(WANTED), option
        for name in seen:
            data = (root / name).read_bytes()
            assert data == WANTED[name] or (name, data) == ("p/old", OLD), (option, name)
            assert name not in answered or data == WANTED[name], (option, name)
    return cut


def read_over_cuts(line: Line, where: Sequence[str]) -> int:
    """Cut the same reading at each place; how often it came to an end early."""
    cut = 0
    gets = [Get(name, [Range(0, -1)]) for name in WANTED]
    for option in where:
        with closing(line.open(option)) as transport:
            came: dict[str, bytes] = {}
            try:
                for got in transport.read(gets):
                    came[got.name] = b"".join(got.blocks)
            except StoreOffline:
                cut += 1
        assert all(data == WANTED[name] for name, data in came.items()), option
    return cut


def test_writing_that_is_cut_anywhere_tears_nothing_and_goes_well_afterwards(line: Line) -> None:
    traffic = traffic_of_writing(line)
    steps = max(6, examples(14))
    assert write_over_cuts(line, cuts(traffic, steps)) >= 25 * steps // 14
    for root in sorted(line.root.iterdir())[::8]:
        with closing(replace(line, root=root).open()) as transport:
            base = {entry.name: entry for entry in transport.list_files().entries}["p/old"]
            write_all(transport, *puts_over(base))
        assert {name: (root / name).read_bytes() for name in WANTED} == WANTED


def test_reading_that_is_cut_anywhere_gives_whole_files_or_none(line: Line) -> None:
    folder = FolderTransport(str(line.root))
    folder.create()
    write_all(folder, *(put_of(name, data) for name, data in WANTED.items()))
    gets = [Get(name, [Range(0, -1)]) for name in WANTED]
    traffic = line.traffic(lambda store: [list(got.blocks) for got in store.read(gets)])
    assert read_over_cuts(line, cuts(traffic, 8)) >= 12


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_every_64_bytes_writing_and_reading_survive_a_cut(line: Line) -> None:
    traffic = traffic_of_writing(line)
    write_over_cuts(line, [f"--cut-down={at}" for at in range(0, traffic.down, 64)])
    write_over_cuts(line, [f"--cut-up={at}" for at in range(0, 16_000, 64)])
    write_over_cuts(line, [f"--cut-up={at}" for at in range(16_000, traffic.up, 1024)])


def test_what_a_cut_left_behind_is_never_seen_and_is_gone_after_a_day(line: Line) -> None:
    fresh(line.root)
    young, old = line.root / "p/.ccsync-0-1-1.tmp", line.root / "p/.ccsync-0-1-2.tmp"
    at_root, foreign = line.root / ".ccsync-0-1-3.tmp", line.root / "p/.other.tmp"
    probe, elsewhere = (line.root / f"{part}claude-sync-probe-0.tmp" for part in ("", "p/"))
    for path in (young, old, at_root, foreign, probe, elsewhere):
        path.write_bytes(b"a part")
    then = time.time() - DAY_SECONDS - 60
    for path in (old, at_root, foreign, probe, elsewhere):
        os.utime(path, (then, then))
    with closing(line.open()) as transport:
        names = [entry.name for entry in transport.list_files().entries]
        assert names == ["p/claude-sync-probe-0.tmp", "p/old"]
        write_all(transport, put_of("p/first", FIRST))
        until(lambda: not (old.exists() or at_root.exists() or probe.exists()))
    assert young.exists()
    assert foreign.exists()
    assert elsewhere.exists()


# --- the main job ------------------------------------------------------------------------------


def over_ssh(machine: PlayedMachine, line: Line, *options: str) -> None:
    """Have a machine reach the world's store over the host from now on."""
    location = line.host.location(machine.world.store)
    command = line.command(*options)
    preferences.change(machine.paths, location=location, ssh_command=command)


def attempt(work: Callable[[], object]) -> bool:
    try:
        work()
    except StoreOffline:
        return False
    return True


def test_the_main_job_over_a_line_that_is_cut_again_and_again(line: Line, world: World) -> None:
    laptop, desktop = world.machines("laptop", "desktop")
    chance = random.Random(5)
    laptop.write(SESSION, said("hello"))
    laptop.write_sidecar(SESSION, "tool-results/a.txt", chance.randbytes(5_000))
    failures = 0
    for turn in range(3):
        for cut in (3_400 + 1_211 * turn, 6_000 + 1_500 * turn, 9_000 + 2_000 * turn, None):
            options = [] if cut is None else [f"--cut-up={cut}"]
            over_ssh(laptop, line, *options)
            failures += not attempt(laptop.push)
        before = desktop.read() if desktop.has() else b""
        for cut in (3_600 + 300 * turn, 4_500 + 500 * turn, None):
            options = [] if cut is None else [f"--cut-down={cut}"]
            over_ssh(desktop, line, *options)
            failures += not attempt(desktop.pull)
            # Half a pull is none: what lies there is the old or the new, whole.
            now = desktop.read() if desktop.has() else b""
            assert now in (before, laptop.read())
        assert agree(laptop, desktop)
        assert desktop.sidecar() == laptop.sidecar()
        laptop.write(SESSION, said(chance.randbytes(3_000).hex()), bookkeeping())
    assert failures > 5
    assert [path.name for path in world.store.rglob(".ccsync-*.tmp")] == []
    assert not laptop.leftovers()
    assert not desktop.leftovers()
