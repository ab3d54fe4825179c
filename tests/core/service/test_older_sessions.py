"""The service: sessions that were last used long ago."""

from __future__ import annotations

import pytest

from claude_sync.model import Outcome
from machines import OTHER, SESSION, PlayedMachine, World, opened, said
from services import prepare, serving
from waiting import PATIENCE_SECONDS, until

WEEK = 8 * 86_400.0


@pytest.fixture
def laptop(world: World) -> PlayedMachine:
    machine = world.machine("laptop")
    prepare(machine)
    return machine


def test_sessions_of_the_last_week_are_pushed_at_the_start_and_older_ones_when_asked_for(
    laptop: PlayedMachine,
) -> None:
    laptop.write(SESSION, said())
    laptop.write(OTHER, said())
    laptop.grow_old(OTHER, WEEK)
    with serving(laptop) as service:
        until(laptop.bundle().exists)
        until(lambda: service.status.older == (OTHER,))
        until(lambda: service.status.to_push == (OTHER,))
        assert not laptop.bundle(OTHER).exists()
        results = service.push_older().result(PATIENCE_SECONDS)
        assert [(r.session_id, r.outcome) for r in results] == [(OTHER, Outcome.PUSHED)]
        until(lambda: service.status.older == ())


def test_an_older_session_whose_push_fails_is_shown_until_it_succeeds(
    laptop: PlayedMachine,
) -> None:
    laptop.write(OTHER, said())
    laptop.grow_old(OTHER, WEEK)
    in_the_way = laptop.bundle(OTHER).parent
    with serving(laptop) as service:
        until(lambda: service.status.older == (OTHER,))
        in_the_way.write_bytes(b"a file")
        (failed,) = service.push_older().result(PATIENCE_SECONDS)
        assert (failed.session_id, failed.outcome) == (OTHER, Outcome.FAILED)
        until(lambda: service.status.error == failed.message)
        assert [event.results for event in service.status.events] == [(failed,)]
        assert f"push failed {OTHER}" in laptop.paths.log_file.read_text()
        assert service.status.older == (OTHER,)
        in_the_way.unlink()
        (pushed,) = service.push_older().result(PATIENCE_SECONDS)
        assert pushed.outcome is Outcome.PUSHED
        until(lambda: service.status.error == "")
        until(lambda: service.status.older == ())


def test_what_was_pushed_before_is_pushed_again_however_old_it_is(laptop: PlayedMachine) -> None:
    laptop.write(SESSION, said())
    laptop.push()
    laptop.write(SESSION, said())
    laptop.grow_old(SESSION, WEEK)
    with serving(laptop):
        until(lambda: opened(laptop.bundle()).transcript == laptop.read())
