"""The service: what it pushes, pulls and shows by itself. Real trees, real stores, real events."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time

import pytest

from claude_sync.errors import LockBusy, NotSetUp, SessionOpen
from claude_sync.model import Outcome, State
from claude_sync.service import schedule, timetable
from claude_sync.service.service import Service
from claude_sync.service.status import Status
from claude_sync.state import preferences
from claude_sync.store.store import Store
from claude_sync.sync.forget import bundles_of_this_machine
from claude_sync.sync.tree import pull_apply
from claude_sync.transports.base import Listing
from machines import KEY, OTHER, SESSION, PlayedMachine, World, agree, opened, said
from services import log_of, prepare, serving
from waiting import PATIENCE_SECONDS, until

THIRD = "2b3c4d5e-1111-4222-8333-444455556666"
HOUR = 3600.0


@pytest.fixture
def laptop(world: World) -> PlayedMachine:
    machine = world.machine("laptop")
    prepare(machine)
    return machine


@pytest.fixture
def desktop(laptop: PlayedMachine) -> PlayedMachine:
    machine = laptop.world.machine("desktop")
    machine.folder.mkdir(parents=True)
    return machine


def look_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have what a service looks after by itself, every few seconds, looked after at once."""
    monkeypatch.setattr(schedule, "FIRST_RETRY_SECONDS", 0.1)
    monkeypatch.setattr(schedule, "HEALTH_SECONDS", 0.1)
    monkeypatch.setattr(timetable, "_LONGEST_WAIT_SECONDS", 0.1)


# --- pushing -----------------------------------------------------------------------------------


def test_a_session_is_pushed_when_it_is_quiet_and_its_push_is_no_change(
    laptop: PlayedMachine,
) -> None:
    with serving(laptop) as service:
        for _ in range(5):
            laptop.write(SESSION, said())
        until(laptop.bundle().exists)
        until(lambda: service.status.sessions and not service.status.to_push)
        assert opened(laptop.bundle()).transcript == laptop.read()
        laptop.write(OTHER, said())
        until(laptop.bundle(OTHER).exists)
        assert opened(laptop.bundle()).head.revision == 1
        until(lambda: [one.kind for one in service.status.events] == ["push", "push"])
        assert not any(one.by_hand for one in service.status.events)


def test_an_unfinished_line_stays_here_until_the_client_closes_the_session(
    laptop: PlayedMachine,
) -> None:
    laptop.open(SESSION)
    with serving(laptop):
        whole = laptop.write(SESSION, said("finished"))
        laptop.write(SESSION, said("torn")[:20])
        until(laptop.bundle().exists)
        assert opened(laptop.bundle()).transcript == whole
        laptop.close()
        until(lambda: opened(laptop.bundle()).transcript == laptop.read())


def test_what_the_client_closes_is_pushed_at_once(
    laptop: PlayedMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "LATEST_SECONDS", HOUR)
    preferences.change(laptop.paths, quiet_seconds=HOUR)
    laptop.open(SESSION)
    with serving(laptop) as service:
        until(lambda: laptop.world.store.exists())
        laptop.write(SESSION, said())
        until(lambda: service.status.started)
        laptop.close()
        until(laptop.bundle().exists)


def test_ignored_projects_are_left_alone_until_they_are_shared_again(
    laptop: PlayedMachine,
) -> None:
    preferences.change(laptop.paths, ignore=[KEY])
    laptop.write(SESSION, said())
    with serving(laptop) as service:
        until(lambda: service.status.sessions)
        laptop.write(SESSION, said())
        until(lambda: service.status.sessions[0].size == laptop.path().stat().st_size)
        service.look_now().result(PATIENCE_SECONDS)
        assert service.status.sessions[0].ignored
        assert not laptop.bundle().exists()
        assert service.status.to_push == ()
        service.change(ignore=None).result(PATIENCE_SECONDS)
        until(laptop.bundle().exists)


def test_one_session_that_cannot_be_read_hides_no_other(laptop: PlayedMachine) -> None:
    other = laptop.claude / "projects" / "-another"
    other.mkdir()
    for folder in (laptop.folder, other):
        (folder / f"{THIRD}.jsonl").write_bytes(said(folder.name))
    laptop.write(SESSION, said())
    with serving(laptop) as service:
        until(laptop.bundle().exists)
        until(lambda: not service.status.to_push)
        states = {one.session_id: one.state for one in service.status.sessions}
        assert states == {SESSION: State.SYNCED, THIRD: State.CONFLICT}


# --- arriving ----------------------------------------------------------------------------------


