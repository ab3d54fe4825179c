"""Where bytes cost, only what is new comes here, and what comes is proved all the same."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from claude_sync.disk import files
from claude_sync.disk.files import Staged
from claude_sync.errors import ClaudeSyncError, SessionVanished, Stopped
from claude_sync.model import Outcome
from claude_sync.state.cache import LocalRow
from claude_sync.store.download import Fetched
from claude_sync.store.store import Store
from claude_sync.sync.pull import pull
from claude_sync.sync.survey import local_rows, read_session
from claude_sync.sync.survey.look import look as survey_of
from claude_sync.transports.base import Get, Got, Listing
from claude_sync.transports.folder.transport import FolderTransport
from distant import Distant
from machines import OTHER, SESSION, Pair, PlayedMachine, agree, outcomes, said

BIG = "x" * 1_000_000
FEW = 20_000


@pytest.fixture(autouse=True)
def bytes_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that is treated as a distant one: it can read ranges, and hash them."""
    Distant(monkeypatch)


@pytest.fixture
def pair(pair: Pair) -> Pair:
    """The two machines, with a session that is worth sparing."""
    laptop, desktop = pair
    laptop.write(SESSION, said(BIG))
    laptop.write_sidecar(SESSION, "tool-results/one.txt", BIG.encode())
    laptop.write_sidecar(SESSION, "tool-results/two.txt", b"two")
    laptop.push()
    desktop.pull()
    assert agree(laptop, desktop)
    return pair


def pulled(machine: PlayedMachine) -> tuple[Outcome, int]:
    result = machine.pull()[SESSION]
    return result.outcome, result.bytes


def test_of_what_grew_only_the_growth_comes(pair: Pair) -> None:
    laptop, desktop = pair
    laptop.write(SESSION, said("ünd\\ ein wénig \x00 mehr"))
    laptop.push()
    outcome, received = pulled(desktop)
    assert (outcome, received < FEW) == (Outcome.UPDATED, True)
    assert agree(*pair)
    assert desktop.sidecar() == laptop.sidecar()


def test_sidecar_files_that_are_here_do_not_come_again(pair: Pair) -> None:
    laptop, desktop = pair
    laptop.write_sidecar(SESSION, "tool-results/three.txt", b"three")
    laptop.write(SESSION, said("more"))
    laptop.push()
    outcome, received = pulled(desktop)
    assert (outcome, received < FEW) == (Outcome.UPDATED, True)
    assert desktop.sidecar() == laptop.sidecar()


def test_of_two_bundles_with_one_transcript_the_sidecar_files_of_both_come(pair: Pair) -> None:
    laptop, desktop = pair
    tablet = laptop.world.machine("tablet")
    tablet.pull()
    laptop.write(SESSION, said("more"))
    laptop.push()
    desktop.pull()
    for machine in pair:
        machine.write_sidecar(SESSION, f"tool-results/of-{machine.name}.txt", said())
        machine.push(SESSION)
    tablet.pull(SESSION)
    tablet.pull(SESSION)
    assert tablet.sidecar() == laptop.sidecar() | desktop.sidecar()


