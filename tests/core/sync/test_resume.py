"""Which session is gone on with, and what has to be here, or decided, before it is."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from claude_sync.errors import (
    NotSetUp,
    SessionDivided,
    SessionError,
    SessionNotFound,
    SessionOpen,
    SessionUnplaced,
    StoreAbsent,
)
from claude_sync.model import Outcome
from claude_sync.sync.context import open_context
from claude_sync.sync.resume import Question, Resumption, prepare_resume
from machines import DAY_NS, KEY, OTHER, SESSION, Pair, PlayedMachine, World, bookkeeping, said

SECOND_COPY = "-elsewhere"


def prepared(machine: PlayedMachine, session: str | None = None, **more: Any) -> Resumption:
    """What stands after preparing to resume a session, or the project's newest."""
    with machine.at_work() as context:
        return prepare_resume(context, session, project=KEY if session is None else None, **more)


def titled(text: str) -> bytes:
    return json.dumps({"type": "custom-title", "customTitle": text}).encode() + b"\n"


def outcome(found: Resumption) -> Outcome:
    [result] = found.results
    return result.outcome


# --- which session -----------------------------------------------------------------------------


def test_the_newest_session_of_any_machine_is_pulled_and_gone_on_with(pair: Pair) -> None:
    laptop, desktop = pair
    desktop.write(OTHER, said("older, and only here"))
    desktop.grow_old(OTHER)
    laptop.write(SESSION, titled("Fix the login bug"), said())
    written_ns = laptop.grow_old(SESSION, 600)
    laptop.push()
    found = prepared(desktop)
    assert (found.session_id, found.title) == (SESSION, "Fix the login bug")
    assert found.pulled is not None
    assert (found.pulled.machine, found.written_ns) == ("laptop", written_ns)
    assert (found.question, found.only_here, found.deleted) == (None, "", "")
    assert (found.path, found.checked_directory()) == (desktop.path(), desktop.project)
    assert found.from_elsewhere == len(laptop.read())
    assert desktop.read() == laptop.read()


def test_what_is_newest_here_is_gone_on_with_as_it_is(pair: Pair) -> None:
    laptop, desktop = pair
    laptop.write(OTHER, said("older there"))
    laptop.grow_old(OTHER)
    laptop.push()
    text = desktop.write(SESSION, titled("Only here"), said())
    found = prepared(desktop)
    assert (found.session_id, found.title) == (SESSION, "Only here")
    assert found.pulled is None
    assert desktop.read() == text
    assert not desktop.has(OTHER)


def test_one_that_went_on_elsewhere_is_brought_up_to_date(pair: Pair) -> None:
    laptop, desktop = pair
    laptop.write(SESSION, said("more"))
    laptop.push()
    found = prepared(desktop, SESSION[:4])
    assert outcome(found) is Outcome.UPDATED
    assert desktop.read() == laptop.read()
    again = prepared(desktop)
    assert (again.session_id, outcome(again)) == (SESSION, Outcome.UNCHANGED)
    assert again.from_elsewhere == len(laptop.read())


def test_a_copy_that_is_pulled_is_called_one_once(diverged: Pair) -> None:
    laptop, desktop = diverged
    desktop.write(SESSION, titled("Fix the login bug"))
    desktop.push()
    laptop.resolve(keep="both")
    laptop.push()
    [copy] = set(laptop.sessions()) - {SESSION}
    found = prepared(desktop, copy)
    assert found.pulled is not None
    assert found.title == prepared(desktop, copy).title == f"Fix the login bug (copy {copy[:4]})"


def test_it_says_that_it_was_still_open_there(pair: Pair) -> None:
    laptop, desktop = pair
    laptop.write(SESSION, said())
    laptop.open()
    laptop.push()
    assert prepared(desktop).was_open


def test_other_projects_sessions_are_not_meant(pair: Pair) -> None:
    _, desktop = pair
    elsewhere = desktop.home / "api"
    elsewhere.mkdir()
    desktop.project, before = elsewhere, desktop.project
    desktop.add_project("git:example.org/you/api")
    desktop.write(OTHER, said("newest of all", cwd=os.path.realpath(elsewhere)))
    desktop.project = before
    assert prepared(desktop).session_id == SESSION
    assert prepared(desktop, OTHER).directory == elsewhere


def test_a_clock_that_runs_ahead_puts_no_session_before_those_of_now(pair: Pair) -> None:
    laptop, desktop = pair
    laptop.write(OTHER, said("from tomorrow"))
    then = time.time_ns() + DAY_NS
    os.utime(laptop.path(OTHER), ns=(then, then))
    laptop.push()
    desktop.grow_old(seconds=600)
    assert prepared(desktop).session_id == SESSION


