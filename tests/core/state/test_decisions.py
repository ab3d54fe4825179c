"""What a person decided, kept in decisions.json."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from capabilities import require_posix
from claude_sync.disk.locks import Lock
from claude_sync.errors import LockBusy, RecordsError, RecordsTooNew
from claude_sync.model import Version
from claude_sync.state.decisions import Decisions
from claude_sync.state.decisions_file import UNDECIDED, Decided
from claude_sync.state.paths import Paths
from crashes import End, killed_at
from examined import snapshot
from faults.disks import ordinary_permissions

ONE, TWO = Version(3, "1" * 64), Version(5, "2" * 64)
A, B, C = "a" * 64, "b" * 64, "c" * 64
SESSION, OTHER = "session", "other"
STORE = "store"
EVERYTHING = Decided(forgotten=True, declined=frozenset([ONE]), supersedes=(B, A), decision=3)


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(tmp_path / "config", tmp_path / "state", tmp_path / "run")


@pytest.fixture
def decisions(paths: Paths) -> Decisions:
    return Decisions(paths, STORE)


def decide_everything(decisions: Decisions) -> None:
    with decisions.together():
        decisions.forget([SESSION])
        decisions.decline(SESSION, ONE)
        decisions.supersede(SESSION, [B, A, B])
        decisions.decide(SESSION, 3)


def written(paths: Paths) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(paths.decisions_file.read_text())
    return document


def write(paths: Paths, document: object) -> None:
    paths.config.mkdir(exist_ok=True)
    paths.decisions_file.write_text(json.dumps(document))


# --- deciding ----------------------------------------------------------------------------------


def test_of_an_unknown_session_nothing_was_decided(decisions: Decisions, paths: Paths) -> None:
    assert decisions.of(SESSION) == UNDECIDED
    assert decisions.declining() == frozenset()
    assert not decisions.lost
    assert not decisions.known
    assert not paths.config.exists()


def test_what_was_decided_is_there_at_the_next_start(decisions: Decisions, paths: Paths) -> None:
    decide_everything(decisions)
    assert decisions.of(SESSION) == EVERYTHING
    again = Decisions(paths, STORE)
    assert again.of(SESSION) == EVERYTHING
    assert again.declining() == {SESSION}
    assert again.known


def test_what_was_declined_is_so_until_it_is_asked_for(decisions: Decisions) -> None:
    decisions.decline(SESSION, ONE)
    decisions.decline(SESSION, TWO)
    assert decisions.of(SESSION).declined == {ONE, TWO}
    decisions.accept(SESSION)
    assert decisions.of(SESSION) == UNDECIDED
    assert decisions.declining() == frozenset()


def test_what_is_superseded_can_be_put_back(decisions: Decisions) -> None:
    decisions.supersede(SESSION, [A, B])
    decisions.stop_superseding(SESSION, A)
    assert decisions.of(SESSION).supersedes == (B,)
    decisions.replace_supersedes(SESSION, [C, A])
    assert decisions.of(SESSION).supersedes == (C, A)
    decisions.replace_supersedes(SESSION, [])
    assert decisions.of(SESSION) == UNDECIDED


def test_what_strangers_say_is_superseded_does_not_grow_without_end(decisions: Decisions) -> None:
    decisions.supersede(SESSION, [A])
    many = [f"{number:064x}" for number in range(5000)]
    decisions.supersede(SESSION, many)
    assert decisions.of(SESSION).supersedes == tuple(many[-1024:])


def test_a_session_of_which_nothing_is_decided_any_more_leaves_nothing(
    decisions: Decisions, paths: Paths
) -> None:
    decisions.forget([SESSION, OTHER])
    decisions.push_again(SESSION)
    assert list(written(paths)["stores"][STORE]["sessions"]) == [OTHER]


def test_each_store_has_its_own(decisions: Decisions, paths: Paths) -> None:
    decisions.forget([SESSION])
    other = Decisions(paths, "another")
    assert other.of(SESSION) == UNDECIDED
    other.decide(SESSION, 7)
    assert Decisions(paths, STORE).of(SESSION) == Decided(forgotten=True)
    assert Decisions(paths, "another").of(SESSION) == Decided(decision=7)


# --- the file ----------------------------------------------------------------------------------


def test_the_file_is_private(decisions: Decisions, paths: Paths) -> None:
    require_posix("permission bits")
    decisions.forget([SESSION])
    assert stat.S_IMODE(paths.decisions_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(paths.config.stat().st_mode) == 0o700


def test_it_is_written_only_where_something_changed(decisions: Decisions, paths: Paths) -> None:
    decide_everything(decisions)
    before = snapshot(paths.decisions_file)
    decide_everything(decisions)
    decisions.accept(OTHER)
    decisions.push_again(OTHER)
    assert snapshot(paths.decisions_file) == before


def test_what_belongs_together_is_written_at_once_also_where_an_error_ends_it(
    decisions: Decisions, paths: Paths
) -> None:
    def fail() -> None:
        with decisions.together():
            decisions.forget([SESSION])
            with decisions.together():
                decisions.forget([OTHER])
            assert not paths.decisions_file.exists()
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert Decisions(paths, STORE).of(OTHER).forgotten
    assert Decisions(paths, STORE).of(SESSION).forgotten


def test_what_others_decide_is_seen_and_kept(decisions: Decisions, paths: Paths) -> None:
    other = Decisions(paths, STORE)
    other.forget([SESSION])
    decisions.forget([OTHER])
    assert decisions.of(SESSION).forgotten
    assert not other.of(OTHER).forgotten
    other.refresh()
    assert other.of(OTHER).forgotten


def test_what_is_not_known_here_is_kept(paths: Paths) -> None:
    session = {"forgotten": True, "later": {"x": 0}}
    sessions = {SESSION: session, OTHER: {"later": 1}}
    section = {"sessions": sessions, "later": [1]}
    write(paths, {"schema": 1, "later": None, "stores": {STORE: section, "elsewhere": {"y": 0}}})
    decisions = Decisions(paths, STORE)
    decisions.push_again(SESSION)
    decisions.decide(OTHER, 1)
    document = written(paths)
    assert document["later"] is None
    assert document["stores"]["elsewhere"] == {"y": 0}
    assert document["stores"][STORE]["later"] == [1]
    assert document["stores"][STORE]["sessions"] == {
        SESSION: {"later": {"x": 0}},
        OTHER: {"later": 1, "decision": 1},
    }


def test_what_makes_no_sense_of_a_session_counts_as_nothing(paths: Paths) -> None:
    nonsense = {
        "forgotten": "yes",
        "declined": [{"size": 3, "sha256": "1" * 64}, {"size": "3", "sha256": "1" * 64}, 7, None],
        "supersedes": [A, "not hex", 7, None],
        "decision": -1,
    }
    more: dict[str, Any] = {"forgotten": None, "declined": {}, "supersedes": "a", "decision": True}
    write(paths, {"stores": {STORE: {"sessions": {SESSION: nonsense, OTHER: more}}}})
    decisions = Decisions(paths, STORE)
    assert decisions.of(SESSION) == Decided(True, frozenset([ONE]), (A,), 0)
    assert decisions.of(OTHER) == UNDECIDED


def test_a_link_stays_a_link(paths: Paths, tmp_path: Path) -> None:
    dotfiles = tmp_path / "dotfiles.json"
    write(paths, {})
    paths.decisions_file.rename(dotfiles)
    paths.decisions_file.symlink_to(dotfiles)
    Decisions(paths, STORE).forget([SESSION])
    assert paths.decisions_file.is_symlink()
    assert Decisions(paths, STORE).of(SESSION).forgotten


def test_a_newer_one_is_refused_and_left_alone(decisions: Decisions, paths: Paths) -> None:
    decisions.forget([SESSION])
    write(paths, {**written(paths), "schema": 2})
    before = snapshot(paths.decisions_file)
    with pytest.raises(RecordsTooNew):
        Decisions(paths, STORE)
    with pytest.raises(RecordsTooNew):
        decisions.forget([OTHER])
    assert snapshot(paths.decisions_file) == before


@pytest.mark.parametrize("in_the_way", ["a folder that is shut", "a file"])
def test_one_that_can_not_be_looked_at_is_not_one_that_is_not_there(
    paths: Paths, in_the_way: str
) -> None:
    Decisions(paths, STORE).forget([SESSION])
    known = Decisions(paths, STORE)
    shut, away = paths.config, paths.config.with_name("away")
    if in_the_way == "a file":
        require_posix("a path through a file that is told from one to nothing")
        shut.rename(away)
        shut.write_bytes(b"")
    else:
        shut.chmod(0)
    with ordinary_permissions():
        begin, decide = lambda: Decisions(paths, STORE), lambda: known.decide(OTHER, 1)
        for work in (begin, known.refresh, decide):
            with pytest.raises(RecordsError, match="can't be read") as caught:
                work()
            assert str(paths.decisions_file) in str(caught.value)
        assert not Decisions(paths, STORE, writable=False).of(SESSION).forgotten
    if in_the_way == "a file":
        shut.unlink()
        away.rename(shut)
    else:
        shut.chmod(0o700)
    known.refresh()
    assert known.of(SESSION).forgotten


def test_what_can_not_be_written_is_said_and_tried_again(
    decisions: Decisions, paths: Paths
) -> None:
    paths.config.mkdir()
    paths.config.chmod(0o500)
    with ordinary_permissions(), pytest.raises(RecordsError, match="written"):
        decisions.forget([SESSION])
    paths.config.chmod(0o700)
    assert decisions.of(SESSION).forgotten
    decisions.forget([OTHER])
    assert Decisions(paths, STORE).of(SESSION).forgotten


def test_while_another_writes_it_waits(decisions: Decisions, paths: Paths) -> None:
    decisions._file._lock.patience_seconds = 0.01
    with Lock(paths.state / "decisions.lock", "testing"), pytest.raises(LockBusy, match="testing"):
        decisions.forget([SESSION])
    decisions.push_again(OTHER)
    decisions.forget([OTHER])
    assert Decisions(paths, STORE).of(SESSION).forgotten


def test_killed_at_any_moment_it_is_the_old_one_or_the_new_one(paths: Paths) -> None:
    def work() -> None:
        decide_everything(Decisions(paths, STORE))

    Decisions(paths, STORE).forget([OTHER])
    for step in range(100):
        end = killed_at(step, work)
        found = Decisions(paths, STORE)
        assert found.of(OTHER).forgotten
        assert found.of(SESSION) in (UNDECIDED, EVERYTHING)
        assert not found.lost
        if end is not End.KILLED:
            break
        if found.of(SESSION) == EVERYTHING:
            write(paths, {"stores": {STORE: {"sessions": {OTHER: {"forgotten": True}}}}})
    else:
        raise AssertionError("there are more steps than that")
    assert found.of(SESSION) == EVERYTHING


def test_many_processes_at_once_lose_nothing(paths: Paths) -> None:
    children = []
    for number in range(4):
        child = os.fork()
        if child == 0:
            status = 1
            try:
                for turn in range(10):
                    Decisions(paths, STORE).forget([f"{number}.{turn}"])
                status = 0
            finally:
                os._exit(status)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 4
    found = Decisions(paths, STORE)
    assert all(found.of(f"{n}.{turn}").forgotten for n in range(4) for turn in range(10))


# --- lost --------------------------------------------------------------------------------------


def test_a_damaged_one_is_set_aside_and_counts_as_lost_until_that_is_settled(
    paths: Paths,
) -> None:
    write(paths, [])
    found = Decisions(paths, STORE)
    assert found.lost
    assert Decisions(paths, STORE).lost
    assert [path.name for path in paths.config.glob("*damaged*")] == ["decisions.json.damaged-1"]
    found.settle([SESSION], inherited={OTHER: Decided(supersedes=(A,), decision=2)})
    assert not found.lost
    again = Decisions(paths, STORE)
    assert not again.lost
    assert again.of(SESSION) == Decided(forgotten=True)
    assert again.of(OTHER) == Decided(supersedes=(A,), decision=2)
    assert Decisions(paths, "another").lost


def test_each_damaged_one_is_kept(paths: Paths) -> None:
    for number in (1, 2, 3):
        write(paths, number)
        Decisions(paths, STORE)
    kept = sorted(paths.config.glob("*damaged*"))
    assert [path.read_text() for path in kept] == ["1", "2", "3"]


def test_settling_where_nothing_is_to_be_done_is_remembered_too(paths: Paths) -> None:
    write(paths, [])
    Decisions(paths, STORE).settle([], inherited={})
    assert not Decisions(paths, STORE).lost


def test_whoever_only_looks_changes_nothing(paths: Paths) -> None:
    contents: list[Any] = [[], {"schema": 2}, {"stores": {STORE: {"sessions": {}}}}]
    for content in contents:
        write(paths, content)
        before = snapshot(paths.decisions_file)
        found = Decisions(paths, STORE, writable=False)
        assert found.lost is (content == [])
        found.forget([SESSION])
        found.settle([OTHER], inherited={})
        assert found.of(SESSION).forgotten
        assert not found.lost
        assert snapshot(paths.decisions_file) == before
        assert list(paths.config.iterdir()) == [paths.decisions_file]


# --- what older databases held -----------------------------------------------------------------


def test_what_is_adopted_gives_way_to_what_is_known_but_forgotten_stays_forgotten(
    decisions: Decisions, paths: Paths
) -> None:
    decisions.decide(SESSION, 9)
    decisions.adopt({SESSION: EVERYTHING, OTHER: EVERYTHING})
    again = Decisions(paths, STORE)
    assert again.of(SESSION) == Decided(forgotten=True, decision=9)
    assert again.of(OTHER) == EVERYTHING
