"""What goes out for one file: requests that a host turns into the very bytes that were meant."""

from __future__ import annotations

import hashlib
import random
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_sync.transports.base import LEAST_REUSE_BYTES, Block, PreparedPut, Reuse
from claude_sync.transports.ssh import writing as ssh_writing
from claude_sync.transports.ssh.session import Session
from claude_sync.transports.ssh.writing import _DeltaSender

BASE = random.Random(7).randbytes(60_000)


class Host:
    """Does with requests what the script on the host does."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self.file = b""
        self._owed = 0
        self.proven = False

    def send(self, data: bytes) -> None:
        if self._owed:
            assert len(data) == self._owed
            self.file += data
            self._owed = 0
            return
        self.requests.append(data)
        letter, *words = data.split()
        if letter == b"D":
            self._owed = int(words[0])
        elif letter == b"B":
            offset, length = map(int, words)
            self.file += BASE[offset : offset + length]
        elif letter == b"E":
            self.proven = words == [
                b"%d" % len(self.file),
                hashlib.sha256(self.file).hexdigest().encode(),
            ]

    @property
    def letters(self) -> str:
        return b"".join(request[:1] for request in self.requests).decode()


def sent(*pieces: bytes | tuple[int, int]) -> tuple[Host, bytes, int]:
    """The host afterwards, what it should hold, and how many bytes went out."""
    host, whole = Host(), b""
    outgoing = _DeltaSender(cast(Session, host))
    for piece in pieces:
        if isinstance(piece, bytes):
            outgoing.add(piece, -1)
            whole += piece
        else:
            start, length = piece
            outgoing.add(BASE[start : start + length], start)
            whole += BASE[start : start + length]
    outgoing.end()
    return host, whole, outgoing.sent


@given(
    st.lists(
        st.one_of(
            st.binary(max_size=40),
            st.sampled_from([b"x" * 2_000, b"y" * 9_000]),
            st.tuples(st.integers(0, 50_000), st.sampled_from([0, 1, 90, 4_095, 4_096, 9_000])),
        ),
        max_size=12,
    )
)
def test_whatever_is_sent_the_host_has_the_bytes_or_sees_that_it_has_not(
    pieces: list[bytes | tuple[int, int]],
) -> None:
    host, whole, _ = sent(*pieces)
    assert host.proven is (host.file == whole)
    if host.file != whole:
        assert len(host.file) == len(whole)


@given(
    st.lists(
        st.one_of(
            st.binary(max_size=40),
            st.sampled_from([b"x" * 2_000, b"y" * 9_000]),
            st.tuples(st.integers(0, 50_000), st.sampled_from([1, 90, 4_095, 4_096, 9_000])),
        ),
        max_size=12,
    )
)
def test_what_was_prepared_goes_out_as_if_all_its_bytes_had_been_there(
    pieces: list[bytes | tuple[int, int]],
) -> None:
    parts: list[Block | Reuse] = []
    for piece in pieces:
        if isinstance(piece, bytes):
            parts.append(Block(piece))
        elif piece[1] < LEAST_REUSE_BYTES:
            parts.append(Block(BASE[piece[0] :][: piece[1]], piece[0]))
        else:
            parts.append(Reuse(*piece))
    plain, whole, count = sent(*pieces)
    host = Host()
    outgoing = _DeltaSender(cast(Session, host))
    outgoing.add_prepared(PreparedPut(parts, len(whole), hashlib.sha256(whole).hexdigest()))
    assert (host.requests, host.file, outgoing.sent) == (plain.requests, plain.file, count)
    assert host.proven is (host.file == whole)


def test_neighbouring_ranges_and_what_stands_between_them_are_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    host, whole, count = sent(
        b"new front", (100, 5_000), (5_100, 5_000), BASE[10_100:10_160], (10_160, 5_000), b"new end"
    )
    assert host.file == whole
    assert host.letters == "DBDE"
    assert count == len(b"new frontnew end")
    monkeypatch.setattr(ssh_writing, "_RANGE_BYTES", 8_000)
    host, again, _ = sent((100, 5_000), (5_100, 5_000), BASE[10_100:10_160], (10_160, 5_000))
    assert host.file == again
    assert host.letters == "BBE"


def test_what_was_put_between_is_sent_and_what_is_small_is_not_worth_a_range() -> None:
    host, whole, count = sent(
        (0, 5_000), b"inserted", (5_000, 5_000), (20_000, 300), (9_000, 5_000)
    )
    assert host.file == whole
    assert host.letters == "BDBDBE"
    assert count == len(b"inserted") + 300


def test_what_only_looks_like_the_same_between_is_seen_by_the_hash() -> None:
    host, whole, _ = sent((100, 5_000), b"z" * 60, (5_160, 5_000))
    assert host.file != whole
    assert not host.proven


def unproved(*parts: Block | Reuse) -> tuple[Host, bytes]:
    """The host afterwards, and what it should hold, where nobody here knows what it holds."""
    host, whole = Host(), b""
    outgoing = _DeltaSender(cast(Session, host))
    for part in parts:
        outgoing.add_unproved(part)
        whole += BASE[part[0] :][: part[1]] if isinstance(part, Reuse) else part.data
    outgoing.end_unproved()
    assert host.requests[-1] == b"E %d -\n" % len(whole)
    return host, whole


def test_a_range_whose_bytes_are_not_given_is_taken_however_small_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    host, whole = unproved(Block(b"new"), Reuse(100, 300), Reuse(400, 50), Block(b"end"))
    assert host.file == whole
    assert host.letters == "DBDE"
    monkeypatch.setattr(ssh_writing, "_RANGE_BYTES", 8_000)
    host, whole = unproved(Reuse(0, 8_000), Reuse(8_000, 300), Block(b"end"))
    assert host.file == whole
    assert host.letters == "BBDE"