def test_where_this_machines_clock_is_behind_the_newest_is_meant_all_the_same(pair: Pair) -> None:
    laptop, desktop = pair
    laptop.write(OTHER, said("the newest"))
    now = time.time_ns()
    os.utime(laptop.path(OTHER), ns=(now + 2 * DAY_NS, now + 2 * DAY_NS))
    laptop.push()
    laptop.bundle(SESSION).unlink()
    os.utime(desktop.path(), ns=(now + DAY_NS, now + DAY_NS))
    assert prepared(desktop).session_id == OTHER


def test_a_file_that_holds_nothing_is_no_session(pair: Pair) -> None:
    _, desktop = pair
    desktop.write(OTHER)
    assert prepared(desktop).session_id == SESSION


def test_a_project_without_sessions_is_said(world: World) -> None:
    with pytest.raises(SessionNotFound, match="none is here"):
        prepared(world.machine("laptop"))


def test_one_that_nobody_has_is_said(pair: Pair) -> None:
    with pytest.raises(SessionNotFound, match="no session has that id"):
        prepared(pair[0], "ffff")


# --- what was deleted or undone here -----------------------------------------------------------


def test_what_was_deleted_here_comes_back_only_when_it_is_named(pair: Pair) -> None:
    laptop, desktop = pair
    desktop.path().unlink()
    laptop.write(SESSION, said("more"))
    laptop.push()
    with pytest.raises(SessionNotFound, match=f"resume {SESSION}"):
        prepared(desktop)
    desktop.write(OTHER, said("older"))
    desktop.grow_old(OTHER)
    found = prepared(desktop)
    assert (found.session_id, found.deleted) == (OTHER, SESSION)
    assert not desktop.has(SESSION)
    assert outcome(prepared(desktop, SESSION)) is Outcome.IMPORTED
    assert desktop.read() == laptop.read()


def test_an_older_deleted_one_is_not_spoken_of(pair: Pair) -> None:
    _, desktop = pair
    desktop.path().unlink()
    desktop.write(OTHER, said("newer"))
    assert prepared(desktop).deleted == ""


@pytest.mark.parametrize("session", [None, SESSION])
def test_what_was_undone_here_stays_undone(pair: Pair, session: str | None) -> None:
    laptop, desktop = pair
    laptop.write(SESSION, said("more"))
    laptop.push()
    before = desktop.read()
    desktop.pull()
    desktop.undo()
    found = prepared(desktop, session)
    assert (outcome(found), found.question) == (Outcome.DECLINED, None)
    assert desktop.read() == before


# --- what has to be decided first --------------------------------------------------------------


def test_a_session_that_diverged_is_asked_about(diverged: Pair) -> None:
    _, desktop = diverged
    before = desktop.read()
    found = prepared(desktop)
    assert (found.question, found.session_id) == (Question.DIVERGED, SESSION)
    assert f"choose with `claude-sync resolve {SESSION}`" in found.message
    assert desktop.read() == before
    desktop.resolve(keep="theirs")
    assert prepared(desktop, SESSION).question is None


def test_one_that_diverged_elsewhere_and_is_not_here_is_asked_about(
    diverged: Pair, world: World
) -> None:
    nas = world.machine("nas")
    found = prepared(nas)
    assert (found.question, found.path) == (Question.DIVERGED, None)
    assert not nas.has()
    nas.resolve(keep="laptop")
    assert prepared(nas).checked_directory() == nas.project


def test_one_that_lost_something_is_asked_about(pair: Pair) -> None:
    laptop, _ = pair
    whole = laptop.write(SESSION, said("more"))
    laptop.push()
    laptop.rewrite(SESSION, whole[: whole.index(b"\n") + 1] + said("after"))
    found = prepared(laptop)
    assert found.question is Question.SHORTENED
    assert "no longer in its file" in found.message
    laptop.bring_back()
    assert prepared(laptop).question is None
    assert laptop.read() == whole


def test_what_another_machine_still_has_is_put_back_unasked(pair: Pair) -> None:
    _, desktop = pair
    whole = desktop.read()
    desktop.rewrite(SESSION, b"\0" * len(whole))
    desktop.grow_old()
    found = prepared(desktop)
    assert found.question is None
    assert desktop.read() == whole


