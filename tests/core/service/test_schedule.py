"""When to push, look and try again: plain arithmetic on made-up clocks."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from claude_sync.service import schedule
from claude_sync.service.schedule import Change

QUIET = 3.0
MB = 1_000_000


def pushes(
    changes: list[float], size: int, *, until: float, pushed: float | None = None
) -> list[float]:
    """When a session is pushed whose changes come at these moments, up to a moment."""
    found: list[float] = []
    waiting = sorted(changes)
    change: Change | None = None
    now = 0.0
    while now < until:
        if waiting and waiting[0] <= now:
            change = schedule.after_change(change, waiting.pop(0), size, pushed)
        elif change is not None and schedule.push_due(change, QUIET) <= now:
            found.append(round(now, 1))
            pushed, change = now, None
        else:
            now += 0.5
    return found


def test_a_session_is_pushed_once_it_is_quiet() -> None:
    assert pushes([1.0], MB, until=60) == [4.0]
    assert pushes([1.0, 2.0, 3.0], MB, until=60) == [6.0]


def test_a_session_at_rest_is_quiet_until_it_changes_again() -> None:
    rested = replace(schedule.after_change(None, 1.0, MB, None), rested=True)
    assert schedule.push_due(rested, QUIET) == 1.0
    assert schedule.push_due(schedule.after_change(rested, 2.0, MB, None), QUIET) == 5.0


def test_a_big_session_at_rest_is_still_not_rewritten_all_the_time() -> None:
    rested = replace(schedule.after_change(None, 10.0, 300 * MB, 0.0), rested=True)
    assert schedule.push_due(rested, QUIET) == 450.0


def test_a_session_that_keeps_changing_is_pushed_every_thirty_seconds() -> None:
    found = pushes([float(second) for second in range(100)], MB, until=100)
    assert found == [30.0, 61.0, 92.0]


def test_a_big_session_is_rewritten_at_most_once_in_one_and_a_half_seconds_a_megabyte() -> None:
    size = 300 * MB
    growing = [float(second) for second in range(3600)]
    in_bursts = [float(second) for second in range(0, 3600, 10)]
    for changes in (growing, in_bursts):
        found = pushes(changes, size, until=3600, pushed=0.0)
        assert found[0] >= 450
        assert all(later - sooner >= 450 for sooner, later in itertools.pairwise(found))
        assert len(found) >= 7
        assert len(found) * size < 5_000 * MB


def test_a_big_session_that_was_never_pushed_is_pushed_once_it_is_quiet() -> None:
    assert pushes([0.0], 300 * MB, until=60) == [3.0]


def test_what_its_client_has_closed_is_pushed_at_once_however_big_it_is() -> None:
    change = schedule.after_change(None, 100.0, 300 * MB, pushed=99.0, urgent=True)
    assert schedule.push_due(change, QUIET) == 100.0
    assert schedule.after_change(change, 101.0, 300 * MB, 99.0).urgent


def test_what_failed_is_tried_again_less_and_less() -> None:
    change = schedule.after_change(None, 0.0, MB, None, urgent=True)
    waits = []
    for _ in range(8):
        change = schedule.after_failure(change, 0.0)
        waits.append(schedule.push_due(change, QUIET))
    assert waits == [30, 60, 120, 240, 300, 300, 300, 300]


@pytest.mark.parametrize("jitter", [0.0, 0.5, 1.0])
def test_a_place_that_is_gone_is_tried_again_after_longer_and_longer(jitter: float) -> None:
    waits = [schedule.retry_after(failures, jitter) for failures in range(1, 12)]
    assert waits == sorted(waits)
    assert 3 < waits[0] <= 5
    assert 225 <= waits[-1] <= 300
    assert schedule.retry_after(1, jitter, by_hand_only=True) == waits[-1]


def test_machines_do_not_come_in_step() -> None:
    assert schedule.retry_after(9, 0.1) != schedule.retry_after(9, 0.9)


@pytest.mark.parametrize(
    ("waited", "passed", "wall", "gap"),
    [
        (5.0, 5.0, 5.0, False),
        (5.0, 12.0, 12.0, False),  # a round that took long
        (5.0, 5.0, 3605.0, True),  # Linux: the steady clock stood still in the sleep
        (5.0, 3605.0, 3605.0, True),  # Windows: it didn't
        (5.0, 5.0, -3600.0, True),  # the clock was set back
        (60.0, 60.0, 62.0, False),
    ],
)
def test_a_sleep_is_told_from_a_wait(waited: float, passed: float, wall: float, gap: bool) -> None:
    assert schedule.is_gap(waited, passed, wall) is gap


def test_looking_at_a_busy_store_leaves_time_for_other_things() -> None:
    assert schedule.look_after_event(100.0, ended=0.0, took=0.01) == pytest.approx(100.05)
    assert schedule.look_after_event(100.0, ended=99.9, took=0.01) == pytest.approx(100.4)
    assert schedule.look_after_event(100.0, ended=99.9, took=2.0) == pytest.approx(119.9)
    assert schedule.look_after_event(100.0, 99.9, 2.0, remote=True) == pytest.approx(101.9)


def test_the_wait_is_for_the_first_of_all() -> None:
    assert schedule.seconds_until_first([12.0, 11.0], 10.0, 5.0) == 1.0
    assert schedule.seconds_until_first([12.0], 10.0, 1.5) == 1.5
    assert schedule.seconds_until_first([8.0], 10.0, 5.0) == 0.0
