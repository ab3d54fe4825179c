"""Pushing: what lies here, written into this machine's own bundle and into nothing else."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest

from capabilities import require_posix
from claude_sync.claude.transcript import EDGE_BYTES
from claude_sync.disk.files import Staged
from claude_sync.errors import SessionAmbiguous, SessionNotFound, UsageError
from claude_sync.model import Outcome
from claude_sync.state import preferences
from claude_sync.sync.push import push, push_surveyed
from claude_sync.sync.survey.look import look
from claude_sync.transports.base import Put
from claude_sync.transports.folder.writing import Group
from examined import snapshot
from machines import (
    KEY,
    KEY_FOLDER,
    OTHER,
    SESSION,
    Pair,
    World,
    bookkeeping,
    opened,
    outcomes,
    said,
)


def test_a_bundle_says_all_that_it_should(world: World) -> None:
    (laptop,) = world.machines("laptop")
    whole = laptop.write(SESSION, said("Mend the roof"))
    laptop.write_sidecar(SESSION, "tool-results/one.txt", b"one")
    laptop.write_sidecar(SESSION, "subagents/agent-a.jsonl", b"{}\n")
    result = laptop.push()[SESSION]
    bundle = opened(laptop.bundle())
    head = bundle.head
    assert bundle.transcript == whole
    assert bundle.sidecar == {"subagents/agent-a.jsonl": b"{}\n", "tool-results/one.txt": b"one"}
    assert (head.session_id, head.project_key, head.subpath) == (SESSION, KEY, "")
    assert (head.machine, head.revision, head.title) == ("laptop", 1, "Mend the roof")
    assert head.mtime_ns == laptop.path().stat().st_mtime_ns
    assert (head.supersedes, head.decision, head.open) == ((), 0, False)
    assert result.bundle == f"{KEY_FOLDER}/{SESSION}-laptop.ccsync"
    assert result.path == laptop.path()
    assert result.bytes == laptop.bundle().stat().st_size


def test_what_has_not_changed_is_not_written_again(pair: Pair) -> None:
    laptop, _ = pair
    before = snapshot(laptop.bundle())
    assert outcomes(laptop.push()) == {SESSION: Outcome.UNCHANGED}
    assert outcomes(laptop.push(SESSION)) == {SESSION: Outcome.UNCHANGED}
    assert snapshot(laptop.bundle()) == before


def test_a_session_of_which_the_disk_took_no_byte_is_said_to_have_failed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    (laptop,) = world.machines("laptop")
    laptop.write(SESSION, said("hello"))
    laptop.write(OTHER, said("hello"))
    stage = Group._stage

    def failing(group: Group, put: Put, directory: Path) -> Staged:
        if SESSION in put.name:
            raise OSError(errno.EIO, "Input/output error")
        return stage(group, put, directory)

    with monkeypatch.context() as patched:
        patched.setattr(Group, "_stage", failing)
        pushed = laptop.push()
    assert outcomes(pushed) == {SESSION: Outcome.FAILED, OTHER: Outcome.PUSHED}
    assert pushed[SESSION].code == "TransportError"
    assert outcomes(laptop.push()) == {SESSION: Outcome.PUSHED, OTHER: Outcome.UNCHANGED}


def test_each_push_has_the_next_revision(pair: Pair) -> None:
    laptop, _ = pair
    for revision in (2, 3):
        laptop.write(SESSION, said())
        laptop.push()
        assert opened(laptop.bundle()).head.revision == revision


def test_a_lost_revision_is_found_again_in_the_store(pair: Pair) -> None:
    laptop, _ = pair
    laptop.write(SESSION, said())
    laptop.push()
    laptop.lose_records()
    laptop.write(SESSION, said())
    laptop.push()
    assert opened(laptop.bundle()).head.revision == 3


def test_a_session_just_pulled_is_not_pushed_back_until_something_is_added(pair: Pair) -> None:
    _, desktop = pair
    assert outcomes(desktop.push()) == {SESSION: Outcome.UNCHANGED}
    assert not desktop.bundle().exists()
    desktop.write(SESSION, said())
    desktop.push()
    assert desktop.bundle().exists()


def test_a_session_pulled_and_named_is_pushed(pair: Pair) -> None:
    _, desktop = pair
    assert outcomes(desktop.push(SESSION)) == {SESSION: Outcome.PUSHED}


def test_the_judge_is_the_store_and_not_the_records(pair: Pair) -> None:
    laptop, _ = pair
    laptop.bundle().unlink()
    assert outcomes(laptop.push()) == {SESSION: Outcome.PUSHED}
    assert opened(laptop.bundle()).transcript == laptop.read()


def test_other_sidecars_alone_are_reason_enough(pair: Pair) -> None:
    laptop, _ = pair
    laptop.write_sidecar(SESSION, "tool-results/one.txt", b"one")
    assert outcomes(laptop.push()) == {SESSION: Outcome.PUSHED}
    assert opened(laptop.bundle()).sidecar == {"tool-results/one.txt": b"one"}


# --- what would be lost goes into the vault first ----------------------------------------------


def test_what_a_decision_gave_up_is_kept(pair: Pair) -> None:
    laptop, _ = pair
    old = laptop.read()
    laptop.begin_anew(SESSION, said("another beginning"))
    assert old in laptop.kept()
    head = opened(laptop.bundle()).head
    assert (len(head.supersedes), head.decision) == (1, 1)


def test_every_sidecar_file_that_was_rewritten_is_kept_even_beside_one_transcript(
    pair: Pair,
) -> None:
    laptop, _ = pair
    for number in range(4):
        laptop.write_sidecar(SESSION, "tool-results/one.txt", f"version {number}".encode())
        laptop.push()
    assert {f"version {number}".encode() for number in range(3)} <= set(laptop.kept())


def test_a_sidecar_file_that_was_removed_here_is_kept(pair: Pair) -> None:
    laptop, _ = pair
    path = laptop.write_sidecar(SESSION, "tool-results/one.txt", b"one")
    laptop.push()
    path.unlink()
    laptop.push()
    assert opened(laptop.bundle()).sidecar == {}
    assert b"one" in laptop.kept()


def test_an_unfinished_last_line_is_kept_too(pair: Pair) -> None:
    laptop, _ = pair
    full = laptop.read()
    half = laptop.write(SESSION, b'{"type":"user","uu')
    laptop.push()
    laptop.rewrite(SESSION, full + said("another line"))
    laptop.push()
    assert half in laptop.kept()


def test_what_only_grew_is_not_kept_twice(pair: Pair) -> None:
    laptop, _ = pair
    laptop.write_sidecar(SESSION, "tool-results/one.txt", b"one")
    laptop.push()
    laptop.write(SESSION, said())
    laptop.write_sidecar(SESSION, "tool-results/one.txt", b"one and two")
    laptop.push()
    assert laptop.kept() == []


# --- names -------------------------------------------------------------------------------------


def test_with_a_new_name_the_older_file_goes_once_the_new_one_is_there(pair: Pair) -> None:
    laptop, _ = pair
    old = laptop.bundle()
    laptop.set_up(name="workshop")
    laptop.name = "workshop"
    assert outcomes(laptop.push()) == {SESSION: Outcome.PUSHED}
    assert laptop.bundle().exists()
    assert not old.exists()


def test_with_a_new_key_the_older_file_goes_once_the_new_one_is_there(
    pair: Pair, world: World
) -> None:
    laptop, _ = pair
    old = laptop.bundle()
    laptop.add_project("git:example.org/you/renamed")
    laptop.push()
    (new,) = world.bundles()
    assert new.parent.name == "git+example.org+you+renamed"
    assert not old.exists()


def test_the_file_of_another_machine_of_that_name_is_never_written_over(pair: Pair) -> None:
    laptop, desktop = pair
    theirs = laptop.bundle().read_bytes()
    desktop.set_up(name="laptop", take_over=True)
    whole = desktop.write(SESSION, said())
    result = desktop.push()[SESSION]
    assert laptop.bundle().read_bytes() == theirs
    assert opened(desktop.world.store / result.bundle).transcript == whole


def test_an_id_in_another_case_is_the_same_session(pair: Pair) -> None:
    laptop, desktop = pair
    laptop.path().rename(laptop.path().with_stem(SESSION.upper()))
    laptop.write(SESSION.upper(), said("more"))
    assert outcomes(laptop.push()) == {SESSION: Outcome.PUSHED}
    assert len(laptop.world.bundles()) == 1
    assert outcomes(desktop.pull()) == {SESSION: Outcome.UPDATED}
    assert desktop.read() == laptop.read(SESSION.upper())


# --- which ones --------------------------------------------------------------------------------


def test_ids_may_be_cut_short_as_far_as_they_are_clear(pair: Pair) -> None:
    laptop, _ = pair
    laptop.write(OTHER, said())
    assert list(laptop.push("1a2b")) == [OTHER]
    laptop.write(OTHER.replace("1a2b", "1a2c"), said())
    with pytest.raises(SessionAmbiguous):
        laptop.push("1a2")
    for nothing in ("", "none"):
        with pytest.raises(SessionNotFound):
            laptop.push(nothing)
    assert issubclass(SessionNotFound, UsageError)


def test_an_ignored_project_is_pushed_only_by_name(world: World) -> None:
    (laptop,) = world.machines("laptop")
    preferences.change(laptop.paths, ignore=("git:EXAMPLE.org/you/*",))
    laptop.write(SESSION, said())
    assert laptop.push() == {}
    with laptop.at_work() as context:
        assert [result.outcome for result in push(context, project=KEY)] == [Outcome.PUSHED]
    laptop.write(SESSION, said())
    assert laptop.push() == {}
    assert outcomes(laptop.push(SESSION)) == {SESSION: Outcome.PUSHED}


def test_only_the_sessions_of_a_project_are_pushed_where_one_is_asked_for(world: World) -> None:
    (laptop,) = world.machines("laptop")
    laptop.write(SESSION, said())
    with laptop.at_work() as context:
        assert push(context, project="git:example.org/you/other") == []
    assert world.bundles() == []


def test_a_session_whose_directory_is_not_known_is_unplaced_and_not_pushed(world: World) -> None:
    (laptop,) = world.machines("laptop")
    folder = laptop.claude / "projects" / "-somewhere-else"
    folder.mkdir(parents=True)
    (folder / f"{SESSION}.jsonl").write_bytes(said(cwd="/nowhere/near"))
    assert outcomes(laptop.push()) == {SESSION: Outcome.UNPLACED}
    assert world.bundles() == []


@pytest.mark.parametrize(
    "cwd", ["/a\0b", "/\ud800", "relative", "", "~", "/" + "x" * 5000, "C:\\x", "/proc/self/fd/0"]
)
def test_a_directory_that_can_be_none_hurts_nobody(world: World, cwd: str) -> None:
    (laptop,) = world.machines("laptop")
    folder = laptop.claude / "projects" / "-somewhere-else"
    folder.mkdir(parents=True)
    (folder / f"{OTHER}.jsonl").write_bytes(said(cwd=cwd))
    laptop.write(SESSION, said(cwd=cwd))
    assert outcomes(laptop.push()) == {SESSION: Outcome.PUSHED, OTHER: Outcome.UNPLACED}


def test_of_two_copies_the_one_that_holds_the_other_is_pushed(pair: Pair) -> None:
    laptop, _ = pair
    shutil.copytree(laptop.folder, laptop.claude / "projects" / "-elsewhere")
    whole = laptop.write(SESSION, said("second"))
    laptop.push()
    assert opened(laptop.bundle()).transcript == whole


def test_two_copies_that_diverged_are_neither_pushed_nor_replaced_and_both_are_named(
    pair: Pair,
) -> None:
    laptop, desktop = pair
    elsewhere = laptop.claude / "projects" / "-elsewhere"
    shutil.copytree(laptop.folder, elsewhere)
    laptop.write(SESSION, said("here"))
    copy = elsewhere / f"{SESSION}.jsonl"
    copy.write_bytes(copy.read_bytes() + said("there"))
    desktop.write(SESSION, said("on the desktop"))
    desktop.push()
    texts = laptop.read(), copy.read_bytes()
    before = laptop.bundle().read_bytes()
    for result in (laptop.push()[SESSION], laptop.pull()[SESSION]):
        assert result.outcome is Outcome.CONFLICT
        assert str(laptop.path()) in result.message
        assert str(copy) in result.message
    assert (laptop.read(), copy.read_bytes()) == texts
    assert laptop.bundle().read_bytes() == before


def test_an_open_session_says_so_and_is_pushed_as_far_as_its_lines_are_full(pair: Pair) -> None:
    laptop, _ = pair
    whole = laptop.write(SESSION, bookkeeping())
    laptop.write(SESSION, b'{"half')
    laptop.open()
    laptop.push()
    assert (opened(laptop.bundle()).transcript, opened(laptop.bundle()).head.open) == (whole, True)


def test_a_sidecar_file_that_is_rewritten_between_looking_and_packing_is_looked_at_again(
    pair: Pair,
) -> None:
    laptop, _ = pair
    laptop.write(SESSION, said())
    laptop.write_sidecar(SESSION, "tool-results/one.txt", b"as it was")
    laptop.push()
    laptop.write(SESSION, said())
    with laptop.at_work() as context:
        survey = look(context)
        laptop.write_sidecar(SESSION, "tool-results/one.txt", b"rewritten")
        [result] = push_surveyed(context, survey)
    assert (result.outcome, "was rewritten" in result.message) == (Outcome.FAILED, True)
    assert opened(laptop.bundle()).sidecar == {"tool-results/one.txt": b"as it was"}
    laptop.push()
    assert opened(laptop.bundle()).sidecar == {"tool-results/one.txt": b"rewritten"}
    assert b"as it was" in laptop.kept()


def test_a_sidecar_file_that_grows_between_looking_and_packing_keeps_no_push_waiting(
    pair: Pair,
) -> None:
    laptop, _ = pair
    laptop.write(SESSION, said())
    laptop.write_sidecar(SESSION, "tool-results/one.txt", b"as it was")
    laptop.push()
    laptop.write(SESSION, said())
    with laptop.at_work() as context:
        survey = look(context)
        laptop.write_sidecar(SESSION, "tool-results/one.txt", b"as it was, and more")
        [result] = push_surveyed(context, survey)
    assert result.outcome is Outcome.PUSHED
    assert opened(laptop.bundle()).sidecar == {"tool-results/one.txt": b"as it was, and more"}


def test_a_session_whose_first_line_is_not_whole_yet_is_pushed_when_it_is(world: World) -> None:
    (laptop,) = world.machines("laptop")
    laptop.open(SESSION)
    line = said()
    laptop.write(SESSION, line[:10])
    assert outcomes(laptop.push()) == {SESSION: Outcome.UNCHANGED}
    assert not laptop.bundle().exists()
    laptop.write(SESSION, line[10:])
    assert outcomes(laptop.push()) == {SESSION: Outcome.PUSHED}
    assert opened(laptop.bundle()).transcript == line


def test_a_push_says_how_many_files_beside_a_session_it_had_to_leave_out(pair: Pair) -> None:
    require_posix("names that Windows refuses")
    laptop, desktop = pair
    laptop.write_sidecar(SESSION, "tool-results/one.txt", b"one")
    assert laptop.push()[SESSION].message == ""
    laptop.write_sidecar(SESSION, "tool-results/nul.txt", b"two")
    laptop.write_sidecar(SESSION, "tool-results/three.txt", b"three")
    result = laptop.push()[SESSION]
    assert (result.outcome, result.message.split()[0]) == (Outcome.PUSHED, "1")
    desktop.pull()
    assert desktop.sidecar() == {"tool-results/one.txt": b"one", "tool-results/three.txt": b"three"}


def test_a_session_of_which_only_a_long_first_line_is_whole_is_pushed(world: World) -> None:
    laptop = world.machine("laptop")
    laptop.write(SESSION, said("x" * (2 * EDGE_BYTES)))
    assert outcomes(laptop.push()) == {SESSION: Outcome.PUSHED}


@pytest.mark.parametrize("kind", ["world", "encrypted_world"])
def test_a_bundle_that_was_damaged_is_written_again_when_it_is_named(
    request: pytest.FixtureRequest, kind: str
) -> None:
    world: World = request.getfixturevalue(kind)
    (laptop,) = world.machines("laptop")
    whole = laptop.write(SESSION, *[said("x" * 1000)] * 300)
    laptop.push()
    path = laptop.bundle()
    damaged, before = bytearray(path.read_bytes()), path.stat()
    damaged[len(damaged) // 2] ^= 4
    path.write_bytes(damaged)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert outcomes(laptop.push()) == {SESSION: Outcome.UNCHANGED}  # nothing tells it cheaply
    assert outcomes(laptop.push(SESSION)) == {SESSION: Outcome.PUSHED}
    assert world.opened(laptop.bundle()).transcript == whole
    assert bytes(damaged) in world.everything()
    assert outcomes(laptop.push(SESSION)) == {SESSION: Outcome.UNCHANGED}
