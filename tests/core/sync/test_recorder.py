"""Every verb has what it did written down, whichever front end asked, and a look writes nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from claude_sync.errors import SessionOpen, StoreOffline, UsageError
from claude_sync.state.activity import Activity, ActivityLog
from claude_sync.sync import recorder
from claude_sync.sync.forget import bundles_of_sessions, forget
from claude_sync.sync.pull import pull
from claude_sync.sync.push import push_surveyed
from claude_sync.sync.survey.look import look
from machines import KEY, OTHER, SESSION, PlayedMachine, World, said

SECRET = "sk-ant-api03-what-nobody-else-may-read"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def entries(machine: PlayedMachine) -> list[Activity]:
    """What was written down at a machine, oldest first."""
    return ActivityLog(machine.paths.activity_file).entries()[::-1]


def shown(machine: PlayedMachine) -> list[tuple[str, str, str]]:
    return [(entry.verb, entry.outcome, entry.machine) for entry in entries(machine)]


def diverged(world: World) -> tuple[PlayedMachine, PlayedMachine]:
    laptop, desktop = world.machines("laptop", "desktop")
    laptop.write(SESSION, said(f"the key is {SECRET}"))
    laptop.push()
    desktop.pull()
    for machine in (laptop, desktop):
        machine.write(SESSION, said(f"only on {machine.name}"))
        machine.push()
    for machine in (laptop, desktop):
        machine.grow_old()
    return laptop, desktop


def test_what_was_pushed_and_pulled(world: World) -> None:
    laptop, desktop = world.machines("laptop", "desktop")
    laptop.write(SESSION, said())
    laptop.push()
    desktop.pull()
    laptop.write(SESSION, said())
    laptop.push()
    desktop.pull()
    assert shown(laptop) == [("push", "pushed", "laptop")]
    assert shown(desktop) == [("pull", "imported", "laptop"), ("pull", "updated", "laptop")]
    (pushed,) = entries(laptop)
    assert (pushed.session_id, pushed.project_key, pushed.times) == (SESSION, KEY, 2)
    assert pushed.bytes > 0
    assert not pushed.by_itself


def test_nothing_is_written_where_nothing_was_done(world: World) -> None:
    laptop, desktop = world.machines("laptop", "desktop")
    laptop.write(SESSION, said())
    with desktop.at_work() as context:
        assert pull(context) == []
    desktop.push()
    desktop.states()
    laptop.push()
    with desktop.at_work() as context:
        pull(context, dry_run=True)
    assert not desktop.paths.activity_file.exists()
    laptop.paths.activity_file.unlink()
    laptop.push()
    laptop.pull()
    assert not laptop.paths.activity_file.exists()


@pytest.mark.parametrize(
    ("keep", "decided"),
    [("mine", "desktop"), ("theirs", "laptop"), ("both", "desktop")],
)
def test_a_decided_conflict(world: World, keep: str, decided: str) -> None:
    _, desktop = diverged(world)
    desktop.pull()
    desktop.pull()
    desktop.resolve(keep=keep)
    told = [one for one in shown(desktop) if one[1] == "conflict"]
    assert told == [("pull", "conflict", "laptop")]
    resolved = [one for one in entries(desktop) if one.verb == "resolve"]
    assert [(one.outcome, one.machine) for one in resolved] == [(keep, decided)]
    assert resolved[0].session_id == SESSION


def test_what_was_undone_restored_and_forgotten(world: World) -> None:
    laptop, desktop = diverged(world)
    desktop.resolve(keep="theirs")
    desktop.grow_old()
    desktop.undo()
    desktop.grow_old()
    desktop.bring_back()
    with laptop.at_work() as context:
        forget(context, bundles_of_sessions(context, [SESSION]))
    verbs = [(entry.verb, entry.outcome) for entry in entries(desktop)]
    assert ("undo", "replaced") in verbs
    assert ("restore", "replaced") in verbs
    assert shown(laptop)[-1] == ("forget", "removed", "laptop")


def test_what_failed_and_why(world: World) -> None:
    laptop, desktop = diverged(world)
    desktop.open()
    with pytest.raises(SessionOpen):
        desktop.resolve(keep="theirs")
    with pytest.raises(UsageError):
        desktop.push(OTHER)
    shutil.move(world.location, f"{world.location}-away")
    for _ in range(2):
        with pytest.raises(StoreOffline):
            laptop.push()
    (refused,) = [entry for entry in entries(desktop) if entry.outcome == "failed"]
    assert (refused.verb, refused.code, refused.session_id) == ("resolve", "SessionOpen", SESSION)
    (away,) = [entry for entry in entries(laptop) if entry.outcome == "failed"]
    assert (away.verb, away.session_id) == ("push", "")
    assert away.code.startswith("Store")
    assert away.message


def test_no_title_and_no_word_of_a_transcript_is_in_it(world: World) -> None:
    laptop, desktop = diverged(world)
    desktop.pull()
    desktop.resolve(keep="both")
    for machine in (laptop, desktop):
        folder = machine.paths.activity_file.parent
        for file in folder.glob("activity.sqlite*"):
            data = file.read_bytes()
            for text in (SECRET, "only on", "the key is"):
                assert text.encode() not in data


def _unreadable(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.mkdir(parents=True)


def _damaged(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\0" * 5_000)


@pytest.mark.parametrize("harm", [_unreadable, _damaged])
def test_a_push_goes_on_whatever_became_of_the_file(
    world: World, harm: Callable[[Path], None]
) -> None:
    (laptop,) = world.machines("laptop")
    harm(laptop.paths.activity_file)
    laptop.write(SESSION, said())
    assert laptop.push()[SESSION].outcome.value == "pushed"


def test_a_long_push_says_how_far_it_came_before_it_ends(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "_HELD_SECONDS", -1.0)
    (laptop,) = world.machines("laptop")
    for session in (SESSION, OTHER):
        laptop.write(session, said())
    with laptop.at_work() as context, context.working("pushing"):
        push_surveyed(context, look(context))
        assert len(entries(laptop)) == 2