def test_an_arrival_is_reported_at_once_and_pulled_by_a_click(
    laptop: PlayedMachine, desktop: PlayedMachine
) -> None:
    desktop.write(SESSION, said())
    with serving(laptop) as service:
        desktop.push()
        # It looks by itself once an hour: this is the store's own event.
        until(lambda: service.status.arrivals)
        (arrival,) = service.status.arrivals
        assert (arrival.session_id, arrival.machine, arrival.here) == (SESSION, "desktop", False)
        assert not laptop.has()
        results = service.pull([SESSION]).result(PATIENCE_SECONDS)
        assert [result.outcome for result in results] == [Outcome.IMPORTED]
        until(lambda: not service.status.arrivals)
        assert agree(laptop, desktop)
        assert service.status.events[-1].by_hand
        (state,) = service.status.sessions
        assert state.undoable
        service.undo(SESSION).result(PATIENCE_SECONDS)
        assert not laptop.has()


@pytest.mark.parametrize("on_arrival", ["ask", "nothing"])
def test_what_arrives_is_left_where_it_is_unless_it_is_to_be_pulled(
    laptop: PlayedMachine, desktop: PlayedMachine, on_arrival: str
) -> None:
    preferences.change(laptop.paths, on_arrival=on_arrival)
    desktop.write(SESSION, said())
    desktop.push()
    with serving(laptop) as service:
        until(lambda: service.status.arrivals)
        assert not laptop.has()
        preferences.change(laptop.paths, on_arrival="pull")
        service.look_now().result(PATIENCE_SECONDS)
        until(laptop.has)
        until(lambda: not service.status.arrivals)
        # What we wrote ourselves is nothing to push.
        laptop.write(OTHER, said())
        until(laptop.bundle(OTHER).exists)
        assert not laptop.bundle().exists()
        assert agree(laptop, desktop)


def test_a_session_is_made_ready_to_be_resumed(
    laptop: PlayedMachine, desktop: PlayedMachine
) -> None:
    desktop.write(SESSION, said())
    with serving(laptop, on_arrival="nothing") as service:
        desktop.push()
        found = service.prepare_resume(SESSION).result(PATIENCE_SECONDS)
        assert found.checked_directory() == laptop.project
        assert agree(laptop, desktop)
        event = service.status.events[-1]
        assert (event.kind, event.by_hand) == ("resume", True)
        assert [one.outcome for one in event.results] == [Outcome.IMPORTED]
        (state,) = service.status.sessions
        assert state.state is State.SYNCED
        clicked_again = service.prepare_resume(SESSION).exception(PATIENCE_SECONDS)
        assert isinstance(clicked_again, SessionOpen)
        laptop.open()
        failed = service.prepare_resume(SESSION).exception(PATIENCE_SECONDS)
        assert isinstance(failed, SessionOpen)
        assert service.status.events[-1].kind == "failed"
    assert f"resume imported {SESSION} desktop" in log_of(laptop)


def test_an_arrival_is_known_over_a_restart_and_new_when_it_has_grown(
    laptop: PlayedMachine, desktop: PlayedMachine
) -> None:
    desktop.write(SESSION, said())
    desktop.push()
    with serving(laptop) as service:
        until(lambda: service.status.arrivals)
        first = service.status.arrivals[0].seen_at
    begun = time.time()
    with serving(laptop) as service:
        until(lambda: service.status.arrivals)
        assert service.status.arrivals[0].seen_at == first < begun
        desktop.write(SESSION, said())
        desktop.push()
        until(lambda: service.status.arrivals[0].seen_at > begun)


def test_an_open_session_is_pulled_when_it_is_closed(
    laptop: PlayedMachine, desktop: PlayedMachine
) -> None:
    laptop.write(SESSION, said())
    laptop.push()
    desktop.pull()
    desktop.write(SESSION, said())
    laptop.open(SESSION)
    before = laptop.read()
    with serving(laptop, on_arrival="pull") as service:
        desktop.push()
        until(lambda: service.status.deferred == (SESSION,))
        assert laptop.read() == before
        laptop.close()
        until(lambda: agree(laptop, desktop))
        until(lambda: service.status.deferred == ())


def test_a_click_on_an_open_session_is_carried_out_when_it_is_closed(
    laptop: PlayedMachine, desktop: PlayedMachine
) -> None:
    laptop.write(SESSION, said())
    laptop.push()
    desktop.pull()
    desktop.write(SESSION, said())
    desktop.push()
    laptop.open(SESSION)
    with serving(laptop) as service:
        until(lambda: service.status.arrivals)
        (result,) = service.pull([SESSION]).result(PATIENCE_SECONDS)
        assert result.outcome is Outcome.OPEN
        laptop.close()
        until(lambda: agree(laptop, desktop))