def test_sidecar_files_that_only_look_like_what_is_here_come(pair: Pair) -> None:
    laptop, desktop = pair
    path = desktop.path().with_suffix("") / "tool-results/one.txt"
    seen = path.stat()
    path.write_bytes(path.read_bytes().replace(b"x", b"y"))
    os.utime(path, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    laptop.write(SESSION, said("more"))
    laptop.push()
    outcome, received = pulled(desktop)
    assert (outcome, received > FEW) == (Outcome.UPDATED, True)
    assert agree(*pair)
    assert desktop.sidecar() == laptop.sidecar()


def test_a_sidecar_file_that_changes_while_the_rest_comes_stays_as_it_is(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop, desktop = pair
    laptop.write(SESSION, said("more"))
    laptop.push()
    before = desktop.read(SESSION)
    read = FolderTransport.read

    def changing(place: FolderTransport, gets: Iterable[Get]) -> Iterator[Got]:
        for got in read(place, gets):
            yield got
            desktop.write_sidecar(SESSION, "tool-results/two.txt", b"changed meanwhile")

    monkeypatch.setattr(FolderTransport, "read", changing)
    assert outcomes(desktop.pull()) == {SESSION: Outcome.INCOMPLETE}
    assert desktop.read(SESSION) == before
    assert desktop.sidecar()["tool-results/two.txt"] == b"changed meanwhile"


def test_a_session_that_vanishes_while_the_rest_comes_is_looked_at_again(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop, desktop = pair
    laptop.write(SESSION, said("more"))
    laptop.push()
    read = FolderTransport.read

    def vanishing(place: FolderTransport, gets: Iterable[Get]) -> Iterator[Got]:
        for got in read(place, gets):
            desktop.path().unlink()
            yield got

    monkeypatch.setattr(FolderTransport, "read", vanishing)
    result = desktop.pull()[SESSION]
    assert result.outcome is Outcome.INCOMPLETE
    assert "the session's files here can't be read" in result.message


def test_what_was_fetched_to_decide_does_not_stay_where_the_work_is_stopped_then(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop, desktop = pair
    laptop.write(OTHER, said("and another one"))
    laptop.push()
    desktop.pull()
    laptop.write(SESSION, said("more"))
    laptop.push()
    came = False
    fetch = Store.fetch

    def fetched(*arguments: Any) -> Iterator[Fetched | ClaudeSyncError]:
        nonlocal came
        yield from fetch(*arguments)
        came = True

    monkeypatch.setattr(Store, "fetch", fetched)
    with desktop.at_work(lambda: came) as context, pytest.raises(Stopped):
        pull(context)
    assert came
    assert list((desktop.paths.state / "staging").iterdir()) == []


def test_what_can_not_be_moved_beside_its_place_is_left_nowhere(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop, desktop = pair
    laptop.write(SESSION, said("more"))
    laptop.write_sidecar(SESSION, "tool-results/three.txt", b"three")
    laptop.push()
    restage = files.restage
    moved: list[Staged] = []

    def restaged(staged: Staged, folder: Path) -> Staged:
        if moved:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        moved.append(restage(staged, folder))
        return moved[0]

    monkeypatch.setattr(files, "restage", restaged)
    assert outcomes(desktop.pull()) == {SESSION: Outcome.FAILED}
    assert len(moved) == 1
    assert desktop.leftovers() == list((desktop.paths.state / "staging").iterdir()) == []


def test_an_unfinished_character_at_the_end_is_no_trouble(pair: Pair) -> None:
    laptop, desktop = pair
    laptop.write(SESSION, b"\xf0\x9f")
    laptop.push()
    desktop.pull()
    laptop.write(SESSION, b"\x98\x80\n", said("more"))
    laptop.push()
    outcome, received = pulled(desktop)
    assert (outcome, received < FEW) == (Outcome.UPDATED, True)
    assert agree(*pair)


def test_what_is_not_what_was_thought_is_asked_for_whole(pair: Pair) -> None:
    laptop, desktop = pair
    # Replaced by another of the same length: nothing of it is here.
    laptop.write_sidecar(SESSION, "tool-results/one.txt", BIG.replace("x", "z").encode())
    laptop.begin_anew(SESSION, laptop.read().replace(b"x", b"y"))
    outcome, received = pulled(desktop)
    assert (outcome, received > 2 * FEW) == (Outcome.REPLACED, True)
    assert agree(*pair)
    assert desktop.sidecar() == laptop.sidecar()


def test_a_conflict_is_seen_and_settled(pair: Pair) -> None:
    _, desktop = pair
    for machine in pair:
        machine.write(SESSION, said(machine.name))
        machine.push()
    assert outcomes(desktop.pull()) == {SESSION: Outcome.CONFLICT}
    desktop.resolve(SESSION, "theirs")
    assert agree(*pair)


def test_a_second_look_reads_no_file_again(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    _, desktop = pair
    desktop.pull()
    asked: list[object] = []
    ends = FolderTransport.ends

    def watched(transport: FolderTransport, names: list[str], head: int, tail: int) -> object:
        asked.extend(names)
        return ends(transport, names, head, tail)

    monkeypatch.setattr(FolderTransport, "ends", watched)
    assert outcomes(desktop.pull()) == {SESSION: Outcome.UNCHANGED}
    assert asked == []


# --- what is done while a place is waited for ------------------------------------------------


def test_this_machine_is_looked_at_before_the_answer_of_the_place_is_waited_for(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop, _ = pair
    look = FolderTransport.list_files

    def looked(place: FolderTransport, known: Listing | None = None) -> Listing:
        laptop.write(OTHER, said("since"))
        return look(place, known)

    monkeypatch.setattr(FolderTransport, "list_files", looked)
    with laptop.at_work() as context:
        seen = survey_of(context)
    assert sorted(seen.local) == [SESSION]
    assert sorted(seen.bundles) == [SESSION]


def test_what_grew_of_a_session_in_the_store_is_read_meanwhile(pair: Pair) -> None:
    laptop, _ = pair
    laptop.write(SESSION, said("more"))
    laptop.write(OTHER, said("new"))
    with laptop.at_work() as context:
        seen = survey_of(context)
        known = {key: seen.known_version(copies[0]) for key, copies in seen.local.items()}
    grown = laptop.read(SESSION)
    # What never was there is read when it is written, and only then.
    assert known == {SESSION: (len(grown), sha256(grown).hexdigest()), OTHER: None}


def test_what_is_too_much_to_be_read_meanwhile_is_skipped(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop, _ = pair
    laptop.write(OTHER, said("small"))
    laptop.push()
    laptop.write(SESSION, said("more"))
    laptop.write(OTHER, said("more"))
    monkeypatch.setattr(local_rows, "AHEAD_BYTES", 10_000)
    with laptop.at_work() as context:
        seen = survey_of(context)
        read = {key for key, (local,) in seen.local.items() if seen.known_version(local)}
    assert read == {OTHER}


def test_what_can_not_be_read_meanwhile_costs_that_session_only(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop, _ = pair
    laptop.write(SESSION, said("more"))
    laptop.write(OTHER, said("new"))

    def vanished(*_: object) -> LocalRow:
        raise SessionVanished("the session can't be read", passing=True)

    monkeypatch.setattr(read_session, "read_session", vanished)
    assert outcomes(laptop.push()) == {SESSION: Outcome.FAILED, OTHER: Outcome.PUSHED}
