"""A host that lies: what it says is bounded by what was asked, and makes an error of the place."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from claude_sync.bundle.head import HEAD_SIZE, TAIL_SIZE
from claude_sync.errors import ClaudeSyncError, FileGone, StoreDenied, StoreOffline
from claude_sync.model import Stamp
from claude_sync.transports import open_transport
from claude_sync.transports.base import Get, Range, Transport
from claude_sync.transports.ssh import session as ssh_session
from claude_sync.transports.ssh import transport as ssh_transport
from claude_sync.transports.ssh.pipes import PolledPipes
from randomness import examples

pytestmark = pytest.mark.skipif(os.name == "nt", reason="pipes are polled where they can be")

NAME = "p/a"
STAMP = Stamp(10, 10**9, 5)
MIB = 1 << 20
# What stands for ssh says honest answers, one line of which may be another; "*" for an endless one.
HOST = r"""#!%s
import os, re, sys
mode, at, text = sys.argv[1], int(sys.argv[2]), eval(sys.argv[3])
out, inp = sys.stdout.buffer, sys.stdin.buffer
if mode == "garbage":
    out.write(os.urandom(4 << 20))
    out.flush()
    sys.exit(0)
while mode == "chatter":
    out.write((b"x" * 65536 + b"\n") * 8)
token = re.search(rb"k=([0-9a-f]+)", inp.readline()).group(1)
out.write(b"\n" + token + b"\n")
STAMP = b"10 1.000000000 5"
ANSWERS = {
    b"L": [b"look 12-3", b"m-", STAMP + b" ./p/a", b"."],
    b"F": [b"ends =+ 10", STAMP, b".", b"0123456789" + STAMP, b"."],
    b"G": [b"gets =+ 10", STAMP, b".", b"0123456789" + STAMP, b"."],
    b"K": [b"digests =+ 10", STAMP, b".", b"0" * 64, STAMP, b"."],
}
while line := inp.readline():
    kind = line.split()[0]
    if kind == b"X":
        inp.readline()
    elif kind in ANSWERS:
        lines = list(ANSWERS[kind])
        at %%= len(lines)
        if mode == "replaced":
            lines[at] = text
        elif mode == "doubled":
            lines.insert(at, lines[at])
        elif mode == "dropped":
            del lines[at]
        if mode in ("endless", "long"):
            del lines[at:]
        out.write(b"".join(one + b"\n" for one in lines))
        while mode == "endless":
            out.write((text + b"\n") * 1000)
        while mode == "long":
            out.write((text or b"x") * 1000)
        out.flush()
"""


@contextmanager
def lying(folder: Path, mode: str, at: int = 0, text: bytes = b"") -> Iterator[Transport]:
    """A place on a host that answers otherwise in one line."""
    ssh = folder / "ssh.py"
    ssh.write_text(HOST % sys.executable)
    command = [sys.executable, str(ssh), mode, str(at), repr(text)]
    transport = open_transport("box:store", command, folder / "run")
    try:
        yield transport
    finally:
        transport.close()


def ask(store: Transport, kind: str) -> object:
    """One question, its whole answer."""
    if kind == "list":
        return store.list_files()
    get = Get(NAME, [Range(0, 10)], STAMP)
    if kind == "ends":
        return list(store.ends([NAME], HEAD_SIZE, TAIL_SIZE))
    if kind == "digests":
        return store.digests([get])
    return [b"".join(got.blocks) for got in store.read([get])]


KINDS = ("list", "ends", "digests", "read")


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of all that is taken from the host."""
    sizes: list[int] = []
    read = PolledPipes.read

    def counted(pipes: PolledPipes, patience: float) -> bytes:
        data = read(pipes, patience)
        sizes.append(len(data))
        return data

    monkeypatch.setattr(PolledPipes, "read", counted)
    return sizes


@pytest.mark.parametrize("kind", KINDS)
def test_an_honest_answer_is_taken(tmp_path: Path, kind: str) -> None:
    with lying(tmp_path, "honest") as store:
        assert ask(store, kind)