def test_a_broken_bundle_is_tried_again_only_when_it_has_changed(
    laptop: PlayedMachine, desktop: PlayedMachine
) -> None:
    desktop.write(SESSION, said("a" * 5000))
    desktop.write(OTHER, said())
    desktop.push()
    good = desktop.bundle().read_bytes()
    spot = good.index(b"aaaaaaaa")
    desktop.bundle().write_bytes(good[:spot] + b"b" + good[spot + 1 :])
    with serving(laptop, on_arrival="pull") as service:
        until(lambda: laptop.has(OTHER))
        # From then on it is a file that can't be used, which the doctor names.
        until(lambda: f"pull failed {SESSION}" in log_of(laptop))
        for _ in range(3):
            service.look_now().result(PATIENCE_SECONDS)
            laptop.write(THIRD, said())
            until(lambda: THIRD not in service.status.to_push)
        assert log_of(laptop).count(f"pull failed {SESSION}") == 1
        assert not service.status.arrivals
        assert service.status.offline_since is None
        desktop.bundle().write_bytes(good)
        until(lambda: agree(laptop, desktop))
        until(lambda: not service.status.error)


def test_both_sides_of_a_conflict_are_shown_and_one_is_kept(
    laptop: PlayedMachine, desktop: PlayedMachine
) -> None:
    laptop.write(SESSION, said())
    laptop.push()
    desktop.pull()
    laptop.write(SESSION, said())
    desktop.write(SESSION, said())
    desktop.push()
    with serving(laptop, on_arrival="pull") as service:
        until(lambda: service.status.conflicts)
        (conflict,) = service.status.conflicts
        assert [side.lines for side in conflict.sides] == [1, 1]
        # The other machine shall see how far this one went on.
        until(lambda: opened(laptop.bundle()).transcript == laptop.read())
        shown = [side.version for side in conflict.sides]
        service.resolve(SESSION, "desktop", shown).result(PATIENCE_SECONDS)
        until(lambda: not service.status.conflicts)
        assert agree(laptop, desktop)


# --- places that come and go -------------------------------------------------------------------


