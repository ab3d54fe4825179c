"""A session that nobody has yet is written whatever it is, so it is read once: as it is packed."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from claude_sync.disk import snapshot
from claude_sync.disk.hashing import Begun
from claude_sync.disk.snapshot import stamp_of
from claude_sync.model import Outcome
from claude_sync.sync.push import push_surveyed
from claude_sync.sync.survey.look import look
from machines import OTHER, SESSION, PlayedMachine, World, opened, said

_opened: list[str] = []


def _note(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open":
        _opened.append(str(arguments[0]))


sys.addaudithook(_note)


@contextmanager
def counting(path: Path) -> Iterator[list[str]]:
    """How often a file is opened inside; filled in at the end."""
    found: list[str] = []
    _opened.clear()
    yield found
    found += [name for name in _opened if name == os.fspath(path)]


@pytest.fixture
def laptop(world: World) -> PlayedMachine:
    return world.machine("laptop")


def test_a_new_session_is_read_once_and_then_known(laptop: PlayedMachine) -> None:
    laptop.write(SESSION, said(), said())
    laptop.write_sidecar(SESSION, "tool-results/one.txt", b"one\n")
    laptop.grow_old()
    with counting(laptop.path()) as at_first:
        laptop.push()
    assert len(at_first) == 2  # both ends, to know its project; then all of it
    with counting(laptop.path()) as again:
        assert laptop.push()[SESSION].outcome is Outcome.UNCHANGED
    assert again == []


def test_what_it_grew_by_while_it_was_packed_is_seen_next_time(
    laptop: PlayedMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = laptop.write(SESSION, said("first"))
    settle = snapshot.Snapshot.settle

    def grow_and_settle(self: snapshot.Snapshot) -> object:
        monkeypatch.undo()
        laptop.write(SESSION, said("second"))
        return settle(self)

    monkeypatch.setattr(snapshot.Snapshot, "settle", grow_and_settle)
    laptop.push()
    assert opened(laptop.bundle()).transcript == first
    assert laptop.push()[SESSION].outcome is Outcome.PUSHED
    assert opened(laptop.bundle()).transcript == laptop.read() != first


def test_what_it_grew_by_before_it_was_packed_is_not_taken_for_what_was_listed(
    laptop: PlayedMachine,
) -> None:
    laptop.write(SESSION, said("first"))
    with laptop.at_work() as context:
        survey = look(context)
        [local] = survey.local[SESSION]
        whole = laptop.write(SESSION, said("second"))
        push_surveyed(context, survey)
        assert opened(laptop.bundle()).transcript == whole
        assert survey.row(local).stamp == stamp_of(os.lstat(laptop.path())) != local.stamp


@pytest.mark.parametrize("end", [b'{"type":"user"', b"\0\0\0"])
def test_an_unfinished_line_goes_with_it_and_is_no_end_that_is_remembered(
    laptop: PlayedMachine, end: bytes
) -> None:
    whole = laptop.write(SESSION, said(), end)
    laptop.push()
    assert opened(laptop.bundle()).transcript == whole
    laptop.open()
    with laptop.at_work() as context:
        survey = look(context)
        [local] = survey.local[SESSION]
        assert survey.version(local).size == len(whole) - len(end)
    laptop.write(SESSION, b"}\n", b"and more")
    laptop.push()
    assert opened(laptop.bundle()).transcript == whole + b"}\n"


def test_a_session_that_is_open_is_cut_after_its_last_full_line(laptop: PlayedMachine) -> None:
    line = said()
    laptop.write(SESSION, line, b'{"half')
    laptop.open()
    laptop.push()
    assert opened(laptop.bundle()).transcript == line


def test_one_that_vanishes_costs_itself_only(
    laptop: PlayedMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for session in (SESSION, OTHER):
        laptop.write(session, said())
    blocks = snapshot.Snapshot.blocks

    def vanish(self: snapshot.Snapshot, *begun: Begun | None) -> Iterator[bytes]:
        laptop.path(OTHER).unlink(missing_ok=True)
        return blocks(self, *begun)

    monkeypatch.setattr(snapshot.Snapshot, "blocks", vanish)
    results = laptop.push()
    assert {result.outcome for result in results.values()} == {Outcome.PUSHED, Outcome.FAILED}