@pytest.mark.parametrize("kind", KINDS[1:])
@pytest.mark.parametrize("text", [b"10 1.000000000 5", b"", b"1 1 1"])
def test_endless_stamps_are_given_up_after_as_many_as_were_asked_for(
    tmp_path: Path, taken: list[int], kind: str, text: bytes
) -> None:
    for at in (1, 4):
        wrong = pytest.raises(StoreDenied, match="can't be understood")
        with lying(tmp_path, "endless", at, text) as store, wrong:
            ask(store, kind)
        assert sum(taken) < MIB
        taken.clear()


@pytest.mark.parametrize("kind", ["ends", "read"])
def test_no_more_bytes_are_taken_than_were_asked_for(
    tmp_path: Path, taken: list[int], kind: str
) -> None:
    word = {"ends": b"ends", "read": b"gets"}[kind]
    with (
        lying(tmp_path, "replaced", 0, word + b" =+ 999999999999999999") as store,
        pytest.raises(StoreDenied),
    ):
        ask(store, kind)
    assert sum(taken) < MIB


def test_an_endless_listing_is_given_up(
    tmp_path: Path, taken: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ssh_transport, "_MOST_ENTRIES", 10_000)
    for text in (b"10 1.000000000 5 ./p/a", b"", b"nothing of the kind"):
        with lying(tmp_path, "endless", 2, text) as store, pytest.raises(StoreDenied):
            store.list_files()
        assert sum(taken) < 2 * MIB
        taken.clear()
    monkeypatch.setattr(ssh_transport, "_MOST_LISTING_BYTES", MIB)
    long = b"1 1 1 ./p/" + b"x" * 60_000
    with lying(tmp_path, "endless", 2, long) as store, pytest.raises(StoreDenied):
        store.list_files()
    assert sum(taken) < 2 * MIB


@pytest.mark.parametrize("kind", KINDS)
def test_a_line_that_never_ends_is_given_up(tmp_path: Path, taken: list[int], kind: str) -> None:
    with lying(tmp_path, "long", 1, b"1") as store, pytest.raises(StoreDenied):
        ask(store, kind)
    assert sum(taken) < MIB


# Names that a listing leaves out: none leads out of the store, and none is another's to choose.
UNUSABLE = [
    b"../../x/y.ccsync", b"..", b"/etc/passwd", b"a/../b.ccsync", b"a/\x1b[2J.ccsync", b"a/b/c",
    b".git/x.ccsync", b"a/..", b"a/.ccsync-1", b"a//b.ccsync", b"x.ccsync", b"a/\xc2\x9b2J.ccsync",
    b"a\xff/x.ccsync",
]  # fmt: skip


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_name_that_is_not_usable_is_not_listed(tmp_path: Path, name: bytes) -> None:
    line = b"10 1.000000000 5 ./" + name
    with lying(tmp_path, "replaced", 2, line) as store:
        assert store.list_files().entries == ()


@pytest.mark.parametrize(
    "name", [b"d/$(touch pwned).ccsync", b"d/%00.ccsync", b"d/\xc3\xbf.ccsync"]
)
def test_a_name_that_means_something_elsewhere_is_a_name(tmp_path: Path, name: bytes) -> None:
    with lying(tmp_path, "replaced", 2, b"10 1.000000000 5 ./" + name) as store:
        [entry] = store.list_files().entries
    assert entry.name.encode("utf-8", "surrogateescape") == name


def test_numbers_that_no_system_has_become_ones_that_can_be_kept(tmp_path: Path) -> None:
    for size, time, number in ((b"9" * 20, b"1.0", b"5"), (b"9" * 60_000, b"9" * 12, b"9" * 30)):
        line = b"%s %s %s ./p/a" % (size, time, number)
        with lying(tmp_path, "replaced", 2, line) as store:
            for entry in store.list_files().entries:
                assert all(0 <= one < 1 << 70 for one in entry.stamp)
                assert entry.stamp.size < 1 << 63
                assert entry.stamp.inode < 1 << 63


def test_fewer_stamps_than_files_are_of_no_file(tmp_path: Path) -> None:
    with lying(tmp_path, "replaced", 1, b".") as store:
        [ends] = store.ends([NAME], HEAD_SIZE, TAIL_SIZE)
        assert isinstance(ends.error, FileGone)
    get = Get(NAME, [Range(0, 10)], STAMP)
    with lying(tmp_path, "replaced", 1, b".") as store:
        assert store.digests([get]) == [None]
    with lying(tmp_path, "replaced", 1, b".") as store, pytest.raises(FileGone):
        [b"".join(got.blocks) for got in store.read([get])]