def test_a_store_that_vanishes_is_said_once_and_taken_up_again_when_it_is_back(
    laptop: PlayedMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_often(monkeypatch)
    laptop.write(SESSION, said())
    laptop.push()
    away = laptop.world.store.with_name("away")
    with serving(laptop) as service:
        laptop.world.store.rename(away)
        for _ in range(3):
            service.look_now().result(PATIENCE_SECONDS)
            until(lambda: service.status.offline_since is not None)
        assert service.status.error == ""
        assert "isn't there" in service.status.offline_message
        since = service.status.offline_since
        laptop.write(SESSION, said())
        service.look_now().result(PATIENCE_SECONDS)
        assert service.status.offline_since == since
        away.rename(laptop.world.store)
        until(lambda: service.status.offline_since is None)
        until(lambda: opened(laptop.bundle()).transcript == laptop.read())
        assert log_of(laptop).count("watch waits") == 1
        assert not [one for one in service.status.events if one.kind == "failed"]


def test_a_store_that_is_gone_is_left_alone_until_it_is_tried_again(
    laptop: PlayedMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = 0
    peek = Store.listing

    def counted(store: Store) -> Listing:
        nonlocal looks
        looks += 1
        return peek(store)

    monkeypatch.setattr(Store, "listing", counted)
    laptop.world.store.rename(laptop.world.folder / "away")
    with serving(laptop) as service:
        # The doctor looks as well, once, when the first round is over.
        until(lambda: service.status.offline_since and service.status.findings)
        before = looks
        # Neither what changes nor what is asked of others makes it try again.
        for _ in range(20):
            laptop.write(SESSION, said())
            service.call(lambda context: None).result(PATIENCE_SECONDS)
        assert looks == before
        service.look_now().result(PATIENCE_SECONDS)
        until(lambda: looks > before)


def test_a_place_that_is_no_folder_is_an_error_and_not_offline(laptop: PlayedMachine) -> None:
    shutil.move(laptop.world.store, laptop.world.folder / "away")
    laptop.world.store.write_text("a file")
    with serving(laptop) as service:
        until(lambda: service.status.error)
        assert service.status.offline_since is None
        laptop.world.store.unlink()
        shutil.move(laptop.world.folder / "away", laptop.world.store)
        service.look_now().result(PATIENCE_SECONDS)
        until(lambda: service.status.last_sync is not None)
        assert service.status.error == ""


def test_another_place_in_the_preferences_is_taken_up_while_it_runs(
    laptop: PlayedMachine,
) -> None:
    laptop.write(SESSION, said())
    with serving(laptop) as service:
        until(laptop.bundle().exists)
        there = laptop.world.store
        laptop.world.store = laptop.world.folder / "elsewhere"
        laptop.set_up()
        until(laptop.bundle().exists)
        assert service.status.location == str(laptop.world.store) != str(there)


def test_wrong_preferences_are_got_over(
    laptop: PlayedMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_often(monkeypatch)
    file = laptop.paths.preferences_file
    good = file.read_bytes()
    with serving(laptop) as service:
        file.write_text(json.dumps({**json.loads(good), "location": "ssh://-bad/x"}))
        service.look_now().result(PATIENCE_SECONDS)
        until(lambda: service.status.error)
        with pytest.raises(Exception, match="host"):
            service.push().result(PATIENCE_SECONDS)
        file.write_text("no JSON at all")
        service.look_now().result(PATIENCE_SECONDS)
        until(lambda: service.status.location == "")
        with pytest.raises(NotSetUp):
            service.push().result(PATIENCE_SECONDS)
        file.write_bytes(good)
        laptop.write(SESSION, said())
        until(laptop.bundle().exists)
        until(lambda: service.status.error == "")


def test_before_a_place_is_chosen_it_waits_for_one(world: World) -> None:
    laptop = PlayedMachine(world, "laptop")
    laptop.write(SESSION, said())
    with serving(laptop) as service:
        assert service.status.location == ""
        until(lambda: any(one.code == "not-set-up" for one in service.status.findings))
        with pytest.raises(NotSetUp):
            service.push_older().result(PATIENCE_SECONDS)
        laptop.set_up()
        prepare(laptop)
        service.look_now().result(PATIENCE_SECONDS)
        until(laptop.bundle().exists)


def test_a_directory_that_becomes_known_sets_its_sessions_going(
    laptop: PlayedMachine, desktop: PlayedMachine
) -> None:
    desktop.write(SESSION, said())
    desktop.push()
    with laptop.at_work() as context:
        context.registry.remove(laptop.project)
    with serving(laptop, on_arrival="pull") as service:
        until(lambda: [one.state for one in service.status.sessions] == [State.UNPLACED])
        laptop.add_project()
        service.look_now().result(PATIENCE_SECONDS)
        until(laptop.has)


# --- pausing and leaving -----------------------------------------------------------------------


def test_a_pause_stops_all_but_clicks_and_survives_a_restart(
    laptop: PlayedMachine, desktop: PlayedMachine
) -> None:
    desktop.write(OTHER, said())
    desktop.push()
    with serving(laptop) as service:
        service.pause().result(PATIENCE_SECONDS)
    laptop.write(SESSION, said())
    with serving(laptop, on_arrival="pull") as service:
        assert service.status.paused_until == float("inf")
        until(lambda: service.status.arrivals)
        until(lambda: service.status.to_push == (SESSION,))
        assert service.push_before_leaving(HOUR).result(PATIENCE_SECONDS) == []
        assert not laptop.bundle().exists()
        assert not laptop.has(OTHER)
        service.push().result(PATIENCE_SECONDS)
        assert laptop.bundle().exists()
        service.resume().result(PATIENCE_SECONDS)
        until(lambda: laptop.has(OTHER))
        assert service.status.paused_until is None


def test_a_pause_ends_when_its_time_is_over(
    laptop: PlayedMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_often(monkeypatch)
    with serving(laptop) as service:
        service.pause(time.time() + HOUR).result(PATIENCE_SECONDS)
        assert service.status.paused_until is not None
        laptop.write(SESSION, said())
        service.look_now().result(PATIENCE_SECONDS)
        until(lambda: service.status.to_push)
        assert not laptop.bundle().exists()
        now = time.time
        monkeypatch.setattr(time, "time", lambda: now() + 2 * HOUR)
        until(laptop.bundle().exists)
        until(lambda: service.status.paused_until is None)


def test_before_leaving_what_changed_is_pushed_and_what_did_not_fit_is_said(
    laptop: PlayedMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "LATEST_SECONDS", HOUR)
    preferences.change(laptop.paths, quiet_seconds=HOUR)
    with serving(laptop) as service:
        laptop.write(SESSION, said())
        laptop.write(OTHER, said())
        assert service.push_before_leaving(0).result(PATIENCE_SECONDS) != []
        assert not laptop.bundle().exists()
        assert service.push_before_leaving(HOUR).result(PATIENCE_SECONDS) == []
        assert laptop.bundle().exists()
        assert laptop.bundle(OTHER).exists()


# --- one service, commands, the end ------------------------------------------------------------


def test_there_is_one_service_a_user_and_it_says_who_it_is(laptop: PlayedMachine) -> None:
    with serving(laptop):
        with pytest.raises(LockBusy, match=f"pid {os.getpid()}, watching"):
            Service(laptop.paths).start()
        # The command line works beside it.
        laptop.write(SESSION, said())
        assert laptop.push(SESSION)[SESSION].outcome in (Outcome.PUSHED, Outcome.UNCHANGED)
    with serving(laptop):
        pass


def test_commands_after_the_end_are_cancelled(laptop: PlayedMachine) -> None:
    with serving(laptop) as service:
        assert (
            service.call(lambda context: context.machine.name).result(PATIENCE_SECONDS) == "laptop"
        )
    assert service.status.stopped
    assert service.push().cancelled()


def test_a_command_that_fails_says_so_and_takes_nothing_down(laptop: PlayedMachine) -> None:
    def broken(_context: object) -> None:
        raise ZeroDivisionError("a title that must not be logged")

    with serving(laptop) as service:
        with pytest.raises(Exception, match="no session"):
            service.push(["ffff"]).result(PATIENCE_SECONDS)
        assert service.status.events[-1].kind == "failed"
        with pytest.raises(ZeroDivisionError):
            service.call(broken).result(PATIENCE_SECONDS)
        until(lambda: service.status.error)
        assert "ZeroDivisionError at test_service.py" in log_of(laptop)
        assert "must not be logged" not in log_of(laptop)
        service.look_now().result(PATIENCE_SECONDS)
        until(lambda: service.status.error == "")
        laptop.write(SESSION, said())
        until(laptop.bundle().exists)


def test_the_end_comes_while_a_pull_is_under_way_and_nothing_is_half_done(
    laptop: PlayedMachine, desktop: PlayedMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pull_apply, "_GROUP_SESSIONS", 10)
    for number in range(40):
        desktop.write(f"{number:08d}-1111-4222-8333-444455556666", said("x" * 200_000))
    desktop.push()
    under_way, stopping = threading.Event(), threading.Event()

    def hold_the_pull(status: Status) -> None:
        activity = status.activity
        if activity is not None and activity.verb == "Pulling" and activity.sessions_done:
            under_way.set()
            stopping.wait(PATIENCE_SECONDS)

    with serving(laptop, on_status=hold_the_pull) as service:
        until(lambda: service.status.arrivals)
        service.pull()
        assert under_way.wait(PATIENCE_SECONDS)
        assert not service.stop(0)
        stopping.set()
        assert service.stop(PATIENCE_SECONDS)
    assert laptop.leftovers() == []
    assert 0 < len(laptop.sessions()) < len(desktop.sessions())
    for session in laptop.sessions():
        assert agree(laptop, desktop, session=session)
    laptop.pull()
    assert laptop.sessions() == desktop.sessions()


def test_the_log_says_what_was_done_by_itself_and_no_titles(
    laptop: PlayedMachine, desktop: PlayedMachine
) -> None:
    desktop.write(SESSION, said("the secret title"))
    desktop.push()
    with serving(laptop, on_arrival="pull"):
        until(laptop.has)
        laptop.write(OTHER, said("another title"))
        until(lambda: f"push pushed {OTHER} laptop" in log_of(laptop))
    assert f"pull imported {SESSION} desktop" in log_of(laptop)
    assert "title" not in log_of(laptop)


def test_what_was_removed_by_a_click_stands_in_the_log(laptop: PlayedMachine) -> None:
    laptop.write(SESSION, said("hello"))
    laptop.push()
    with serving(laptop) as service:
        assert service.forget(bundles_of_this_machine).result(PATIENCE_SECONDS) == 1
        assert service.forget(bundles_of_this_machine).result(PATIENCE_SECONDS) == 0
    assert log_of(laptop).count(f"forget {SESSION} laptop") == 1


def test_records_that_break_while_it_runs_are_begun_anew(laptop: PlayedMachine) -> None:
    laptop.write(SESSION, said())
    with serving(laptop) as service:
        until(laptop.bundle().exists)
        file = laptop.records_file()
        for name in (file.name, f"{file.name}-wal", f"{file.name}-shm"):
            # Never shorter meanwhile: SQLite has one of them mapped, and would end the process.
            with file.with_name(name).open("r+b") as broken:
                broken.write(b"not a database" * 5000)
        laptop.write(OTHER, said())
        until(laptop.bundle(OTHER).exists)
        until(lambda: service.status.error == "")