def test_what_this_machine_had_pushed_itself_is_nothing_from_elsewhere(world: World) -> None:
    laptop = world.machine("laptop")
    whole = laptop.write(SESSION, said(), said("more"))
    laptop.push()
    laptop.rewrite(SESSION, b"\0" * len(whole))
    laptop.grow_old()
    found = prepared(laptop)
    assert laptop.read() == whole
    assert (found.put_back, found.from_elsewhere) == (True, 0)
    assert laptop.states()[SESSION].from_elsewhere == 0


def test_of_what_is_put_back_as_much_is_from_elsewhere_as_was_before(pair: Pair) -> None:
    _, desktop = pair
    theirs = desktop.read()
    whole = desktop.write(SESSION, said("more"))
    desktop.push()
    desktop.rewrite(SESSION, b"\0" * len(whole))
    desktop.grow_old()
    assert (prepared(desktop).put_back, desktop.read()) == (True, whole)
    assert desktop.states()[SESSION].from_elsewhere == len(theirs)


def test_what_only_bears_this_machines_name_is_from_elsewhere(world: World) -> None:
    laptop = world.machine("laptop")
    whole = laptop.write(SESSION, said(), said("more"))
    laptop.push()
    laptop.lose_records()
    laptop.rewrite(SESSION, b"\0" * len(whole))
    laptop.grow_old()
    assert prepared(laptop).from_elsewhere == len(whole)


def test_a_version_that_was_chosen_elsewhere_replaces_nothing_unasked(pair: Pair) -> None:
    laptop, desktop = pair
    laptop.write(SESSION, said("on the laptop"))
    mine = desktop.write(SESSION, said("only on the desktop"))
    desktop.push()
    laptop.resolve(keep="mine")
    found = prepared(desktop)
    assert (found.question, found.replaces) == (Question.REPLACES, 1)
    assert desktop.read() == mine
    found = prepared(desktop, replace=True)
    assert (found.question, outcome(found)) == (None, Outcome.REPLACED)
    assert desktop.read() == laptop.read()
    assert mine in desktop.kept()


@pytest.mark.parametrize("ahead", [True, False])
def test_a_version_that_is_still_arriving_is_asked_about(
    pair: Pair, world: World, ahead: bool
) -> None:
    laptop, desktop = pair
    nas = world.machine("nas")
    nas.pull()
    nas.write(SESSION, said("newer"))
    nas.push()
    nas.bundle().write_bytes(nas.bundle().read_bytes()[:-100])
    if ahead:
        laptop.write(SESSION, said("on the laptop"))
        laptop.push()
    found = prepared(desktop)
    assert found.question is Question.UNREAD
    assert (found.pulled is not None) is ahead
    assert prepared(desktop, as_it_is=True).question is None


def test_one_of_which_nothing_arrived_yet_is_said(pair: Pair, world: World) -> None:
    laptop, _ = pair
    laptop.bundle().write_bytes(laptop.bundle().read_bytes()[:-100])
    with pytest.raises(SessionError, match="arriving"):
        prepared(world.machine("nas"), SESSION)


# --- what can't be resumed ---------------------------------------------------------------------


def test_a_session_that_is_open_here_is_not_opened_twice(pair: Pair) -> None:
    laptop, desktop = pair
    laptop.write(SESSION, said("more"))
    laptop.push()
    before = desktop.read()
    desktop.open()
    with pytest.raises(SessionOpen, match="is open here already"):
        prepared(desktop)
    assert desktop.read() == before
    desktop.close()
    assert outcome(prepared(desktop)) is Outcome.UPDATED


def test_one_that_is_about_to_be_opened_is_not_opened_twice(pair: Pair) -> None:
    laptop, desktop = pair
    assert prepared(desktop, opens_within=math.inf).question is None
    laptop.write(SESSION, said("more"))
    laptop.push()
    before = desktop.read()
    with pytest.raises(SessionOpen, match="is open here already"):
        prepared(desktop)
    assert desktop.pull()[SESSION].outcome is Outcome.OPEN
    assert desktop.read() == before


def test_one_that_needs_a_decision_first_is_not_about_to_be_opened(diverged: Pair) -> None:
    _, desktop = diverged
    assert prepared(desktop, opens_within=math.inf).question is Question.DIVERGED
    assert prepared(desktop, opens_within=math.inf).question is Question.DIVERGED


def test_what_was_to_be_opened_counts_as_open_no_longer_than_was_said(pair: Pair) -> None:
    _, desktop = pair
    prepared(desktop, opens_within=1e-9)
    assert prepared(desktop).question is None