@pytest.mark.parametrize("mode", ["garbage", "chatter"])
def test_what_is_no_greeting_is_given_up(tmp_path: Path, taken: list[int], mode: str) -> None:
    with lying(tmp_path, mode) as store, pytest.raises(ClaudeSyncError) as error:
        store.list_files()
    assert isinstance(error.value, StoreDenied | StoreOffline)
    assert str(error.value).isprintable()
    assert sum(taken) < 8 * MIB


@pytest.fixture
def slowly(monkeypatch: pytest.MonkeyPatch) -> Callable[[float, int], None]:
    """Let it seem as if each reading took so many seconds, and brought so many bytes at most."""

    def play(seconds: float, most: int) -> None:
        now = [0.0]
        waiting = bytearray()
        read = PolledPipes.read

        def slow(pipes: PolledPipes, patience: float) -> bytes:
            now[0] += min(seconds, patience)
            if patience < seconds:
                raise TimeoutError
            if not waiting:
                waiting.extend(read(pipes, 60.0))
            data = bytes(waiting[:most])
            del waiting[:most]
            return data

        monkeypatch.setattr(PolledPipes, "read", slow)
        monkeypatch.setattr(ssh_session, "_GREETING_SECONDS", 10**9)
        clock = SimpleNamespace(monotonic=lambda: now[0])
        monkeypatch.setattr(ssh_session, "time", clock)

    return play


@pytest.mark.parametrize("kind", KINDS)
def test_a_host_that_drips_is_given_up_after_a_while(
    tmp_path: Path, slowly: Callable[[float, int], None], kind: str
) -> None:
    slowly(200.0, 4096)
    with lying(tmp_path, "long", 1, b"1 ") as store, pytest.raises(StoreOffline, match="answer"):
        ask(store, kind)


def test_a_listing_that_drips_is_given_up_after_a_while(
    tmp_path: Path, slowly: Callable[[float, int], None]
) -> None:
    slowly(200.0, 40)
    endless = lying(tmp_path, "endless", 2, b"10 1.0 5 ./p/a")
    with endless as store, pytest.raises(StoreOffline, match="answer"):
        store.list_files()


@pytest.mark.parametrize("kind", KINDS)
def test_a_host_on_a_slow_line_is_waited_for(
    tmp_path: Path, slowly: Callable[[float, int], None], kind: str
) -> None:
    slowly(8.0, 4)
    with lying(tmp_path, "honest") as store:
        assert ask(store, kind)


LINES = st.sampled_from(
    [b"", b".", b"-", b"same", b"no", b"no marker", b"no \x1b[2J", b"look", b"look 1-2", b"m" * 99,
     b"ends =+ 10", b"ends =- 0", b"gets =~ 3", b"digests =+ 99999999999999999999", b"u ./x", b"u",
     b"10 1.0 5 ./../x", b"99999999999999999999 1 9", b"1 1 1"]
) | st.binary(max_size=40).map(lambda data: data.replace(b"\n", b""))  # fmt: skip


@given(
    kind=st.sampled_from(KINDS),
    mode=st.sampled_from(["replaced", "doubled", "dropped", "endless", "long"]),
    at=st.integers(0, 5),
    text=LINES,
)
@settings(max_examples=examples(60), deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_line_is_another_it_is_an_answer_or_an_error_of_the_place(
    tmp_path_factory: pytest.TempPathFactory, kind: str, mode: str, at: int, text: bytes
) -> None:
    patch = pytest.MonkeyPatch()
    taken: list[int] = []
    read = PolledPipes.read

    def counted(pipes: PolledPipes, patience: float) -> bytes:
        data = read(pipes, min(patience, 2.0))  # a line that never comes isn't waited for
        taken.append(len(data))
        return data

    with patch.context() as patched:
        patched.setattr(PolledPipes, "read", counted)
        patched.setattr(ssh_transport, "_MOST_ENTRIES", 10_000)
        with lying(tmp_path_factory.mktemp("lying"), mode, at, text) as store:
            said = ""
            try:
                ask(store, kind)
            except ClaudeSyncError as error:
                said = str(error)
            assert not said or said.isprintable()
    assert sum(taken) < 4 * MIB