def test_what_was_to_be_opened_by_a_process_that_ended_is_closed(pair: Pair) -> None:
    _, desktop = pair
    file = desktop.paths.opening_file
    waiting = [sys.executable, "-c", "input()"]
    with subprocess.Popen(waiting, stdin=subprocess.PIPE) as other:
        prepared(desktop, opens_within=math.inf)
        [mark] = json.loads(file.read_text())["opening"]
        mark |= {"pid": other.pid, "procStart": ""}
        file.write_text(json.dumps({"opening": [mark]}))
        with pytest.raises(SessionOpen):
            prepared(desktop)
        other.kill()
    assert prepared(desktop).question is None


def test_a_client_that_left_the_session_it_was_opened_with_keeps_it_open_no_more(
    pair: Pair,
) -> None:
    _, desktop = pair
    desktop.write(OTHER, said("another"))
    prepared(desktop, SESSION, opens_within=math.inf)
    live = desktop.open(OTHER)
    assert json.loads(live.read_text())["pid"] == os.getpid()
    assert prepared(desktop, SESSION).question is None


@pytest.mark.parametrize("text", ["{", "[]", '{"opening": 3}', '{"opening": [3, {}]}'])
def test_marks_that_cannot_be_read_keep_nothing_open(pair: Pair, text: str) -> None:
    _, desktop = pair
    desktop.paths.opening_file.write_text(text)
    assert prepared(desktop).question is None


def test_one_that_may_be_open_or_works_in_the_background_is_said(world: World) -> None:
    laptop = world.machine("laptop", live_files=False)
    laptop.write(SESSION, said(version="2.1.2"))
    with pytest.raises(SessionOpen, match="may be open here: again in"):
        prepared(laptop)
    live = laptop.open()
    live.write_text(json.dumps({**json.loads(live.read_text()), "kind": "bg"}))
    with pytest.raises(SessionOpen, match="claude stop"):
        prepared(laptop)


def test_two_copies_that_diverged_here_are_said(pair: Pair) -> None:
    _, desktop = pair
    second = desktop.claude / "projects" / SECOND_COPY / f"{SESSION}.jsonl"
    second.parent.mkdir()
    second.write_bytes(desktop.read() + said("there"))
    desktop.write(SESSION, said("here"))
    with pytest.raises(SessionDivided, match="move one of them away"):
        prepared(desktop)


def test_one_without_a_directory_here_stays_there(pair: Pair, world: World) -> None:
    nas = PlayedMachine(world, "nas")
    nas.set_up()
    with nas.at_work() as context:
        context.registry.remove(nas.project)
    with pytest.raises(SessionUnplaced, match="no directory of"):
        prepared(nas, SESSION)
    assert not nas.has()


def test_a_directory_that_is_gone_is_said(pair: Pair) -> None:
    _, desktop = pair
    shutil.rmtree(desktop.project)
    found = prepared(desktop, SESSION)
    with pytest.raises(SessionUnplaced, match="isn't there"):
        found.checked_directory()
    with pytest.raises(SessionUnplaced, match="no directory"):
        found._replace(directory=None).checked_directory()


# --- without the store -------------------------------------------------------------------------


def test_where_the_store_cannot_be_asked_what_is_here_counts(pair: Pair, world: World) -> None:
    _, desktop = pair
    world.store.rename(world.store.with_name("unplugged"))
    found = prepared(desktop)
    assert (found.session_id, found.results, found.question) == (SESSION, (), None)
    assert str(world.store) in found.only_here
    assert found.checked_directory() == desktop.project
    for session in (None, OTHER):
        desktop.path().unlink(missing_ok=True)
        with pytest.raises(StoreAbsent):
            prepared(desktop, session)


def test_what_was_lost_is_asked_about_without_the_store_too(pair: Pair, world: World) -> None:
    _, desktop = pair
    desktop.push()
    world.store.rename(world.store.with_name("unplugged"))
    desktop.rewrite(SESSION, bookkeeping())
    desktop.grow_old()
    assert prepared(desktop).question is Question.SHORTENED


def test_without_a_store_what_is_here_counts(tmp_path: Path, pair: Pair) -> None:
    _, desktop = pair
    for name in ("config", "state"):
        shutil.rmtree(desktop.home / name)
    with desktop.here(), open_context(desktop.paths) as context:
        context.registry.add(desktop.project, KEY)
        found = prepare_resume(context, project=KEY)
        assert (found.session_id, found.question) == (SESSION, None)
        assert "claude-sync init" in found.only_here
        desktop.path().unlink()
        with pytest.raises(NotSetUp):
            prepare_resume(context, project=KEY)
